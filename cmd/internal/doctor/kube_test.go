package doctor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/pkitest"
	"wklog/patterns"
)

// standIn links the test program under names into the path, with the answers of files.
func standIn(t *testing.T, names ...string) (folder string) {
	t.Helper()
	folder, bin := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	for _, name := range names {
		require.NoError(t, os.Symlink(self, filepath.Join(bin, name)))
	}
	t.Setenv("PATH", bin)
	t.Setenv("STAND_IN", folder)
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	return folder
}

// asked are the questions that were asked of stand-ins, in the order of the alphabet.
func asked(t *testing.T, folder string) (all []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "asked"))
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		all = append(all, strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\x1f", " "))
	}
	slices.Sort(all)
	return all
}

// cluster is one with two pods of WuKongIM, of which one crashes again and again.
func cluster(t *testing.T) (folder string, key string) {
	t.Helper()
	folder = standIn(t, "kubectl")
	files, err := filepath.Glob("testdata/kube/*.json")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, filepath.Base(file)), data, 0o600))
	}
	secrets, key := secretsOf(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "secrets.json"), secrets, 0o600))
	return folder, key
}

// secretsOf are those of the cluster: the certificate of im-tls is not for the name that
// clients are given.
func secretsOf(t *testing.T) (list []byte, key string) {
	t.Helper()
	now := time.Now()
	root := pkitest.NewRoot("root", now)
	private := pkitest.Key()
	leaf := root.Issue(private, nil)
	key = base64.StdEncoding.EncodeToString([]byte(pkitest.KeyPEM(private)))
	encoded := base64.StdEncoding.EncodeToString([]byte(pkitest.PEM(leaf)))
	secret := func(name string, data map[string]string) any {
		return map[string]any{"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": map[string]string{"name": name, "namespace": "im"}, "data": data}
	}
	list, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "SecretList", "metadata": map[string]string{}, "items": []any{
		secret("im-tls", map[string]string{"tls.crt": encoded, "tls.key": key}),
		secret("web-tls", map[string]string{"tls.crt": encoded, "tls.key": key}),
		secret("im-token", map[string]string{"token": key}),
	}})
	require.NoError(t, err)
	return list, key
}

func lookAt(t *testing.T, f Finder) *Look {
	t.Helper()
	return Find(t.Context(), []Finder{f}, func(*Look) {})[0]
}

func TestPodsAreFound(t *testing.T) {
	folder, key := cluster(t)
	look := lookAt(t, &Kube{})
	assert.Empty(t, look.Unseen)
	require.Len(t, look.Servers, 3, "two pods and the Ingress: redis and the shop are none")
	first, second, route := look.Servers[0], look.Servers[1], look.Servers[2]
	assert.Equal(t, []string{"im/wukongim-0", "im/wukongim-1"}, []string{first.Name, second.Name})
	assert.Equal(t, []State{Running, Restarting}, []State{first.State, second.State})
	assert.Equal(t, []int{7, 2}, []int{second.Restarts, second.ExitCode})
	assert.Equal(t, "kubectl get pods -n im wukongim-1", second.Status.CommandLine())
	assert.Equal(t, "2026-11-28T01:00:05Z", first.Started.UTC().Format(time.RFC3339))
	assert.Contains(t, second.Facts, patterns.Fact{Kind: patterns.FactPod, Name: "workload", Component: "wukongim", Value: "statefulset/wukongim", From: "kubectl"})

	settings, err := first.Settings(t.Context())
	require.NoError(t, err)
	results := resultsOf(settings)
	assert.Equal(t, "pass object", results["config-cert-path"])
	assert.Equal(t, "pass object", results["config-key-path"], "the key is there, though it was not asked for")
	assert.Equal(t, "wss://im.example.com:5210", settings.Addr())
	files := settings.Files()
	assert.NotNil(t, files.Leaf())
	assert.Empty(t, files.KeyFile)

	proxies, err := route.Proxies(t.Context(), nil, nil)
	require.NoError(t, err)
	assert.Equal(t, "Ingress/im", proxies[0].Target().String())
	for _, question := range asked(t, folder) {
		assert.NotContains(t, question, key)
	}
}

