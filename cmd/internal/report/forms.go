package report

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"wklog/cmd/internal/messages"
)

// Options say how a report is shown.
type Options struct {
	Say *messages.Printer
	// Width of the terminal in columns.
	Width int
	Color bool
	// Top is how many findings and causes are listed, 0 for all.
	Top int
}

// form writes a whole document. Each form registers itself in its own file,
// with the endings of the files that are of this form.
type form struct {
	name    string
	endings []string
	write   func(w io.Writer, d *Document, opts Options) error
}

var forms []form

func register(f form) { forms = append(forms, f) }

// Forms lists the names of the forms of a report.
func Forms() []string {
	names := []string{}
	for _, f := range forms {
		names = append(names, f.name)
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

// Write writes the document in the named form. The same document gives the same
// bytes.
func Write(w io.Writer, name string, d *Document, opts Options) error {
	for _, f := range forms {
		if f.name == name {
			return f.write(w, d.shown(opts.Top), opts)
		}
	}
	return fmt.Errorf("no form %q; there are %s", name, strings.Join(Forms(), ", "))
}
