package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"wklog/cmd/internal/metrics"
)

// TestAlertsFire runs Prometheus' own checker over the rules and their cases.
func TestAlertsFire(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed (Debian's package prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", "wklog.rules.yml"}, {"test", "rules", "wklog.rules.test.yml"}} {
		c := exec.Command("promtool", args...)
		c.Dir = "examples"
		out, err := c.CombinedOutput()
		assert.NoError(t, err, "%s", out)
	}
}

// TestUnitIsUnderstood has systemd read the unit, with a program that is there.
func TestUnitIsUnderstood(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed (Debian's package systemd)")
	}
	unit, err := os.ReadFile("examples/wklog.service")
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "wklog.service")
	require.NoError(t, os.WriteFile(file, bytes.ReplaceAll(unit, []byte("/usr/local/bin/wklog"), []byte(program)), 0o644))
	out, _ := exec.Command("systemd-analyze", "verify", "--man=no", file).CombinedOutput() // of the machine's own units too
	assert.NotContains(t, string(out), "wklog.service")
}

// TestExamplesNameRealMetrics compares the metrics that the rules and the
// dashboard ask for with those that there are.
func TestExamplesNameRealMetrics(t *testing.T) {
	known := map[string]bool{}
	descs := make(chan *prometheus.Desc, 100)
	metrics.NewCollector("", nil).Describe(descs)
	close(descs)
	name := regexp.MustCompile(`wklog_\w+`)
	for d := range descs {
		known[name.FindString(d.String())] = true
	}
	used := map[string]bool{}
	for _, file := range []string{"wklog.rules.yml", "wklog.dashboard.json"} {
		data, err := os.ReadFile("examples/" + file)
		require.NoError(t, err)
		for _, metric := range name.FindAllString(string(data), -1) {
			assert.True(t, known[metric], "%s: %s", file, metric)
			used[metric] = true
		}
	}
	assert.Equal(t, known, used, "each metric is shown somewhere")
}

func TestDashboardHasAQueryInEveryPanel(t *testing.T) {
	data, err := os.ReadFile("examples/wklog.dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		SchemaVersion int
		Inputs        []struct{ Name string } `json:"__inputs"`
		Panels        []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(data, &dashboard))
	assert.Equal(t, "DS_PROMETHEUS", dashboard.Inputs[0].Name)
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		require.NotEmpty(t, p.Targets, p.Title)
		assert.Contains(t, p.Targets[0].Expr, "wklog_")
		assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		assert.False(t, ids[p.ID], p.Title)
		ids[p.ID] = true
	}
}

// TestExamplesUseRealFlags reads the command lines of the unit and the compose
// file.
func TestExamplesUseRealFlags(t *testing.T) {
	app, err := newApp(nil)
	require.NoError(t, err)
	analyze := app.analyzeCommand()
	check := func(words []string) {
		t.Helper()
		require.GreaterOrEqual(t, len(words), 3)
		assert.Equal(t, "analyze", words[1])
		words = strings.Split(strings.Replace(strings.Join(words, "\x00"), "--lang\x00zh\x00", "", 1), "\x00") // of all commands
		assert.NoError(t, analyze.ParseFlags(words[2:]), words)
	}
	unit, err := os.ReadFile("examples/wklog.service")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^ExecStart=(.+)$`).FindSubmatch(unit)
	require.NotNil(t, line)
	check(strings.Fields(string(line[1])))
	data, err := os.ReadFile("examples/docker-compose.yml")
	require.NoError(t, err)
	var compose struct {
		Services map[string]struct{ Entrypoint []string }
	}
	require.NoError(t, yaml.Unmarshal(data, &compose))
	check(compose.Services["wklog"].Entrypoint)
	// Without it, settings that stand in the environment only end the server in a
	// panic (WuKongIM v2.2.5 cmd/root.go:75).
	assert.Contains(t, strings.Join(compose.Services["wukongim"].Entrypoint, " "), " --ignoreMissingConfig=true ")
}
