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
	f.entries = append(f.entries, fakeEntry{labels, at, text})
}

func (f *fakeLoki) sort() {
	slices.SortStableFunc(f.entries, func(a, b fakeEntry) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(selectorFor(a.labels), selectorFor(b.labels)), strings.Compare(a.text, b.text))
	})
	f.entries = slices.CompactFunc(f.entries, func(a, b fakeEntry) bool {
		return a.at == b.at && a.text == b.text && selectorFor(a.labels) == selectorFor(b.labels)
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
	case strings.HasSuffix(r.URL.Path, "/series"):
		list := []map[string]string{}
		for _, e := range f.entries {
			if e.at >= from && e.at < until && slices.ContainsFunc(r.Form["match[]"], func(m string) bool { return chooses(m, &e) }) && !slices.ContainsFunc(list, func(l map[string]string) bool {
				return selectorFor(l) == selectorFor(e.labels) && l["__stream_shard__"] == e.labels["__stream_shard__"]
			}) {
				list = append(list, e.labels)
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
	for _, e := range f.entries {
		if given == limit || e.at >= until {
			break
		}
		if e.at < from || !chooses(r.Form.Get("query"), &e) {
			continue
		}
		given++
		key := fmt.Sprint(e.labels)
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
	for _, e := range f.entries {
		if e.at <= until-width || e.at > until || !chooses(m[2], &e) {
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
	result := []map[string]any{}
	for key, n := range sums {
		result = append(result, map[string]any{"metric": sets[key], "value": []any{1.5, strconv.Itoa(n)}})
	}
	f.answer(w, map[string]any{"resultType": "vector", "result": result})
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

func chooses(query string, e *fakeEntry) bool {
	end := endOfMatchers(query)
	if end < 0 {
		return false
	}
	for _, m := range matcher.FindAllStringSubmatch(query[:end], -1) {
		if !takes(m, e.labels[m[1]]) {
			return false
		}
	}
	for _, m := range ofReason.FindAllStringSubmatch(query[end:], -1) {
		if !takes(m, reasonOf(query, e)[m[1]]) {
			return false
		}
	}
	for _, m := range lineFilter.FindAllStringSubmatch(query[end:], -1) {
		if compiled(m[2]).MatchString(e.text) != (m[1] == "|~") {
			return false
		}
	}
	return true
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
