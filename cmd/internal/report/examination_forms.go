package report

import (
	"io"

	"wklog/cmd/internal/messages"
)

// examinationForms are those of an examination.
var examinationForms = []struct {
	name  string
	write func(*Examination, io.Writer, Options) error
}{
	{"table", (*Examination).writePage},
	{"json", func(e *Examination, w io.Writer, _ Options) error { return WriteJSON(w, e, "  ") }},
	{"html", (*Examination).writeHTML},
	{"markdown", (*Examination).writeMarkdown},
}

// ExaminationForms lists their names.
func ExaminationForms() (names []string) {
	for _, f := range examinationForms {
		names = append(names, f.name)
	}
	return names
}

// Write writes it in the named form.
func (e *Examination) Write(w io.Writer, name string, opts Options) error {
	for _, f := range examinationForms {
		if f.name == name {
			return f.write(e, w, opts)
		}
	}
	return messages.NewError("error.format", name, ExaminationForms())
}
