package engine

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const wall = 1777858200 * int64(time.Second)

var span = Span{time.Unix(0, wall), time.Unix(0, wall).Add(2 * time.Hour)}

func pod(n int) map[string]string {
	return map[string]string{"namespace": "im", "pod": fmt.Sprint("wukongim-", n)}
}

// client asks a server by an address, without waiting.
func client(t *testing.T, address string, variables map[string]string) *Client {
	t.Helper()
	if variables == nil {
		variables = map[string]string{}
	}
	variables["LOKI_CLIENT_MIN_BACKOFF"] = "0"
	env := func(name string) string { return variables[name] }
	a, err := ParseAddress(address, env)
	require.NoError(t, err)
	c, err := NewClient(a, "", env)
	require.NoError(t, err)
	c.longest = time.Millisecond
	return c
}

func (f *fakeLoki) address(selector string) string {
	return strings.Replace(f.URL, "http", "loki", 1) + "/?query=" + selector
}

// readAll gives what a reading delivers.
func readAll(t *testing.T, f *fakeLoki, filter ...string) (list []Kept, gaps []*Gap, err error) {
	t.Helper()
	f.sort()
	r := &Reading{Client: client(t, f.address(`{namespace="im"}`), nil), Filter: Filter{Literals: filter}}
	last := int64(0)
	gaps, err = r.Run(t.Context(), span, func(p *Page) error {
		for _, k := range p.Entries {
			if k.At < last {
				t.Error("not in the order of time")
			}
			last = k.At
		}
		list = append(list, p.Entries...)
		return nil
	})
	return list, gaps, err
}

// TestEveryEntryAtABorderOfPagesIsReadOnce is where other readers lose or double entries.
func TestEveryEntryAtABorderOfPagesIsReadOnce(t *testing.T) {
	seconds := 60
	if testing.Short() {
		seconds = 12
	}
	for _, c := range []struct {
		name                    string
		pods, perSecond, second int
		cap                     int
		same                    bool
	}{
		{"many of one second", 2, 700, seconds, 5000, false},
		{"pages of few seconds", 2, 700, seconds, 1500, false},
		{"fewer than are of one moment", 2, 700, seconds, 1000, false},
		{"the same text of several pods", 3, 1, 100, 7, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeLoki(t)
			f.cap = c.cap
			for second := range c.second {
				for p := range c.pods {
					for i := range c.perSecond {
						text := fmt.Sprint("tls: ", i)
						if c.same {
							text = "tls: the same"
						}
						f.put(pod(p), wall+int64(second)*int64(time.Second), text)
					}
				}
			}
			list, gaps, err := readAll(t, f)
			require.NoError(t, err)
			assert.Empty(t, gaps)
			assert.Len(t, list, c.pods*c.perSecond*c.second)
		})
	}
}

func TestMoreOfOneMomentThanTheEngineHandsOutIsTold(t *testing.T) {
	f := newFakeLoki(t)
	for i := range 12_000 {
		f.put(pod(0), wall+int64(time.Minute), fmt.Sprint("tls: ", i))
	}
	f.put(pod(0), wall+int64(time.Hour), "tls: later")
	list, gaps, err := readAll(t, f)
	require.NoError(t, err)
	require.Len(t, gaps, 1)
	assert.Equal(t, 5000, gaps[0].Crowd)
	assert.ErrorIs(t, gaps[0], ErrCrowd)
	assert.Len(t, list, 5001, "what comes later is read")
}

// TestEngineThatCutsWideQueriesIsNotAskedTheSameAgain: it would burn its processors and
// give nothing.
func TestEngineThatCutsWideQueriesIsNotAskedTheSameAgain(t *testing.T) {
	f := newFakeLoki(t)
	f.widest = 10 * time.Minute
	for i := range 120 {
		f.put(pod(0), wall+int64(i)*int64(time.Minute), fmt.Sprint("tls: ", i))
	}
	list, gaps, err := readAll(t, f)
	require.NoError(t, err)
	assert.Empty(t, gaps)
	assert.Len(t, list, 120)
	assert.LessOrEqual(t, len(f.asked), 2*16+8)
	times := map[string]int{}
	for _, asked := range f.asked {
		times[asked]++
		assert.Equal(t, 1, times[asked], asked)
	}
}

