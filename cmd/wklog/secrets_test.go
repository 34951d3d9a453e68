package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	plantedPassword = "hunter2Kx9vQ3mZ7"
	plantedHex      = "9f86d081884c7d659a2feaa0c55ad015"
	plantedBody     = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
	plantedTail     = "AgMBAAECggEAQ3mZ7Kx9vhunter2qT6wX1oYb5nR8sLdUeFgHiJkCpBaVtMz0Q4Y"
	plantedWeb      = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
	plantedCloud    = "AKIAZQ3DRSTUVWXY2B7C"
	plantedAlibaba  = "LTAI5tKx9vQ3mZ7hunter2Ab"
	plantedTencent  = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3hun"
	plantedHook     = "693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa"
)

// plantedSecrets are of all kinds, each as it stands in a message; what must be in no
// output is within.
var plantedSecrets = []struct{ kind, text, secret string }{
	{"PEM", "-----BEGIN PRIVATE KEY-----\n" + plantedBody + "\n" + plantedTail + "\n-----END PRIVATE KEY-----", plantedTail},
	{"PEM cut off", "-----BEGIN RSA PRIVATE KEY-----\n" + plantedBody + "\n" + plantedTail, plantedTail},
	{"JWT", "session " + plantedWeb, plantedWeb[40:60]},
	{"bearer", "Authorization: Bearer " + plantedPassword, plantedPassword},
	{"basic", "Proxy-Authorization: Basic bGk6aHVudGVyMkt4OXZRM21aNw==", "aHVudGVyMkt4OXZRM21aNw"},
	{"cookie", "Cookie: lang=zh; session=" + plantedPassword, plantedPassword},
	{"token field", `{"token":"` + plantedPassword + `","uid":"li"}`, plantedPassword},
	{"key field in camel case", `{"aesKey":"` + plantedPassword + `"}`, plantedPassword},
	{"key field in snake case", `client_key=` + plantedHex, plantedHex},
	{"salt", `"salt":"` + plantedPassword + `"`, plantedPassword},
	{"password", "password: " + plantedPassword, plantedPassword},
	{"Chinese word", "口令 " + plantedPassword + "，密码：" + plantedPassword + "，密钥=" + plantedPassword, plantedPassword},
	{"query", "https://im.acme-corp.cn/ws?uid=li&token=" + plantedPassword, plantedPassword},
	{"URL", "redis://li:" + plantedPassword + "@10.0.0.3:6379/0", plantedPassword},
	{"DSN", "root:" + plantedPassword + "@tcp(10.0.0.3:3306)/im", plantedPassword},
	{"key of AWS", plantedCloud, plantedCloud},
	{"key of Alibaba Cloud", plantedAlibaba, plantedAlibaba},
	{"key of Tencent Cloud", plantedTencent, plantedTencent},
	{"robots", "https://oapi.dingtalk.com/robot/send?access_token=" + plantedHex + " https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=" + plantedHook +
		" https://open.feishu.cn/open-apis/bot/v2/hook/" + plantedHook, plantedHex},
	{"environment", "WK_MANAGERTOKEN=" + plantedPassword + " MYSQL_ROOT_PASSWORD=" + plantedPassword, plantedPassword},
}

// carriers are the records in which a secret may stand: of a server, in a message and
// in a field, of a panic, a proxy, of a failure that nobody knows, of an end of the
// server. %[1]s is the text, %[2]s the same within JSON.
var carriers = []string{
	`{"level":"error","time":"2026-05-04T01:30:01+00:00","msg":"【Server】%[2]s","error":"remote error: tls: unknown certificate"}`,
	`{"level":"debug","time":"2026-05-04T01:30:02+00:00","msg":"【ReactorSub-1】close connn","error":"remote error: tls: expired certificate","detail":"%[2]s"}`,
	`{"level":"warn","time":"2026-05-04T01:30:03+00:00","msg":"x","error":"%[2]s: remote error: tls: bad certificate"}`,
	`%[1]s: remote error: tls: unknown certificate authority`,
	`2026/05/04 01:30:05 [info] 7#7: *1 SSL_do_handshake() failed (SSL: error:0A000416:SSL routines::sslv3 alert certificate unknown:SSL alert number 46) while SSL handshaking, client: 203.0.113.9, server: 0.0.0.0:443, host: "%[2]s"`,
	`2026/05/04 01:30:06 tls: something wholly new %[2]s`,
	"panic: tls: failed to find any PEM data in certificate input %[1]s\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:1 +0x1",
	"panic: cannot serve %[1]s\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:1 +0x1",
}

