package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
)

// BenchmarkCluster reads 20 nodes of 52 MiB from VictoriaLogs, from files, and all of it
// from VictoriaLogs through a pipe: the reports have to be the same. CLUSTER_DATA names a
// folder that keeps the logs, CLUSTER_LINES how many a node has.
func BenchmarkCluster(b *testing.B) {
	const nodes, most = 20, 64 << 20
	lines := atoi(cmp.Or(os.Getenv("CLUSTER_LINES"), "164000"))
	dir := cmp.Or(os.Getenv("CLUSTER_DATA"), b.TempDir())
	_, err := os.Stat(filepath.Join(dir, "files"))
	s := startStore(b, "-storageDataPath="+filepath.Join(dir, "store"))
	if err != nil {
		made := newMaker(b)
		for n := range nodes {
			one := made.node(n, lines, began, 400*time.Millisecond, 0.0007)
			one.write(b, filepath.Join(dir, "files"))
			for at := 0; at < len(one.lines); at += 5000 {
				s.push(b, &one, at, min(at+5000, len(one.lines)), "?disable_message_parsing=1")
			}
		}
		s.settle(b)
	}
	program := filepath.Join(b.TempDir(), "wklog")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(b, err, "%s", out)
	address := `vlogs://` + s.address + `/?query={namespace="im"}`
	everything := func() io.ReadCloser {
		answer, err := http.PostForm("http://"+s.address+"/select/logsql/query", url.Values{"query": {`{namespace="im"}`}, "start": {ofMay}, "end": {"2026-05-05T23:00:00Z"}})
		require.NoError(b, err)
		return answer.Body
	}
	for b.Loop() {
		files := costs(b, s, "files", dir, nil, program, "report", filepath.Join(dir, "files"), "--format", "json")
		engine := costs(b, s, "engine", dir, nil, program, "report", address, "--since", ofMay, "--until", "2026-05-06", "--format", "json")
		costs(b, s, "pipe", dir, everything, program, "report", "-", "--format", "json")
		require.Equal(b, essence(files), essence(engine))
		b.ReportMetric(float64(engine.Inputs[0].ReceivedBytes), "engine-bytes")
		b.ReportMetric(float64(engine.Inputs[0].Requests), "engine-requests")
		b.ReportMetric(float64(files.Summary.Events), "events")
	}
}