func TestCutOfAThirdOfAllAnswersLosesNothing(t *testing.T) {
	f := newFakeLoki(t)
	n := 0
	f.refuse = func(http.ResponseWriter, *http.Request) bool {
		if n++; n%3 == 0 {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	for i := range 2000 {
		f.put(pod(i%3), wall+int64(i)*int64(time.Second), fmt.Sprint("tls: ", i))
	}
	list, gaps, err := readAll(t, f)
	require.NoError(t, err)
	assert.Empty(t, gaps)
	assert.Len(t, list, 2000)
}

// TestReasonInPlaceOfTheRestIsACut as VictoriaLogs 1.52.1 writes it when a query took too
// long: bare, in the middle of a body in chunks or in place of all of the answer.
func TestReasonInPlaceOfTheRestIsACut(t *testing.T) {
	for _, answer := range []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"dat\r\ntimeout\n", "\n"} {
		f := newFakeLoki(t)
		for i := range 100 {
			f.put(pod(0), wall+int64(i)*int64(time.Minute), fmt.Sprint("tls: ", i))
		}
		f.refuse = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/query_range") {
				return false
			}
			f.refuse = nil
			connection, _, err := http.NewResponseController(w).Hijack()
			require.NoError(t, err)
			_, _ = connection.Write([]byte(answer))
			return connection.Close() == nil
		}
		list, gaps, err := readAll(t, f)
		require.NoError(t, err)
		assert.Empty(t, gaps)
		assert.Len(t, list, 100)
	}
}

func TestBusyEngineIsAskedAgain(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		f := newFakeLoki(t)
		n := 0
		f.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
			if n++; n > 2 {
				return false
			}
			w.Header().Set("Retry-After", "0")
			http.Error(w, "too many outstanding requests", status)
			return true
		}
		f.put(pod(0), wall, "tls: x")
		list, gaps, err := readAll(t, f)
		require.NoError(t, err)
		assert.Empty(t, gaps)
		assert.Len(t, list, 1)
	}
	vlogs := 0
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if vlogs++; vlogs < 3 {
			w.Header().Set("Retry-After", "0")
			http.Error(w, "too many concurrent requests", http.StatusTooManyRequests)
			return
		}
		_, _ = io.WriteString(w, `{"values":[{"value":"{pod=\"wukongim-0\"}","hits":1}]}`)
	}))
	defer busy.Close()
	c := client(t, strings.Replace(busy.URL, "http", "vlogs", 1)+"/", map[string]string{"VLOGS_CLIENT_MIN_BACKOFF": "0"})
	list, _, err := c.Streams(t.Context(), span)
	require.NoError(t, err)
	assert.Len(t, list, 1)
	assert.Equal(t, 3, vlogs)
	at := time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)
	assert.Equal(t, 7*time.Second, retryAfter("7", at))
	assert.Equal(t, time.Minute, retryAfter("Mon, 04 May 2026 01:31:00 GMT", at))
	assert.Zero(t, retryAfter("soon", at))
}

