package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeLoki answers as Loki 3.7.6 was seen to answer: ends are exclusive, a page has at
// most so many entries, equal entries of one stream and moment are one, and errors are
// plain text.
type fakeLoki struct {
	*httptest.Server
	cap     int
	sums    int           // the most that a count gives, 0 for no limit
	widest  time.Duration // wider queries are cut off without a word
	refuse  func(w http.ResponseWriter, r *http.Request) bool
	entries []fakeEntry

	mutex sync.Mutex
	asked []string // spans, in order
	heads []http.Header
	paths []string
}

type fakeEntry struct {
	labels map[string]string
	stream string // its labels but for the shard
	at     int64
	text   string
}

func newFakeLoki(t *testing.T) *fakeLoki {
	f := &fakeLoki{cap: 5000}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// put stores an entry once.
func (f *fakeLoki) put(labels map[string]string, at int64, text string) {
	f.entries = append(f.entries, fakeEntry{labels, selectorFor(labels), at, text})
}

func (f *fakeLoki) sort() {
	slices.SortStableFunc(f.entries, func(a, b fakeEntry) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.stream, b.stream), strings.Compare(a.text, b.text))
	})
	f.entries = slices.CompactFunc(f.entries, func(a, b fakeEntry) bool {
		return a.at == b.at && a.text == b.text && a.stream == b.stream
	})
}

func (f *fakeLoki) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.heads, f.paths = append(f.heads, r.Header.Clone()), append(f.paths, r.URL.Path)
	from, _ := strconv.ParseInt(r.Form.Get("start"), 10, 64)
	until, _ := strconv.ParseInt(r.Form.Get("end"), 10, 64)
	if f.refuse != nil && f.refuse(w, r) {
		return
	}
	switch {
	case refuses(w, r.Form["query"]), refuses(w, r.Form["match[]"]):
	case strings.HasSuffix(r.URL.Path, "/query_range"):
		f.query(w, r, from, until)
	case strings.HasSuffix(r.URL.Path, "/api/v1/query"):
		f.sum(w, r)
	case strings.HasSuffix(r.URL.Path, "/index/volume_range"):
		f.volume(w, r, from, until)
	case strings.HasSuffix(r.URL.Path, "/series"):
		list := []map[string]string{}
		for _, m := range r.Form["match[]"] {
			chosen := chooserOf(m)
			for _, e := range f.between(from, until) {
				if chosen(&e) && !slices.ContainsFunc(list, func(l map[string]string) bool { return maps.Equal(l, e.labels) }) {
					list = append(list, e.labels)
				}
			}
		}
		f.answer(w, list)
	case strings.HasSuffix(r.URL.Path, "/labels"):
		labels := map[string]bool{}
		for _, e := range f.entries {
			for label := range e.labels {
				labels[label] = true
			}
		}
		f.answer(w, slices.Sorted(maps.Keys(labels)))
	case strings.HasSuffix(r.URL.Path, "/label/pod/values"):
		f.answer(w, []string{"wukongim-0"})
	default:
		http.Error(w, "404 page not found", http.StatusNotFound)
	}
}

// between are the entries from a time until before another.
func (f *fakeLoki) between(from, until int64) []fakeEntry {
	at := func(time int64) int {
		i, _ := slices.BinarySearchFunc(f.entries, time, func(e fakeEntry, time int64) int { return cmp.Compare(e.at, time) })
		return i
	}
	return f.entries[at(from):max(at(from), at(until))]
}

func (f *fakeLoki) answer(w http.ResponseWriter, data any) {
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
}

func (f *fakeLoki) query(w http.ResponseWriter, r *http.Request, from, until int64) {
	f.asked = append(f.asked, fmt.Sprint(from, " ", until))
	limit, _ := strconv.Atoi(r.Form.Get("limit"))
	switch {
	case limit > f.cap:
		http.Error(w, fmt.Sprintf("max entries limit per query exceeded, limit > max_entries_limit_per_query (%d > %d)", limit, f.cap), http.StatusBadRequest)
		return
	case until <= from:
		http.Error(w, "end timestamp must not be before or equal to start time", http.StatusBadRequest)
		return
	case f.widest > 0 && until-from > int64(f.widest):
		panic(http.ErrAbortHandler)
	}
	type stream struct {
		Stream map[string]string `json:"stream"`
		Values [][]any           `json:"values"`
	}
	streams, given := map[string]*stream{}, 0
	order := []*stream{}
	chosen := chooserOf(r.Form.Get("query"))
	for _, e := range f.between(from, until) {
		if given == limit {
			break
		}
		if !chosen(&e) {
			continue
		}
		given++
		key := e.stream + e.labels["__stream_shard__"]
		if streams[key] == nil {
			streams[key] = &stream{Stream: e.labels}
			order = append(order, streams[key])
		}
		streams[key].Values = append(streams[key].Values, []any{strconv.FormatInt(e.at, 10), e.text, map[string]any{"structuredMetadata": map[string]string{"detected_level": "error"}}})
	}
	f.answer(w, map[string]any{
		"resultType": "streams", "encodingFlags": []string{"categorize-labels"}, "result": order,
		"stats": map[string]any{"summary": map[string]any{"totalBytesProcessed": 100}},
	})
}

