package main

import (
	"errors"
	"slices"

	"wklog/cmd/internal/report"
	"wklog/cmd/internal/source"
	"wklog/parser"
)

// describe fills in what the document says about the inputs.
func (r *analysis) describe(doc *report.Document, failures []source.Failure) {
	for _, input := range r.inputs {
		doc.Summary.Bytes += input.Bytes
		doc.Summary.Lines += input.Lines
		if input.First != nil && (doc.Summary.First == nil || input.First.Before(*doc.Summary.First)) {
			doc.Summary.First = input.First
		}
		if input.Last != nil && (doc.Summary.Last == nil || input.Last.After(*doc.Summary.Last)) {
			doc.Summary.Last = input.Last
		}
		if input.Error != "" {
			doc.Errors = append(doc.Errors, report.Error{Source: input.Name, Message: input.Error})
		}
	}
	doc.Inputs = append(doc.Inputs, r.inputs...)
	doc.Summary.Records = r.records
	for _, f := range failures {
		if r.known(f.Source) {
			continue
		}
		message := r.failure(f.Err)
		doc.Inputs = append(doc.Inputs, report.Input{Name: f.Source, Wrapper: string(parser.WrapperNone), Error: message})
		doc.Errors = append(doc.Errors, report.Error{Source: f.Source, Message: message})
	}
	doc.Tool.Version, doc.Tool.Command = version(), append([]string{}, r.command...)
	if r.cut {
		doc.Errors = append(doc.Errors, report.Error{Source: "wklog", Message: r.app.say.Say("error.cut")})
	}
	switch {
	case len(doc.Findings) == 0:
		doc.Hints = r.hints(r.sights.more(len(doc.Stops) > 0)...)
	case doc.Undecided() && r.checks == nil:
		doc.Hints = r.hints("check", "client")
	}
}

// readAny tells whether there is anything to report on; machine-readable forms
// always have a document.
func (r *analysis) readAny() bool { return len(r.inputs) > 0 || r.flags.format != "table" }

func (r *analysis) known(name string) bool {
	return slices.ContainsFunc(r.inputs, func(in report.Input) bool { return in.Name == name && in.Error != "" })
}

func (r *analysis) failure(err error) string {
	switch {
	case errors.Is(err, source.ErrBinary):
		return r.app.say.Say("error.binary")
	case errors.Is(err, source.ErrNone):
		return r.app.say.Say("error.none")
	case errors.Is(err, source.ErrLargeZip):
		return r.app.say.Say("error.zip", report.Bytes(source.MaxZip))
	case errors.Is(err, source.ErrWaiting):
		return r.app.say.Say("note.waiting")
	case errors.Is(err, source.ErrPolled):
		return r.app.say.Say("note.polled")
	case errors.Is(err, source.ErrLost):
		return r.app.say.Say("note.lost")
	case errors.Is(err, source.ErrBomb):
		return r.app.say.Say("error.bomb")
	case errors.Is(err, source.ErrDamaged):
		return r.app.say.Say("error.damaged", innermost(err))
	}
	return r.app.fileError(err)
}

// innermost is the error that the others wrap: what the decoder says.
func innermost(err error) error {
	for {
		switch wrapped := err.(type) {
		case interface{ Unwrap() error }:
			err = wrapped.Unwrap()
		case interface{ Unwrap() []error }:
			list := wrapped.Unwrap()
			err = list[len(list)-1]
		default:
			return err
		}
	}
}