// TestEngineThatNamesItsLimitIsAskedForLess, and not for the same again, whatever status it
// gives: VictoriaLogs 1.52.1 takes that of an engine that is away.
func TestEngineThatNamesItsLimitIsAskedForLess(t *testing.T) {
	for text, status := range map[string]int{
		"the request couldn't be executed in 0.008 seconds; possible solutions: to increase -search.maxQueryDuration=5ms":                          http.StatusServiceUnavailable,
		"the query time range exceeds the limit (query length: 2h, limit: 30m)":                                                                    http.StatusBadRequest,
		"invalid query, length > limit (2h > 30m)":                                                                                                 http.StatusBadRequest,
		"the query would read too many bytes (query: 2 GB, limit: 1 GB)":                                                                           http.StatusBadRequest,
		"the query hit the max number of chunks limit (limit: 2000000 chunks)":                                                                     http.StatusBadRequest,
		"un-shardable query too large to execute on a single querier: (query: 200GB, limit: 150GB); consider … reduce the time range of the query": http.StatusBadRequest,
		"cardinality limit exceeded for {}; 100001 entries, more than limit of 100000":                                                             http.StatusBadRequest,
		"limit reached while evaluating the query":                                                                                                 http.StatusBadRequest,
		"rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5000000 vs. 4194304)":                                  http.StatusInternalServerError,
		"context deadline exceeded": http.StatusGatewayTimeout,
	} {
		t.Run(text[:20], func(t *testing.T) {
			f := newFakeLoki(t)
			for i := range 120 {
				f.put(pod(0), wall+int64(i)*int64(time.Minute), fmt.Sprint("tls: ", i))
			}
			asked := map[string]int{}
			f.refuse = func(w http.ResponseWriter, r *http.Request) bool {
				from, _ := strconv.ParseInt(r.Form.Get("start"), 10, 64)
				until, _ := strconv.ParseInt(r.Form.Get("end"), 10, 64)
				if asked[r.Form.Encode()]++; asked[r.Form.Encode()] > 1 {
					t.Error("asked again")
				}
				if until-from > int64(30*time.Minute) {
					http.Error(w, text, status)
					return true
				}
				return false
			}
			list, gaps, err := readAll(t, f)
			require.NoError(t, err)
			assert.Empty(t, gaps)
			assert.Len(t, list, 120)
		})
	}
}

// TestWhatIsTooOldIsNamedAndTheRestIsRead: asked for once, for Loki says that it will not.
func TestWhatIsTooOldIsNamedAndTheRestIsRead(t *testing.T) {
	f := newFakeLoki(t)
	for i := range 24 * 60 {
		f.put(pod(0), wall+int64(i)*int64(time.Minute), fmt.Sprint("tls: ", i))
	}
	old := span.From.Add(10 * time.Hour)
	f.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		until, _ := strconv.ParseInt(r.Form.Get("end"), 10, 64)
		if until <= old.UnixNano() {
			http.Error(w, "this data is no longer available, it is past now - max_query_lookback (720h)", http.StatusBadRequest)
			return true
		}
		return false
	}
	r := &Reading{Client: client(t, f.address(`{namespace="im"}`), nil)}
	read := 0
	gaps, err := r.Run(t.Context(), Span{span.From, span.From.Add(24 * time.Hour)}, func(p *Page) error {
		read += len(p.Entries)
		return nil
	})
	require.NoError(t, err)
	require.Len(t, gaps, 1)
	assert.Equal(t, Span{span.From, old}, gaps[0].Span)
	assert.Equal(t, 14*60, read)
	assert.LessOrEqual(t, r.Requests.Load(), int64(24+4))
}

// TestEngineThatGivesNothingIsGivenUp: the rest is told as not read.
func TestEngineThatGivesNothingIsGivenUp(t *testing.T) {
	f := newFakeLoki(t)
	f.put(pod(0), wall, "tls: x")
	f.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "this user has no rights", http.StatusForbidden)
		return true
	}
	list, gaps, err := readAll(t, f)
	assert.Empty(t, list)
	require.ErrorContains(t, err, "no rights")
	require.Len(t, gaps, 1)
	assert.Equal(t, span, gaps[0].Span)
}

// TestEngineThatCutsEverythingIsGivenUpSoon, with few requests: of a day one second is asked
// for in the end, and no engine gives less.
func TestEngineThatCutsEverythingIsGivenUpSoon(t *testing.T) {
	f := newFakeLoki(t)
	f.put(pod(0), wall, "tls: x")
	f.widest = time.Millisecond
	r := &Reading{Client: client(t, f.address(`{namespace="im"}`), nil), pace: pace{shortest: 1}}
	day := Span{span.From, span.From.Add(24 * time.Hour)}
	gaps, err := r.Run(t.Context(), day, func(*Page) error { t.Error("nothing was read"); return nil })
	require.ErrorIs(t, err, ErrBroken)
	require.Len(t, gaps, 1)
	assert.Equal(t, day, gaps[0].Span)
	f.mutex.Lock()
	assert.LessOrEqual(t, len(f.asked), 2*inVain)
	f.mutex.Unlock()
	narrow := &pace{}
	narrow.begin(time.Hour, time.Hour)
	total := time.Duration(0)
	for width := time.Hour; width > narrowest; {
		var wait time.Duration
		wait, width = narrow.cut(width)
		total += wait
	}
	assert.Less(t, total, 8*time.Second)
}

