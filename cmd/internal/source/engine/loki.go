package engine

import (
	"cmp"
	"context"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
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
	err := l.ask(ctx, "/loki/api/v1/series", form, func(body io.Reader) error { return decode(body, &found) })
	if labels != nil {
		if *l.every = shared(labels, found.Data); *l.every == "" {
			return nil, err
		}
	}
	var list []Stream
	for _, labels := range found.Data {
		s := Stream{Labels: l.writer, Selector: selectorFor(labels)}
		for name, value := range labels {
			s.add(name, value)
		}
		list = append(list, s)
	}
	return list, err
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
	err := l.ask(ctx, path, l.form(span), func(body io.Reader) error { return decode(body, &found) })
	return found.Data, err
}
