package patterns

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"wklog/parser"
	"wklog/patterns/internal/fulltext"
)

// index is what the entries of a catalogue are found by.
type index struct {
	entries []Entry
	names   []name
	fillers []string
	// texts are read when words of a language are first looked for.
	once  map[Lang]*sync.Once
	texts map[Lang]*fulltext.Index
}

// name is one of an entry, by its words without those that name nothing. A code is
// found where its words stand side by side, others wherever they stand. Those that
// follow from the number of an alert, or from an id, come after what an entry says of
// itself.
type name struct {
	entry     int
	words     []string
	code, own bool
}

// near is how many other entries are told at most.
const near = 5

func (c *Catalogue) index() *index {
	c.made.mutex.Lock()
	defer c.made.mutex.Unlock()
	if c.made.index == nil {
		c.made.index = newIndex(c)
	}
	return c.made.index
}

func newIndex(c *Catalogue) *index {
	x := &index{
		entries: c.entries(), fillers: c.Fillers,
		once:  map[Lang]*sync.Once{English: {}, Chinese: {}},
		texts: map[Lang]*fulltext.Index{English: {}, Chinese: {}},
	}
	for i, e := range x.entries {
		x.name(i, true, true, e.codes())
		x.name(i, false, true, e.words())
		x.name(i, true, false, append(e.alertCodes(), e.ID()))
	}
	return x
}

func (x *index) name(entry int, code, own bool, texts []string) {
	for _, text := range texts {
		x.names = append(x.names, name{entry, x.telling(text), code, own})
	}
}

func wordsOf(text string) []string { return fulltext.Words(text) }

// telling are the words of a text that name something, all of them where none does: of
// Chinese, which has no blanks between its words, fillers are taken off both ends.
func (x *index) telling(text string) []string {
	var words []string
	all := wordsOf(text)
	for _, word := range all {
		if !slices.Contains(x.fillers, word) {
			words = append(words, x.unfilled(word))
		}
	}
	if words == nil {
		return all
	}
	return words
}

func (x *index) unfilled(word string) string {
	if first, _ := utf8.DecodeRuneInString(word); !isHan(first) {
		return word
	}
	for shorter := true; shorter; {
		shorter = false
		for _, filler := range x.fillers {
			rest := strings.TrimSuffix(strings.TrimPrefix(word, filler), filler)
			if len(rest) < len(word) && rest != "" {
				word, shorter = rest, true
			}
		}
	}
	return word
}

