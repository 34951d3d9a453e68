package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/doctor"
	"wklog/cmd/internal/kubetest"
	"wklog/cmd/internal/pkitest"
	"wklog/cmd/internal/report"
)

// clustered is a namespace with a server, and what doctor has to say of it.
type clustered struct {
	name string
	// service is the spec of its Service in JSON, of a LoadBalancer that leads to wss where it
	// is empty; waits says that it has no address, expired that the server's certificate is.
	service        string
	waits, expired bool
	// objects are others, a line of JSON each behind its resource.
	objects string
	// ended is what it printed before it ended, empty for one that runs.
	ended string
	// of is the server of which the cause leads, that of the pod where it is empty; command is
	// a part of the first command.
	of, cause, command string
	warns              bool
	// long says that it is looked at only where DOCTOR_ALONE asks for all.
	long bool
}

const (
	policyJSON = `networkpolicies {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny"},"spec":{"podSelector":{},"policyTypes":["Ingress"],"ingress":[{"from":[{"podSelector":{}}]}]}}`
	ingressTLS = `ingresses {"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"im","annotations":{"nginx.ingress.kubernetes.io/proxy-read-timeout":"3600"}},"spec":{"ingressClassName":"nginx","tls":[{"hosts":["im.wangwei-corp.cn"],"secretName":"web-tls"}],"rules":[{"host":"im.wangwei-corp.cn","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"wukongim","port":{"number":PORT}}}}]}}]}}`
	issuedJSON = `certificates {"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"name":"web"},"spec":{"secretName":"web-tls","dnsNames":["im.wangwei-corp.cn"]},"status":{"conditions":[{"type":"Ready","status":"False","reason":"Expired"}]}}`
	secretJSON = `secrets {"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/tls","metadata":{"name":"web-tls"},"data":{"tls.crt":"EXPIRED","tls.key":"KEY"}}`
	insideJSON = `{"type":"ClusterIP","ports":[{"name":"ws","port":5200},{"name":"wss","port":5210}]}`
)

var clusters = []clustered{
	{name: "well", long: true},
	{name: "closed", objects: policyJSON, cause: "connection-interrupted", warns: true, command: "kubectl -n closed describe networkpolicy deny"},
	{name: "waiting", waits: true, cause: "connection-interrupted", command: "kubectl -n waiting describe service wukongim"},
	{name: "astray", long: true, service: `{"type":"LoadBalancer","ports":[{"port":5210,"targetPort":5200}]}`, cause: "tls-on-plaintext-port", command: "kubectl -n astray edit service wukongim"},
	{name: "expired", long: true, expired: true, cause: "cert-expired", command: "kubectl -n expired "},
	{name: "issued", service: insideJSON, objects: strings.Replace(ingressTLS, "PORT", "5200", 1) + "\n" + issuedJSON + "\n" + secretJSON, of: "issued/Ingress/im", cause: "cert-expired", command: "kubectl -n issued describe certificate web"},
	{name: "through", service: insideJSON, objects: strings.NewReplacer("PORT", "5210", "web-tls", "im-tls").Replace(ingressTLS), of: "through/Ingress/im", cause: "plaintext-on-tls-port"},
	{name: "crashes", long: true, ended: "panic: open /certs/tls.crt: no such file or directory\n", cause: "cert-file-missing"},
}