// sum answers a count over a range up to and with a moment.
func (f *fakeLoki) sum(w http.ResponseWriter, r *http.Request) {
	query := r.Form.Get("query")
	m := summed.FindStringSubmatch(query)
	until, _ := strconv.ParseInt(r.Form.Get("time"), 10, 64)
	width, _ := strconv.ParseInt(m[3], 10, 64)
	if f.widest > 0 && width > int64(f.widest) {
		panic(http.ErrAbortHandler)
	}
	sums, sets := map[string]int{}, map[string]map[string]string{}
	chosen := chooserOf(m[2])
	for _, e := range f.between(until-width+1, until+1) {
		if !chosen(&e) {
			continue
		}
		set := map[string]string{}
		for _, label := range strings.Split(m[1], ", ") {
			if value := cmp.Or(e.labels[label], reasonOf(m[2], &e)[label]); value != "" {
				set[label] = value
			}
		}
		key := fmt.Sprint(set)
		sums[key], sets[key] = sums[key]+1, set
	}
	if f.sums > 0 && len(sums) > f.sums {
		http.Error(w, fmt.Sprintf("maximum number of series (%d) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range", f.sums), http.StatusBadRequest)
		return
	}
	result := []map[string]any{}
	for key, n := range sums {
		result = append(result, map[string]any{"metric": sets[key], "value": []any{1.5, strconv.Itoa(n)}})
	}
	f.answer(w, map[string]any{"resultType": "vector", "result": result})
}

// volume answers how many bytes came until the end of each step, of which the first may be
// a part.
func (f *fakeLoki) volume(w http.ResponseWriter, r *http.Request, from, until int64) {
	seconds, _ := strconv.ParseFloat(r.Form.Get("step"), 64)
	step := int64(seconds * 1e9)
	type series struct {
		Metric map[string]string `json:"metric"`
		Values [][]any           `json:"values"`
	}
	found := map[string]*series{}
	result := []*series{}
	chosen := chooserOf(r.Form.Get("query"))
	for _, e := range f.between(from, until) {
		if !chosen(&e) {
			continue
		}
		metric := map[string]string{}
		for _, label := range strings.Split(r.Form.Get("targetLabels"), ",") {
			metric[label] = e.labels[label]
		}
		of := found[fmt.Sprint(metric)]
		if of == nil {
			of = &series{Metric: metric}
			found[fmt.Sprint(metric)] = of
			result = append(result, of)
		}
		end := float64(min((e.at/step+1)*step, until)) / 1e9
		if n := len(of.Values); n > 0 && of.Values[n-1][0] == end {
			bytes, _ := strconv.Atoi(of.Values[n-1][1].(string))
			of.Values[n-1][1] = strconv.Itoa(bytes + len(e.text))
			continue
		}
		of.Values = append(of.Values, []any{end, strconv.Itoa(len(e.text))})
	}
	f.answer(w, map[string]any{"resultType": "matrix", "result": result})
}

var (
	summed     = regexp.MustCompile(`^sum by \(([^)]*)\) \(count_over_time\((.*) \[(\d+)ns\]\)\)$`)
	extraction = regexp.MustCompile("\\| regexp `([^`]*)`")
	ofReason   = regexp.MustCompile("\\| (\\w+)(=~|!~) `([^`]*)`")
)

var expressions sync.Map

// compiled is an expression that was compiled once.
func compiled(text string) *regexp.Regexp {
	if known, ok := expressions.Load(text); ok {
		return known.(*regexp.Regexp)
	}
	made := regexp.MustCompile(text)
	expressions.Store(text, made)
	return made
}

// reasonOf is what the query's expression finds in an entry.
func reasonOf(query string, e *fakeEntry) map[string]string {
	found := map[string]string{}
	if m := extraction.FindStringSubmatch(query); m != nil {
		expression := compiled(m[1])
		for i, text := range expression.FindStringSubmatch(e.text) {
			found[expression.SubexpNames()[i]] = text
		}
	}
	return found
}

var (
	matcher    = regexp.MustCompile(`(\w+)(=~|!~|!=|=)"([^"]*)"`)
	lineFilter = regexp.MustCompile(" (\\|~|!~) `([^`]*)`")
)

// chooserOf tells of entries whether a query chooses them.
func chooserOf(query string) func(*fakeEntry) bool {
	end := endOfMatchers(query)
	if end < 0 {
		return func(*fakeEntry) bool { return false }
	}
	labels, reasons, lines := matcher.FindAllStringSubmatch(query[:end], -1), ofReason.FindAllStringSubmatch(query[end:], -1), lineFilter.FindAllStringSubmatch(query[end:], -1)
	return func(e *fakeEntry) bool {
		for _, m := range labels {
			if !takes(m, e.labels[m[1]]) {
				return false
			}
		}
		for _, m := range reasons {
			if !takes(m, reasonOf(query, e)[m[1]]) {
				return false
			}
		}
		for _, m := range lines {
			if compiled(m[2]).MatchString(e.text) != (m[1] == "|~") {
				return false
			}
		}
		return true
	}
}

// takes tells whether a matcher takes the value of its label, empty where there is none.
func takes(m []string, value string) bool {
	is := m[3] == value
	if strings.HasSuffix(m[2], "~") {
		is = compiled("^(?:" + m[3] + ")$").MatchString(value)
	}
	return is != strings.HasPrefix(m[2], "!")
}

// refuses answers a selector that a stream without labels would match.
func refuses(w http.ResponseWriter, selectors []string) bool {
	for _, selector := range selectors {
		if !slices.ContainsFunc(matcher.FindAllStringSubmatch(selector[:endOfMatchers(selector)], -1), func(m []string) bool { return !takes(m, "") }) {
			http.Error(w, "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible value", http.StatusBadRequest)
			return true
		}
	}
	return false
}
