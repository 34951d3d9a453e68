package report

import (
	"fmt"
	"io"
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

// form writes a whole document. Each form registers itself in its own file.
type form struct {
	name  string
	write func(w io.Writer, d *Document, opts Options) error
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

// Write writes the document in the named form.
func Write(w io.Writer, name string, d *Document, opts Options) error {
	for _, f := range forms {
		if f.name == name {
			return f.write(w, d, opts)
		}
	}
	return fmt.Errorf("no form %q; there are %s", name, strings.Join(Forms(), ", "))
}
