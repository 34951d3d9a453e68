package patterns

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"

	"wklog/parser"
)

func TestFactSourcesTellWhatTheirSamplesSay(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	for _, source := range c.Facts {
		for _, sample := range source.Samples {
			f := newFacts(c)
			f.ask(source, "x.log", parser.Parse(parser.Unwrap([]byte(sample.Text))), Program{Reporter: ComponentNginx})
			told := []string{}
			for _, fact := range f.list() {
				told = append(told, fmt.Sprintf("%s/%s=%s", fact.Kind, fact.Name, fact.Value))
			}
			assert.Equal(t, append([]string{}, sample.Tells...), told, "%s: %s", source.ID, sample.Text)
		}
	}
}

// TestSettingsAreThoseThatTheLogTells: wklog's own check reads them.
func TestSettingsAreThoseThatTheLogTells(t *testing.T) {
	const expired = "-------------------------->握手失败！--------------------------> remote error: tls: expired certificate handshakeStatus13ReadClientFinished\n"
	for name, c := range map[string]struct {
		log  string
		want Settings
	}{
		"controller": {"W1104 16:56:04.503448       7 controller.go:1270] Error getting SSL certificate \"chat/im-cert\": local SSL certificate chat/im-cert was not found. Using default certificate\n", Settings{In: DeployedOnKubernetes, Namespace: "chat"}},
		"systemd":    {"   ├─ Config File: /opt/im/wk.yaml\n" + expired, Settings{In: DeployedBySystemd, File: "/opt/im/wk.yaml"}},
		"nothing":    {expired, Settings{}},
	} {
		analysis, err := Analyze(context.Background(), strings.NewReader(c.log), nil)
		require.NoError(t, err)
		require.NotEmpty(t, analysis.Diagnosis, name)
		assert.Equal(t, c.want, analysis.Diagnosis[0].Settings, name)
	}
}

// hostile are names that somebody plants in a log.
var hostile = []string{
	"$(touch pwned)", "`touch pwned`", "a;touch pwned", "a&&touch pwned", "a|touch pwned", "a\ntouch pwned", "a\\ntouch pwned",
	"-oProxyCommand=touch", "--help", "-rf", "a>pwned", "a<pwned", "${IFS}touch", "a b;c", "'a'", `a"b`, `a\`, "a\x00b",
	"\x1b[31mred.example.com\x1b[0m", "chat\u202emoc.elpmaxe", "ехаmple.com", "exam\u200bple.com", "ｅxample.com", "a\u2215b.example.com",
	"../../etc/passwd", "/etc/../../root/x.pem", "~root/x.pem", "*.example.com", "a?b.example.com", "{a,b}.example.com", "a#b", "!x", "%s%n",
	strings.Repeat("a", 300) + ".example.com", "0x7f.1", "99999", "-1", "08", "",
}

// planting is how many of them are planted in each record.
const planting = 5

func TestHostileNamesHaveNoShape(t *testing.T) {
	kinds := []FactKind{FactHost, FactPort, FactPath, FactContainer, FactService, FactNamespace, FactPod, FactUnit, FactFile, FactSecret}
	harmless := map[FactKind][]string{
		FactContainer: {"0x7f.1", "99999", "08"}, FactPod: {"0x7f.1", "99999", "08"},
		FactPath: {"0x7f.1", "99999", "08", "a b c"},
	}
	for _, kind := range kinds {
		for _, name := range hostile {
			if kind.Fits(name) {
				allowed := append(slices.Clone(harmless[FactContainer]), harmless[kind]...)
				assert.Contains(t, allowed, name, "%s %q", kind, name)
				assert.NotContains(t, []FactKind{FactHost, FactPort}, kind)
			}
		}
	}
}

// planted are records in which a name may stand, each with a failure.
var planted = []string{
	"   ├─ Config File: %s\n" + rejection,
	"   └─ Data Directory: %s\n" + rejection,
	"   ├─ WebSocket Secure: wss://0.0.0.0:%s\n" + rejection,
	"%s-1  | " + rejection,
	"%s  | " + rejection,
	"[pod/%s-0/wukongim] " + rejection,
	"2026-05-04T09:30:00+0800 im01 %s[4242]: " + rejection,
	`{"date":"2026-05-04T01:30:00.1Z","log":"` + rejection + `","stream":"stdout","kubernetes":{"pod_name":"im-0","namespace_name":"%s"}}`,
	"panic: open /root/wukongim/%s/fullchain.pem: no such file or directory\n\ngoroutine 1 [running]:\n",
	`nginx: [emerg] cannot load certificate "/etc/nginx/%s/im.pem": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory)`,
	"2026/04/22 10:11:12 [info] 31#31: *1 SSL_do_handshake() failed (SSL: error:0A000415:SSL routines::sslv3 alert certificate expired:SSL alert number 45) while SSL handshaking, client: 203.0.113.9, server: %s",
	`2026/04/22 10:11:12 [error] 31#31: *1 upstream SSL certificate verify error: (10:certificate has expired) while SSL handshaking to upstream, client: 203.0.113.9, server: im, request: "GET / HTTP/1.1", upstream: "https://%s:8443/"`,
	`{"level":"error","time":"2026-04-22T10:11:12+08:00","msg":"【Webhook】请求webhook失败！","error":"Post \"https://%s/v1\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-04-22T10:11:12+08:00 is after 2026-04-20T23:59:59Z"}`,
	"WebSocket connection to 'wss://%s:5210/' failed: Error in connection establishment: net::ERR_CERT_DATE_INVALID",
	`W1104 16:56:04.503448       7 controller.go:1270] Error getting SSL certificate "%s/im-tls": local SSL certificate %[1]s/im-tls was not found. Using default certificate`,
}

