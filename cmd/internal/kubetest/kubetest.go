// Package kubetest is as much of the API of Kubernetes as kubectl needs to read lists and
// to write objects: what wklog asks, and what its remedies change, is asked and changed by
// the real program.
package kubetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// kinds are the resources, by the path of their group.
var kinds = map[string][]string{
	"/api/v1":                    {"pods Pod", "services Service", "configmaps ConfigMap", "secrets Secret", "events Event"},
	"/apis/apps/v1":              {"deployments Deployment", "statefulsets StatefulSet", "daemonsets DaemonSet"},
	"/apis/networking.k8s.io/v1": {"ingresses Ingress", "networkpolicies NetworkPolicy"},
	"/apis/cert-manager.io/v1":   {"certificates Certificate"},
}

type object = map[string]any

// API answers from its objects.
type API struct {
	mutex   sync.Mutex
	objects map[string][]object // by the resource
	logs    map[string]string   // by NAMESPACE/POD
}

// New has no objects.
func New() *API { return &API{objects: map[string][]object{}, logs: map[string]string{}} }

// Add adds objects of a resource.
func (a *API) Add(resource string, all ...map[string]any) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.objects[resource] = append(a.objects[resource], all...)
}

// Log is what the container of a pod has printed.
func (a *API) Log(namespace, pod, text string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.logs[namespace+"/"+pod] = text
}

// Load takes the lists of a folder, which are named after their resources.
func Load(folder string) (*API, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	a := New()
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var list struct{ Items []object }
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		a.objects[strings.TrimSuffix(filepath.Base(file), ".json")] = list.Items
	}
	return a, nil
}

// Config is what kubectl reads to find the API at an address.
func Config(url string) []byte {
	return fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "Config", "current-context": "im",
"contexts": [{"name": "im", "context": {"cluster": "im", "user": "im"}}], "users": [{"name": "im", "user": {}}], "clusters": [{"name": "im", "cluster": {"server": %q}}]}`, url)
}

// Clear takes all objects away.
func (a *API) Clear() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	clear(a.objects)
}

func (a *API) find(resource, namespace, name string) object {
	for _, o := range a.objects[resource] {
		if itsNamespace, itsName := named(o); itsNamespace == namespace && itsName == name {
			return o
		}
	}
	return nil
}

func named(o object) (namespace, name string) {
	metadata, _ := o["metadata"].(object)
	namespace, _ = metadata["namespace"].(string)
	name, _ = metadata["name"].(string)
	return namespace, name
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if answer := discovered(r.URL.Path); answer != nil {
		_ = json.NewEncoder(w).Encode(answer)
		return
	}
	resource, namespace, name := place(r.URL.Path)
	if r.Method != http.MethodGet {
		a.write(w, r, resource, namespace, name)
		return
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if strings.HasSuffix(r.URL.Path, "/log") {
		_, _ = w.Write([]byte(a.logs[namespace+"/"+name]))
		return
	}
	if name == "" {
		items := []object{}
		for _, o := range a.objects[resource] {
			if its, _ := named(o); namespace == "" || its == namespace {
				items = append(items, o)
			}
		}
		_ = json.NewEncoder(w).Encode(object{"apiVersion": "v1", "kind": "List", "metadata": object{"resourceVersion": "1"}, "items": items})
		return
	}
	a.answer(w, a.find(resource, namespace, name), resource, name)
}

// place reads /api/v1/namespaces/NAMESPACE/RESOURCE/NAME and its shorter forms.
func place(path string) (resource, namespace, name string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	at := slices.Index(parts, "namespaces")
	if at < 0 || at+2 >= len(parts) {
		return parts[len(parts)-1], "", ""
	}
	if at+3 < len(parts) {
		name = parts[at+3]
	}
	return parts[at+2], parts[at+1], name
}

// write creates an object, or puts what a patch says into it. That of maps alone is the
// same in all kinds of patches.
func (a *API) write(w http.ResponseWriter, r *http.Request, resource, namespace, name string) {
	var body object
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	switch r.Method {
	case http.MethodPost:
		body["metadata"].(object)["namespace"] = namespace
		a.objects[resource] = append(a.objects[resource], body)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(body)
	case http.MethodPatch:
		o := a.find(resource, namespace, name)
		if o != nil {
			patch(o, body)
		}
		a.answer(w, o, resource, name)
	default:
		http.Error(w, r.Method, http.StatusMethodNotAllowed)
	}
}

func patch(o, change object) {
	for key, value := range change {
		inner, nested := value.(object)
		before, known := o[key].(object)
		switch {
		case nested && known:
			patch(before, inner)
		case value == nil:
			delete(o, key)
		default:
			o[key] = value
		}
	}
}

func (a *API) answer(w http.ResponseWriter, o object, resource, name string) {
	if o == nil {
		w.WriteHeader(http.StatusNotFound)
		o = object{
			"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": fmt.Sprintf("%s %q not found", resource, name),
			"reason": "NotFound", "details": object{"name": name, "kind": resource}, "code": http.StatusNotFound,
		}
	}
	_ = json.NewEncoder(w).Encode(o)
}

// discovered says which kinds there are.
func discovered(path string) any {
	switch path {
	case "/version":
		return object{"major": "1", "minor": "32", "gitVersion": "v1.32.4"}
	case "/api":
		return object{"kind": "APIVersions", "versions": []string{"v1"}}
	case "/apis":
		var groups []object
		for group := range kinds {
			if name, version, ok := strings.Cut(strings.TrimPrefix(group, "/apis/"), "/"); ok && group != "/api/v1" {
				known := object{"groupVersion": name + "/" + version, "version": version}
				groups = append(groups, object{"name": name, "versions": []any{known}, "preferredVersion": known})
			}
		}
		return object{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
	case "/openapi/v3":
		return object{"paths": object{"api/v1": object{"serverRelativeURL": "/openapi/v3/api/v1"}}}
	case "/openapi/v3/api/v1":
		return secretsAreValidated
	}
	resources, ok := kinds[path]
	if !ok {
		return nil
	}
	var list []object
	for _, resource := range resources {
		plural, kind, _ := strings.Cut(resource, " ")
		list = append(list, object{"name": plural, "singularName": strings.ToLower(kind), "namespaced": true, "kind": kind, "verbs": []string{"create", "get", "list", "patch"}})
	}
	return object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/"), "resources": list}
}

// secretsAreValidated tells kubectl apply that the server looks at the fields of a Secret,
// so that it need not.
var secretsAreValidated = object{
	"openapi": "3.0.0", "info": object{"title": "Kubernetes", "version": "v1.32.4"},
	"paths": object{"/api/v1/namespaces/{namespace}/secrets/{name}": object{"patch": object{
		"x-kubernetes-group-version-kind": object{"group": "", "version": "v1", "kind": "Secret"},
		"parameters":                      []object{{"name": "fieldValidation", "in": "query", "schema": object{"type": "string"}}},
		"responses":                       object{"200": object{"description": "OK"}},
	}}},
}
