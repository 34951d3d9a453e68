package rules

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	sdk "github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/source/engine"
	"wklog/patterns"
)

func written(t *testing.T, engine string, lang patterns.Lang) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, engine, request(t, lang)))
	return b.String()
}

func request(t *testing.T, lang patterns.Lang) *Request {
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
	return r
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

// TestAlertsLeadToTheirFix: to a heading of the documents in either language, and to the
// command that shows it.
func TestAlertsLeadToTheirFix(t *testing.T) {
	var read groups
	require.NoError(t, yaml.Unmarshal([]byte(written(t, "prometheus", patterns.English)), &read))
	led := 0
	for _, rule := range read.Groups[0].Rules {
		for name, command := range map[string]string{"fix": "description", "fix_zh": "description_zh"} {
			link := rule.Annotations[name]
			if link == "" {
				assert.Contains(t, rule.Annotations[command], "wklog analyze", rule.Alert)
				continue
			}
			file, id, _ := strings.Cut(link, "#")
			document, err := os.ReadFile("../../../" + file)
			require.NoError(t, err)
			assert.Regexp(t, `(?m)^#+ `+id+`$`, string(document))
			assert.Contains(t, rule.Annotations[command], "wklog explain "+id)
			led++
		}
	}
	assert.GreaterOrEqual(t, led, 10)
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
	queries := queriesOf(t, "grafana-loki")
	for _, rule := range read.Groups[0].Rules {
		queries = append(queries, rule.Expr)
	}
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

// TestGrafanaTakesTheDashboards reads each with Grafana's own types for dashboards and for the
// queries of its data sources, which know every name in them.
func TestGrafanaTakesTheDashboards(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for _, form := range []string{"grafana", "grafana-loki", "grafana-vlogs"} {
		text := written(t, form, patterns.Chinese)
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(text), &members), form)
		var inputs []struct{ Name, PluginID string }
		require.NoError(t, json.Unmarshal(members["__inputs"], &inputs), form)
		require.Len(t, inputs, 1, form)
		delete(members, "__inputs") // Grafana asks for them before it reads the rest
		var panels []json.RawMessage
		require.NoError(t, json.Unmarshal(members["panels"], &panels), form)
		require.NotEmpty(t, panels, form)
		delete(members, "panels")
		strict, err := json.Marshal(members)
		require.NoError(t, err)
		//lint:ignore SA1019 every Grafana imports this form, only new ones the next
		var board sdk.Dashboard
		require.Empty(t, told(board.UnmarshalJSONStrict(strict)), form)
		require.NoError(t, board.Validate(), form)
		for _, text := range panels {
			var p sdk.Panel
			require.Empty(t, told(p.UnmarshalJSONStrict(text)), form)
			var queries struct{ Targets []json.RawMessage }
			require.NoError(t, json.Unmarshal(text, &queries))
			require.NotEmpty(t, queries.Targets, *p.Title)
			for _, query := range queries.Targets {
				_, err := cog.StrictUnmarshalDataquery(query, inputs[0].PluginID)
				assert.Empty(t, told(err), form)
			}
			assert.Equal(t, inputs[0].PluginID, *p.Datasource.Type, form)
			assert.Equal(t, "${"+inputs[0].Name+"}", *p.Datasource.Uid, form)
			assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, uint32(24), form)
		}
	}
	_, err := cog.StrictUnmarshalDataquery([]byte(`{"refId": "A", "expr": "x", "legend": "y"}`), "loki")
	assert.Contains(t, told(err), "legend", "anything is taken")
	text, err := os.ReadFile("../../wklog/examples/wklog.dashboard.json")
	require.NoError(t, err)
	//lint:ignore SA1019 as above
	var metrics sdk.Dashboard
	require.NoError(t, json.Unmarshal(text, &metrics)) // of its options some are left to Grafana
	assert.NoError(t, metrics.Validate())
}

