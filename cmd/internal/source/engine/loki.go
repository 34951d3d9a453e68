package engine

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"wklog/parser"
)

// loki speaks to Loki 2.9 and later by its interface over HTTP
// (https://grafana.com/docs/loki/latest/reference/loki-http-api/; measured with 3.7.6).
type loki struct {
	*Client
	// every is a label that all streams have. Loki refuses a selector that a stream without
	// labels would match, as {} and {pod!="a"}: such a one demands it beside its own.
	every *string
}

// lokiStreams are those of WuKongIM where no others are asked for: its containers.
const lokiStreams = `{app="wukongim"}`

// query looks for a flat alternation: Loki makes searches for substrings of it, and of
// nothing else.
func (l loki) query(selector string, f Filter) string {
	return l.chosen(selector) + alternation("|~", f.Literals)
}

func (l loki) besides(selector string, literals []string, f Filter) string {
	return l.chosen(selector) + alternation("!~", f.Literals) + alternation("|~", literals)
}

func (l loki) chosen(selector string) string {
	if demands(selector) || *l.every == "" {
		return cmp.Or(selector, "{}")
	}
	return demanding(selector, *l.every)
}

// lokiMatcher is one matcher of a selector.
var lokiMatcher = regexp.MustCompile("(\\w+)\\s*(=~|!~|!=|=)\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)")

// demands tells whether a matcher refuses the label that is not there. What cannot be
// read is left to Loki to judge.
func demands(selector string) bool {
	end := endOfMatchers(selector)
	if end < 0 {
		return selector != ""
	}
	return slices.ContainsFunc(lokiMatcher.FindAllStringSubmatch(selector[:end], -1), func(m []string) bool {
		value, err := strconv.Unquote(m[3])
		is := value == ""
		if strings.HasSuffix(m[2], "~") {
			var of *regexp.Regexp
			if of, err = regexp.Compile("^(?s:" + value + ")$"); err == nil {
				is = of.MatchString("")
			}
		}
		return err != nil || is == strings.HasPrefix(m[2], "!")
	})
}

// demanding is a selector that chooses those of its streams that have a label.
func demanding(selector, label string) string {
	matcher, end := label+`=~".+"`, endOfMatchers(selector)
	if end < 0 {
		return "{" + matcher + "}"
	}
	own := strings.TrimRight(strings.TrimSpace(selector[:end-1]), ", ")
	if own != "{" {
		own += ", "
	}
	return own + matcher + selector[end-1:]
}

func alternation(operator string, literals []string) string {
	if len(literals) == 0 {
		return ""
	}
	list := make([]string, 0, len(literals))
	for _, literal := range literals {
		list = append(list, regexp.QuoteMeta(literal))
	}
	text := strings.Join(list, "|")
	if strings.Contains(text, "`") {
		text = strconv.Quote(text)
	} else {
		text = "`" + text + "`"
	}
	return " " + operator + " " + text
}

// withReason names the reason of each entry.
func (loki) withReason(query string) string { return query + " | regexp `" + reasonWords + "`" }

func (l loki) ofReasons(query string, is bool, reasons []string) string {
	operator := "=~"
	if !is {
		operator = "!~"
	}
	return l.withReason(query) + " | " + reasonLabel + strings.TrimPrefix(alternation(operator, reasons), " ") + " | drop " + reasonLabel
}

// count adds up by the labels that streams have: entries have others of their own. Loki
// hands out some hundred sums at most (max_query_series): then each stream is asked for.
func (l loki) count(ctx context.Context, query string, span Span, streams []Stream, tell func(Group, int64)) error {
	err := l.sum(ctx, query, span, streams, tell)
	var status *StatusError
	if !errors.As(err, &status) || !strings.Contains(status.Text, "reached for a single query") || len(streams) < 2 {
		return err
	}
	for i := range streams {
		if err := l.sum(ctx, l.within(query, streams[i].Selector), span, streams[i:i+1], tell); err != nil {
			return err
		}
	}
	return nil
}

