package patterns

import (
	"context"
	"strings"

	"wklog/parser"
)

// Recognise finds the first failure in a short text that somebody pasted: a line of
// a log, with or without what its container put around it, only the error in a
// line, or a client's stack trace; or the end of a server that is none of a TLS
// failure. Each is nil where there is none.
func Recognise(ctx context.Context, text string, opts *Options) (*Event, *Stop, error) {
	opts = opts.orDefault()
	a, err := opts.analyzer()
	if err != nil {
		return nil, nil, err
	}
	var event *Event
	var stop *Stop
	a.OnStop = func(s *Stop) { stop = s }
	a.OnEvent = func(e *Event) {
		if event == nil {
			event = e
		}
	}
	src := a.Source("")
	for rec, readErr := range parser.Records(ctx, strings.NewReader(text), parser.Options{Zone: opts.Zone}) {
		if readErr != nil {
			return event, stop, readErr
		}
		src.Add(rec)
	}
	if event == nil {
		src.Add(handshakeError(strings.TrimSpace(text)))
	}
	// The nested exception of a stack trace stands behind the outer ones.
	for rest, more := text, true; event == nil && more; {
		if _, rest, more = strings.Cut(rest, ": "); more {
			src.Add(&parser.Record{Kind: parser.KindText, Text: rest})
		}
	}
	return event, stop, nil
}

// handshakeError takes a text for what a server's raw handshake line says.
func handshakeError(text string) *parser.Record {
	rec := &parser.Record{Kind: parser.KindHandshake, Error: text, Text: text}
	if at := strings.LastIndexByte(text, ' '); at >= 0 && strings.HasPrefix(text[at+1:], statePrefix) {
		rec.Error, rec.State = strings.TrimSpace(text[:at]), text[at+1:]
	}
	return rec
}