func resultsOf(s *check.Settings) map[string]string {
	all := map[string]string{}
	for _, r := range s.Check() {
		all[r.ID] = string(r.Status) + " " + strings.TrimPrefix(r.Key, "any.")
	}
	return all
}

func TestLogsOfAPodAreThoseOfBothRunsAndItsEvents(t *testing.T) {
	folder, _ := cluster(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "wukongim-1.log"), []byte("2026-11-29T03:00:01Z panic\n"), 0o600))
	second := lookAt(t, &Kube{}).Servers[1]
	since := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	texts := map[string]string{}
	for _, log := range second.Logs {
		stream, err := log.Open(t.Context(), since, mostLines)
		require.NoError(t, err)
		data, err := io.ReadAll(stream)
		require.NoError(t, err)
		require.NoError(t, stream.Close())
		texts[log.Name] = string(data)
	}
	assert.Equal(t, []string{"im/wukongim-1", "im/wukongim-1 --previous", "im/wukongim-1 events"}, slices.Sorted(maps.Keys(texts)))
	assert.Contains(t, texts["im/wukongim-1 --previous"], "panic")
	assert.Contains(t, texts["im/wukongim-1 events"], "2026-11-29T03:00:10Z Warning BackOff Back-off restarting")
	assert.Contains(t, texts["im/wukongim-1 events"], "2026-11-28T01:00:02.123456Z Warning FailedMount MountVolume")
	questions := strings.Join(asked(t, folder), "\n")
	assert.Contains(t, questions, "logs --namespace=im --container=wukongim --timestamps --tail=1000000 pod/wukongim-1 --previous --since-time=2026-11-29T00:00:00Z")
}

// Half an answer is better than none, and what is missing is named.
func TestWhatKubectlDoesNotSayIsNamed(t *testing.T) {
	for _, test := range []struct {
		kind, how string
		unseen    string
		servers   int
		certPath  string
	}{
		{kind: "secrets", how: "forbidden", unseen: "kubectl get --namespace=im --ignore-not-found secrets im-tls web-tls", servers: 3, certPath: "skip path-unread"},
		{kind: "secrets", how: "dies", unseen: "secrets im-tls web-tls", servers: 3, certPath: "skip path-unread"},
		{kind: "statefulsets", how: "forbidden", unseen: "statefulsets.apps", servers: 3, certPath: "pass object"},
		{kind: "services", how: "floods", unseen: "services", servers: 3, certPath: "pass object"},
		{kind: "configmaps", how: "forbidden", unseen: "configmaps im-addresses im-config", servers: 3, certPath: "pass object"},
		{kind: "pods", how: "forbidden everywhere", unseen: "kubectl get pods --all-namespaces", servers: 3, certPath: "pass object"},
		{kind: "pods", how: "unreachable", unseen: "kubectl get pods --all-namespaces"},
	} {
		t.Run(test.kind+" "+test.how, func(t *testing.T) {
			folder, _ := cluster(t)
			require.NoError(t, os.WriteFile(filepath.Join(folder, test.kind+".how"), []byte(test.how), 0o600))
			look := lookAt(t, &Kube{})
			require.NotEmpty(t, look.Unseen)
			assert.Contains(t, look.Unseen[0].What, test.unseen)
			assert.Equal(t, strings.HasPrefix(test.how, "forbidden"), look.Unseen[0].Command != "")
			require.Len(t, look.Servers, test.servers)
			if test.servers > 0 {
				assert.Equal(t, test.kind == "configmaps", look.Servers[0].Partial)
				settings, err := look.Servers[0].Settings(t.Context())
				require.NoError(t, err)
				assert.Equal(t, test.certPath, resultsOf(settings)["config-cert-path"])
			}
		})
	}
}

