package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/program"
	"wklog/patterns"
)

// pod is one, as far as it matters here (Kubernetes API, Pod v1).
type pod struct {
	raw      json.RawMessage
	Metadata struct {
		Name            string
		Labels          map[string]string
		OwnerReferences []struct{ Kind, Name string }
	}
	Spec struct {
		Containers []kubeContainer
		Volumes    []struct {
			Secret    *struct{ SecretName string }
			ConfigMap *struct{ Name string }
			Projected *struct {
				Sources []struct{ Secret, ConfigMap *struct{ Name string } }
			}
		}
	}
	Status struct{ ContainerStatuses []containerStatus }
}

type kubeContainer struct {
	Name, Image string
	Env         []kubeVariable
	EnvFrom     []struct{ ConfigMapRef *struct{ Name string } }
}

type kubeVariable struct {
	Name      string
	ValueFrom *struct{ ConfigMapKeyRef *struct{ Name string } }
}

type containerStatus struct {
	Name, ContainerID string
	RestartCount      int
	State, LastState  struct {
		Waiting    *struct{ Reason string }
		Running    *struct{ StartedAt time.Time }
		Terminated *struct {
			ExitCode   int
			StartedAt  time.Time
			FinishedAt time.Time
		}
	}
}

// owner names what makes a pod, by its kind and name; what makes replicas is named by
// them.
func (p *pod) owner() string {
	if len(p.Metadata.OwnerReferences) == 0 {
		return ""
	}
	o := p.Metadata.OwnerReferences[0]
	if o.Kind == "ReplicaSet" {
		return "Deployment/" + strings.TrimSuffix(o.Name, "-"+p.Metadata.Labels["pod-template-hash"])
	}
	return o.Kind + "/" + o.Name
}

// ownerOf is the object that makes a pod, where it was read.
func (n *namespace) ownerOf(p *pod) string {
	if owner := p.owner(); n.index().named[owner] {
		return owner
	}
	return ""
}

// object is any, with the Secrets that routes and Certificates name.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		TLS        json.RawMessage
		SecretName string
	}
}

// index is what is looked up of the objects of a namespace.
type index struct {
	// named are those that are there, by kind and name.
	named map[string]bool
	// certificates are those of cert-manager by their Secrets: a Certificate need not be
	// called as its Secret.
	certificates map[string]string
}

func newIndex(objects []json.RawMessage) *index {
	i := &index{named: map[string]bool{}, certificates: map[string]string{}}
	for _, raw := range objects {
		var o object
		if json.Unmarshal(raw, &o) != nil {
			continue
		}
		i.named[o.Kind+"/"+o.Metadata.Name] = true
		if o.Kind == "Certificate" && kubeName.MatchString(o.Metadata.Name) {
			i.certificates[o.Spec.SecretName] = o.Metadata.Name
		}
	}
	return i
}

// servers are the pods, and what leads clients to them.
func (n *namespace) servers(_ context.Context, look *Look) (all []*Server) {
	for _, p := range n.found {
		for i := range p.Spec.Containers {
			c := &p.Spec.Containers[i]
			if speaksOfServer(c.Image) || slices.ContainsFunc(c.Env, func(v kubeVariable) bool { return speaksOfServer(v.Name) }) {
				all = append(all, n.server(p, c))
			}
		}
	}
	if n.err != nil && len(all) > 0 {
		look.Unseen = append(look.Unseen, Unseen{What: "Kubernetes " + n.name, Why: n.err})
	}
	if n.checked != nil && len(n.checked.Proxies) > 0 {
		proxies := n.checked.Proxies
		all = append(all, &Server{
			Name: n.name + "/" + proxies[0].Target().String(), Component: "ingress-nginx", FoundBy: "kubernetes", By: "route", State: Running, Operate: n.operate,
			Facts:   append([]patterns.Fact{{Kind: patterns.FactNamespace, Name: "namespace", Component: "ingress-nginx", Value: n.name, From: "kubectl"}}, n.secretFact("ingress-nginx", n.secretsOfRoutes())...),
			Proxies: func(context.Context, []*check.Settings, []string) ([]*check.Proxy, error) { return proxies, nil },
		})
	}
	return all
}

// server is one container of a pod.
func (n *namespace) server(p *pod, c *kubeContainer) *Server {
	owner := cmp.Or(n.ownerOf(p), "Pod/"+p.Metadata.Name)
	s := &Server{
		Name: n.name + "/" + p.Metadata.Name, Component: patterns.ComponentWuKongIM, FoundBy: "kubernetes", By: "image", State: Exited, Partial: n.partial,
		Facts: []patterns.Fact{fact(patterns.FactNamespace, "namespace", n.name, "kubectl"), fact(patterns.FactPod, "pod", p.Metadata.Name, "kubectl")},
		Settings: func(context.Context) (*check.Settings, error) {
			if n.err != nil {
				return nil, n.err
			}
			for _, s := range n.checked.Servers {
				if s.Service() == owner {
					return s, nil
				}
			}
			return nil, fmt.Errorf("%s: %w", owner, os.ErrNotExist)
		},
	}
	if kind, name, _ := strings.Cut(owner, "/"); kind == "Deployment" || kind == "StatefulSet" {
		workload := strings.ToLower(kind) + "/" + name
		s.Facts = append(s.Facts, fact(patterns.FactPod, "workload", workload, "kubectl"))
		s.Restart = check.Step{Key: "any.fix-rollout", Command: "kubectl rollout restart -n %[1]s %[2]s", Values: []check.Value{
			{Name: "namespace", Type: check.Name, V: n.name}, {Name: "workload", Type: check.Name, V: workload},
		}}
	}
	for _, status := range p.Status.ContainerStatuses {
		if status.Name == c.Name {
			status.tell(s)
		}
	}
	s.Facts = append(s.Facts, n.secretFact(s.Component, p.secrets())...)
	s.Status = check.Step{Command: "kubectl get pods -n %[1]s %[2]s", Values: []check.Value{
		{Name: "namespace", Type: check.Name, V: n.name}, {Name: "pod", Type: check.Name, V: p.Metadata.Name},
	}}
	s.Logs = n.logs(s, p.Metadata.Name, c.Name)
	s.Operate = n.operate
	return s
}