// byName takes the text for a name of entries: nothing else stands in it.
func (q *question) byName(context.Context) error {
	x := q.catalogue.index()
	asked := x.telling(q.text)
	var exact []name
	for _, n := range x.names {
		if len(asked) > 0 && slices.Equal(n.words, asked) {
			exact = append(exact, n)
		}
	}
	slices.SortStableFunc(exact, func(a, b name) int { return compareBool(b.own, a.own) })
	for _, n := range exact {
		q.offer(x.entries[n.entry])
	}
	if q.answer.Entry.Known() {
		q.andNear(x, asked)
	}
	return nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// offer makes an entry the answer, or one of those near it.
func (q *question) offer(e Entry) {
	switch {
	case !q.answer.Entry.Known():
		q.found(e)
	case e != q.answer.Entry && !slices.Contains(q.answer.Near, e) && len(q.answer.Near) < near:
		q.answer.Near = append(q.answer.Near, e)
	}
}

// inForms takes the text for what a program prints as the name of a failure, or for a
// line without its head: such a one is known in the forms in which programs print it.
func (q *question) inForms(context.Context) error {
	const longest = 1000
	text := strings.TrimSpace(q.text)
	if len(text) > longest || strings.ContainsAny(text, "\r\n") || parser.Quotes(text) {
		return nil
	}
	lower, constant := strings.ToLower(text), strings.ReplaceAll(strings.ToUpper(text), " ", "_")
	for _, form := range q.catalogue.Forms {
		for _, spelling := range []string{text, lower, constant} {
			p := q.matcher.said(fmt.Sprintf(form, spelling))
			if p != nil && p != q.matcher.said(fmt.Sprintf(form, cutShort(spelling))) {
				q.offer(Entry{Pattern: p})
			}
		}
	}
	if x := q.catalogue.index(); q.answer.Entry.Known() {
		q.andNear(x, x.telling(q.text))
	}
	return nil
}

// cutShort is a name that is none: of a few words the last one counts, of a line the
// form alone must not be what is known.
func cutShort(text string) string {
	const few = 4
	if words := strings.Fields(text); len(words) <= few {
		return strings.Join(words[:max(len(words)-1, 0)], " ") + "?"
	}
	return "?"
}

// said is the pattern of a message, nil for none.
func (m *Matcher) said(message string) *Pattern {
	for _, rec := range []*parser.Record{parser.Parse(parser.Unwrap([]byte(message))), handshakeError(message)} {
		if match := m.Match(rec); match.Verdict == Matched {
			return match.Pattern
		}
	}
	return nil
}

// fit is how well an entry fits words.
type fit struct {
	entry    int
	score    float64
	coverage float64
}

// byWords takes the text for words of a person, or for one that holds a name. Longer
// texts are lines of a log: in those only codes are looked for. Where nothing fits, what
// people see is near.
func (q *question) byWords(context.Context) error {
	const least, longest = 0.4, 200
	x := q.catalogue.index()
	text := strings.TrimSpace(q.text)
	asked := x.telling(text)
	fits := ranked(x.byNames(asked, false))
	if len(text) <= longest && !strings.ContainsAny(text, "\r\n") {
		fits = x.search(asked)
		if len(fits) > 0 && fits[0].coverage >= least {
			q.answer.Entry = x.entries[fits[0].entry]
		}
	}
	q.addNear(x, fits)
	for _, s := range q.catalogue.Symptoms[:min(near, len(q.catalogue.Symptoms))] {
		if len(fits) == 0 {
			q.answer.Near = append(q.answer.Near, Entry{Symptom: s})
		}
	}
	return nil
}

// andNear adds what fits the words as well as they can be fitted. Numbers stand in
// messages for other things as well.
func (q *question) andNear(x *index, asked []string) {
	const whole = 0.99
	if slices.ContainsFunc(asked, func(word string) bool { return strings.ContainsAny(word, "0123456789") }) {
		return
	}
	q.addNear(x, slices.DeleteFunc(x.search(asked), func(f fit) bool { return f.coverage < whole }))
}

func (q *question) addNear(x *index, fits []fit) {
	for _, f := range fits {
		if e := x.entries[f.entry]; e != q.answer.Entry && !slices.Contains(q.answer.Near, e) && len(q.answer.Near) < near {
			q.answer.Near = append(q.answer.Near, e)
		}
	}
}

// search finds the entries that fit words, best first: by a name that stands in them,
// and by what their texts say.
func (x *index) search(asked []string) []fit {
	fits := x.byNames(asked, true)
	hits := x.full(languageOf(asked)).Search(asked)
	for _, hit := range hits {
		f := &fits[hit.Document]
		f.score += hit.Coverage * hit.Score / hits[0].Score
		f.coverage = max(f.coverage, hit.Coverage)
	}
	return ranked(fits)
}

// byNames fits each entry by the longest of its names that stands in words. A name
// says twice as much as texts do.
func (x *index) byNames(asked []string, alsoWords bool) []fit {
	fits := make([]fit, len(x.entries))
	for i := range fits {
		fits[i].entry = i
	}
	for _, n := range x.names {
		if share := n.shareOf(asked); share > fits[n.entry].coverage && (alsoWords || n.code) {
			fits[n.entry].score, fits[n.entry].coverage = 2*share, share
		}
	}
	return fits
}

// ranked are those that fit at all, best first.
func ranked(fits []fit) []fit {
	fits = slices.DeleteFunc(fits, func(f fit) bool { return f.score == 0 })
	slices.SortStableFunc(fits, func(a, b fit) int { return cmp.Compare(b.score, a.score) })
	return fits
}

// full is the index of the texts in a language: to read both for each question takes
// twice as long.
func (x *index) full(lang Lang) *fulltext.Index {
	x.once[lang].Do(func() {
		for _, e := range x.entries {
			x.texts[lang].Add(e.fields(lang)...)
		}
	})
	return x.texts[lang]
}

// languageOf is the language of words: Chinese where one of them is.
func languageOf(words []string) Lang {
	if slices.ContainsFunc(words, func(word string) bool { return strings.ContainsFunc(word, isHan) }) {
		return Chinese
	}
	return English
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// fields are the texts of an entry in a language, and what it has in none.
func (e Entry) fields(lang Lang) []fulltext.Field {
	const names, titles, samples, texts = 5, 4, 1.5, 1
	fields := []fulltext.Field{{Text: e.ID(), Weight: names}, {Text: e.Title().In(lang), Weight: titles}, {Text: e.explain().In(lang), Weight: texts}}
	for _, name := range slices.Concat(e.codes(), e.words(), e.alertCodes()) {
		fields = append(fields, fulltext.Field{Text: name, Weight: names})
	}
	if e.Pattern != nil {
		for _, sample := range e.Pattern.Samples {
			fields = append(fields, fulltext.Field{Text: message(sample), Weight: samples})
		}
	}
	return fields
}

// message is what counts of a sample: a trace behind the first line names the functions
// of the server, and what is far behind a message names the connection.
func message(sample string) string {
	const enough = 240
	line, _, _ := strings.Cut(sample, "\n")
	return line[:min(len(line), enough)]
}

// shareOf is how much of what was asked the name is, 0 where it does not stand there.
// One word that is a bare number names nothing beside others.
func (n *name) shareOf(asked []string) float64 {
	if len(n.words) == 0 || len(n.words) == 1 && bare(n.words[0]) && len(asked) > 1 {
		return 0
	}
	if n.code && !containsRun(asked, n.words) {
		return 0
	}
	for _, word := range n.words {
		if !slices.ContainsFunc(asked, func(other string) bool { return holds(other, word) }) {
			return 0
		}
	}
	return size(n.words) / size(asked)
}

// holds tells whether a word of a question is a word of a name, or in Chinese has it
// in it.
func holds(asked, word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	return asked == word || isHan(first) && strings.Contains(asked, word)
}

func containsRun(list, run []string) bool {
	for i := 0; i+len(run) <= len(list); i++ {
		if slices.EqualFunc(list[i:i+len(run)], run, holds) {
			return true
		}
	}
	return false
}

func bare(word string) bool {
	return strings.Trim(word, "0123456789") == ""
}

// size is how much words tell: a Chinese character as much as three letters.
func size(words []string) float64 {
	n := 0
	for _, word := range words {
		for _, r := range word {
			n++
			if isHan(r) {
				n += 2
			}
		}
	}
	return float64(n)
}
