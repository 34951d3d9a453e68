package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wklog/parser"
)

// vlogs speaks to VictoriaLogs (https://docs.victoriametrics.com/victorialogs/querying/;
// measured with v1.52.1). It answers with one object a line, in no order and without pages;
// a query that takes too long ends in the middle of a good answer.
type vlogs struct{ *Client }

const queryPath = "/select/logsql/query"

// fields are those that a failure's words may stand in: VictoriaLogs takes a record in
// JSON apart.
var fields = []string{"_msg", "error", "msg", "message"}

func (vlogs) query(selector string, f Filter) string { return both(selector, words(f)) }

func (vlogs) besides(selector string, literals []string, f Filter) string {
	q := both(selector, words(Filter{Literals: literals}))
	if without := words(f); without != "" {
		q = both(q, "!"+without)
	}
	return q
}

// both joins two filters; an empty one chooses everything.
func both(selector, filter string) string {
	switch {
	case selector == "" && filter == "":
		return "*"
	case selector == "":
		return filter
	case filter == "":
		return selector
	}
	return "(" + selector + ") " + filter
}

// withReason names the reason of each entry. The fields are joined before: to look into one
// after the other and keep what was found (keep_original_fields) gives entries the reason
// of the one before them (seen with v1.52.1).
func withReason(query string) string {
	return query + ` | format "<` + strings.Join(fields, "> | <") + `>" as ` + reasonLabel + " | extract_regexp " + strconv.Quote(reasonWords) + " from " + reasonLabel
}

func (vlogs) ofReasons(query string, is bool, reasons []string) string {
	list := make([]string, 0, len(reasons))
	for _, reason := range reasons {
		list = append(list, strconv.Quote(reason))
	}
	in := reasonLabel + ":in(" + strings.Join(list, ",") + ")"
	if !is {
		in = "!" + in
	}
	return withReason(query) + " | filter " + in + " | delete " + reasonLabel
}

func (v vlogs) count(ctx context.Context, query string, span Span, _ []Stream, tell func(Group, int64)) error {
	query = withReason(query) + " | stats by (_stream, " + reasonLabel + ") count() as entries"
	var groups []struct {
		Stream  string `json:"_stream"`
		Reason  string `json:"wklog_reason"`
		Entries int64  `json:"entries,string"`
	}
	err := v.ask(ctx, queryPath, v.form(query, span), rowsInto(&groups))
	if err != nil {
		return err
	}
	for _, g := range groups {
		tell(Group{g.Stream, g.Reason}, g.Entries)
	}
	return nil
}

func (vlogs) within(selector, stream string) string { return both(selector, stream) }

// words is a filter for literals as words where they are: of these the engine has an index.
func words(f Filter) string {
	if len(f.Literals) == 0 {
		return ""
	}
	list := make([]string, 0, len(f.Literals))
	for _, literal := range f.Literals {
		list = append(list, f.word(literal))
	}
	alternatives := make([]string, 0, len(fields))
	for _, field := range fields {
		alternatives = append(alternatives, field+":("+strings.Join(list, " or ")+")")
	}
	return "(" + strings.Join(alternatives, " or ") + ")"
}

// word is the filter for one literal. Punctuation is no part of a word.
func (f Filter) word(literal string) string {
	if f.BeginsWord != nil && !f.BeginsWord(literal) {
		return "*" + strconv.Quote(literal) + "*"
	}
	trimmed := strings.TrimFunc(literal, func(r rune) bool { return !isOfWord(r) })
	several := strings.ContainsFunc(trimmed, func(r rune) bool { return !isOfWord(r) })
	if last, _ := utf8.DecodeLastRuneInString(literal); several && isOfWord(last) {
		return strconv.Quote(trimmed) + "*"
	}
	return strconv.Quote(trimmed)
}

func isOfWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func (vlogs) most() int            { return 0 }
func (vlogs) first() time.Duration { return 366 * 24 * time.Hour }

func (v vlogs) form(query string, span Span) url.Values {
	return url.Values{
		"query": {query}, "start": {strconv.FormatInt(span.From.UnixNano(), 10)}, "end": {strconv.FormatInt(span.Until.UnixNano(), 10)},
	}
}

