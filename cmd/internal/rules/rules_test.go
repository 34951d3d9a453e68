package rules

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/source/engine"
	"wklog/patterns"
)

func written(t *testing.T, engine string, lang patterns.Lang) string {
	t.Helper()
	c, err := patterns.Load()
	require.NoError(t, err)
	r := &Request{Catalogue: c, Node: "pod"}
	r.Say, err = messages.In(lang)
	require.NoError(t, err)
	r.English, err = messages.In(patterns.English)
	require.NoError(t, err)
	r.Chinese, err = messages.In(patterns.Chinese)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, Write(&b, engine, r))
	return b.String()
}

// file writes rules where a checker reads them.
func file(t *testing.T, engine string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), engine+".yml")
	require.NoError(t, os.WriteFile(name, []byte(written(t, engine, patterns.Chinese)), 0o600))
	return name
}

// program is one that checks rules, by the variable that names it or on PATH.
func program(t *testing.T, variable, name string) string {
	t.Helper()
	if path := os.Getenv(variable); path != "" {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed, and %s names none", name, variable)
	}
	return path
}

func TestVmalertTakesItsRules(t *testing.T) {
	vmalert := program(t, "VMALERT", "vmalert")
	out, err := exec.Command(vmalert, "-dryRun", "-rule="+file(t, "vmalert")).CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

func TestPromtoolTakesTheAlerts(t *testing.T) {
	promtool := program(t, "PROMTOOL", "promtool")
	out, err := exec.Command(promtool, "check", "rules", file(t, "prometheus")).CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

// TestAlertsFireOnWhatIsRecorded has Prometheus evaluate them: a panic at once, a sign of
// which a client may be the cause only where there are many.
func TestAlertsFireOnWhatIsRecorded(t *testing.T) {
	promtool := program(t, "PROMTOOL", "promtool")
	rules := file(t, "prometheus")
	cases := `rule_files: [` + rules + `]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'wklog:lines:count1m{reason="panic",pod="im-0"}', values: "0x10 1 0x30"}
      - {series: 'wklog:lines:count1m{reason="not-tls",pod="im-1"}', values: "1x40"}
      - {series: 'wklog:lines:count1m{reason="certificate-expired",pod="im-2"}', values: "5x40"}
    promql_expr_test:
      - expr: count by (alertname, pod, severity) (ALERTS{alertstate="firing"})
        eval_time: 15m
        exp_samples:
          - {labels: '{alertname="WuKongIMPanic", pod="im-0", severity="critical"}', value: 1}
          - {labels: '{alertname="WuKongIMCertificateExpired", pod="im-2", severity="warning"}', value: 1}
`
	name := filepath.Join(t.TempDir(), "cases.yml")
	require.NoError(t, os.WriteFile(name, []byte(cases), 0o600))
	out, err := exec.Command(promtool, "test", "rules", name).CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

// TestLokiParsesTheCounts has Grafana's grammar of LogQL look for errors in each, and in the
// queries that are printed.
func TestLokiParsesTheCounts(t *testing.T) {
	modules := os.Getenv("LEZER_LOGQL")
	if modules == "" {
		t.Skip("LEZER_LOGQL names no folder in which npm installed @grafana/lezer-logql")
	}
	var read groups
	require.NoError(t, yaml.Unmarshal([]byte(written(t, "loki", patterns.English)), &read))
	queries := []string{}
	for _, rule := range read.Groups[0].Rules {
		queries = append(queries, rule.Expr)
	}
	assert.NotEmpty(t, queries)
	c, err := patterns.Load()
	require.NoError(t, err)
	for _, selector := range []string{"", `{pod=~"im-.+"}`, "{pod!~`a\"`, app=\"x\"} |= `握` != \"b\""} {
		for _, all := range []bool{false, true} {
			query, err := engine.Query("loki", selector, engine.Filter{Literals: c.Pushed(all)})
			require.NoError(t, err)
			queries = append(queries, query)
		}
	}
	data, err := json.Marshal(queries)
	require.NoError(t, err)
	const script = `const {parser} = require("@grafana/lezer-logql");
for (const q of JSON.parse(process.argv[1])) parser.parse(q).iterate({enter: n => { if (n.type.isError) { console.error(q, "at", n.from); process.exitCode = 1; } }});`
	check := exec.Command("node", "-e", script, string(data))
	check.Dir = modules
	out, err := check.CombinedOutput()
	assert.NoError(t, err, "%s", out)
	broken := exec.Command("node", "-e", script, `["{app=\"x\"} |~ "]`)
	broken.Dir = modules
	assert.Error(t, broken.Run(), "the grammar takes anything")
}

// TestEveryFormIsWhole reads each with a parser of its form, in both languages.
func TestEveryFormIsWhole(t *testing.T) {
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		for _, engine := range Forms() {
			text := written(t, engine, lang)
			switch engine {
			case "grafana":
				assert.True(t, json.Valid([]byte(text)), engine)
			case "vector", "fluent-bit":
				expression := regexp.MustCompile(`r'(.+)'\)|Regex  log (.+)`).FindStringSubmatch(text)
				require.NotNil(t, expression, engine)
				re, err := regexp.Compile(expression[1] + expression[2])
				require.NoError(t, err)
				assert.True(t, re.MatchString("-->握手失败！--> EOF handshakeStatusX"))
				assert.False(t, re.MatchString("Server is Ready"))
			default:
				var content map[string]any
				assert.NoError(t, yaml.Unmarshal([]byte(text), &content), engine)
			}
		}
	}
}

// TestCountsAreFewAndNameNobody keeps the series of an engine few: none by a text of a line.
func TestCountsAreFewAndNameNobody(t *testing.T) {
	for _, engine := range []string{"loki", "vmalert"} {
		var read groups
		require.NoError(t, yaml.Unmarshal([]byte(written(t, engine, patterns.English)), &read))
		for _, rule := range read.Groups[0].Rules {
			assert.Equal(t, counted, rule.Record)
			assert.Len(t, rule.Labels, 1)
			assert.Regexp(t, `^[a-z-]+$`, rule.Labels["reason"])
			assert.Contains(t, rule.Expr, "by (pod)")
			assert.False(t, strings.Contains(rule.Expr, "| pattern") || strings.Contains(rule.Expr, "regexp"), rule.Expr)
		}
	}
}