// TestMemoryDoesNotGrowWithWhatAnEngineGives: pages of 5,000 entries of 4 KiB, of which each
// tenth is a failure. ENGINE_PAGES is how many the long run asks for.
func TestMemoryDoesNotGrowWithWhatAnEngineGives(t *testing.T) {
	const perPage, length, most = 5000, 4 << 10, 42 << 20 // beside the 22 MiB that the program needs to begin
	entries := int64(perPage * atoi(cmp.Or(os.Getenv("ENGINE_PAGES"), "4")))
	step := int64(time.Hour) / entries
	line := func(text string) string {
		return strconv.Quote(`{"level":"debug",` + text + `,"rest":"` + strings.Repeat("x", length) + `"}`)
	}
	failure, other := line(`"msg":"close connn","error":"remote error: tls: unknown certificate"`), line(`"msg":"open","error":"no such file or directory"`)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const labels = `{"namespace":"im","pod":"wukongim-0"}`
		from, _ := strconv.ParseInt(r.FormValue("start"), 10, 64)
		until, _ := strconv.ParseInt(r.FormValue("end"), 10, 64)
		limit, _ := strconv.ParseInt(r.FormValue("limit"), 10, 64)
		switch {
		case strings.HasSuffix(r.URL.Path, "/series"):
			_, _ = io.WriteString(w, `{"data":[`+labels+`]}`)
		case strings.HasSuffix(r.URL.Path, "/query_range"):
			assert.LessOrEqual(t, limit, int64(perPage))
			_, _ = io.WriteString(w, `{"data":{"resultType":"streams","result":[{"stream":`+labels+`,"values":[`)
			if strings.Contains(r.FormValue("query"), "!~") { // what the filter does not choose
				from = until
			}
			first := max((from-began.UnixNano()+step-1)/step, 0)
			for n := first; n < entries && n-first < limit && began.UnixNano()+n*step < until; n++ {
				text := other
				if n%10 == 0 {
					text = failure
				}
				_, _ = io.WriteString(w, strings.Repeat(",", int(min(n-first, 1)))+`["`+strconv.FormatInt(began.UnixNano()+n*step, 10)+`",`+text+`]`)
			}
			_, _ = io.WriteString(w, `]}]}}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	c := self(t, "wklog", "report", "--format", "json", "--since", began.Format(time.RFC3339), "--until", began.Add(time.Hour).Format(time.RFC3339), strings.Replace(s.URL, "http", "loki", 1)+`/?query={namespace="im"}`)
	var out bytes.Buffer
	c.Stdout = &out
	peak := peakOf(t, c)
	var doc report.Document
	require.NoError(t, json.Unmarshal(out.Bytes(), &doc))
	assert.EqualValues(t, entries/10, doc.Summary.Events)
	assert.EqualValues(t, entries, doc.Inputs[0].Lines)
	assert.Positive(t, peak)
	assert.Less(t, peak-idle(t), float64(most))
	t.Logf("%d entries, %d MiB received, at most %.0f MiB in use", entries, doc.Inputs[0].ReceivedBytes>>20, peak/(1<<20))
}

// TestSecretsOfAnEngineAreInNoListOfProcesses: neither among the arguments, which all users
// see, nor where they stand in a file among the variables; and no other program is started.
func TestSecretsOfAnEngineAreInNoListOfProcesses(t *testing.T) {
	const secret = "topsecret-3141"
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	for variable, authorized := range map[string]string{
		"PASSWORD=" + secret: "Basic ", "PASSWORD_FILE=" + file: "Basic ", "BEARER_TOKEN=" + secret: "Bearer " + secret, "BEARER_TOKEN_FILE=" + file: "Bearer " + secret,
	} {
		asked, looked := make(chan string, 10), make(chan bool)
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked <- r.Header.Get("Authorization")
			<-looked
		}))
		c := self(t, "wklog", "report", "--format", "json", strings.Replace(s.URL, "http", "vlogs", 1)+"/?query=*")
		c.Env = append(c.Env, "VLOGS_"+variable)
		var printed bytes.Buffer
		c.Stdout, c.Stderr = &printed, &printed
		require.NoError(t, c.Start())
		select {
		case header := <-asked:
			assert.True(t, strings.HasPrefix(header, authorized), "it is asked with the secret")
		case <-time.After(time.Minute):
			require.Fail(t, "it does not ask")
		}
		assert.NotContains(t, string(read(t, fmt.Sprintf("/proc/%d/cmdline", c.Process.Pid))), secret)
		variables := string(read(t, fmt.Sprintf("/proc/%d/environ", c.Process.Pid)))
		assert.Contains(t, variables, "VLOGS_"+variable)
		assert.Equal(t, strings.HasSuffix(variable, secret), strings.Contains(variables, secret), "only where the user put it")
		others, err := filepath.Glob("/proc/[0-9]*/stat")
		require.NoError(t, err)
		for _, other := range others {
			if data, err := os.ReadFile(other); err == nil { // some end meanwhile
				parent := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))[1]
				assert.NotEqual(t, strconv.Itoa(c.Process.Pid), parent, "no other program is started")
			}
		}
		require.NoError(t, c.Process.Kill())
		_ = c.Wait()
		close(looked)
		s.CloseClientConnections()
		s.Close()
		assert.NotContains(t, printed.String(), secret)
	}
}

// costs runs a command that prints a report of what it is given, and tells what it cost.
func costs(b *testing.B, s *store, name, dir string, given func() io.ReadCloser, command ...string) *report.Document {
	b.Helper()
	c := exec.Command(command[0], command[1:]...)
	var out bytes.Buffer
	c.Stdout, c.Stderr, c.Dir, c.Env = &out, os.Stderr, dir, append(os.Environ(), "TZ=UTC")
	served, start := spent(b, s.process.Process.Pid), time.Now()
	if given != nil {
		in := given()
		defer in.Close()
		c.Stdin = in
	}
	peak := peakOf(b, c)
	b.ReportMetric(time.Since(start).Seconds(), name+"-s")
	b.ReportMetric((c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), name+"-cpu-s")
	b.ReportMetric(spent(b, s.process.Process.Pid)-served, name+"-store-cpu-s")
	b.ReportMetric(peak/(1<<20), name+"-MiB")
	var doc report.Document
	require.NoError(b, json.Unmarshal(out.Bytes(), &doc))
	return &doc
}

// peakOf runs a command to its end, and tells the most memory that it had at a time.
func peakOf(t testing.TB, c *exec.Cmd) (peak float64) {
	t.Helper()
	require.NoError(t, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid)); err == nil && strings.Contains(string(data), "VmHWM:") {
				peak = max(peak, highWater(t, data))
			}
		case err := <-ended:
			require.NoError(t, err)
			return peak
		}
	}
}

// spent is how many seconds of a processor a process has used (proc(5), stat).
func spent(b *testing.B, pid int) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	const perSecond = 100
	return float64(atoi(fields[11])+atoi(fields[12])) / perSecond
}