func TestClusterThatHangsCostsNoMoreThanItsTime(t *testing.T) {
	folder, _ := cluster(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "pods.how"), []byte("hangs"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	look := &Look{}
	(&Kube{}).Find(ctx, look)
	require.Len(t, look.Unseen, 1)
	assert.ErrorContains(t, look.Unseen[0].Why, "kubectl: error.program.slow")
}

func TestWithoutKubectlThereIsNothingToTell(t *testing.T) {
	standIn(t)
	look := lookAt(t, &Kube{})
	assert.True(t, look.Absent)
	assert.Empty(t, look.Unseen)
}

// Names are data of whoever may make objects: none becomes a flag, or a path.
func TestNamesOfObjectsAreNoFlags(t *testing.T) {
	all := podsOf([]byte("im\t--kubeconfig=/tmp/x\twukongim\n--all\twukongim-0\twukongim\nim\twukongim-0\twukongim:v2\nim\t../x\twukongim\nim\twukong\x1b[31mim\twukongim\n\t\t\nim\tother\tredis\n"))
	assert.Equal(t, map[string][]string{"im": {"wukongim-0"}}, all)
	assert.Equal(t, []string{"a", "b.c"}, fit([]string{"b.c", "-o=json", "a", "a", "", "a b", "A", "$(id)", "kube-root-ca.crt"}))
}

func TestContextAndNamespaceAreHandedOn(t *testing.T) {
	folder, _ := cluster(t)
	look := lookAt(t, &Kube{Context: "--oops", Namespace: "im"})
	assert.Len(t, look.Servers, 3)
	for _, question := range asked(t, folder) {
		assert.Contains(t, question, "kubectl --request-timeout=5s --context=--oops get ")
		assert.Contains(t, question, "--namespace=im")
	}
}

// question is what was asked, as the documentation writes it.
func question(words string) string {
	var kept []string
	for word := range strings.FieldsSeq(words) {
		switch {
		case strings.HasPrefix(word, "--output"):
			return strings.Join(kept, " ") // templates hold blanks
		case word == "--all-namespaces" || !strings.HasPrefix(word, "--"):
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}

// What may be asked of a cluster stands in the documents, and nothing else is asked.
func TestWhatIsAskedOfKubectlIsDocumented(t *testing.T) {
	folder, _ := cluster(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "pods.how"), []byte("forbidden everywhere"), 0o600))
	for _, s := range lookAt(t, &Kube{}).Servers {
		for _, log := range s.Logs {
			stream, err := log.Open(t.Context(), time.Time{}, mostLines)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, stream)
			require.NoError(t, stream.Close())
		}
	}
	found := map[string]bool{}
	for _, line := range asked(t, folder) {
		found[podName.ReplaceAllString(anyName.ReplaceAllString(question(line), "$1 NAME…"), "pod/NAME")] = true
	}
	for _, name := range []string{"operating.md", "operating.zh-CN.md"} {
		data, err := os.ReadFile(filepath.Join("../../../docs", name))
		require.NoError(t, err)
		documented := map[string]bool{}
		for _, row := range regexp.MustCompile("(?m)^\\| `(kubectl [^`]+)` \\|").FindAllStringSubmatch(string(data), -1) {
			documented[row[1]] = true
		}
		assert.Equal(t, slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(found)), name)
	}
}

var podName = regexp.MustCompile(`pod/\S+`)

var anyName = regexp.MustCompile(`^(kubectl get (?:pods|configmaps|secrets)) [a-z].*`)

// TestCertificateIsNamedByItself: it need not be called as its Secret, whose name may begin
// as that of another.
func TestCertificateIsNamedByItself(t *testing.T) {
	n := newNamespace(&Kube{Context: "prod"}, "chat", nil)
	for secret, name := range map[string]string{"im": "other", "im-tls": "web", "hostile": "$(touch pwned)"} {
		n.objects = append(n.objects, json.RawMessage(fmt.Sprintf(`{"kind":"Certificate","metadata":{"name":%q},"spec":{"secretName":%q}}`, name, secret)))
	}
	for command, want := range map[string]string{
		"kubectl describe certificate im-tls":           "kubectl --context prod -n chat describe certificate web",
		"kubectl describe certificate im":               "kubectl --context prod -n chat describe certificate other",
		"kubectl -n chat describe certificate hostile":  "kubectl -n chat --context prod describe certificate hostile",
		"cmctl renew im-tls":                            "cmctl renew -n chat web",
		"cmctl renew unknown":                           "cmctl renew -n chat unknown",
		"kubectl get pods -o yaml | kubectl apply -f -": "kubectl --context prod -n chat get pods -o yaml | kubectl --context prod -n chat apply -f -",
	} {
		assert.Equal(t, want, n.operate(command))
	}
}