func planted(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	for _, carrier := range carriers {
		fmt.Fprintf(&b, carrier+"\n", text, string(quoted[1:len(quoted)-1]))
	}
	return b.String()
}

// TestSecretsAreInNoOutput: every kind of secret, in every record, through every
// command, in every form. What else the records say is there.
func TestSecretsAreInNoOutput(t *testing.T) {
	t.Setenv("TZ", "UTC")
	shown := map[string]bool{}
	events := 0
	for _, s := range plantedSecrets {
		dir := t.TempDir()
		log := filepath.Join(dir, "server.log")
		text := planted(s.text)
		require.Contains(t, text, s.secret)
		require.NoError(t, os.WriteFile(log, []byte(text), 0o644))
		for way, output := range everyOutput(t, dir, log) {
			if at := strings.Index(output, s.secret); at >= 0 {
				t.Errorf("%s in %s: %s", s.kind, way, output[max(0, at-100):min(len(output), at+60)])
			}
			if way == "report csv events" {
				events += strings.Count(output, "server.log")
			}
			for line := range strings.Lines(output) {
				shown[line] = true
			}
		}
	}
	assert.Greater(t, events, len(plantedSecrets)*4, "the secrets stand in failures that are shown")
	without := map[string]bool{}
	log := filepath.Join(t.TempDir(), "server.log")
	require.NoError(t, os.WriteFile(log, []byte(planted("nothing")), 0o644))
	for _, output := range everyOutput(t, filepath.Dir(log), log) {
		for line := range strings.Lines(output) {
			without[line] = true
		}
	}
	foundBySecretScanner(t, shown, without)
}

// TestSecretsBesideLogsAreInNoOutput: those of configurations, of earlier reports, of
// file names, and what is kept for a later run.
func TestSecretsBesideLogsAreInNoOutput(t *testing.T) {
	dir := t.TempDir()
	config, log, earlier := filepath.Join(dir, "wk.yaml"), filepath.Join(dir, "server.log"), filepath.Join(dir, "earlier.json")
	require.NoError(t, os.WriteFile(config, []byte("managerToken: "+plantedPassword+"\nwssAddr: wss://"+plantedPassword+"@0.0.0.0:5210\nwssConfig:\n  certFile: ./a.pem\n  keyFile: \"password="+plantedPassword+"\"\n"), 0o644))
	require.NoError(t, os.WriteFile(log, []byte(planted("password="+plantedPassword)), 0o644))
	outputs := map[string]string{}
	keep := func(way string, args ...string) {
		out, complaints, _ := run1(t, args...)
		outputs[way] = out + complaints
	}
	keep("check", "check", "--config", config)
	keep("check json", "check", "--config", config, "--format", "json")
	keep("settled", "report", log, "--format", "json", "--check", config)
	keep("missing", "analyze", filepath.Join(dir, "token="+plantedPassword))
	report, _, _ := run1(t, "report", log, "--format", "json")
	require.Contains(t, report, "password=***")
	require.NoError(t, os.WriteFile(earlier, []byte(strings.ReplaceAll(report, "***", plantedPassword)), 0o644))
	require.NoError(t, os.WriteFile(log, []byte(failureLine(1)), 0o644))
	for _, form := range []string{"table", "json", "html", "markdown"} {
		keep("compared "+form, "report", log, "--baseline", earlier, "--format", form)
	}
	require.NoError(t, os.WriteFile(log, []byte(planted("password="+plantedPassword)), 0o644))
	state := filepath.Join(dir, "state.json")
	a, err := newApp([]string{"analyze", "-f", "--from-start", "--state", state, log})
	require.NoError(t, err)
	a.stdout, a.stderr = io.Discard, io.Discard
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.Zero(t, a.execute(ended))
	outputs["state"] = string(read(t, state))
	require.Contains(t, outputs["compared json"], `"gone"`)
	for way, output := range outputs {
		require.NotEmpty(t, output, way)
		assert.NotContains(t, output, plantedPassword, way)
	}
}

