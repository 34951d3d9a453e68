package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"wklog/cmd/internal/report"
)

// store is a VictoriaLogs of the test's own.
type store struct {
	address string
	command []string
	process *exec.Cmd
}

// startStore starts one, where there is a program: go install
// github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1.
func startStore(t testing.TB, flags ...string) *store {
	t.Helper()
	program, err := exec.LookPath(cmp.Or(os.Getenv("VICTORIA_LOGS"), "victoria-logs"))
	if err != nil {
		t.Skip("needs victoria-logs")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &store{address: free.Addr().String()}
	require.NoError(t, free.Close())
	s.command = append([]string{
		program, "-httpListenAddr=" + s.address, "-storageDataPath=" + t.TempDir(), "-retentionPeriod=100y", "-loggerLevel=ERROR",
	}, flags...)
	t.Cleanup(func() { s.end(os.Kill) })
	s.start(t)
	return s
}

// end ends it, by a signal.
func (s *store) end(signal os.Signal) {
	_ = s.process.Process.Signal(signal)
	_ = s.process.Wait()
}

// start starts it, again where it was ended before, with what it has stored.
func (s *store) start(t testing.TB) {
	t.Helper()
	s.process = exec.Command(s.command[0], s.command[1:]...)
	require.NoError(t, s.process.Start())
	require.Eventually(t, func() bool {
		answer, err := http.Get("http://" + s.address + "/health")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, time.Minute, 20*time.Millisecond)
}

// node is the log of one server of a cluster, as it was collected.
type node struct {
	name  string
	times []int64
	lines []string
}

var ownTime = regexp.MustCompile(`"time":"[^"]*"`)

// nodesOf makes logs of healthy servers of which some connections fail, as real servers
// printed them, from a moment on.
func nodesOf(t testing.TB, count, lines int, from time.Time, step time.Duration, rate float64) []node {
	t.Helper()
	made := newMaker(t)
	var nodes []node
	for n := range count {
		nodes = append(nodes, made.node(n, lines, from, step, rate))
	}
	return nodes
}

// maker makes logs of what real servers printed.
type maker struct {
	healthy  []string
	failures [][]string // the lines of each failed connection
}

func newMaker(t testing.TB) *maker {
	t.Helper()
	m := &maker{}
	for line := range strings.Lines(string(read(t, "../../testdata/wukongim/servers/healthy/stdout-debug.log"))) {
		if strings.HasPrefix(line, "{") && !strings.Contains(line, "malformed HTTP request") {
			m.healthy = append(m.healthy, strings.TrimSuffix(line, "\n"))
		}
	}
	for line := range bytes.Lines(read(t, "../../testdata/wukongim/attempts.jsonl")) {
		var attempt struct {
			Stdout []string `json:"server_stdout"`
		}
		require.NoError(t, json.Unmarshal(line, &attempt))
		if strings.Contains(strings.Join(attempt.Stdout, " "), "握手失败") {
			m.failures = append(m.failures, attempt.Stdout)
		}
	}
	return m
}

func (m *maker) node(n, lines int, from time.Time, step time.Duration, rate float64) node {
	rng := rand.New(rand.NewPCG(uint64(n), 0))
	at := from.UnixNano() + int64(n)
	one := node{name: fmt.Sprint("wukongim-", n)}
	for len(one.lines) < lines {
		at += rng.Int64N(2 * int64(step))
		printed := []string{m.healthy[len(one.lines)%len(m.healthy)]}
		if rng.Float64() < rate {
			printed = m.failures[rng.IntN(len(m.failures))]
		}
		for _, line := range printed {
			at += int64(50 * time.Microsecond)
			own := `"time":"` + time.Unix(0, at).UTC().Format("2006-01-02T15:04:05.000000000-07:00") + `"`
			one.times, one.lines = append(one.times, at), append(one.lines, ownTime.ReplaceAllString(line, own))
		}
	}
	return one
}

func (n *node) add(more node) {
	n.times, n.lines = append(n.times, more.times...), append(n.lines, more.lines...)
}

// write puts each node's log into a folder of its own, as docker logs -t prints it.
func (n *node) write(t testing.TB, dir string) {
	t.Helper()
	var b bytes.Buffer
	for i, line := range n.lines {
		fmt.Fprintf(&b, "%s %s\n", time.Unix(0, n.times[i]).UTC().Format("2006-01-02T15:04:05.000000000Z"), line)
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, n.name), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, n.name, "stdout.log"), b.Bytes(), 0o644))
}

