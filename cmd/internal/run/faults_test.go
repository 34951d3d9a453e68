package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/source"
	"wklog/cmd/internal/source/engine"
	"wklog/parser"
	"wklog/patterns"
)

// TestTimeThatIsUpIsToldByWhoReadsAllLogs: the log of which a part was not read has no error of
// its own, which would hide from when on it was.
func TestTimeThatIsUpIsToldByWhoReadsAllLogs(t *testing.T) {
	for _, failed := range []error{context.DeadlineExceeded, io.ErrUnexpectedEOF} {
		q := &queue{ctx: t.Context(), scan: func(context.Context, *source.Log, func(*parser.Record) error) (parser.Stats, error) {
			return parser.Stats{}, failed
		}}
		q.changed.L = &q.mutex
		assert.ErrorIs(t, q.Read(&source.Log{}), failed)
		items := q.take(nil)
		assert.Equal(t, failed == context.DeadlineExceeded, items[len(items)-1].end.err == nil)
	}
}

// faulty is a file or a stream that ends with an error in the middle.
type faulty struct {
	data []byte
	at   int64
	err  error
	read int64
}

func (f *faulty) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= f.at {
		return 0, f.err
	}
	n := copy(p, f.data[offset:f.at])
	if n < len(p) {
		return n, f.err
	}
	return n, nil
}

func (f *faulty) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.read)
	f.read += int64(n)
	return n, err
}

const (
	faultyLines = 20_000
	faultyLine  = "2026/05/04 01:30:00 http: TLS handshake error from 10.0.%03d.%03d:4711: remote error: tls: unknown certificate\n"
)

func faultyLog() []byte {
	var b bytes.Buffer
	for n := range faultyLines {
		fmt.Fprintf(&b, faultyLine, n/256, n%256)
	}
	return b.Bytes()
}

func faultyCore(t *testing.T) *Core {
	c, err := patterns.Load()
	require.NoError(t, err)
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	return NewCore(a, c.ReadOptions(), nil)
}

// TestFaultInTheMiddleIsNamedWithWhatCameBefore: of a file that several workers read,
// and of a stream.
func TestFaultInTheMiddleIsNamedWithWhatCameBefore(t *testing.T) {
	data := faultyLog()
	line := len(data) / faultyLines
	for _, fault := range []error{syscall.EIO, syscall.ESTALE, syscall.EINTR, errors.New("connection lost")} {
		for _, before := range []int{0, 1, faultyLines / 2, faultyLines - 1} {
			for _, workers := range []int{0, 1, 3} {
				name := fmt.Sprintf("%v after %d lines, %d workers", fault, before, workers)
				f := &faulty{data: data, at: int64(before * line), err: fault}
				count := 0
				emit := func(*parser.Record) error { count++; return nil }
				b := &Batch{Core: faultyCore(t)}
				log := &source.Log{Name: "log", Size: int64(len(data)), Reader: f}
				if workers > 0 {
					log.File, log.Workers = f, workers
				}
				stats, err := b.scan(t.Context(), log, emit)
				assert.ErrorIs(t, err, fault, name)
				assert.Equal(t, before, count, name)
				assert.EqualValues(t, before, stats.Lines, name)
			}
		}
	}
}

// TestFileThatShrinksIsNamed: it ends where it ends now, and that is said.
func TestFileThatShrinksIsNamed(t *testing.T) {
	data := faultyLog()
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	half := len(data) / 2 / (len(data) / faultyLines) * (len(data) / faultyLines)
	for _, workers := range []int{1, 3} {
		count := 0
		log := &source.Log{Name: "log", Size: int64(len(data)), File: &faulty{data: data, at: int64(half), err: io.EOF}, Workers: workers}
		b := &Batch{Core: faultyCore(t)}
		_, err := b.scan(t.Context(), log, func(*parser.Record) error { count++; return nil })
		assert.ErrorIs(t, err, source.ErrShrunk)
		assert.Contains(t, Reason(err, say), "became shorter")
		assert.Equal(t, faultyLines/2, count)
	}
}

// TestStreamThatFailsIsReportedWithItsFailures: from standard input to the document.
func TestStreamThatFailsIsReportedWithItsFailures(t *testing.T) {
	data := faultyLog()
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	b := &Batch{
		Core: faultyCore(t), Args: []string{source.Stdin}, Jobs: 2,
		Stdin: source.NewStream(t.Context(), &faulty{data: data, at: int64(len(data)), err: syscall.EIO}),
	}
	failures := b.Run(t.Context())
	doc, _ := b.Document(Facts{Say: say, Generated: time.Time{}}, failures)
	assert.Equal(t, faultyLines, doc.Summary.Events)
	require.Len(t, doc.Errors, 1)
	assert.True(t, strings.Contains(doc.Errors[0].Message, "input/output error"), doc.Errors[0].Message)
}

// TestGapOfAnEngineIsNamedWithItsTimes, whatever the reason is.
func TestGapOfAnEngineIsNamedWithItsTimes(t *testing.T) {
	from := time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		say, err := messages.In(lang)
		require.NoError(t, err)
		for _, reason := range []error{engine.ErrBroken, engine.ErrAnswer, errors.New("403 Forbidden")} {
			text := Reason(&engine.Gap{Span: engine.Span{From: from, Until: from.Add(time.Hour)}, Err: fmt.Errorf("%w: x", reason)}, say)
			assert.Contains(t, text, "2026-05-04 01:30:00 +00:00")
			assert.Contains(t, text, "2026-05-04 02:30:00 +00:00")
			assert.Contains(t, text, Reason(reason, say))
		}
		assert.Contains(t, Reason(&source.Later{Err: engine.ErrBroken}, say), Reason(engine.ErrBroken, say))
		assert.NotEqual(t, Reason(engine.ErrBroken, say), Reason(&source.Later{Err: engine.ErrBroken}, say))
	}
}