const rejection = "-------------------------->握手失败！--------------------------> remote error: tls: expired certificate handshakeStatus13ReadClientFinished"

// TestPlantedNamesChangeNoCommand plants hostile names wherever a log tells one, and wants
// every command to call the same programs, with as many arguments, as in the catalogue.
func TestPlantedNamesChangeNoCommand(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	told := 0
	for _, form := range planted {
		for _, name := range append(slices.Clone(hostile[:planting]), "chat.acme.example") {
			log := fmt.Sprintf(form, name)
			analysis, err := Analyze(context.Background(), strings.NewReader(log), nil)
			require.NoError(t, err)
			for _, fact := range analysis.Facts {
				require.True(t, fact.Kind.Fits(fact.Value), "%q", fact.Value)
				told++
			}
			for _, d := range analysis.Diagnosis {
				plain := c.Advice(d.Cause, d.Program)
				for i, step := range d.Advice.Fixes {
					require.Equal(t, shapeOf(t, plain.Fixes[i].Command), shapeOf(t, step.Command), "%s\n%s", log, step.Command)
				}
				for i, step := range d.Advice.Verify {
					require.Equal(t, shapeOf(t, plain.Verify[i].Command), shapeOf(t, step.Command), "%s\n%s", log, step.Command)
				}
			}
		}
	}
	assert.Greater(t, told, len(planted), "the good name is told in the same places")
}

// shapeOf is what a command calls and with how many words, where it writes and what it
// expands. The options -n of kubectl and -f of docker compose are put in.
func shapeOf(t *testing.T, command string) (shape []string) {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(command), "")
	require.NoError(t, err, command)
	syntax.Walk(file, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.CallExpr:
			list := words(node.Args)
			for _, flag := range []string{"-n", "-f"} {
				if at := slices.Index(list, flag); at > 0 && ((list[0] == "kubectl" || list[0] == "cmctl") && at == 1 || list[0] == "docker" && at == 2) {
					list = slices.Delete(list, at, at+2)
				}
			}
			program := ""
			if len(list) > 0 {
				program = list[0]
			}
			shape = append(shape, fmt.Sprint(program, len(list), len(node.Assigns)))
		case *syntax.CmdSubst, *syntax.ParamExp, *syntax.ArithmExp, *syntax.ProcSubst:
			shape = append(shape, fmt.Sprintf("%T", node))
		case *syntax.Redirect:
			shape = append(shape, node.Op.String())
		}
		return true
	})
	return shape
}

func TestNameThatNeedsQuotesIsQuotedOrLeft(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	p := Program{Component: ComponentWuKongIM, Deployment: DeployedByCompose}
	fact := Fact{Kind: FactPath, Name: "certificate", Component: ComponentWuKongIM, Value: "/opt/我的 证书/fullchain.pem", From: "--cert"}
	require.True(t, fact.Kind.Fits(fact.Value))
	fill := func(command string) Step { return c.fill(Step{Command: command}, p, []Fact{fact}) }
	assert.Equal(t, "openssl x509 -in '/opt/我的 证书/fullchain.pem'", fill("openssl x509 -in ./wukongimdata/certs/fullchain.pem").Command)
	left := fill("sh -c 'cat ./wukongimdata/certs/fullchain.pem'")
	assert.Equal(t, "sh -c 'cat ./wukongimdata/certs/fullchain.pem'", left.Command)
	require.Len(t, left.Left, 2)
	assert.Equal(t, "./wukongimdata/certs/fullchain.pem", left.Left[0].Name)
	assert.Equal(t, "./wukongimdata/certs", left.Left[1].Name)
}

func TestNamesThatContradictAreLeft(t *testing.T) {
	facts := []Fact{{Kind: FactHost, Name: "server", Value: "a.example.com"}, {Kind: FactHost, Name: "server", Value: "b.example.com"}}
	assert.Empty(t, the(facts, FactHost, "server", ComponentNginx))
	assert.Equal(t, "b.example.com", the(facts[1:], FactHost, "server", ComponentNginx))
	facts[0].From = "--addr"
	assert.Equal(t, "a.example.com", the(facts, FactHost, "server", ComponentNginx), "what the user says counts")
}