// sum is the count of what one query gives. It counts what is after a moment up to another,
// and a span is from one until before it.
func (l loki) sum(ctx context.Context, query string, span Span, streams []Stream, tell func(Group, int64)) error {
	by := append(labelsOf(streams), reasonLabel)
	query = "sum by (" + strings.Join(by, ", ") + ") (count_over_time(" + l.withReason(query) + " [" + strconv.FormatInt(int64(span.width()), 10) + "ns]))"
	form := url.Values{"query": {query}, "time": {strconv.FormatInt(span.Until.UnixNano()-1, 10)}}
	var found struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Value  [2]any            `json:"value"`
			} `json:"result"`
			Stats struct {
				Summary struct {
					Bytes float64 `json:"totalBytesProcessed"`
				} `json:"summary"`
			} `json:"stats"`
		} `json:"data"`
	}
	if err := l.ask(ctx, "/loki/api/v1/query", form, func(body io.Reader) error { return decode(body, &found) }); err != nil {
		return err
	}
	l.Scanned.Add(int64(found.Data.Stats.Summary.Bytes))
	for _, sum := range found.Data.Result {
		n, err := amount(sum.Value[1])
		if err != nil {
			return err
		}
		reason := sum.Metric[reasonLabel]
		delete(sum.Metric, reasonLabel)
		tell(Group{selectorFor(sum.Metric), reason}, n)
	}
	return nil
}

// amount reads the value of a metric.
func amount(value any) (int64, error) {
	text, ok := value.(string)
	n, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil {
		return 0, ErrAnswer
	}
	return int64(n), nil
}

// within leaves what stands behind the selector's own matchers.
func (loki) within(selector, stream string) string {
	if end := endOfMatchers(selector); end >= 0 {
		return stream + selector[end:]
	}
	return stream
}

// endOfMatchers is where {…} ends, -1 where it does not.
func endOfMatchers(selector string) int {
	for at := 0; at < len(selector); at++ {
		switch selector[at] {
		case '"':
			for at++; at < len(selector) && selector[at] != '"'; at++ {
				if selector[at] == '\\' {
					at++
				}
			}
		case '`':
			for at++; at < len(selector) && selector[at] != '`'; at++ {
			}
		case '}':
			return at + 1
		}
	}
	return -1
}

func (loki) most() int            { return 5000 }
func (loki) first() time.Duration { return time.Hour }

func (l loki) form(span Span) url.Values {
	return url.Values{"start": {strconv.FormatInt(span.From.UnixNano(), 10)}, "end": {strconv.FormatInt(span.Until.UnixNano(), 10)}}
}

// capped is how Loki says that a page is limited to less.
var capped = regexp.MustCompile(`limit > max_entries_limit[a-z_]* \(\d+ > (\d+)\)`)

func (l loki) read(ctx context.Context, query string, span Span, limit int, emit func(*Entry) error) error {
	form := l.form(span)
	form.Set("query", query)
	form.Set("direction", "forward")
	form.Set("limit", strconv.Itoa(limit))
	return l.ask(ctx, "/loki/api/v1/query_range", form, func(body io.Reader) error {
		a := &answer{tokens: newTokens(body), emit: emit, writer: l.writer}
		err := a.documents()
		l.Scanned.Add(a.scanned)
		return err
	})
}

func (l loki) streams(ctx context.Context, selector string, span Span) ([]Stream, error) {
	form := l.form(span)
	if end := endOfMatchers(selector); end >= 0 {
		selector = selector[:end]
	}
	matches, labels := []string{l.chosen(selector)}, []string(nil)
	if !demands(matches[0]) {
		var err error
		if labels, err = l.list(ctx, "/loki/api/v1/labels", span); err != nil || len(labels) == 0 {
			return nil, err
		}
		matches = nil
		for _, label := range labels {
			matches = append(matches, demanding(selector, label))
		}
	}
	form["match[]"] = matches
	var found struct {
		Data []map[string]string `json:"data"`
	}
	err := l.small(ctx, "/loki/api/v1/series", form, func(body io.Reader) error { return decode(body, &found) })
	if labels != nil {
		if *l.every = shared(labels, found.Data); *l.every == "" {
			return nil, err
		}
	}
	var list []Stream
	for _, labels := range found.Data {
		list = append(list, l.stream(labels))
	}
	return list, err
}

