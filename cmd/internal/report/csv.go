package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

func init() {
	register(form{name: "csv", endings: []string{".csv"}, write: writeFindingsCSV})
}

// sheet writes CSV (RFC 4180) for spreadsheets: with a byte order mark, without
// which Excel takes UTF-8 for the system's legacy encoding, and with cells that
// no spreadsheet takes for a formula.
type sheet struct{ *csv.Writer }

func newSheet(w io.Writer) (*sheet, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	s := &sheet{csv.NewWriter(w)}
	s.UseCRLF = true
	return s, nil
}

func (s *sheet) row(cells []string) error {
	safe := make([]string, len(cells))
	for i, cell := range cells {
		safe[i] = defused(cell)
	}
	if err := s.Write(safe); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (s *sheet) flush() error {
	s.Flush()
	if err := s.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// defused is a text that no spreadsheet takes for a formula: one that begins
// like a formula gets an apostrophe, also behind a tab or a line end and in
// full-width form (OWASP, CSV Injection).
func defused(cell string) string {
	text := Visible(cell)
	if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(cell)[0]) {
		return "'" + text
	}
	return text
}

func header(say *messages.Printer, keys []string) []string {
	cells := make([]string, len(keys))
	for i, key := range keys {
		cells[i] = say.Say(key)
	}
	return cells
}

var findingColumns = []string{
	"csv.severity", "csv.count", "csv.pattern", "csv.title", "csv.category", "csv.reporter", "csv.first", "csv.last",
	"csv.ongoing", "csv.incident", "csv.cause", "csv.score", "csv.cause-title", "csv.sources", "csv.source", "csv.line", "csv.text",
}

var changeColumns = []string{"csv.change", "csv.before", "csv.expected"}

func writeFindingsCSV(w io.Writer, d *Document, opts Options) error {
	s, err := newSheet(w)
	if err != nil {
		return err
	}
	columns := findingColumns
	if d.Compared != nil {
		columns = append(append([]string{}, columns...), changeColumns...)
	}
	if err := s.row(header(opts.Say, columns)); err != nil {
		return err
	}
	if d.Summary.Unclassified > 0 {
		unknown := Finding{Count: d.Summary.Unclassified, Title: opts.Say.Say("report.unclassified"), Samples: d.Unclassified}
		if err := s.row(d.findingCells(&unknown, opts.Say)); err != nil {
			return err
		}
	}
	for _, f := range d.Findings {
		if err := s.row(d.findingCells(&f, opts.Say)); err != nil {
			return err
		}
	}
	for _, f := range d.Gone {
		f.Count = 0
		if err := s.row(d.findingCells(&f, opts.Say)); err != nil {
			return err
		}
	}
	return s.flush()
}

func (d *Document) findingCells(f *Finding, say *messages.Printer) []string {
	severity := ""
	if f.Severity != "" {
		severity = say.Say("severity." + f.Severity)
	}
	cells := []string{
		severity, strconv.Itoa(f.Count), f.Pattern, f.Title, f.Category, f.Reporter,
		stamp(f.First), stamp(f.Last), say.Say("answer." + f.ongoingAnswer()), f.incidentNumbers(),
	}
	if len(f.Causes) > 0 {
		cells = append(cells, f.Causes[0].ID, score(f.Causes[0].Score), d.causeTitle(f.Causes[0].ID))
	} else {
		cells = append(cells, "", "", "")
	}
	cells = append(cells, strings.Join(f.Sources, "; "))
	if len(f.Samples) > 0 {
		cells = append(cells, f.Samples[0].Source, strconv.FormatInt(f.Samples[0].Line, 10), f.Samples[0].Text)
	} else {
		cells = append(cells, "", "", "")
	}
	if c := f.Change; c != nil {
		cells = append(cells, say.Say("change."+c.Status), strconv.Itoa(c.Before), strconv.FormatFloat(c.Expected, 'f', -1, 64))
	}
	return cells
}

var eventColumns = []string{
	"csv.time", "csv.inferred", "csv.severity", "csv.pattern", "csv.title", "csv.source", "csv.line", "csv.remote",
	"csv.level", "csv.state", "csv.tls", "csv.alert", "csv.cause", "csv.score", "csv.message", "csv.text",
}

// eventsCSV writes events as rows while they are found.
type eventsCSV struct {
	sheet     *sheet
	catalogue *patterns.Catalogue
	say       *messages.Printer
}

// NewEventsCSV starts a table of events with its header.
func NewEventsCSV(w io.Writer, c *patterns.Catalogue, say *messages.Printer) (Sink, error) {
	s, err := newSheet(w)
	if err != nil {
		return nil, err
	}
	return &eventsCSV{sheet: s, catalogue: c, say: say}, s.row(header(say, eventColumns))
}

// Event writes one row.
func (t *eventsCSV) Event(e *patterns.Event) error {
	cells := []string{
		stamp(Moment(e.Time())), t.say.Say("answer." + yesNo(e.Record.TimeInferred)), t.say.Say("severity." + string(e.Pattern.Severity)),
		e.Pattern.ID, e.Pattern.Title.In(t.say.Lang), e.Source, strconv.FormatInt(e.Record.Line, 10), e.Record.Remote,
		e.Record.Level, e.Record.State, t.catalogue.TLSVersion(e), e.Alert(),
	}
	if len(e.Causes) > 0 {
		cells = append(cells, e.Causes[0].ID, score(e.Causes[0].Score))
	} else {
		cells = append(cells, "", "")
	}
	return t.sheet.row(append(cells, e.Record.Subject(), e.Record.Text))
}

// End writes what is held back.
func (t *eventsCSV) End(*Document) error { return t.sheet.flush() }

func score(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }

// stamp is a time with its date and zone, empty where it is not known.
func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format("2006-01-02 15:04:05-07:00")
}

// ongoingAnswer is the word of the messages for Ongoing.
func (f *Finding) ongoingAnswer() string {
	if f.Ongoing == nil {
		return "unknown"
	}
	return yesNo(*f.Ongoing)
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