// push sends some lines of a node as a collector does.
func (s *store) push(t testing.TB, n *node, from, until int, parameters string) {
	t.Helper()
	var values [][]string
	for i := from; i < until; i++ {
		values = append(values, []string{strconv.FormatInt(n.times[i], 10), n.lines[i]})
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{
		"stream": map[string]string{"namespace": "im", "pod": n.name, "container": "wukongim"}, "values": values,
	}}})
	require.NoError(t, err)
	answer, err := http.Post("http://"+s.address+"/insert/loki/api/v1/push"+parameters, "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Less(t, answer.StatusCode, 300)
}

// settle waits until what was pushed can be found.
func (s *store) settle(t testing.TB) {
	t.Helper()
	answer, err := http.Get("http://" + s.address + "/internal/force_flush")
	require.NoError(t, err)
	answer.Body.Close()
}

// reportOf runs wklog and reads its report.
func reportOf(t testing.TB, args ...string) (doc report.Document, stderr string, status int) {
	t.Helper()
	c := self(t, "wklog", append([]string{"report", "--format", "json"}, args...)...)
	var out, complaints bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaints
	_ = c.Run()
	if out.Len() > 0 {
		require.NoError(t, json.Unmarshal(out.Bytes(), &doc))
	}
	return doc, complaints.String(), c.ProcessState.ExitCode()
}

// essence is what has to be the same from files and from an engine.
func essence(doc *report.Document) string {
	var b strings.Builder
	fmt.Fprintln(&b, doc.Summary.Events, doc.Summary.Duplicates, doc.Summary.Unclassified, doc.Summary.First, doc.Summary.Last)
	for _, f := range doc.Findings {
		fmt.Fprintln(&b, f.Pattern, f.Count)
	}
	for _, n := range doc.Nodes {
		fmt.Fprintln(&b, strings.TrimPrefix(n.Name, "im/"), n.Count)
	}
	for _, in := range doc.Incidents {
		fmt.Fprintln(&b, in.First, in.Last, in.Events, in.Ongoing)
		for _, d := range in.Diagnosis {
			fmt.Fprintf(&b, " %s %.3f\n", d.Cause, d.Confidence)
		}
	}
	return b.String()
}

var began = time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)

const ofMay = "2026-05-03T00:00:00Z"

// TestReportOfAnEngineIsThatOfTheFiles over each way in which it may keep the records, and
// where it cuts queries that take long.
func TestReportOfAnEngineIsThatOfTheFiles(t *testing.T) {
	nodes := nodesOf(t, 3, 8_000, began, 400*time.Millisecond, 0.004)
	dir, made := t.TempDir(), newMaker(t)
	for i := range nodes { // which are well in the end
		nodes[i].add(made.node(i, 12_000, began.Add(time.Hour), 4*time.Second, 0))
		nodes[i].write(t, dir)
	}
	want, _, status := reportOf(t, dir)
	require.Zero(t, status)
	require.Greater(t, want.Summary.Events, 50)
	require.NotEmpty(t, want.Incidents)
	require.False(t, want.Incidents[0].Ongoing)
	for name, parameters := range map[string]string{"records taken apart": "", "records as they are": "?disable_message_parsing=1"} {
		t.Run(name, func(t *testing.T) {
			s := startStore(t)
			for i := range nodes {
				for at := 0; at < len(nodes[i].lines); at += 5000 {
					s.push(t, &nodes[i], at, min(at+5000, len(nodes[i].lines)), parameters)
				}
			}
			s.settle(t)
			got, complaints, status := reportOf(t, `vlogs://`+s.address+`/?query={namespace="im"}`, "--since", ofMay, "--until", "2026-05-05")
			assert.Zero(t, status, complaints)
			assert.Empty(t, complaints)
			assert.Equal(t, essence(&want), essence(&got))
			require.Len(t, got.Inputs, 3)
			assert.Equal(t, "vlogs:pod/im/wukongim-0", got.Inputs[0].Name)
			assert.Equal(t, "vlogs", got.Inputs[0].Engine)
			assert.Positive(t, got.Inputs[0].Requests)
			assert.Less(t, got.Inputs[0].ReceivedBytes, want.Summary.Bytes/20)

			sampled(t, `vlogs://`+s.address+`/?query={namespace="im"}`, essence(&want))

			_, complaints, status = reportOf(t, `vlogs://`+s.address+`/?query={namespace="nobody"}`, "--since", ofMay)
			assert.Equal(t, exitWrong, status, "a selector that chooses nothing")
			assert.Contains(t, complaints, `pod="wukongim-0"`)
		})
	}
}

