package patterns

import (
	"context"
	"iter"
	"strings"

	"wklog/parser"
)

// Recognise finds the first failure in a short text that somebody pasted: a line of
// a log, with or without what its container put around it, only the error in a
// line, or a client's stack trace. Where the text holds none, stop is the end of a
// server that has nothing to do with TLS. Both are nil where nothing is known of it.
func Recognise(ctx context.Context, text string, opts *Options) (event *Event, stop *Stop, err error) {
	opts = opts.orDefault()
	a, err := opts.analyzer()
	if err != nil {
		return nil, nil, err
	}
	a.OnEvent = func(e *Event) {
		if event == nil {
			event = e
		}
	}
	src := a.Source("")
	for rec, err := range parser.Records(ctx, strings.NewReader(text), parser.Options{Zone: opts.Zone}) {
		if err != nil {
			return nil, nil, err
		}
		src.Add(rec)
	}
	if stops := a.Result().Stops; event == nil && len(stops) > 0 {
		stop = &stops[0]
	}
	if event == nil {
		for rec := range fragments(text) {
			if src.Add(rec); event != nil {
				break
			}
		}
	}
	if event != nil {
		stop = nil
	}
	return event, stop, nil
}

// fragments are the records that a text may be a part of, whose head was cut off: what
// a raw handshake line says, and the nested exception of a stack trace, which stands
// behind the outer ones. What somebody merely quotes is no part of a record.
func fragments(text string) iter.Seq[*parser.Record] {
	return func(yield func(*parser.Record) bool) {
		if parser.Quotes(text) || !yield(handshakeError(strings.TrimSpace(text))) {
			return
		}
		for rest, more, n := text, true, 0; more && n < maxNested; n++ {
			if _, rest, more = strings.Cut(rest, ": "); more && !yield(&parser.Record{Kind: parser.KindText, Text: rest}) {
				return
			}
		}
	}
}

// maxNested is how many exceptions within each other are looked at: each costs as much
// as the rest of the text is long.
const maxNested = 16

// handshakeError takes a text for what a server's raw handshake line says.
func handshakeError(text string) *parser.Record {
	rec := &parser.Record{Kind: parser.KindHandshake, Error: text, Text: text}
	if at := strings.LastIndexByte(text, ' '); at >= 0 && strings.HasPrefix(text[at+1:], statePrefix) {
		rec.Error, rec.State = strings.TrimSpace(text[:at]), text[at+1:]
	}
	return rec
}