// plainKubectl begins a command that names no namespace, certificateWords name a
// Certificate by its Secret.
var (
	plainKubectl     = regexp.MustCompile(`(?m)(^|\| )kubectl (-n \S+ )?`)
	certificateWords = regexp.MustCompile(`( certificate |cmctl renew )([a-z0-9][a-z0-9.-]*)`)
)

// operate puts commands into the form in which they work on this namespace.
func (n *namespace) operate(command string) string {
	flags := ""
	if n.kube.Context != "" {
		flags = "--context " + shellescape.Quote(n.kube.Context) + " "
	}
	if !strings.Contains(command, "-n "+n.name) {
		flags += "-n " + n.name + " "
	}
	command = certificateWords.ReplaceAllStringFunc(command, func(words string) string {
		m := certificateWords.FindStringSubmatch(words)
		of := cmp.Or(n.index().certificates[m[2]], m[2])
		if strings.HasPrefix(m[1], "cmctl") {
			of = "-n " + n.name + " " + of
		}
		return m[1] + of
	})
	return plainKubectl.ReplaceAllString(command, "${1}kubectl ${2}"+flags)
}

// secretFact is the Secret of the certificate, none where several may be it.
func (n *namespace) secretFact(of patterns.ComponentID, names []string) []patterns.Fact {
	if names = fit(names); len(names) != 1 {
		return nil
	}
	return []patterns.Fact{{Kind: patterns.FactSecret, Name: "tls", Component: of, Value: names[0], From: "kubectl"}}
}

// secrets are those that a pod mounts.
func (p *pod) secrets() (names []string) {
	for _, v := range p.Spec.Volumes {
		if v.Secret != nil {
			names = append(names, v.Secret.SecretName)
		}
	}
	return names
}

// tell says of a server how its container is.
func (c *containerStatus) tell(s *Server) {
	s.Restarts = c.RestartCount
	_, s.Container, _ = strings.Cut(c.ContainerID, "://")
	switch {
	case c.State.Running != nil:
		s.Started = c.State.Running.StartedAt
		s.State = stateOfRunning(s.Restarts, s.Started)
	case c.State.Waiting != nil && c.RestartCount == 0:
		s.State, s.Reason = Created, c.State.Waiting.Reason
	case c.State.Waiting != nil:
		s.State, s.Reason = Restarting, c.State.Waiting.Reason
	case c.State.Terminated != nil:
		s.Started, s.ExitCode = c.State.Terminated.StartedAt, c.State.Terminated.ExitCode
	}
	if last := c.LastState.Terminated; last != nil && s.State == Restarting {
		s.ExitCode = last.ExitCode
	}
}

// eventTemplate prints the warnings about a pod, oldest first.
const eventTemplate = `{{range .items}}{{or .lastTimestamp .eventTime .metadata.creationTimestamp}} Warning {{.reason}} {{.message}}{{"\n"}}{{end}}`

// logs are those of the run before, of this one, and what the cluster says of the pod.
func (n *namespace) logs(s *Server, name, container string) (all []Log) {
	add := func(shown string, args func(since time.Time, newest int) []string) {
		all = append(all, Log{Name: shown, Open: func(ctx context.Context, since time.Time, newest int) (io.ReadCloser, error) {
			return program.Start(ctx, math.MaxInt64-1, "kubectl", n.kube.with(args(since, newest))...)
		}})
	}
	if !kubeName.MatchString(container) {
		return nil
	}
	if s.Restarts > 0 {
		add(s.Name+" --previous", func(since time.Time, newest int) []string {
			return n.logOf(name, container, newest, sinceFlag("--previous", since))
		})
	}
	add(s.Name, func(since time.Time, newest int) []string {
		return n.logOf(name, container, newest, sinceFlag("", since))
	})
	add(s.Name+" events", func(time.Time, int) []string {
		return []string{"get", "events", "--namespace=" + n.name, "--field-selector=type=Warning,involvedObject.name=" + name, "--sort-by=.lastTimestamp", "--output=go-template=" + eventTemplate}
	})
	return all
}

// logOf asks for the newest lines of a container.
func (n *namespace) logOf(pod, container string, newest int, flags []string) []string {
	return append([]string{"logs", "--namespace=" + n.name, "--container=" + container, "--timestamps", "--tail=" + strconv.Itoa(newest), "pod/" + pod}, flags...)
}

func sinceFlag(flag string, since time.Time) (flags []string) {
	if flag != "" {
		flags = append(flags, flag)
	}
	if !since.IsZero() {
		flags = append(flags, "--since-time="+since.UTC().Format(time.RFC3339))
	}
	return flags
}
