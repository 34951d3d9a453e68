package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/fragile"
	"wklog/cmd/internal/metrics"
	"wklog/cmd/internal/pkitest"
	"wklog/cmd/internal/report"
)

// endpointWithRoot is a wss server on this machine, and the file of its root.
func endpointWithRoot(t *testing.T) (address, root string) {
	pki, key := pkitest.New(time.Now()), pkitest.Key()
	leaf := pki.Intermediate.Issue(key, nil)
	root = filepath.Join(t.TempDir(), "root.pem")
	require.NoError(t, os.WriteFile(root, []byte(pkitest.PEM(pki.Root.Certificate)), 0o600))
	return fragile.Serve(t, &tls.Certificate{Certificate: [][]byte{leaf.Raw, pki.Intermediate.Certificate.Raw}, PrivateKey: key}).Addr, root
}

// TestAlertsOfChecksFire runs Prometheus' own checker over the rules and their cases.
func TestAlertsOfChecksFire(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed (Debian's package prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", "wklog-check.rules.yml"}, {"test", "rules", "wklog-check.rules.test.yml"}} {
		c := exec.Command("promtool", args...)
		c.Dir = "examples"
		out, err := c.CombinedOutput()
		assert.NoError(t, err, "%s", out)
	}
}

func TestAlertsOfChecksNameRealMetrics(t *testing.T) {
	known, descs := map[string]bool{}, make(chan *prometheus.Desc, 100)
	metrics.NewCheckCollector(nil).Describe(descs)
	close(descs)
	name := regexp.MustCompile(`wklog_\w+`)
	for d := range descs {
		known[name.FindString(d.String())] = true
	}
	for _, file := range []string{"wklog-check.rules.yml", "wklog-check.rules.test.yml"} {
		data, err := os.ReadFile("examples/" + file)
		require.NoError(t, err)
		for _, metric := range name.FindAllString(string(data), -1) {
			assert.True(t, known[metric], "%s: %s", file, metric)
		}
	}
}

// parsed reads Prometheus' text form, and gives the samples of a metric by a label.
func parsed(t *testing.T, text, metric, label string) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(t, err)
	values := map[string]float64{}
	for _, m := range families[metric].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == label {
				values[l.GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	return values
}

func TestChecksAsMetrics(t *testing.T) {
	address, root := endpointWithRoot(t)
	out, stderr, status := run1(t, "check", "--addr", address, "--ca", root, "--format", "prometheus")
	assert.Empty(t, stderr)
	assert.Equal(t, exitReached, status, "the name is not that of the certificate")
	target := "wss://" + address
	statuses := parsed(t, out, "wklog_check_status", "check")
	assert.Equal(t, 2.0, statuses["live-names"])
	assert.Equal(t, 0.0, statuses["live-dates"])
	assert.NotContains(t, statuses, "live-route", "it was skipped")
	assert.Equal(t, map[string]float64{"hostname-mismatch": 1}, parsed(t, out, "wklog_check_fault", "cause"))
	assert.InDelta(t, 61*86400, parsed(t, out, "wklog_check_certificate_remaining_seconds", "target")[target], 2*86400)
	assert.Equal(t, 0.0, parsed(t, out, "wklog_check_certificates_differ", "target")[target])
	assert.Positive(t, parsed(t, out, "wklog_check_stage_seconds", "check")["live-tls13"])
	if _, err := exec.LookPath("promtool"); err == nil {
		c := exec.Command("promtool", "check", "metrics")
		c.Stdin = strings.NewReader(out)
		said, err := c.CombinedOutput()
		assert.NoError(t, err, string(said))
	}
}

func TestChecksInBrief(t *testing.T) {
	address, root := endpointWithRoot(t)
	out, _, status := run1(t, "check", "--addr", address, "--addr", "127.0.0.1:1", "--ca", root, "--brief")
	assert.Equal(t, exitReached, status)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 2)
	assert.Regexp(t, `^FAIL  wss://`+address+`  Served certificate names: .*\[hostname-mismatch\]$`, lines[0])
	assert.Regexp(t, `^FAIL  wss://127.0.0.1:1  .*\[connection-interrupted\]$`, lines[1])
	out, _, _ = run1(t, "check", "--addr", address, "--ca", root, "--brief", "--lang", "zh")
	assert.Regexp(t, `^失败  wss://`, out)
}

// TestChecksHaveTypedFields that a script can read without a sentence.
func TestChecksHaveTypedFields(t *testing.T) {
	address, root := endpointWithRoot(t)
	out, _, _ := run1(t, "check", "--addr", address, "--ca", root, "--format", "json")
	var list struct {
		Checks []struct {
			ID     string
			Values map[string]struct {
				Type  string
				Value any
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	for _, c := range list.Checks {
		types := map[string]string{}
		for name, v := range c.Values {
			types[name] = v.Type
		}
		switch c.ID {
		case "live-dates":
			for name, want := range map[string]string{"not_after": "time", "not_before": "time", "fingerprint": "name", "serial": "name", "issuer": "name", "subject": "name", "names": "host", "key_kind": "text"} {
				assert.Equal(t, want, types[name], name)
			}
			assert.Len(t, c.Values["fingerprint"].Value, 64)
		case "live-tls13", "live-tls12":
			assert.Equal(t, "text", types["version"], c.ID)
			assert.Equal(t, "text", types["suite"], c.ID)
			assert.Equal(t, "text", types["curve"], c.ID)
		case "live-certificates":
			assert.Equal(t, "address", types["addresses"])
		}
	}
}

// TestProbeServesTheLastRunAndTellsChanges goes on until it is interrupted.
func TestProbeServesTheLastRunAndTellsChanges(t *testing.T) {
	address, root := endpointWithRoot(t)
	c := self(t, "wklog", "check", "--addr", address, "--ca", root, "--metrics-addr", "127.0.0.1:0", "--interval", "5s")
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	c.Stderr = nil
	stderr, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	said, err := bufio.NewReader(stderr).ReadString('\n')
	require.NoError(t, err)
	url := regexp.MustCompile(`http://\S+`).FindString(said)
	lines := bufio.NewReader(stdout)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, first, "[hostname-mismatch]")
	response, err := http.Get(url)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, 2.0, parsed(t, string(body), "wklog_check_status", "check")["live-names"])
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	assert.Empty(t, string(rest), "nothing has changed")
	assert.NoError(t, c.Wait())
}

func TestMeasuredTakesTheEndOfEveryCertificate(t *testing.T) {
	address, root := endpointWithRoot(t)
	out, _, _ := run1(t, "check", "--addr", address, "--ca", root, "--cert", root, "--format", "json")
	var list report.Checklist
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	ends := 0
	for _, one := range measured(&list).List {
		if !one.NotAfter.IsZero() {
			ends++
		}
	}
	assert.Equal(t, 2, ends)
}