// TestDoctorFindsTheCauseInACluster asks the real kubectl, once for all namespaces.
func TestDoctorFindsTheCauseInACluster(t *testing.T) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("kubectl is not installed (Debian's package kubernetes-client)")
	}
	now := time.Now()
	pki, key := pkitest.New(now), pkitest.Key()
	chain := func(end time.Time) string {
		leaf := pki.Intermediate.Issue(key, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -60), end })
		return base64.StdEncoding.EncodeToString([]byte(pkitest.PEM(leaf, pki.Intermediate.Certificate)))
	}
	texts := strings.NewReplacer("VALID", chain(now.AddDate(0, 0, 80)), "EXPIRED", chain(now.AddDate(0, 0, -2)), `"KEY"`, `"`+base64.StdEncoding.EncodeToString([]byte(pkitest.KeyPEM(key)))+`"`)
	api := kubetest.New()
	at := slices.DeleteFunc(slices.Clone(clusters), func(c clustered) bool { return c.long && os.Getenv("DOCTOR_ALONE") == "" })
	for _, c := range at {
		c.add(t, api, texts)
	}
	server := httptest.NewServer(api)
	defer server.Close()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config"), kubetest.Config(server.URL), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "root.pem"), []byte(pkitest.PEM(pki.Root.Certificate)), 0o600))
	t.Setenv("KUBECONFIG", filepath.Join(dir, "config"))
	t.Setenv("HOME", dir)
	out, _, _ := consult(t, "en", []doctor.Finder{&doctor.Kube{}}, func(d *examining) {
		inJSON(d)
		d.timeout, d.ca = 3*time.Minute, filepath.Join(dir, "root.pem")
	})
	by := map[string]*report.Examined{}
	for _, x := range examinationOf(t, out).Servers {
		by[x.Name] = x
	}
	for _, c := range at {
		t.Run(c.name, func(t *testing.T) {
			of := c.of
			if of == "" {
				of = c.name + "/wukongim-0"
			}
			if x := by[of]; assert.NotNil(t, x) {
				(&situation{cause: c.cause, command: c.command, warns: c.warns}).judge(t, x, "")
			}
		})
	}
}

// add adds its objects.
func (c *clustered) add(t *testing.T, api *kubetest.API, texts *strings.Replacer) {
	t.Helper()
	service, certificate, state := c.service, "VALID", `{"running":{"startedAt":"2026-05-04T01:00:00Z"}}`
	if service == "" {
		service = `{"type":"LoadBalancer","ports":[{"port":5210}]}`
	}
	if c.expired {
		certificate = "EXPIRED"
	}
	restarts := "0"
	if c.ended != "" {
		state, restarts = `{"waiting":{"reason":"CrashLoopBackOff"}}`, "7"
		api.Log(c.name, "wukongim-0", "2026-05-04T01:00:00Z "+c.ended)
	}
	address := `[{"ip":"203.0.113.7"}]`
	if c.waits {
		address = "[]"
	}
	pod := `{"containers":[{"name":"wukongim","image":"wukongim/wukongim:v2.2.5","env":[{"name":"WK_WSSADDR","value":"wss://0.0.0.0:5210"},{"name":"WK_WSSCONFIG_CERTFILE","value":"/certs/tls.crt"},{"name":"WK_WSSCONFIG_KEYFILE","value":"/certs/tls.key"},{"name":"WK_EXTERNAL_WSSADDR","value":"wss://im.wangwei-corp.cn:5210"}],"volumeMounts":[{"mountPath":"/certs","name":"tls"}]}],"volumes":[{"name":"tls","secret":{"secretName":"im-tls"}}]}`
	if strings.Contains(c.objects, "ingresses ") { // whose port is that of https
		pod = strings.Replace(pod, "cn:5210", "cn", 1)
	}
	objects := `statefulsets {"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"wukongim"},"spec":{"selector":{"matchLabels":{"app":"wukongim"}},"template":{"metadata":{"labels":{"app":"wukongim"}},"spec":` + pod + `}}}
pods {"apiVersion":"v1","kind":"Pod","metadata":{"name":"wukongim-0","labels":{"app":"wukongim"},"ownerReferences":[{"kind":"StatefulSet","name":"wukongim"}]},"spec":` + pod + `,"status":{"containerStatuses":[{"name":"wukongim","restartCount":` + restarts + `,"state":` + state + `}]}}
services {"apiVersion":"v1","kind":"Service","metadata":{"name":"wukongim"},"spec":` + strings.Replace(service, "{", `{"selector":{"app":"wukongim"},`, 1) + `,"status":{"loadBalancer":{"ingress":` + address + `}}}
secrets {"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/tls","metadata":{"name":"im-tls"},"data":{"tls.crt":"` + certificate + `","tls.key":"KEY"}}
` + c.objects
	for line := range strings.Lines(texts.Replace(objects)) {
		resource, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if resource == "" {
			continue
		}
		var object map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &object), text)
		object["metadata"].(map[string]any)["namespace"] = c.name
		api.Add(resource, object)
	}
}
