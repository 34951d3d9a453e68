package patterns

import (
	"context"
	"iter"
	"strings"

	"wklog/parser"
)

// Understanding is what a text that somebody typed or pasted means.
type Understanding struct {
	// Entry is what the text is about; the zero value where nothing that is known
	// fits.
	Entry Entry
	// Named says that the text names the entry or holds its failure; else the entry
	// is the one that its words fit best.
	Named bool
	// Causes are those behind it, most probable first.
	Causes []CauseScore
	// Analysis is that of the text as a log, where there are failures in it or the end
	// of a server; Event is the first failure, also that of which the text is only a
	// part.
	Analysis *Analysis
	Event    *Event
	// Near are other entries that fit, best first.
	Near []Entry
}

// Understand tells what a person means who asks about a text: an id of the catalogue,
// lines of a log with what stands around them (their failures are those that [Analyze]
// finds), a part of a message, a code or a number, or words in English or Chinese.
// What they mean is looked for in this order. Codes and words stand in the entries of
// the catalogue; words are looked for in its titles, explanations and samples as well.
func Understand(ctx context.Context, text string, opts *Options) (*Understanding, error) {
	opts = opts.orDefault()
	a, err := opts.analyzer()
	if err != nil {
		return nil, err
	}
	q := &question{text: text, opts: opts, catalogue: a.catalogue, matcher: a.matcher}
	for _, step := range []func(context.Context) error{q.byID, q.asLog, q.asFragment, q.byName, q.inForms, q.byWords} {
		if err := step(ctx); err != nil {
			return nil, err
		}
		if q.answer.Entry.Known() || q.answer.Analysis != nil {
			break
		}
	}
	if q.answer.Causes == nil {
		q.answer.Causes, err = q.answer.Entry.RankCauses()
	}
	return &q.answer, err
}

// question is a text while its meaning is looked for. Each of its steps sets the entry
// of the answer, or leaves it to the next.
type question struct {
	text      string
	opts      *Options
	catalogue *Catalogue
	matcher   *Matcher
	answer    Understanding
}

func (q *question) found(e Entry) {
	q.answer.Entry, q.answer.Named = e, true
}

// byID takes the text for an id, in any case. Those of states are written by nobody
// with their capitals, and with blanks by some.
func (q *question) byID(context.Context) error {
	id := strings.ToLower(strings.TrimSpace(q.text))
	c := q.catalogue
	cause, pattern, symptom, guide := c.Cause(id), c.Pattern(id), c.Symptom(id), c.Guide(id)
	switch {
	case cause != nil:
		q.found(Entry{Cause: cause})
	case pattern != nil:
		q.found(Entry{Pattern: pattern})
	case symptom != nil:
		q.found(Entry{Symptom: symptom})
	case guide != nil:
		q.found(Entry{Guide: guide})
	}
	state := compact(q.text)
	for _, s := range c.States {
		if known := compact(s.ID); state == known || state == strings.TrimPrefix(known, compact(statePrefix)) {
			q.found(Entry{State: s})
		}
	}
	return nil
}

// compact leaves letters and digits, in lower case.
func compact(text string) string { return strings.Join(wordsOf(text), "") }

// asLog analyses the text, or where nothing is in it, what is left of it without what
// people put around a record.
func (q *question) asLog(ctx context.Context) error {
	for text := range unquoted(q.text) {
		if err := q.analyze(ctx, text); err != nil || q.answer.Analysis != nil {
			return err
		}
	}
	return nil
}

func (q *question) analyze(ctx context.Context, text string) error {
	a, err := q.opts.analyzer()
	if err != nil {
		return err
	}
	a.OnEvent = func(e *Event) {
		if q.answer.Event == nil {
			q.answer.Event = e
		}
	}
	src := a.Source("")
	for rec, err := range parser.Records(ctx, strings.NewReader(text), q.opts.reading(a.catalogue)) {
		if err != nil {
			return err
		}
		src.Add(rec)
	}
	src.End()
	if result := a.Result(); len(result.Findings) > 0 || len(result.Stops) > 0 {
		event := q.answer.Event
		q.answer = *result.Understanding()
		q.answer.Event = event
	}
	return nil
}

// Understanding is what the logs mean that were analysed: their first finding, with the
// causes of all.
func (a *Analysis) Understanding() *Understanding {
	u := &Understanding{Analysis: a}
	if len(a.Findings) > 0 {
		u.Entry, u.Named, u.Causes = Entry{Pattern: a.Findings[0].Pattern}, true, a.causes()
	}
	return u
}

// unquoted gives a text, and if it is short what is left of it without its indentation,
// the quotation marks around it, and the words before its first line, one by one.
func unquoted(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		const longest, mostWords = 64 << 10, 8
		first, _, _ := strings.Cut(text, "\n")
		if !yield(text) || len(text) > longest || parser.Quotes(first) {
			return
		}
		bare := strings.Trim(dedent(text), "\"'`\u201c\u201d\u2018\u2019「」 \t\r\n")
		if !yield(bare) {
			return
		}
		for range mostWords {
			line, _, _ := strings.Cut(bare, "\n")
			_, rest, more := strings.Cut(line, " ")
			if !more {
				return
			}
			if bare = rest + bare[len(line):]; !yield(bare) {
				return
			}
		}
	}
}

// dedent takes the indentation of the first line off all lines.
func dedent(text string) string {
	indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	return strings.ReplaceAll(strings.TrimPrefix(text, indent), "\n"+indent, "\n")
}

// causes are those of the whole, by the diagnosis, or of what healthy servers show as
// well.
func (a *Analysis) causes() []CauseScore {
	if len(a.Diagnosis) == 0 {
		return a.Findings[0].Causes
	}
	var list []CauseScore
	for _, d := range a.Diagnosis {
		list = append(list, CauseScore{ID: d.Cause.ID, Score: d.Confidence})
	}
	return list
}

// asFragment takes the text for a part of a record.
func (q *question) asFragment(context.Context) error {
	a, err := q.opts.analyzer()
	if err != nil {
		return err
	}
	a.OnEvent = func(e *Event) {
		if q.answer.Event == nil {
			q.answer.Event, q.answer.Causes = e, e.Causes
			q.found(Entry{Pattern: e.Pattern})
		}
	}
	src := a.Source("")
	for rec := range fragments(q.text) {
		if src.Add(rec); q.answer.Event != nil {
			return nil
		}
	}
	return nil
}