// sampled checks samples of an engine: one that lacks nothing gives the report of all, and
// any other says what it lacks.
func sampled(t *testing.T, address, whole string) {
	t.Helper()
	args := []string{address, "--since", ofMay, "--until", "2026-05-05", "--sample"}
	all, complaints, status := reportOf(t, append(args, "100000")...)
	assert.Zero(t, status, complaints)
	assert.Empty(t, complaints)
	assert.Equal(t, whole, essence(&all))
	assert.Zero(t, all.Summary.Unread)
	const most = 3
	for flag, read := range map[string]int64{"3": most, "0": 0} {
		part, complaints, status := reportOf(t, append(args, flag)...)
		assert.Zero(t, status, "it was asked for")
		assert.Contains(t, complaints, "tls: unknown certificate")
		assert.Equal(t, 1, part.Summary.Unread)
		assert.False(t, part.Errors[0].Note)
		assert.Less(t, part.Summary.Events, all.Summary.Events/2)
		for i, in := range part.Inputs {
			assert.Equal(t, all.Inputs[i].Name, in.Name)
			for j, m := range in.Matched {
				assert.Equal(t, all.Inputs[i].Matched[j].Entries, m.Entries, "what is counted is not read")
				assert.Equal(t, min(m.Entries, read), m.Read, m.Reason)
			}
		}
	}
}

// answers are the lines with which VictoriaLogs answers to a query.
func (s *store) answers(t *testing.T, path, query string) []string {
	t.Helper()
	answer, err := http.PostForm("http://"+s.address+path, url.Values{"query": {query}, "start": {ofMay}, "end": {"2026-05-05T00:00:00Z"}, "time": {"2026-05-05T00:00:00Z"}})
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s\n%s", query, body)
	return strings.FieldsFunc(string(body), func(r rune) bool { return r == '\n' })
}

// TestVictoriaLogsTakesWhatIsPrintedForIt: the queries, of which each finds all handshakes
// that failed and few other lines, and the counts, of which "any" counts just them.
func TestVictoriaLogsTakesWhatIsPrintedForIt(t *testing.T) {
	nodes := nodesOf(t, 1, 4000, began, 400*time.Millisecond, 0.02)
	failed := 0
	for _, line := range nodes[0].lines {
		if strings.Contains(line, "握手失败") {
			failed++
		}
	}
	require.Greater(t, failed, 50)
	s := startStore(t)
	s.push(t, &nodes[0], 0, len(nodes[0].lines), "")
	s.settle(t)
	for _, args := range [][]string{{}, {"--all-patterns"}, {"--select", `{namespace="im"}`}, {"--select", `{namespace=~"im|x"} container:wukongim`}} {
		query, err := self(t, "wklog", append([]string{"query", "vlogs"}, args...)...).Output()
		require.NoError(t, err)
		lines := s.answers(t, "/select/logsql/query", string(query))
		assert.Equal(t, failed, strings.Count(strings.Join(lines, "\n"), "握手失败"), args)
		assert.Less(t, len(lines), len(nodes[0].lines)/4, args)
	}
	for selector, want := range map[string]int{`{namespace="im"}`: failed, `{namespace="nobody"}`: 0} {
		text, err := self(t, "wklog", "rules", "vmalert", "--select", selector).Output()
		require.NoError(t, err)
		board, err := self(t, "wklog", "rules", "grafana-vlogs", "--select", selector).Output()
		require.NoError(t, err)
		counts := regexp.MustCompile(`(?m)^ +"?expr"?: (.* \| stats by .*[^,]),?$`).FindAllStringSubmatch(string(text)+string(board), -1)
		require.Len(t, counts, 2*8)
		for i, of := range counts {
			var expr string
			require.NoError(t, yaml.Unmarshal([]byte(of[1]), &expr))
			answer := strings.Join(s.answers(t, "/select/logsql/stats_query", expr), "\n")
			if i%8 == 0 && want > 0 {
				assert.Contains(t, answer, fmt.Sprintf(`"%d"`, want), "reason any")
				assert.Contains(t, answer, `"pod":"wukongim-0"`)
			}
			if want == 0 {
				assert.NotContains(t, answer, "wukongim-0")
			}
		}
	}
}

// inTurn answers one request after another: what the answers count and change is theirs
// together, and a client asks several at once.
func inTurn(answer http.HandlerFunc) http.Handler {
	var turn sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		turn.Lock()
		defer turn.Unlock()
		answer(w, r)
	})
}