// everyOutput runs everything that shows what is in a log.
func everyOutput(t *testing.T, dir, log string) map[string]string {
	outputs := map[string]string{}
	keep := func(way string, args ...string) {
		out, complaints, _ := run1(t, args...)
		outputs[way] = out + complaints
	}
	for _, form := range []string{"table", "json", "jsonl", "markdown", "csv", "html", "sarif"} {
		keep("report "+form, "report", log, "--format", form)
	}
	keep("report csv events", "report", log, "--format", "csv", "--events")
	keep("redacted", "report", log, "--format", "json", "--redact")
	keep("check", "check", "--cert", filepath.Join(dir, "no.pem"), "--key", filepath.Join(dir, "no.key"), "--log", log)
	data, err := os.ReadFile(log)
	require.NoError(t, err)
	keep("explain", "explain", string(data))
	keep("explain what is unknown", "explain", strings.ReplaceAll(string(data), " ", "")[:200])
	for _, robot := range []string{"json", "dingtalk"} { // which stands for all robots: they are given the same text
		stream(t, outputs, dir, log, robot)
	}
	return outputs
}

// stream reads a log as one that comes, with everybody who is told of it.
func stream(t *testing.T, outputs map[string]string, dir, log, robot string) {
	var told bytes.Buffer
	var mutex sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		_, _ = io.Copy(&told, r.Body)
		_, _ = io.WriteString(w, `{"code":0,"errcode":0}`)
	}))
	defer server.Close()
	command := filepath.Join(dir, "told")
	a, err := newApp([]string{"analyze", "--webhook", server.URL, "--webhook-format", robot, "--on-new", "tee -a " + command, "-"})
	require.NoError(t, err)
	var out, complaints bytes.Buffer
	a.stdout, a.stderr = &out, &complaints
	a.stdin, err = os.Open(log)
	require.NoError(t, err)
	defer a.stdin.Close()
	require.Zero(t, a.execute(context.Background()), complaints.String())
	mutex.Lock()
	defer mutex.Unlock()
	require.NotZero(t, told.Len())
	outputs["stream"], outputs["webhook "+robot], outputs["on-new"] = out.String()+complaints.String(), told.String(), string(read(t, command))
}

// scanner is the part of a rule of gitleaks that is looked at here.
type scanner struct {
	Rules []struct {
		ID       string   `toml:"id"`
		Regex    string   `toml:"regex"`
		Keywords []string `toml:"keywords"`
		Entropy  float64  `toml:"entropy"`
		Group    int      `toml:"secretGroup"`
	} `toml:"rules"`
}

// foundBySecretScanner applies the default rules of gitleaks (version 8.30.1): they
// find much in the logs, and must find in what is shown of them no more than in what is
// shown of logs without secrets.
func foundBySecretScanner(t *testing.T, shown, without map[string]bool) {
	var rules scanner
	require.NoError(t, toml.Unmarshal(read(t, "../../testdata/secrets/gitleaks.toml"), &rules))
	var logs strings.Builder
	for _, s := range plantedSecrets {
		logs.WriteString(planted(s.text))
	}
	inLogs := rules.find(logs.String())
	assert.Greater(t, len(inLogs), 10, "%v", inLogs)
	ours := rules.find(joined(without))
	for _, found := range rules.find(joined(shown)) {
		assert.Contains(t, ours, found)
	}
}

func joined(lines map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(lines)), "")
}

// find lists what the rules take for secrets, each once.
func (s *scanner) find(text string) (found []string) {
	lower := strings.ToLower(text)
	for _, rule := range s.Rules {
		if rule.Regex == "" || !hasAny(lower, rule.Keywords) {
			continue
		}
		for _, m := range regexp.MustCompile(rule.Regex).FindAllStringSubmatch(text, -1) {
			secret := m[0]
			switch {
			case rule.Group > 0:
				secret = m[rule.Group]
			case len(m) > 1:
				secret = m[1]
			}
			if entropy(secret) >= rule.Entropy && !slices.Contains(found, rule.ID+": "+secret) {
				found = append(found, rule.ID+": "+secret)
			}
		}
	}
	return found
}

func hasAny(text string, keywords []string) bool {
	for _, keyword := range keywords {
		if strings.Contains(text, strings.ToLower(keyword)) {
			return true
		}
	}
	return len(keywords) == 0
}

// entropy of a text in bits a character (Shannon 1948).
func entropy(text string) float64 {
	counts := map[rune]float64{}
	n := 0.0
	for _, c := range text {
		counts[c]++
		n++
	}
	sum := 0.0
	for _, count := range counts {
		sum -= count / n * math.Log2(count/n)
	}
	return sum
}