func (v vlogs) read(ctx context.Context, query string, span Span, limit int, emit func(*Entry) error) error {
	if limit > 0 {
		query += " | sort by (_time) limit " + strconv.Itoa(limit)
	}
	return v.ask(ctx, queryPath, v.form(query, span), func(body io.Reader) error {
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, 4*parser.MaxLine)
		for lines.Scan() {
			writer := v.writer
			entry, stream, ok := writer.ReadVictoriaLogs(lines.Bytes())
			if !ok {
				return lastOr(lines, ErrAnswer)
			}
			e := Entry{Labels: &writer, Time: entry.Stamp.Time, Text: quoted(entry.Text), Stream: string(stream)}
			if err := emit(&e); err != nil {
				return err
			}
		}
		return lines.Err()
	})
}

// lastOr tells a line that is cut from one in the middle, which is no answer.
func lastOr(lines *bufio.Scanner, otherwise error) error {
	switch {
	case lines.Scan():
		return otherwise
	case lines.Err() != nil:
		return lines.Err()
	}
	return ErrCut
}

// ErrAnswer says that what came is no answer of the engine: something else listens there.
var ErrAnswer = errors.New("this is no answer of the engine")

// quoted is a text as a string of JSON, its letters as they are.
func quoted(text []byte) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(string(text)) // of a string there is no error
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// values are what the engine lists.
type values struct {
	Values []struct {
		Value string `json:"value"`
	} `json:"values"`
}

func (v vlogs) list(ctx context.Context, path, selector string, span Span) ([]string, error) {
	if selector == "" {
		selector = "*"
	}
	var found values
	err := v.small(ctx, path, v.form(selector, span), func(body io.Reader) error { return decode(body, &found) })
	list := make([]string, 0, len(found.Values))
	for _, value := range found.Values {
		list = append(list, value.Value)
	}
	return list, err
}

func decode(body io.Reader, into any) error {
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

func (v vlogs) streams(ctx context.Context, selector string, span Span) ([]Stream, error) {
	sets, err := v.list(ctx, "/select/logsql/streams", selector, span)
	var list []Stream
	for _, set := range sets {
		list = append(list, v.stream(set))
	}
	return list, err
}

func (v vlogs) stream(set string) Stream {
	s := Stream{Labels: v.writer, Selector: set}
	parser.EachLabel([]byte(set), func(name, value string) { s.add(name, value) })
	return s
}

// traffic counts the entries, of which VictoriaLogs reads the times alone: 0.2 s of a
// processor for 3.3 million. The first and the last time of each part would cost ten times
// as much, and those of a whole stream next to nothing.
func (v vlogs) traffic(ctx context.Context, selector string, span Span, step time.Duration, _ []Stream, tell func(Wrote)) error {
	type row struct {
		Stream  string    `json:"_stream"`
		From    time.Time `json:"_time"`
		Entries int64     `json:"entries,string"`
		First   time.Time `json:"first"`
		Last    time.Time `json:"last"`
	}
	ask := func(by, of string) (list []row, err error) {
		query := both(selector, "") + " | stats by (" + by + ") " + of
		err = v.small(ctx, queryPath, v.form(query, span), rowsInto(&list))
		return list, err
	}
	streams, err := ask("_stream", "min(_time) first, max(_time) last")
	if err != nil {
		return err
	}
	ends := map[string]row{}
	for _, one := range streams {
		ends[one.Stream] = one
	}
	parts, err := ask("_time:"+strconv.FormatInt(int64(step), 10)+"ns, _stream", "count() entries")
	if err != nil {
		return err
	}
	slices.SortStableFunc(parts, func(a, b row) int { return a.From.Compare(b.From) })
	for _, part := range parts {
		w := Wrote{v.stream(part.Stream), part.From, part.From.Add(step), part.Entries}
		w.within(Span{ends[part.Stream].First, ends[part.Stream].Last})
		tell(w)
	}
	return nil
}

// rowsInto reads the rows of an answer to the list.
func rowsInto[T any](list *[]T) func(io.Reader) error {
	return func(body io.Reader) error {
		*list = nil
		for rows := json.NewDecoder(body); ; {
			var row T
			switch err := rows.Decode(&row); {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return fmt.Errorf("%w: %w", ErrCut, err)
			}
			*list = append(*list, row)
		}
	}
}

// names are labels with some of their values: LABEL="VALUE".
func (v vlogs) names(ctx context.Context, span Span) ([]string, error) {
	return v.list(ctx, "/select/logsql/streams", "*", span)
}
