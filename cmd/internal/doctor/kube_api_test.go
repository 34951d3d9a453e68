package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// api is as much of the API of Kubernetes as kubectl needs to read lists: what finders
// ask is asked by the real one.
type api struct{ folder string }

// kinds are the resources, by the path of their group.
var kinds = map[string][]string{
	"/api/v1":                    {"pods Pod", "services Service", "configmaps ConfigMap", "secrets Secret", "events Event"},
	"/apis/apps/v1":              {"deployments Deployment", "statefulsets StatefulSet", "daemonsets DaemonSet"},
	"/apis/networking.k8s.io/v1": {"ingresses Ingress"},
}

func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if answer := discovered(r.URL.Path); answer != nil {
		_ = json.NewEncoder(w).Encode(answer)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	namespace := ""
	if at := slices.Index(parts, "namespaces"); at >= 0 && at+2 < len(parts) {
		namespace, parts = parts[at+1], parts[at+2:]
	} else {
		parts = parts[len(parts)-1:]
	}
	list := map[string]any{}
	data, err := os.ReadFile(filepath.Join(a.folder, parts[0]+".json"))
	if r.Method != http.MethodGet || err != nil || json.Unmarshal(data, &list) != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	items := slices.DeleteFunc(list["items"].([]any), func(item any) bool {
		metadata := item.(map[string]any)["metadata"].(map[string]any)
		return namespace != "" && metadata["namespace"] != namespace || len(parts) > 1 && metadata["name"] != parts[1]
	})
	switch {
	case len(parts) == 1:
		list["items"] = items
		_ = json.NewEncoder(w).Encode(list)
	case len(items) == 1:
		_ = json.NewEncoder(w).Encode(items[0])
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"%s %q not found","reason":"NotFound","details":{"name":%q,"kind":%q},"code":404}`, parts[0], parts[1], parts[1], parts[0])
	}
}

// discovered says which kinds there are.
func discovered(path string) any {
	type any = map[string]interface{}
	switch path {
	case "/version":
		return any{"major": "1", "minor": "32", "gitVersion": "v1.32.4"}
	case "/api":
		return any{"kind": "APIVersions", "versions": []string{"v1"}}
	case "/apis":
		var groups []any
		for group := range kinds {
			if name, version, ok := strings.Cut(strings.TrimPrefix(group, "/apis/"), "/"); ok && group != "/api/v1" {
				known := any{"groupVersion": name + "/" + version, "version": version}
				groups = append(groups, any{"name": name, "versions": []any{known}, "preferredVersion": known})
			}
		}
		return any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
	}
	resources, ok := kinds[path]
	if !ok {
		return nil
	}
	var list []any
	for _, resource := range resources {
		plural, kind, _ := strings.Cut(resource, " ")
		list = append(list, any{"name": plural, "singularName": strings.ToLower(kind), "namespaced": true, "kind": kind, "verbs": []string{"get", "list"}})
	}
	return any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/"), "resources": list}
}

// The questions and their templates are such as kubectl takes, and its answers are those
// of the stand-in.
func TestKubectlItselfAnswers(t *testing.T) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("kubectl is not installed")
	}
	path := os.Getenv("PATH")
	folder, _ := cluster(t)
	t.Setenv("PATH", path)
	server := httptest.NewServer(api{folder})
	defer server.Close()
	config := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "Config", "current-context": "im",
"contexts": [{"name": "im", "context": {"cluster": "im", "user": "im"}}], "users": [{"name": "im", "user": {}}], "clusters": [{"name": "im", "cluster": {"server": %q}}]}`, server.URL), 0o600))
	t.Setenv("KUBECONFIG", config)
	t.Setenv("HOME", t.TempDir())

	look := lookAt(t, &Kube{})
	assert.Empty(t, look.Unseen)
	require.Len(t, look.Servers, 3)
	settings, err := look.Servers[0].Settings(t.Context())
	require.NoError(t, err)
	results := resultsOf(settings)
	assert.Equal(t, []string{"pass object", "pass object"}, []string{results["config-cert-path"], results["config-key-path"]})
	assert.NotNil(t, settings.Files().Leaf())
	logs := look.Servers[1].Logs
	events, err := logs[len(logs)-1].Open(t.Context(), look.Servers[1].Started)
	require.NoError(t, err)
	text, err := io.ReadAll(events)
	require.NoError(t, err)
	assert.Contains(t, string(text), " Warning BackOff Back-off restarting")
	require.NoError(t, events.Close())
}
