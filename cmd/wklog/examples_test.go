package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
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

// TestExamplesUseRealFlags reads the command lines of the unit, the compose file and the
// DaemonSet.
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
	check(daemonSet(t).Spec.Template.Spec.Containers[0].Command)
	// Without it, settings that stand in the environment only end the server in a
	// panic (WuKongIM v2.2.5 cmd/root.go:75).
	assert.Contains(t, strings.Join(compose.Services["wukongim"].Entrypoint, " "), " --ignoreMissingConfig=true ")
}

// workload is as much of a DaemonSet as can be wrong without Kubernetes saying so.
type workload struct {
	Kind string
	Spec struct {
		Template struct {
			Metadata struct{ Annotations map[string]string }
			Spec     struct {
				Token          *bool             `yaml:"automountServiceAccountToken"`
				InitContainers []containerOfAPod `yaml:"initContainers"`
				Containers     []containerOfAPod
				Volumes        []struct {
					Name     string
					HostPath struct{ Path string } `yaml:"hostPath"`
				}
			}
		}
	}
}

type containerOfAPod struct {
	Command []string
	Ports   []struct {
		ContainerPort int `yaml:"containerPort"`
	}
	Mounts []struct {
		Name     string
		Path     string `yaml:"mountPath"`
		ReadOnly bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
	Security struct {
		User         *int64 `yaml:"runAsUser"`
		Group        *int64 `yaml:"runAsGroup"`
		NonRoot      bool   `yaml:"runAsNonRoot"`
		ReadOnly     bool   `yaml:"readOnlyRootFilesystem"`
		Escalation   *bool  `yaml:"allowPrivilegeEscalation"`
		Capabilities struct{ Drop []string }
	} `yaml:"securityContext"`
}

func daemonSet(t *testing.T) workload {
	t.Helper()
	data, err := os.ReadFile("examples/wklog.daemonset.yml")
	require.NoError(t, err)
	documents := bytes.Split(data, []byte("\n---\n"))
	require.Len(t, documents, 2, "a namespace and the DaemonSet, and no role")
	var w workload
	require.NoError(t, yaml.Unmarshal(documents[1], &w))
	require.Equal(t, "DaemonSet", w.Kind)
	return w
}

// TestDaemonSetMayDoNoMoreThanRead: the paths of its command are mounted, the logs to be read
// and its state to be written alone; it is not root and has no token.
func TestDaemonSetMayDoNoMoreThanRead(t *testing.T) {
	pod := daemonSet(t).Spec.Template
	require.Len(t, pod.Spec.Containers, 1)
	require.NotNil(t, pod.Spec.Token)
	assert.False(t, *pod.Spec.Token)
	hosts := map[string]string{}
	for _, v := range pod.Spec.Volumes {
		hosts[v.Name] = v.HostPath.Path
	}
	c := pod.Spec.Containers[0]
	for _, word := range c.Command[1:] {
		if !strings.HasPrefix(word, "/") {
			continue
		}
		mounted := false
		for _, m := range c.Mounts {
			if strings.HasPrefix(word, m.Path+"/") {
				mounted = true
				assert.Equal(t, m.Path, hosts[m.Name], "what is told has the names of the machine")
				assert.Equal(t, strings.HasPrefix(word, "/var/log/"), m.ReadOnly, word)
			}
		}
		assert.True(t, mounted, word)
	}
	assert.Contains(t, c.Command, "0.0.0.0:"+pod.Metadata.Annotations["prometheus.io/port"])
	assert.Equal(t, pod.Metadata.Annotations["prometheus.io/port"], strconv.Itoa(c.Ports[0].ContainerPort))
	for _, c := range append(pod.Spec.InitContainers, c) {
		assert.True(t, c.Security.ReadOnly)
		require.NotNil(t, c.Security.Escalation)
		assert.False(t, *c.Security.Escalation)
		assert.Equal(t, []string{"ALL"}, c.Security.Capabilities.Drop)
	}
	assert.True(t, c.Security.NonRoot)
	require.NotNil(t, c.Security.User)
	assert.NotZero(t, *c.Security.User)
	require.NotNil(t, c.Security.Group)
	assert.Zero(t, *c.Security.Group, "the logs are root:root, mode 0640")
	require.Len(t, pod.Spec.InitContainers, 1)
	assert.Equal(t, []string{"chown", "65534:0", "/var/lib/wklog"}, pod.Spec.InitContainers[0].Command)
}