// told is what an error says: these types also give one that is none.
func told(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestPanelsStandBesideEachOther: no two have a place in common.
func TestPanelsStandBesideEachOther(t *testing.T) {
	for _, form := range []string{"grafana", "grafana-loki", "grafana-vlogs"} {
		taken := map[[2]int]string{}
		for _, p := range boardOf(t, form).Panels {
			for x := p.GridPos["x"]; x < p.GridPos["x"]+p.GridPos["w"]; x++ {
				at := [2]int{x, p.GridPos["y"]}
				assert.Empty(t, taken[at], "%s: %s", form, p.Title)
				taken[at] = p.Title
			}
		}
	}
}

// queriesOf are the queries of a dashboard that asks an engine itself.
func queriesOf(t *testing.T, form string) []string {
	t.Helper()
	var queries []string
	for _, p := range boardOf(t, form).Panels {
		for _, query := range p.Targets {
			queries = append(queries, strings.ReplaceAll(query.Expr, "$__auto", "1m"))
		}
	}
	require.NotEmpty(t, queries)
	return queries
}

// kept is the regular expression by which an agent keeps lines, as the agent reads it.
func kept(t *testing.T, form string) *regexp.Regexp {
	t.Helper()
	text := written(t, form, patterns.Chinese)
	var expression string
	switch form {
	case "vector":
		m := regexp.MustCompile(`, r'(.+)'\)`).FindStringSubmatch(text)
		require.NotNil(t, m)
		expression = strings.ReplaceAll(m[1], `\'`, `'`)
	case "fluent-bit": // words are parted by blanks, and what stands at the end of a line is cut
		m := regexp.MustCompile(`(?m)^ +Regex +log +(\S.*\S)$`).FindStringSubmatch(text)
		require.NotNil(t, m)
		expression = m[1]
	case "otel":
		var read struct {
			Processors struct {
				Filter struct {
					Logs struct {
						Conditions []string `yaml:"log_record"`
					}
				} `yaml:"filter/wklog"`
			}
		}
		require.NoError(t, yaml.Unmarshal([]byte(text), &read))
		require.Len(t, read.Processors.Filter.Logs.Conditions, 1)
		m := regexp.MustCompile(`^not IsMatch\(body, (".+")\)$`).FindStringSubmatch(read.Processors.Filter.Logs.Conditions[0])
		require.NotNil(t, m)
		require.NoError(t, json.Unmarshal([]byte(m[1]), &expression))
	}
	re, err := regexp.Compile(expression)
	require.NoError(t, err)
	return re
}

// lines are those in which agents have something to keep, and those of healthy servers.
func lines(t *testing.T) (failed, healthy []string) {
	t.Helper()
	c, err := patterns.Load()
	require.NoError(t, err)
	for _, p := range c.Patterns {
		for _, sample := range p.Samples {
			if slices.ContainsFunc(c.Pushed(false), func(literal string) bool { return strings.Contains(sample, literal) }) {
				failed = append(failed, sample)
			}
		}
	}
	for _, name := range []string{"healthy/stdout-debug.log", "ok/stdout.log"} {
		data, err := os.ReadFile("../../../testdata/wukongim/servers/" + name)
		require.NoError(t, err)
		healthy = append(healthy, strings.Split(strings.TrimSpace(string(data)), "\n")...)
	}
	require.Greater(t, len(failed), 500)
	require.Greater(t, len(healthy), 5000)
	return failed, healthy
}

// TestAgentsKeepEveryLineOfAServerThatMatters, of the samples of the catalogue, and less than
// one in a hundred of healthy servers.
func TestAgentsKeepEveryLineOfAServerThatMatters(t *testing.T) {
	failed, healthy := lines(t)
	for _, form := range []string{"vector", "fluent-bit", "otel"} {
		re := kept(t, form)
		for _, line := range failed {
			assert.True(t, re.MatchString(line), "%s: %s", form, line)
		}
		candidates := 0
		for _, line := range healthy {
			if re.MatchString(line) {
				candidates++
			}
		}
		assert.Less(t, candidates, len(healthy)/100, form)
	}
}

// TestAgentsReadEveryByteOfTheirFilter: a blank at its end would be cut, and a dollar with a
// brace behind it is a variable of Fluent Bit and of the collector.
func TestAgentsReadEveryByteOfTheirFilter(t *testing.T) {
	for _, form := range []string{"vector", "fluent-bit", "otel"} {
		expression := kept(t, form).String()
		assert.Equal(t, strings.TrimSpace(expression), expression, form)
		assert.NotContains(t, expression, "$", form)
	}
}

// TestEveryFormIsWhole reads each with a parser of its form, in both languages.
func TestEveryFormIsWhole(t *testing.T) {
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		for _, engine := range Forms() {
			text := written(t, engine, lang)
			switch {
			case strings.HasPrefix(engine, "grafana"):
				assert.True(t, json.Valid([]byte(text)), engine)
			case engine == "fluent-bit":
				assert.Regexp(t, `(?m)\A(#.*\n)+\[FILTER\]\n(    \S+ +\S.*\n)+\n\[FILTER\]\n(    \S+ +\S.*\n)+\z`, text)
			case engine == "vector":
				var content map[string]any
				assert.NoError(t, toml.Unmarshal([]byte(text), &content))
			default:
				var content map[string]any
				assert.NoError(t, yaml.Unmarshal([]byte(text), &content), engine)
			}
		}
	}
}

// TestNothingThatIsGivenLeavesItsPlace: a selector is a value of the document whatever stands
// in it, and a label is a name or refused.
func TestNothingThatIsGivenLeavesItsPlace(t *testing.T) {
	hostile := "{app=\"a\", pod=~\"$__all ${x} {{ .x }} `'\\\\ : # - &a *b |\"}\ngroups: injected\r\n---\n\x1b[31m\u2028\u0000"
	for _, form := range Forms() {
		r := request(t, patterns.Chinese)
		r.Select = hostile
		var b bytes.Buffer
		require.NoError(t, Write(&b, form, r), form)
		var content map[string]any
		switch {
		case strings.HasPrefix(form, "grafana"):
			require.NoError(t, json.Unmarshal(b.Bytes(), &content), form)
			assert.Len(t, content["panels"], len(boardOf(t, form).Panels), form)
		case form != "vector" && form != "fluent-bit":
			require.NoError(t, yaml.Unmarshal(b.Bytes(), &content), form)
			assert.Len(t, content, 1, form)
		}
		assert.NotRegexp(t, `(?m)^groups: injected|\x1b|^---`, b.String(), form)
		for _, name := range []string{"", "pod) or vector(1", "pod\n- alert: x", "a b", "{{pod}}", "1pod", "pod\"", "$pod", "k8s.pod"} {
			r.Node = name
			assert.ErrorIs(t, Write(&b, form, r), ErrLabel, "%s: %q", form, name)
		}
	}
}

func boardOf(t *testing.T, form string) (board struct{ Panels []panel }) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(written(t, form, patterns.English)), &board))
	return board
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