func (l loki) stream(labels map[string]string) Stream {
	s := Stream{Labels: l.writer, Selector: selectorFor(labels)}
	for name, value := range labels {
		s.add(name, value)
	}
	return s
}

// traffic asks the index for bytes: to count the entries Loki would read them all. Before
// Loki 3 it may have to be allowed (volume_enabled).
func (l loki) traffic(ctx context.Context, selector string, span Span, step time.Duration, streams []Stream, tell func(Wrote)) error {
	if end := endOfMatchers(selector); end >= 0 {
		selector = selector[:end]
	}
	form := l.form(span)
	form.Set("query", l.chosen(selector))
	form.Set("step", strconv.FormatFloat(step.Seconds(), 'f', 3, 64))
	form.Set("targetLabels", strings.Join(labelsOf(streams), ","))
	form.Set("limit", strconv.Itoa(max(len(streams), 1)))
	var found struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Values [][2]any          `json:"values"`
				Value  *[2]any           `json:"value"` // where there is one
			} `json:"result"`
		} `json:"data"`
	}
	if err := l.small(ctx, "/loki/api/v1/index/volume_range", form, func(body io.Reader) error { return decode(body, &found) }); err != nil {
		return err
	}
	for _, of := range found.Data.Result {
		s := l.stream(of.Metric)
		if of.Value != nil {
			of.Values = append(of.Values, *of.Value)
		}
		for _, value := range of.Values {
			seconds, dated := value[0].(float64)
			bytes, err := amount(value[1])
			if !dated || err != nil {
				return ErrAnswer
			}
			until := time.UnixMilli(int64(seconds * 1000)) // the end of the part
			w := Wrote{s, until.Add(-step), until, bytes}
			w.within(span)
			if w.Amount > 0 && w.Until.After(w.From) {
				tell(w)
			}
		}
	}
	return nil
}

// labelsOf are the names of the labels that streams have.
func labelsOf(streams []Stream) (names []string) {
	for _, s := range streams {
		parser.EachLabel([]byte(s.Selector), func(name, _ string) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		})
	}
	return names
}

// shared is a label that all streams have, empty where none is: then no one selector
// chooses them all. Loki 3 gives each stream its service_name, also those that are to come.
func shared(labels []string, streams []map[string]string) string {
	const given = "service_name"
	if slices.Contains(labels, given) {
		labels = append([]string{given}, labels...)
	}
	for _, label := range labels {
		if !strings.HasPrefix(label, "__") && !slices.ContainsFunc(streams, func(of map[string]string) bool { return of[label] == "" }) {
			return label
		}
	}
	return ""
}

// selectorFor chooses one stream by all of its labels. Loki's own shard is left out: the
// parts of a busy stream are one.
func selectorFor(labels map[string]string) string {
	var list []string
	for name, value := range labels {
		if name != "__stream_shard__" {
			list = append(list, name+"="+strconv.Quote(value))
		}
	}
	slices.Sort(list)
	return "{" + strings.Join(list, ", ") + "}"
}

// names are the labels that Loki has, with the first of their values: some have thousands.
func (l loki) names(ctx context.Context, span Span) ([]string, error) {
	const most = 12
	labels, err := l.list(ctx, "/loki/api/v1/labels", span)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, label := range labels[:min(len(labels), most)] {
		values, err := l.list(ctx, "/loki/api/v1/label/"+url.PathEscape(label)+"/values", span)
		if err != nil || len(values) == 0 {
			continue
		}
		all = append(all, "{"+label+"="+strconv.Quote(values[0])+"}")
	}
	return all, nil
}

// list asks for the names of labels, or for the values of one.
func (l loki) list(ctx context.Context, path string, span Span) ([]string, error) {
	var found struct {
		Data []string `json:"data"`
	}
	err := l.small(ctx, path, l.form(span), func(body io.Reader) error { return decode(body, &found) })
	return found.Data, err
}
