package source

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arrivals is a Loki of one stream to which entries come in any order.
type arrivals struct {
	at   []time.Time
	text []string
}

func (a *arrivals) add(at time.Time, text string) {
	a.at, a.text = append(a.at, at), append(a.text, text)
}

func (a *arrivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	labels := map[string]string{"pod": "wukongim-0"}
	var data any = []any{labels}
	if strings.HasSuffix(r.URL.Path, "/query_range") {
		from, _ := strconv.ParseInt(r.Form.Get("start"), 10, 64)
		until, _ := strconv.ParseInt(r.Form.Get("end"), 10, 64)
		values := [][]string{}
		for i, at := range a.at {
			if at := at.UnixNano(); at >= from && at < until {
				values = append(values, []string{strconv.FormatInt(at, 10), a.text[i]})
			}
		}
		data = map[string]any{"resultType": "streams", "result": []any{map[string]any{"stream": labels, "values": values}}}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
}

// TestEntryThatComesLateIsToldOnce, and one that was told is not told again, but for one
// that is equal to it and of its own.
func TestEntryThatComesLateIsToldOnce(t *testing.T) {
	a := &arrivals{}
	s := httptest.NewServer(a)
	defer s.Close()
	var told []string
	nothing := func() error { return nil }
	p := &Poll{
		Engines: &Engines{Env: func(string) string { return "" }}, FromStart: true,
		Deliver: func(_ string, lines []byte) error {
			for line := range strings.Lines(string(lines)) {
				told = append(told, strings.TrimSuffix(line[strings.LastIndex(line, "tls: "):], "\"}\n"))
			}
			return nil
		},
		Done: nothing, Commit: nothing, Report: func(f Failure) { t.Error(f.Err) },
	}
	e, _, err := p.begin(context.Background(), strings.Replace(s.URL, "http", "loki", 1)+`/?query={pod="wukongim-0"}`)
	require.NoError(t, err)
	start := e.at
	now := start.Add(lag)
	poll := func(wait time.Duration, want ...string) {
		t.Helper()
		told, now = nil, now.Add(wait)
		require.NoError(t, p.poll(context.Background(), e, now, func() any { return nil }))
		assert.Equal(t, want, told)
	}
	a.add(start.Add(time.Second), "tls: first")
	poll(2*time.Second, "tls: first")
	a.add(start.Add(time.Second), "tls: late")
	a.add(start.Add(time.Second), "tls: first")
	a.add(start.Add(3*time.Second), "tls: second")
	poll(lag, "tls: late", "tls: first", "tls: second")
	poll(lag)
	a.add(start.Add(time.Second+time.Millisecond), "tls: later than is asked for")
	a.add(start.Add(lag+3*time.Second), "tls: late again")
	poll(2*lag, "tls: late again")
	for range 3 {
		poll(lag)
	}
	assert.Empty(t, e.told, "what is not asked for again is not held")
}

// TestEntryThatComesLateOverARestartIsToldOnce: what was told before the end is known, as far
// back as it is asked for once more.
func TestEntryThatComesLateOverARestartIsToldOnce(t *testing.T) {
	for name, flood := range map[string]int{"few": 1, "more than are kept": 3000} {
		t.Run(name, func(t *testing.T) {
			a := &arrivals{}
			s := httptest.NewServer(a)
			defer s.Close()
			path := filepath.Join(t.TempDir(), "state")
			run := func(now time.Time, of func(e *polled)) (told []string) {
				state, err := OpenState(path)
				require.NoError(t, err)
				defer state.Close()
				nothing := func() error { return nil }
				p := &Poll{
					Engines: &Engines{Env: func(string) string { return "" }}, FromStart: true, State: state,
					Deliver: func(_ string, lines []byte) error {
						for line := range strings.Lines(string(lines)) {
							told = append(told, strings.TrimSuffix(line[strings.LastIndex(line, "tls: "):], "\"}\n"))
						}
						return nil
					},
					Done: nothing, Commit: nothing, Report: func(f Failure) { t.Error(f.Err) },
				}
				e, _, err := p.begin(context.Background(), strings.Replace(s.URL, "http", "loki", 1)+`/?query={pod="wukongim-0"}`)
				require.NoError(t, err)
				p.polled = []*polled{e}
				of(e)
				require.NoError(t, p.poll(context.Background(), e, now, func() any { return nil }))
				return told
			}
			start := time.Now().Add(-time.Hour)
			for n := range flood {
				a.add(start.Add(time.Second), fmt.Sprint("tls: first ", n))
			}
			a.add(start.Add(2*time.Second), "tls: second")
			first := run(start.Add(3*time.Second+lag), func(e *polled) { e.at, e.began, e.again = start, start, start })
			require.Len(t, first, flood+1)
			a.add(start.Add(2*time.Second), "tls: second")
			a.add(start.Add(2*time.Second+time.Millisecond), "tls: late")
			a.add(start.Add(4*time.Second), "tls: third")
			later := start.Add(time.Minute)
			assert.Equal(t, []string{"tls: second", "tls: late", "tls: third"}, run(later, func(*polled) {}))
			assert.Empty(t, run(later.Add(time.Minute), func(*polled) {}))
		})
	}
}
