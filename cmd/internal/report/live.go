package report

import (
	"io"
	"strconv"
	"strings"
	"time"

	"wklog/patterns"
)

// Live reports failures as they come: each new kind at once, repeats by their
// counts, and what changes of the incidents. On a terminal the counts are one
// line that is rewritten, elsewhere they get lines of their own.
type Live struct {
	w         io.Writer
	opts      Options
	catalogue *patterns.Catalogue
	inPlace   bool
	interval  time.Duration

	kinds   []*kind
	total   int
	told    int // of total
	counted time.Time
	status  bool // the last line shows counts
}

// kind is what came of one pattern.
type kind struct {
	pattern     *patterns.Pattern
	count, told int
	last        string // time of the newest
}

// NewLive starts a report of a stream, with the counts of repeats once in an
// interval. inPlace says that w is a terminal that can take a line back.
func NewLive(w io.Writer, c *patterns.Catalogue, opts Options, inPlace bool, interval time.Duration) *Live {
	return &Live{w: w, opts: opts, catalogue: c, inPlace: inPlace, interval: interval, counted: time.Now()}
}

// Tick tells the counts when it is time.
func (l *Live) Tick(now time.Time) error {
	if now.Sub(l.counted) < l.interval {
		return nil
	}
	l.counted = now
	return l.counts()
}

// clockOf is an event's time of day, with a mark where its line has none.
func clockOf(e *patterns.Event) string {
	switch t := e.Time(); {
	case t.IsZero():
		return "--:--:--"
	case e.Record.TimeInferred:
		return "~" + t.Format(time.TimeOnly)
	default:
		return t.Format(time.TimeOnly)
	}
}

// Event counts an event, and reports it if it is the first of its kind.
func (l *Live) Event(e *patterns.Event) error {
	l.total++
	for _, k := range l.kinds {
		if k.pattern == e.Pattern {
			k.count++
			k.last = clockOf(e)
			return nil
		}
	}
	l.kinds = append(l.kinds, &kind{pattern: e.Pattern, count: 1, told: 1, last: clockOf(e)})
	l.told++
	return l.print(func(p *Page) { l.news(p, e) })
}

// Stop tells that the server ended, and not of a TLS failure.
func (l *Live) Stop(s *patterns.Stop) error {
	at := "--:--:--"
	if !s.Last.IsZero() {
		at = s.Last.Format("15:04:05")
	}
	return l.print(func(p *Page) {
		p.Paragraph(at+"  ", Visible(l.opts.Say.Say("stopped", s.Reason)), bold)
	})
}

// news is what a new kind of failure means, and the first thing to do.
func (l *Live) news(p *Page, e *patterns.Event) {
	lang, at := l.opts.Say.Lang, clockOf(e)
	p.Paragraph(at+"  "+p.severity(string(e.Pattern.Severity))+"  ", e.Pattern.Title.In(lang), bold)
	indent := strings.Repeat(" ", len(at)+2)
	p.Paragraph(indent, firstSentence(e.Pattern.Explain.In(lang)))
	if heading, step, ok := firstStep(l.catalogue, e, l.opts.Say); ok {
		p.beginWith(indent, heading, &step)
	}
}

// firstSentence ends after the first full stop.
func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	end := len(text)
	for _, stop := range []string{". ", "。"} {
		if at := strings.Index(text, stop); at >= 0 {
			end = min(end, at+len(strings.TrimRight(stop, " ")))
		}
	}
	return text[:end]
}

// counts reports what was added since the last time.
func (l *Live) counts() error {
	if l.total == l.told {
		return nil
	}
	l.told = l.total
	if l.inPlace {
		return l.replaceStatus()
	}
	return l.print(func(p *Page) {
		for _, k := range l.kinds {
			if k.count > k.told {
				lead := k.last + "  +" + strconv.Itoa(k.count-k.told) + "  "
				p.Paragraph(lead, l.opts.Say.Say("live.count", k.pattern.Title.In(l.opts.Say.Lang), k.count))
				k.told = k.count
			}
		}
	})
}

// replaceStatus writes the line of counts over the one before.
func (l *Live) replaceStatus() error {
	var parts []string
	for _, k := range l.kinds {
		parts = append(parts, k.pattern.ID+" "+strconv.Itoa(k.count))
	}
	text := l.opts.Say.Say("live.status", l.total, l.opts.Say.List(parts))
	l.status = true
	_, err := io.WriteString(l.w, "\r\x1b[K"+fit(text, max(l.opts.Width-1, 20)))
	return err
}

// End takes the line of counts away: the report follows.
func (l *Live) End(*Document) error { return l.print(func(*Page) {}) }

// print writes text where the line of counts stood.
func (l *Live) print(write func(*Page)) error {
	p := NewPage(l.opts)
	if l.status {
		p.WriteString("\r\x1b[K")
		l.status = false
	}
	write(p)
	if p.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(l.w, p.String())
	return err
}
