package report

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// Options say how a report is shown.
type Options struct {
	Say *messages.Printer
	// Width of the terminal in columns.
	Width int
	Color bool
	// Top is how many findings and causes are listed, 0 for all.
	Top int
	// Verbose shows all of a report for a terminal, which is brief else.
	Verbose bool
}

// form is a form of output. Each registers itself in its own file, with the
// endings of the files that are of this form. Most write a whole document; sink
// is for one that writes events as they come.
type form struct {
	name    string
	endings []string
	write   func(w io.Writer, d *Document, opts Options) error
	sink    func(w io.Writer, c *patterns.Catalogue, opts Options) Sink
}

var forms []form

func register(f form) { forms = append(forms, f) }

// Forms lists the names of the forms of a report.
func Forms() []string { return namesOf(func(f form) bool { return f.write != nil }) }

// Outputs lists the names of all forms: of a report, then of events as they come.
func Outputs() []string {
	return append(Forms(), namesOf(func(f form) bool { return f.sink != nil })...)
}

func namesOf(is func(form) bool) []string {
	names := []string{}
	for _, f := range forms {
		if is(f) {
			names = append(names, f.name)
		}
	}
	slices.Sort(names)
	return names
}

// FormOf names the form of a file by the ending of its name; ok is false for an
// ending that no form has.
func FormOf(file string) (name string, ok bool) {
	ending := strings.ToLower(filepath.Ext(file))
	for _, f := range forms {
		if slices.Contains(f.endings, ending) {
			return f.name, true
		}
	}
	return "", false
}

// Endings lists the endings of files that name a form.
func Endings() []string {
	var all []string
	for _, f := range forms {
		all = append(all, f.endings...)
	}
	slices.Sort(all)
	return all
}

// NewSink writes to w in the named form.
func NewSink(w io.Writer, name string, c *patterns.Catalogue, opts Options) (Sink, error) {
	for i := range forms {
		f := &forms[i]
		if f.name != name {
			continue
		}
		if f.sink != nil {
			return f.sink(w, c, opts), nil
		}
		return &whole{w: w, form: f, opts: opts}, nil
	}
	return nil, messages.NewError("error.format", name, Outputs())
}

// Write writes the document in the named form. The same document gives the same
// bytes.
func Write(w io.Writer, name string, d *Document, opts Options) error {
	sink, err := NewSink(w, name, d.catalogue, opts)
	if err != nil {
		return err
	}
	return sink.End(d)
}