// TestStreamsAreListedOfWhatTheEngineLists: of the last part of the time where it gives up
// on all of it.
func TestStreamsAreListedOfWhatTheEngineLists(t *testing.T) {
	f := newFakeLoki(t)
	f.put(pod(0), wall, "tls: x")
	f.put(pod(1), span.Until.UnixNano()-1, "tls: x")
	cuts := 0
	f.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		from, _ := strconv.ParseInt(r.Form.Get("start"), 10, 64)
		if until, _ := strconv.ParseInt(r.Form.Get("end"), 10, 64); until-from > int64(time.Minute) {
			cuts++
			panic(http.ErrAbortHandler)
		}
		return false
	}
	list, whole, err := client(t, f.address(`{namespace="im"}`), nil).Streams(t.Context(), span)
	require.NoError(t, err)
	assert.False(t, whole)
	require.Len(t, list, 1)
	assert.Equal(t, selectorFor(pod(1)), list[0].Selector)
	assert.LessOrEqual(t, cuts, 8)

	f.refuse = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
	_, _, err = client(t, f.address(`{namespace="im"}`), nil).Streams(t.Context(), span)
	var gap *Gap
	require.ErrorAs(t, err, &gap)
	assert.Equal(t, span, gap.Span)
}

// TestSmallAnswerThatIsCutIsAskedForOnceMore: the streams, and when they were written to, are
// known in whole though every second answer is cut.
func TestSmallAnswerThatIsCutIsAskedForOnceMore(t *testing.T) {
	f := newFakeLoki(t)
	f.put(pod(0), wall, "tls: x")
	f.put(pod(1), span.Until.UnixNano()-1, "tls: x")
	n := 0
	f.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
		if n++; n%2 == 1 {
			_, _ = io.WriteString(w, `{"status":"success","data":[{"pod":`)
			panic(http.ErrAbortHandler)
		}
		return false
	}
	c := client(t, f.address(`{namespace="im"}`), nil)
	list, whole, err := c.Streams(t.Context(), span)
	require.NoError(t, err)
	assert.True(t, whole)
	assert.Len(t, list, 2)
	wrote := 0
	require.NoError(t, c.Traffic(t.Context(), span, list, func(Wrote) { wrote++ }))
	assert.Equal(t, 2, wrote)
	assert.EqualValues(t, 4, c.Requests.Load())

	f.refuse = func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
	require.ErrorIs(t, c.Traffic(t.Context(), span, list, func(Wrote) {}), ErrBroken)
	assert.EqualValues(t, 6, c.Requests.Load())
	c.patience = 0 // as after a time in which the engine may have given up
	require.Error(t, c.Traffic(t.Context(), span, list, func(Wrote) {}))
	assert.EqualValues(t, 7, c.Requests.Load())
}

// TestWrongAddressIsToldAtOnce: only an engine that was there is waited for.
func TestWrongAddressIsToldAtOnce(t *testing.T) {
	f := newFakeLoki(t)
	c := client(t, f.address(`{a="b"}`), nil)
	f.Close()
	_, _, err := c.Streams(t.Context(), span)
	assert.ErrorContains(t, err, "refused")
	assert.EqualValues(t, 1, c.Requests.Load())
}

func TestShardsOfAStreamAreOne(t *testing.T) {
	f := newFakeLoki(t)
	for i := range 300 {
		labels := pod(0)
		labels["__stream_shard__"] = fmt.Sprint(i % 4)
		f.put(labels, wall+int64(i/100)*int64(time.Second), fmt.Sprint("tls: ", i))
	}
	f.cap = 50
	list, gaps, err := readAll(t, f)
	require.NoError(t, err)
	require.Len(t, gaps, 3, "100 of a moment in one stream")
	assert.NotEmpty(t, list)
	streams := map[string]bool{}
	for _, k := range list {
		streams[k.Stream] = true
	}
	assert.Len(t, streams, 1)
}