// TestEngineThatDiesIsReadOrNamed: never a short report that looks whole.
func TestEngineThatDiesIsReadOrNamed(t *testing.T) {
	s := startStore(t)
	nodes := nodesOf(t, 2, 5000, began, 400*time.Millisecond, 0.01)
	dir := t.TempDir()
	for i := range nodes {
		nodes[i].write(t, dir)
		s.push(t, &nodes[i], 0, len(nodes[i].lines), "")
	}
	s.settle(t)
	want, _, _ := reportOf(t, dir)
	queries := 0
	third := httptest.NewServer(inTurn(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/query") {
			queries++
		}
		answer, err := http.Post("http://"+s.address+r.URL.Path, r.Header.Get("Content-Type"), r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer answer.Body.Close()
		var body bytes.Buffer
		_, _ = body.ReadFrom(answer.Body)
		if queries%3 == 1 && strings.HasSuffix(r.URL.Path, "/query") {
			_, _ = w.Write(body.Bytes()[:body.Len()/2])
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(body.Bytes())
	}))
	defer third.Close()
	address := strings.Replace(third.URL, "http", "vlogs", 1) + `/?query={namespace="im"}`
	got, complaints, status := reportOf(t, address, "--since", ofMay, "--until", "2026-05-05")
	assert.Zero(t, status, complaints)
	assert.Equal(t, essence(&want), essence(&got), "a third of the answers was cut")

	s.end(os.Kill)
	t.Setenv("VLOGS_CLIENT_RETRIES", "1")
	t.Setenv("VLOGS_CLIENT_MIN_BACKOFF", "0")
	_, complaints, status = reportOf(t, address, "--since", ofMay, "--until", "2026-05-05")
	assert.Equal(t, exitWrong, status)
	assert.NotEmpty(t, complaints)
	page, err := self(t, "wklog", "report", "--format", "html", address).Output()
	require.Error(t, err)
	assert.NotContains(t, string(page), "No TLS failure found")
	assert.Contains(t, string(page), "Nothing found in what could be read")
}

// TestEngineThatCutsItsQueriesIsReadOrNamed by itself, with a status and a body that looks
// whole: the report is that of the files, or names what was not read.
func TestEngineThatCutsItsQueriesIsReadOrNamed(t *testing.T) {
	nodes := nodesOf(t, 2, 5000, began, 400*time.Millisecond, 0.01)
	dir := t.TempDir()
	for i := range nodes {
		nodes[i].write(t, dir)
	}
	want, _, _ := reportOf(t, dir)
	s := startStore(t, "-search.maxQueryDuration=20ms")
	for i := range nodes {
		s.push(t, &nodes[i], 0, len(nodes[i].lines), "")
	}
	s.settle(t)
	got, complaints, status := reportOf(t, `vlogs://`+s.address+`/?query={namespace="im"}`, "--since", ofMay, "--until", "2026-05-05")
	if complaints == "" {
		assert.Zero(t, status)
		assert.Equal(t, essence(&want), essence(&got))
		return
	}
	assert.Equal(t, exitWrong, status)
	assert.Contains(t, complaints, s.address, "what was not read is named")
}

// TestEnginesTellTheirErrorsWithoutSecrets on every stream and in every form.
func TestEnginesTellTheirErrorsWithoutSecrets(t *testing.T) {
	refusing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no access with "+r.Header.Get("Authorization"), http.StatusUnauthorized)
	})
	plain, secure := httptest.NewServer(refusing), httptest.NewTLSServer(refusing)
	defer plain.Close()
	defer secure.Close()
	t.Setenv("VLOGS_BEARER_TOKEN", "topsecret-3141")
	t.Setenv("VLOGS_CLIENT_RETRIES", "0")
	for arg, want := range map[string]string{
		strings.Replace(plain.URL, "http", "vlogs", 1):         "401",
		strings.Replace(secure.URL, "https", "vlogs+https", 1): "untrusted-ca",
		"vlogs://u:topsecret-3141@127.0.0.1/":                  "VLOGS_PASSWORD",
	} {
		for _, form := range []string{"json", "html", "table"} {
			c := self(t, "wklog", "report", "--format", form, arg, "--select", `{a="b"}`)
			var all bytes.Buffer
			c.Stdout, c.Stderr = &all, &all
			require.Error(t, c.Run())
			assert.Equal(t, exitWrong, c.ProcessState.ExitCode())
			assert.Contains(t, all.String(), want, arg)
			assert.NotContains(t, all.String(), "topsecret-3141", form)
		}
	}
	for _, args := range [][]string{{"analyze", "--select", "x", "-"}, {"report", "--all-patterns", "."}, {"report", "--sample", "5", "."}, {"report", "--sample", "-1", "vlogs://h/"}, {"analyze", "-f", "--sample", "5", "vlogs://h/"}, {"analyze", "-f", "vlogs://h/", "."}} {
		c := self(t, "wklog", args...)
		c.Stderr = nil
		require.Error(t, c.Run())
		assert.Equal(t, exitWrong, c.ProcessState.ExitCode(), args)
	}
}
