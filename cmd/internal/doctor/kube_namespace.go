package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"wklog/cmd/internal/check"
)

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
	partial bool // not all of the settings were read

	// index is made of the objects once, when all are read.
	index func() *index
}

func newNamespace(k *Kube, name string, pods []string) *namespace {
	n := &namespace{kube: k, name: name, pods: pods}
	n.index = sync.OnceValue(func() *index { return newIndex(n.objects) })
	return n
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
		{"ingressroutes.traefik.io"}, {"certificates.cert-manager.io"}, {"networkpolicies.networking.k8s.io"},
	}
	if len(configs) > 0 {
		questions = append(questions, append([]string{"configmaps"}, configs...))
	}
	var asking errgroup.Group
	asking.SetLimit(mostAtOnce)
	for _, question := range questions {
		asking.Go(func() error {
			out := n.get(ctx, look, question, "--output=json")
			n.mutex.Lock()
			defer n.mutex.Unlock()
			n.objects = append(n.objects, itemsOf(out)...)
			return nil // what was not answered is told as unseen
		})
	}
	_ = asking.Wait()
	n.secrets(ctx, look, append(secrets, n.secretsOfRoutes()...))
	n.check()
}

// get asks for objects of the namespace, nil where there is no answer.
func (n *namespace) get(ctx context.Context, look *Look, what []string, form string) []byte {
	args := append(slices.Concat([]string{"get", "--namespace=" + n.name, "--ignore-not-found"}, what), form)
	out, err := n.kube.ask(ctx, maxAnswer, args...)
	if err == nil || strings.Contains(err.Error(), "the server doesn't have a resource type") {
		return out
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.partial = n.partial || what[0] == "configmaps"
	u := unseenOf(n.kube.asked(args...), err)
	u.Names = append([]string{n.name}, what[1:]...)
	look.Unseen = append(look.Unseen, u)
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

// secretTemplate prints of Secrets the names of their keys, and the certificate.
const secretTemplate = `{{define "one"}}{{.metadata.name}}{{range $key, $value := .data}}{{"\t"}}{{$key}}{{if eq $key "tls.crt"}}={{$value}}{{end}}{{end}}{{"\n"}}{{end}}{{if .items}}{{range .items}}{{template "one" .}}{{end}}{{else if .metadata.name}}{{template "one" .}}{{end}}`

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