// TestSelectorThatLokiRefusesDemandsALabel that all streams have; where there is none, no
// stream is chosen.
func TestSelectorThatLokiRefusesDemandsALabel(t *testing.T) {
	for selector, want := range map[string]int{
		"": 2, "{}": 2, `{pod!="wukongim-1"}`: 1, `{pod=~".*"}`: 2, `{ pod!="none", }`: 2,
		`{pod!~"wukongim-.*"}`: 0, `{pod=~"wukongim-.+"}`: 2, `{pod!=""} |= "tls"`: 2, "{} |~ `tls`": 2,
	} {
		f := newFakeLoki(t)
		f.put(pod(0), wall, "tls: a")
		f.put(map[string]string{"pod": "wukongim-1"}, wall+1, "tls: b")
		c := client(t, f.address(selector), nil)
		list, _, err := c.Streams(t.Context(), span)
		require.NoError(t, err, selector)
		assert.Len(t, list, want, selector)
		if want == 0 {
			continue
		}
		r := &Reading{Client: c, Filter: Filter{Literals: []string{"tls: "}}}
		read := 0
		_, err = r.Run(t.Context(), span, func(p *Page) error {
			read += len(p.Entries)
			return nil
		})
		require.NoError(t, err, selector)
		assert.Equal(t, want, read, selector)
	}
	f := newFakeLoki(t)
	f.put(pod(0), wall, "tls: a")
	f.put(map[string]string{"host": "a"}, wall, "tls: a")
	list, _, err := client(t, f.address(""), nil).Streams(t.Context(), span)
	require.NoError(t, err)
	assert.Empty(t, list, "nothing chooses both")
}

func TestEntriesOfTwoShippersCountOnce(t *testing.T) {
	f := newFakeLoki(t)
	for _, by := range []string{"a", "b"} {
		labels := pod(0)
		labels["replica"] = by
		f.put(labels, wall+1, "tls: x")
		f.put(labels, wall+2, "tls: y")
	}
	f.put(pod(1), wall+1, "tls: x")
	list, _, err := readAll(t, f)
	require.NoError(t, err)
	assert.Len(t, list, 3)
}

// TestWhatWeighsBesideFailuresIsReadToo: how connections end near them, and stacks.
func TestWhatWeighsBesideFailuresIsReadToo(t *testing.T) {
	f := newFakeLoki(t)
	second := int64(time.Second)
	f.put(pod(0), wall+10*second, "tls: x")
	f.put(pod(0), wall+11*second, "closed: EOF")
	f.put(pod(1), wall+11*second, "EOF of a pod without failures")
	f.put(pod(0), wall+14*second, "EOF far from it")
	f.put(pod(0), wall+20*second, "panic: y")
	f.put(pod(0), wall+20*second+1, "goroutine 1 [running]:")
	f.sort()
	r := &Reading{
		Client: client(t, f.address(`{namespace="im"}`), nil), Filter: Filter{Literals: []string{"tls: ", "panic"}},
		Nearby: []string{"EOF"}, Stacks: []string{"panic: "},
	}
	var texts []string
	_, err := r.Run(t.Context(), span, func(p *Page) error {
		for _, k := range p.Entries {
			texts = append(texts, string(k.Text))
		}
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{`"tls: x"`, `"closed: EOF"`, `"panic: y"`, `"goroutine 1 [running]:"`}, texts)
	assert.Positive(t, r.Scanned.Load())
}

func TestSecretsGoNowhereElse(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	f := newFakeLoki(t)
	f.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		return true
	}
	_, _, err := client(t, f.address(`{a="b"}`), map[string]string{"LOKI_BEARER_TOKEN": "topsecret"}).Streams(t.Context(), span)
	require.ErrorIs(t, err, ErrElsewhere)
	assert.NotContains(t, err.Error(), "topsecret")
	assert.Zero(t, elsewhere.Load())
}

