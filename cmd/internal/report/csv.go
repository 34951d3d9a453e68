package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
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
	for _, e := range d.Errors {
		if e.Note {
			continue
		}
		missing := Finding{Title: opts.Say.Say("report.unread"), Sources: []string{e.Source}, Samples: []Sample{{Source: e.Source, Text: e.Message}}}
		if err := s.row(d.findingCells(&missing, opts.Say)); err != nil {
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
	"csv.level", "csv.state", "csv.tls", "csv.alert", "csv.cause", "csv.score", "csv.message", "csv.text", "csv.incident",
}

// eventsCSV writes events as rows. Which incident each is of is known at the end: until
// then they wait in a file, with their marks.
type eventsCSV struct {
	sheet     *sheet
	catalogue *patterns.Catalogue
	say       *messages.Printer
	waiting   *os.File
	rows      *csv.Writer
}

// NewEventsCSV starts a table of events with its header.
func NewEventsCSV(w io.Writer, c *patterns.Catalogue, say *messages.Printer) (Sink, error) {
	s, err := newSheet(w)
	if err != nil {
		return nil, err
	}
	waiting, err := os.CreateTemp("", "wklog-events-*.csv")
	if err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	_ = os.Remove(waiting.Name()) // Unix keeps it until it is closed
	return &eventsCSV{sheet: s, catalogue: c, say: say, waiting: waiting, rows: csv.NewWriter(waiting)}, s.row(header(say, eventColumns))
}

// Event keeps one row.
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
	cells = append(cells, e.Record.Subject(), e.Record.Text)
	for i, cell := range cells {
		cells[i] = defused(cell)
	}
	m := e.Mark()
	if err := t.rows.Write(append(cells, strconv.Itoa(int(m.Log)), strconv.Itoa(int(m.Kind)), strconv.FormatInt(m.At, 10))); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// End writes the rows, each with the number of its incident.
func (t *eventsCSV) End(d *Document) error {
	defer os.Remove(t.waiting.Name())
	defer t.waiting.Close()
	t.rows.Flush()
	_, err := t.waiting.Seek(0, io.SeekStart)
	if err = errors.Join(t.rows.Error(), err); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	rows := csv.NewReader(t.waiting)
	rows.ReuseRecord = true
	for {
		cells, err := rows.Read()
		if err == io.EOF {
			return t.sheet.flush()
		}
		if err == nil {
			err = t.sheet.Write(numbered(cells, d))
		}
		if err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
}

// numbered is a row with the number of its incident in place of its mark.
func numbered(cells []string, d *Document) []string {
	n := len(cells) - 3
	log, _ := strconv.ParseInt(cells[n], 10, 32)
	kind, _ := strconv.ParseInt(cells[n+1], 10, 32)
	at, _ := strconv.ParseInt(cells[n+2], 10, 64)
	number := ""
	if incident := d.incident(patterns.Mark{Log: int32(log), Kind: int32(kind), At: at}); incident > 0 {
		number = strconv.Itoa(incident)
	}
	return append(cells[:n:n], number)
}

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
