package doctor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/program"
	"wklog/patterns"
)

// Kube finds pods through the user's kubectl. It asks with get and logs alone, and of a
// Secret for its certificate and the names of its keys.
type Kube struct {
	// Context and Namespace are those of kubectl's flags; empty for the current context
	// and for all namespaces.
	Context, Namespace string
}

// Name is "kubernetes".
func (*Kube) Name() string { return "kubernetes" }

const (
	// maxAnswer bounds what kubectl prints of objects, in bytes, and maxPods what it
	// prints of all pods.
	maxAnswer = 32 << 20
	maxPods   = 64 << 20
	// patience is how long one question may take, with the ways on which kubectl tries
	// it again.
	patience = 10 * time.Second
	// mostNamespaces and mostAtOnce bound how much is asked.
	mostNamespaces = 20
	mostAtOnce     = 6
)

// kubeName is one that Kubernetes gives to objects (RFC 1123): nothing else is handed to
// kubectl.
var kubeName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$`)

// podTemplate prints a line a pod: its namespace, its name, and the words that may give
// WuKongIM away.
const podTemplate = `{{range .items}}{{.metadata.namespace}}{{"\t"}}{{.metadata.name}}{{range .spec.containers}}{{"\t"}}{{.image}}{{range .env}}{{"\t"}}{{.name}}{{end}}{{range .volumeMounts}}{{"\t"}}{{.mountPath}}{{end}}{{end}}{{"\n"}}{{end}}`

// secretTemplate prints of Secrets the names of their keys, and the certificate.
const secretTemplate = `{{define "one"}}{{.metadata.name}}{{range $key, $value := .data}}{{"\t"}}{{$key}}{{if eq $key "tls.crt"}}={{$value}}{{end}}{{end}}{{"\n"}}{{end}}{{if .items}}{{range .items}}{{template "one" .}}{{end}}{{else if .metadata.name}}{{template "one" .}}{{end}}`

// eventTemplate prints the warnings about a pod, oldest first.
const eventTemplate = `{{range .items}}{{or .lastTimestamp .eventTime .metadata.creationTimestamp}} Warning {{.reason}} {{.message}}{{"\n"}}{{end}}`

// Find asks for all pods, and for what belongs to those of WuKongIM.
func (k *Kube) Find(ctx context.Context, look *Look) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		look.Absent = true
		return
	}
	is, err := k.configured(ctx)
	if err != nil {
		look.Unseen = append(look.Unseen, unseenOf(k.asked("config", "current-context"), err))
		return
	}
	if look.Absent = !is; look.Absent {
		return
	}
	pods := k.pods(ctx, look)
	names := slices.Sorted(maps.Keys(pods))
	if len(names) > mostNamespaces {
		look.Unseen = append(look.Unseen, Unseen{What: strings.Join(names[mostNamespaces:], ", "), Why: messages.NewError("error.doctor.namespaces", mostNamespaces)})
		names = names[:mostNamespaces]
	}
	for _, name := range names {
		n := &namespace{kube: k, name: name, pods: pods[name]}
		n.read(ctx, look)
		look.Servers = append(look.Servers, n.servers(ctx, look)...)
	}
}

// configured tells whether kubectl knows a cluster: one that it was given, the current
// one, or the one that it runs in. Nothing is connected to. An error says that kubectl
// gave no answer in its time.
func (k *Kube) configured(ctx context.Context) (bool, error) {
	if k.Context != "" || os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return true, nil
	}
	out, _, err := k.ask(ctx, maxComplaints, "config", "current-context")
	if errors.Is(err, program.ErrTooLong) {
		return false, err
	}
	return err == nil && len(bytes.TrimSpace(out)) > 0, nil
}

// maxComplaints bounds what an answer without objects has, in bytes.
const maxComplaints = 64 << 10

// ask runs kubectl.
func (k *Kube) ask(ctx context.Context, most int64, args ...string) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return program.Output(ctx, most, "kubectl", k.with(args)...)
}

func (k *Kube) with(args []string) []string {
	all := []string{"--request-timeout=5s"}
	if k.Context != "" {
		all = append(all, "--context="+k.Context)
	}
	return append(all, args...)
}

// asked is a question as it is shown.
func (k *Kube) asked(args ...string) string {
	shown := slices.DeleteFunc(slices.Clone(args), func(word string) bool { return strings.HasPrefix(word, "--output") })
	return "kubectl " + strings.Join(shown, " ")
}

// pods are the names of WuKongIM's, by namespace. Who may not see all namespaces sees
// that of the context.
func (k *Kube) pods(ctx context.Context, look *Look) map[string][]string {
	where := "--all-namespaces"
	if k.Namespace != "" {
		where = "--namespace=" + k.Namespace
	}
	out, _, err := k.ask(ctx, maxPods, "get", "pods", where, "--output=go-template="+podTemplate)
	if err != nil {
		look.Unseen = append(look.Unseen, unseenOf(k.asked("get", "pods", where), err))
	}
	if isForbidden(err) && k.Namespace == "" {
		if out, _, err = k.ask(ctx, maxPods, "get", "pods", "--output=go-template="+podTemplate); err != nil {
			look.Unseen = append(look.Unseen, unseenOf(k.asked("get", "pods"), err))
		}
	}
	return podsOf(out)
}

func isForbidden(err error) bool {
	var failed *program.Failure
	return errors.As(err, &failed) && strings.Contains(failed.Says, "(Forbidden)")
}

// unseenOf is a question that was not answered.
func unseenOf(what string, err error) Unseen {
	u := Unseen{What: what, Why: err}
	if isForbidden(err) {
		u.Command = "kubectl auth can-i --list"
	}
	return u
}

// podsOf reads what podTemplate printed. A line that holds other names than Kubernetes
// gives is none.
func podsOf(out []byte) map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Split(strings.TrimSpace(line), "\t")
		if len(words) < 3 || !kubeName.MatchString(words[0]) || !kubeName.MatchString(words[1]) {
			continue
		}
		if slices.ContainsFunc(words[2:], speaksOfServer) && !slices.Contains(all[words[0]], words[1]) {
			all[words[0]] = append(all[words[0]], words[1])
		}
	}
	return all
}

// speaksOfServer tells an image, a variable or a mount of WuKongIM's.
func speaksOfServer(word string) bool {
	image, _, _ := strings.Cut(path.Base(strings.ToLower(word)), ":")
	return strings.Contains(image, "wukongim") || strings.HasPrefix(word, "WK_")
}

// namespace is what was read of one.
type namespace struct {
	kube *Kube
	name string
	pods []string

	mutex   sync.Mutex
	objects []json.RawMessage
	found   []*pod
	checked *check.KubeFindings
	err     error
}

// read asks for the pods, and then for all that may belong to them.
func (n *namespace) read(ctx context.Context, look *Look) {
	if out := n.get(ctx, look, append([]string{"pods"}, n.pods...), "--output=json"); out != nil {
		for _, item := range itemsOf(out) {
			p := &pod{raw: item}
			if err := json.Unmarshal(item, p); err == nil && kubeName.MatchString(p.Metadata.Name) {
				n.found = append(n.found, p)
			}
		}
	}
	configs, secrets := n.named()
	questions := [][]string{
		{"deployments.apps"}, {"statefulsets.apps"}, {"daemonsets.apps"}, {"services"}, {"ingresses.networking.k8s.io"},
		{"ingressroutes.traefik.io"}, {"certificates.cert-manager.io"},
	}
	if len(configs) > 0 {
		questions = append(questions, append([]string{"configmaps"}, configs...))
	}
	free := make(chan struct{}, mostAtOnce)
	var running sync.WaitGroup
	for _, question := range questions {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			out := n.get(ctx, look, question, "--output=json")
			n.mutex.Lock()
			defer n.mutex.Unlock()
			n.objects = append(n.objects, itemsOf(out)...)
		})
	}
	running.Wait()
	n.secrets(ctx, look, append(secrets, n.secretsOfRoutes()...))
	n.check()
}

// get asks for objects of the namespace, nil where there is no answer.
func (n *namespace) get(ctx context.Context, look *Look, what []string, form string) []byte {
	args := append(slices.Concat([]string{"get", "--namespace=" + n.name, "--ignore-not-found"}, what), form)
	out, _, err := n.kube.ask(ctx, maxAnswer, args...)
	if err == nil || strings.Contains(err.Error(), "the server doesn't have a resource type") {
		return out
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	look.Unseen = append(look.Unseen, unseenOf(n.kube.asked(args...), err))
	return out // what came before
}

// itemsOf are the objects of a list, or the one that there is. What was cut off is none.
func itemsOf(data []byte) []json.RawMessage {
	var list struct {
		Kind  string
		Items []json.RawMessage
	}
	switch err := json.Unmarshal(data, &list); {
	case err != nil:
		return nil
	case list.Items != nil || list.Kind == "List":
		return list.Items
	case list.Kind != "":
		return []json.RawMessage{data}
	}
	return nil
}

// check gives all objects to the checks: a pod stands for itself where the object that
// makes it may not be seen.
func (n *namespace) check() {
	all := n.objects
	for _, p := range n.found {
		if n.ownerOf(p) == "" {
			all = append(all, p.raw)
		}
	}
	list, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": all})
	if err != nil {
		n.err = err
		return
	}
	n.checked, n.err = check.Kube{Name: "-", Input: check.Proxies{Stdin: bytes.NewReader(list)}}.Load()
}

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
	owner := p.owner()
	for _, raw := range n.objects {
		var o object
		if json.Unmarshal(raw, &o) == nil && o.Kind+"/"+o.Metadata.Name == owner {
			return owner
		}
	}
	return ""
}

// object is any, with the Secrets that routes name.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct{ TLS json.RawMessage }
}

// named are the ConfigMaps and the Secrets of the pods.
func (n *namespace) named() (configs, secrets []string) {
	for _, p := range n.found {
		for _, v := range p.Spec.Volumes {
			if v.Secret != nil {
				secrets = append(secrets, v.Secret.SecretName)
			}
			if v.ConfigMap != nil {
				configs = append(configs, v.ConfigMap.Name)
			}
			if v.Projected == nil {
				continue
			}
			for _, source := range v.Projected.Sources {
				if source.Secret != nil {
					secrets = append(secrets, source.Secret.Name)
				}
				if source.ConfigMap != nil {
					configs = append(configs, source.ConfigMap.Name)
				}
			}
		}
		for _, c := range p.Spec.Containers {
			configs = append(configs, c.configs()...)
		}
	}
	return fit(configs), fit(secrets)
}

// configs are the ConfigMaps that hold variables.
func (c *kubeContainer) configs() (names []string) {
	for _, e := range c.Env {
		if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil {
			names = append(names, e.ValueFrom.ConfigMapKeyRef.Name)
		}
	}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil {
			names = append(names, from.ConfigMapRef.Name)
		}
	}
	return names
}

// fit are names that may be handed to kubectl, each once.
func fit(names []string) []string {
	names = slices.DeleteFunc(names, func(name string) bool { return !kubeName.MatchString(name) || name == "kube-root-ca.crt" })
	slices.Sort(names)
	return slices.Compact(names)
}

// secretsOfRoutes are those that Ingresses and routes name.
func (n *namespace) secretsOfRoutes() (names []string) {
	type entry struct{ SecretName string }
	for _, raw := range n.objects {
		var o object
		if json.Unmarshal(raw, &o) != nil || o.Kind != "Ingress" && o.Kind != "IngressRoute" {
			continue
		}
		var several []entry
		var one entry
		if json.Unmarshal(o.Spec.TLS, &several) != nil && json.Unmarshal(o.Spec.TLS, &one) == nil {
			several = []entry{one}
		}
		for _, e := range several {
			names = append(names, e.SecretName)
		}
	}
	return fit(names)
}

// secrets asks for the certificates of Secrets and the names of what else they hold.
func (n *namespace) secrets(ctx context.Context, look *Look, names []string) {
	if names = fit(names); len(names) == 0 {
		return
	}
	out := n.get(ctx, look, append([]string{"secrets"}, names...), "--output=go-template="+secretTemplate)
	for line := range strings.Lines(string(out)) {
		words := strings.Split(strings.TrimSpace(line), "\t")
		if !kubeName.MatchString(words[0]) {
			continue
		}
		data, withheld := map[string]string{}, []string{}
		for _, word := range words[1:] {
			if key, value, has := strings.Cut(word, "="); has {
				data[key] = value
			} else {
				withheld = append(withheld, key)
			}
		}
		raw, err := json.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]string{"name": words[0], "namespace": n.name}, "data": data, "withheld": withheld,
		})
		if err == nil {
			n.objects = append(n.objects, raw)
		}
	}
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
			Name: n.name + "/" + proxies[0].Target().String(), Component: "ingress-nginx", FoundBy: "kubernetes", By: "route", State: Running,
			Proxies: func(context.Context, []*check.Settings, []string) ([]*check.Proxy, error) { return proxies, nil },
		})
	}
	return all
}

// server is one container of a pod.
func (n *namespace) server(p *pod, c *kubeContainer) *Server {
	owner := cmp.Or(n.ownerOf(p), "Pod/"+p.Metadata.Name)
	s := &Server{
		Name: n.name + "/" + p.Metadata.Name, Component: patterns.ComponentWuKongIM, FoundBy: "kubernetes", By: "image", State: Exited,
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
	s.Logs = n.logs(s, p.Metadata.Name, c.Name)
	return s
}

// tell says of a server how its container is.
func (c *containerStatus) tell(s *Server) {
	s.Restarts = c.RestartCount
	_, s.Container, _ = strings.Cut(c.ContainerID, "://")
	switch {
	case c.State.Running != nil:
		s.State, s.Started = Running, c.State.Running.StartedAt
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

// logs are those of the run before, of this one, and what the cluster says of the pod.
func (n *namespace) logs(s *Server, name, container string) (all []Log) {
	add := func(shown string, args func(since time.Time) []string) {
		all = append(all, Log{Name: shown, Open: func(ctx context.Context, since time.Time) (io.ReadCloser, error) {
			return program.Start(ctx, math.MaxInt64-1, "kubectl", n.kube.with(args(since))...)
		}})
	}
	asked := []string{"logs", "--namespace=" + n.name, "--container=" + container, "--timestamps", "pod/" + name}
	if !kubeName.MatchString(container) {
		return nil
	}
	if s.Restarts > 0 {
		add(s.Name+" --previous", func(since time.Time) []string { return append(slices.Clone(asked), sinceFlag("--previous", since)...) })
	}
	add(s.Name, func(since time.Time) []string { return append(slices.Clone(asked), sinceFlag("", since)...) })
	add(s.Name+" events", func(time.Time) []string {
		return []string{"get", "events", "--namespace=" + n.name, "--field-selector=type=Warning,involvedObject.name=" + name, "--sort-by=.lastTimestamp", "--output=go-template=" + eventTemplate}
	})
	return all
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