func TestVariablesOfLogcliAreTaken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("from-file\n"), 0o600))
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("im:secret"))
	for _, c := range []struct {
		variables map[string]string
		want      map[string]string
	}{
		{map[string]string{"LOKI_USERNAME": "im", "LOKI_PASSWORD": "secret", "LOKI_ORG_ID": "7"}, map[string]string{"Authorization": basic, "X-Scope-Orgid": "7"}},
		{map[string]string{"LOKI_BEARER_TOKEN": "t", "LOKI_QUERY_TAGS": "a=b"}, map[string]string{"Authorization": "Bearer t", "X-Query-Tags": "source=wklog,a=b"}},
		{map[string]string{"LOKI_BEARER_TOKEN_FILE": file}, map[string]string{"Authorization": "Bearer from-file"}},
		{map[string]string{"LOKI_BEARER_TOKEN": "t", "LOKI_AUTH_HEADER": "X-Auth", "LOKI_NO_CACHE": "true"}, map[string]string{"X-Auth": "Bearer t", "Cache-Control": "no-cache", "Authorization": ""}},
	} {
		f := newFakeLoki(t)
		c.variables["LOKI_ADDR"] = f.URL + "/loki-read/"
		_, _, err := client(t, `loki:///?query={a="b"}`, c.variables).Streams(t.Context(), span)
		require.NoError(t, err)
		assert.Equal(t, []string{"/loki-read/loki/api/v1/series"}, f.paths, "the base is kept")
		for name, value := range c.want {
			assert.Equal(t, value, f.heads[0].Get(name), name)
		}
	}
	env := func(name string) string {
		return map[string]string{"LOKI_CA_CERT_PATH": filepath.Join(file, "none")}[name]
	}
	_, err := newAccess(&Address{Engine: "loki"}, env)
	assert.ErrorContains(t, err, "LOKI_CA_CERT_PATH")
}

func TestAddresses(t *testing.T) {
	for arg, want := range map[string]string{
		`vlogs://h/?query={app="wukongim"}`:                        `http://h:9428 {app="wukongim"}`,
		`loki+https://h/base/?query=%7Bapp%3D%22a%2Bb%22%7D`:       `https://h/base {app="a+b"}`,
		`loki://[::1]:3101/?query={a=~"x+"} |= "50%"`:              `http://[::1]:3101 {a=~"x+"} |= "50%"`,
		`vlogs://h:1/api/datasources/proxy/uid/U/?query=error:"x"`: `http://h:1/api/datasources/proxy/uid/U error:"x"`,
		"loki://":              ErrNoHost.Error(),
		"loki://u:secret@h/":   ErrUserinfo.Error(),
		"loki://h/?limit=1":    ErrAddress.Error(),
		"loki://h/%zz?query=x": ErrAddress.Error(),
	} {
		a, err := ParseAddress(arg, func(string) string { return "" })
		if err != nil {
			assert.Equal(t, want, err.Error(), arg)
			continue
		}
		assert.Equal(t, want, a.Base.String()+" "+a.Selector, arg)
	}
	assert.False(t, IsAddress("logs/vlogs:x"))
	assert.False(t, IsAddress("http://h/"))
}

func TestQueries(t *testing.T) {
	f := Filter{Literals: []string{"tls: ", "握手失败", "SSL hand", "a`b"}, BeginsWord: func(l string) bool { return l != "a`b" }}
	q, err := Query("vlogs", `{app="wukongim"}`, f)
	require.NoError(t, err)
	list := "(\"tls\" or \"握手失败\" or \"SSL hand\"* or *\"a`b\"*)"
	assert.Equal(t, `({app="wukongim"}) (_msg:`+list+` or error:`+list+` or msg:`+list+` or message:`+list+`)`, q)
	q, err = Query("loki", `{app="wukongim"}`, Filter{Literals: []string{"tls: ", "bind() to "}})
	require.NoError(t, err)
	assert.Equal(t, "{app=\"wukongim\"} |~ `tls: |bind\\(\\) to `", q)
	_, err = Query("elastic", "", f)
	assert.ErrorIs(t, err, ErrAddress)
	assert.Equal(t, "*", vlogs{}.query("", Filter{}))
	assert.Equal(t, `{pod="p"} |= "x"`, loki{}.within(`{a="}"} |= "x"`, `{pod="p"}`))
}
