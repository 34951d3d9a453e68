package report

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// Sink is where an analysis goes: an event as it comes, the document at the end.
// It is for one goroutine.
type Sink interface {
	Event(*patterns.Event) error
	End(*Document) error
}

// Clocked is a sink that also tells something from time to time.
type Clocked interface {
	Tick(now time.Time) error
}

// Stopper is a sink that also tells of an end of the server that is none of a TLS
// failure.
type Stopper interface {
	Stop(*patterns.Stop) error
}

// Watcher is a sink that also tells what is new of the incidents.
type Watcher interface {
	Incident(*News) error
}

// Sinks are several, in the order in which they are told.
type Sinks []Sink

// Event tells all of an event.
func (s Sinks) Event(e *patterns.Event) error {
	var errs []error
	for _, sink := range s {
		errs = append(errs, sink.Event(e))
	}
	return errors.Join(errs...)
}

// Tick gives those a turn that want one.
func (s Sinks) Tick(now time.Time) error {
	var errs []error
	for _, sink := range s {
		if clocked, ok := sink.(Clocked); ok {
			errs = append(errs, clocked.Tick(now))
		}
	}
	return errors.Join(errs...)
}

// Stop tells those of an end of the server that want to know.
func (s Sinks) Stop(stop *patterns.Stop) error {
	var errs []error
	for _, sink := range s {
		if stopper, ok := sink.(Stopper); ok {
			errs = append(errs, stopper.Stop(stop))
		}
	}
	return errors.Join(errs...)
}

// Incident tells those of the incidents that want to know.
func (s Sinks) Incident(n *News) error {
	var errs []error
	for _, sink := range s {
		if watcher, ok := sink.(Watcher); ok {
			errs = append(errs, watcher.Incident(n))
		}
	}
	return errors.Join(errs...)
}

// Watch tells whether any of them wants to know of the incidents.
func (s Sinks) Watch() bool {
	return slices.ContainsFunc(s, func(sink Sink) bool {
		if several, ok := sink.(interface{ Watch() bool }); ok {
			return several.Watch()
		}
		_, ok := sink.(Watcher)
		return ok
	})
}

// End gives all the document.
func (s Sinks) End(d *Document) error {
	var errs []error
	for _, sink := range s {
		errs = append(errs, sink.End(d))
	}
	return errors.Join(errs...)
}

// Listen tells whether any of them takes events.
func (s Sinks) Listen() bool {
	return slices.ContainsFunc(s, func(sink Sink) bool {
		if l, ok := sink.(interface{ Listen() bool }); ok {
			return l.Listen()
		}
		return true
	})
}

// whole writes a document at the end, in one form.
type whole struct {
	w    io.Writer
	form *form
	opts Options
}

// Listen tells that it takes no events.
func (*whole) Listen() bool { return false }

func (*whole) Event(*patterns.Event) error { return nil }

func (s *whole) End(d *Document) error { return s.form.write(s.w, d.shown(s.opts.Top), s.opts) }

// IsReport tells whether a file is a report of an earlier run, by its ending or by
// its first words.
func IsReport(name string) bool {
	if slices.Contains([]string{".html", ".md", ".csv", ".sarif"}, strings.ToLower(filepath.Ext(name))) {
		return true
	}
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, 512)
	n, _ := io.ReadFull(file, head)
	return BeginsReport(head[:n])
}

// BeginsReport tells by its first bytes that something is a report of an earlier run,
// or the events of one.
func BeginsReport(head []byte) bool {
	return slices.ContainsFunc(beginnings(), func(r *regexp.Regexp) bool { return r.Match(head) })
}

// beginnings are those of the forms that have no ending of their own.
var beginnings = sync.OnceValue(func() []*regexp.Regexp {
	list := []*regexp.Regexp{regexp.MustCompile(`^(?:\xef\xbb\xbf)?\s*\{\s*"schema":\s*"wklog\.[a-z]+/v`)}
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		if say, err := messages.In(lang); err == nil {
			words := regexp.QuoteMeta(say.Say("summary"))
			list = append(list, regexp.MustCompile(`^`+strings.NewReplacer(`%d`, `\d+`, `%s`, `[^\n]+`).Replace(words)))
		}
	}
	return list
})
