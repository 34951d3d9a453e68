package parser

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const handshakeLine = "-------------------------->握手失败！--------------------------> remote error: tls: bad certificate handshakeStatus13ReadClientFinished"

// anchors finds lines as a catalogue would.
type anchors struct{ block []byte }

func (a anchors) Next(from int) (at, newlines int) {
	best := -1
	for _, literal := range append([]string{"tls: ", "handshakeStatus", "panic: "}, Anchors...) {
		if at := bytes.Index(a.block[from:], []byte(literal)); at >= 0 && (best < 0 || from+at < best) {
			best = from + at
		}
	}
	end := best
	if best < 0 {
		end = len(a.block)
	}
	return best, bytes.Count(a.block[from:end], newline)
}

func search(block []byte) Finder { return anchors{block} }

func read(t *testing.T, src io.Reader) ([]*Record, Stats) {
	t.Helper()
	var records []*Record
	stats, err := Read(context.Background(), src, Options{Search: search, Zone: time.UTC}, func(r *Record) error {
		records = append(records, r)
		return nil
	})
	require.NoError(t, err)
	return records, stats
}

func TestRawLineTakesTimeFromNeighbourBefore(t *testing.T) {
	records, _ := read(t, strings.NewReader(`{"level":"info","time":"2026-05-04T09:30:01+08:00","msg":"a"}
plain text
`+handshakeLine+"\n"+`{"level":"info","time":"2026-05-04T09:30:09+08:00","msg":"b"}`+"\n"))
	require.Len(t, records, 1)
	assert.Equal(t, "2026-05-04T09:30:01+08:00", records[0].Stamp.Time.Format(time.RFC3339))
	assert.True(t, records[0].TimeInferred)
	assert.EqualValues(t, 3, records[0].Line)
}

func TestRawLineTakesTimeFromNeighbourAfter(t *testing.T) {
	records, _ := read(t, strings.NewReader(handshakeLine+"\nplain text\n"+`{"level":"info","time":"2026-05-04T09:30:09+08:00","msg":"b"}`))
	require.Len(t, records, 1)
	assert.Equal(t, "2026-05-04T09:30:09+08:00", records[0].Stamp.Time.Format(time.RFC3339))
	assert.True(t, records[0].TimeInferred)
}

func TestRawLineKeepsWrapperTime(t *testing.T) {
	records, _ := read(t, strings.NewReader("2026-05-04T01:30:00.5Z "+handshakeLine+"\n"))
	require.Len(t, records, 1)
	assert.Equal(t, "2026-05-04T01:30:00.5Z", records[0].Stamp.Time.Format(time.RFC3339Nano))
	assert.False(t, records[0].TimeInferred)
}

func TestUndatedLogIsRead(t *testing.T) {
	records, stats := read(t, strings.NewReader(strings.Repeat(handshakeLine+"\n", 3*maxUndated)))
	assert.Len(t, records, 3*maxUndated)
	assert.True(t, records[0].Stamp.IsZero())
	assert.True(t, stats.First.IsZero())
}

func TestWallClockTakesZoneFromWrapper(t *testing.T) {
	records, _ := read(t, strings.NewReader(`2026-05-04T01:30:00.000871123Z {"level":"debug","time":"2026-05-04 09:30:00","msg":"【ReactorSub-1】connection error","error":"remote error: tls: expired certificate"}`))
	require.Len(t, records, 1)
	assert.Equal(t, "2026-05-04T09:30:00+08:00", records[0].Stamp.Time.Format(time.RFC3339))
}

func TestPanicIsOneRecordBetweenOtherLines(t *testing.T) {
	records, stats := read(t, strings.NewReader(`panic: open /x/cert.pem: no such file or directory

goroutine 1 [running]:
{"level":"info","time":"2026-05-04T09:30:01+08:00","msg":"a line of stdout in between"}
main.main()
	/go/release/main.go:48 +0x27e
`+handshakeLine+"\n"))
	require.Len(t, records, 2)
	panicked := records[0]
	if panicked.Kind != KindPanic {
		panicked = records[1]
	}
	assert.Equal(t, "panic: open /x/cert.pem: no such file or directory", panicked.Subject())
	assert.Contains(t, panicked.Stack, "main.main()")
	assert.EqualValues(t, 7, stats.Lines)
	assert.EqualValues(t, 3, stats.Records)
}

func TestLongDockerLineIsJoined(t *testing.T) {
	long := `{"level":"debug","time":"2026-05-04T09:30:01+08:00","msg":"【ReactorSub-1】close connn","data":"` +
		strings.Repeat("x", 40<<10) + `","error":"remote error: tls: bad certificate"}` + "\n"
	var log strings.Builder
	for len(long) > 0 {
		n := min(len(long), dockerPiece)
		log.WriteString(dockerEntry(long[:n]))
		long = long[n:]
	}
	records, _ := read(t, strings.NewReader(log.String()))
	require.Len(t, records, 1)
	assert.Equal(t, KindClose, records[0].Kind)
	assert.Equal(t, "remote error: tls: bad certificate", records[0].Error)
	assert.EqualValues(t, 1, records[0].Line)
}

// dockerEntry is an entry of docker's json-file driver.
func dockerEntry(text string) string {
	return `{"log":` + dockerJSON(text) + `,"stream":"stdout","time":"2026-05-04T01:30:01.5Z"}` + "\n"
}

// TestDockerJSONWithoutLineEndsIsWhole: shippers trim them, and Docker cuts at 16 KiB
// and nowhere else.
func TestDockerJSONWithoutLineEndsIsWhole(t *testing.T) {
	records, stats := read(t, strings.NewReader(strings.Repeat(dockerEntry(handshakeLine), 3)))
	assert.Len(t, records, 3)
	assert.EqualValues(t, 3, stats.Records)
}

// TestPiecesOfTwoContainersInOneFileAreKeptApart: shippers put those of a host into one.
func TestPiecesOfTwoContainersInOneFileAreKeptApart(t *testing.T) {
	for _, container := range []string{`"container_name":"wk%d"`, `"kubernetes":{"pod_name":"wk%d"}`, `"container":{"id":"%d"}`} {
		var log strings.Builder
		for piece, flag := range []string{"P", "F"} {
			for n := range 2 {
				half := []string{handshakeLine[:70], handshakeLine[70:]}[piece]
				fmt.Fprintf(&log, `{"date":1777858200.1,"stream":"stdout","_p":%q,"log":%q,`+container+"}\n", flag, half, n)
			}
		}
		records, _ := read(t, strings.NewReader(log.String()))
		if assert.Len(t, records, 2, container) {
			assert.Equal(t, handshakeLine, records[0].Text)
			assert.Equal(t, handshakeLine, records[1].Text)
		}
	}
}

// TestPiecesOfEverNewContainersAreBounded: what is given up is looked at as it is.
func TestPiecesOfEverNewContainersAreBounded(t *testing.T) {
	r := newReader(Options{Zone: time.UTC}, func(*Record) error { return nil })
	records := 0
	r.dates.emit = func(*Record) error { records++; return nil }
	const containers = 3 * maxParts
	for i := range containers {
		line := fmt.Sprintf("web-%d  | 2026-05-04T01:30:02.5Z stdout P %s\n", i, handshakeLine)
		p := cutPiece(&r.opts, []byte(line), nil)
		require.NoError(t, r.take(&p))
		require.LessOrEqual(t, len(r.parts), maxParts)
	}
	_, err := r.finish(nil)
	require.NoError(t, err)
	assert.Equal(t, containers, records)
}

func TestCRIPartsAreJoined(t *testing.T) {
	records, _ := read(t, strings.NewReader(`2026-05-04T09:30:00+08:00 stdout P -------------------------->握手失败！----------------
2026-05-04T09:30:00+08:00 stderr F something else
2026-05-04T09:30:00+08:00 stdout F ----------> remote error: tls: bad certificate handshakeStatus13ReadClientFinished
`))
	require.Len(t, records, 1)
	assert.Equal(t, KindHandshake, records[0].Kind)
	assert.EqualValues(t, 1, records[0].Line)
}

func TestLineOfManyMegabytes(t *testing.T) {
	log := handshakeLine + "\n" + strings.Repeat("x", 5<<20) + " tls: \n" + handshakeLine + "\n"
	records, stats := read(t, strings.NewReader(log))
	require.Len(t, records, 2)
	assert.EqualValues(t, 3, records[1].Line)
	assert.EqualValues(t, 3, stats.Lines)
	assert.EqualValues(t, 1, stats.TooLong)
	assert.EqualValues(t, 2, stats.FirstTooLong)
	assert.EqualValues(t, len(log), stats.Bytes)
}

func TestWindowsLineEndsAndByteOrderMark(t *testing.T) {
	records, _ := read(t, strings.NewReader("\xef\xbb\xbf"+handshakeLine+"\r\n"+handshakeLine+"\r\n"))
	require.Len(t, records, 2)
	assert.Equal(t, "handshakeStatus13ReadClientFinished", records[1].State)
}

func TestBrokenSourceKeepsWhatWasRead(t *testing.T) {
	n := 0
	_, err := Read(context.Background(), iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(handshakeLine))), Options{Search: search}, func(*Record) error {
		n++
		return nil
	})
	assert.ErrorIs(t, err, iotest.ErrTimeout)
	assert.Zero(t, n)
}

// torn hands out a log in pieces of random size.
type torn struct {
	rest []byte
	rng  *rand.Rand
	most int
}

func (r *torn) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := min(len(p), len(r.rest), 1+r.rng.IntN(r.most))
	copy(p, r.rest[:n])
	r.rest = r.rest[n:]
	return n, nil
}

// readAt reads with workers in blocks of another size.
func readAt(t *testing.T, data []byte, block, workers int) ([]*Record, Stats) {
	t.Helper()
	var records []*Record
	r := newReader(Options{Search: search, Zone: time.UTC}, func(r *Record) error {
		records = append(records, r)
		return nil
	})
	r.block = block
	stats, err := r.finish(r.parallel(context.Background(), bytes.NewReader(data), int64(len(data)), workers))
	require.NoError(t, err)
	return records, stats
}

// shrinking is a file that is cut while it is read.
type shrinking struct {
	*bytes.Reader
	left int64
}

func (s shrinking) ReadAt(p []byte, off int64) (int, error) {
	if off >= s.left {
		return 0, io.EOF
	}
	return s.Reader.ReadAt(p[:min(int64(len(p)), s.left-off)], off)
}

func TestFileThatIsCutWhileItIsReadEndsThere(t *testing.T) {
	log := strings.Repeat(handshakeLine+"\n", 10_000)
	n := 0
	stats, err := ReadAt(context.Background(), shrinking{bytes.NewReader([]byte(log)), 700_000}, int64(len(log)), 2, Options{Search: search}, func(*Record) error {
		n++
		return nil
	})
	require.NoError(t, err)
	assert.EqualValues(t, 700_000, stats.Bytes)
	assert.EqualValues(t, stats.Lines-1, n, "the last line was cut")
}

func TestErrorOfTheCallerEndsTheWorkers(t *testing.T) {
	log := strings.Repeat(handshakeLine+"\n", 100_000)
	_, err := ReadAt(context.Background(), strings.NewReader(log), int64(len(log)), 4, Options{Search: search}, func(*Record) error {
		return io.ErrClosedPipe
	})
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}

// TestResultDoesNotDependOnPieces reads every recorded log in pieces down to
// one byte and demands the records and counts of one piece.
func TestResultDoesNotDependOnPieces(t *testing.T) {
	logs, err := filepath.Glob("../testdata/wukongim/scenarios/*.log")
	require.NoError(t, err)
	more, err := filepath.Glob("../testdata/wukongim/servers/*/stdout.log")
	require.NoError(t, err)
	for _, name := range append(logs, more...) {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		want, wantStats := read(t, bytes.NewReader(data))
		for _, most := range []int{1, 7, 100, 5000} {
			got, stats := read(t, &torn{rest: data, rng: rand.New(rand.NewPCG(1, uint64(most))), most: most})
			require.Equal(t, len(want), len(got), "%s in pieces of %d", name, most)
			for i := range want {
				require.Equal(t, want[i], got[i], "%s in pieces of %d", name, most)
			}
			require.Equal(t, wantStats, stats, "%s in pieces of %d", name, most)
		}
		for _, block := range []int{1, 13, 4096} {
			got, stats := readAt(t, data, block, 3)
			require.Equal(t, want, got, "%s by workers in blocks of %d", name, block)
			require.Equal(t, wantStats, stats, "%s by workers in blocks of %d", name, block)
		}
	}
}

func TestLastNewlineIsTheLast(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := make([]byte, rng.IntN(40))
		for i := range b {
			b[i] = "\n\x0b\x8a\x00\xff\x09a"[rng.IntN(7)]
		}
		require.Equal(t, bytes.LastIndexByte(b, '\n'), lastNewline(b), "%q", b)
	}
}

// nearbyLines reads a candidate, some lines, and a line that matters near one.
func nearbyLines(t *testing.T, lines int, src func(log string) io.Reader) int {
	t.Helper()
	log := "tls: a candidate\n" + strings.Repeat("a line\n", lines) + "evidence\n"
	opts := Options{Search: search, Zone: time.UTC, Nearby: func(lines []byte) int { return bytes.Index(lines, []byte("evidence")) }}
	n := 0
	_, err := Read(context.Background(), src(log), opts, func(*Record) error { n++; return nil })
	require.NoError(t, err)
	return n
}

// TestEvidenceCountsInTheTwentyLinesAfterACandidate, in one block and in many.
func TestEvidenceCountsInTheTwentyLinesAfterACandidate(t *testing.T) {
	whole := func(log string) io.Reader { return strings.NewReader(log) }
	pieces := func(log string) io.Reader { return iotest.OneByteReader(strings.NewReader(log)) }
	for _, src := range []func(string) io.Reader{whole, pieces} {
		assert.Equal(t, 2, nearbyLines(t, 0, src))
		assert.Equal(t, 2, nearbyLines(t, 19, src))
		assert.Equal(t, 1, nearbyLines(t, 20, src))
	}
}

// TestTraceGoesOnAfterTwentyOtherLines: standard output stands in the trace of a
// panic that standard error printed, but a later trace is none of it.
func TestTraceGoesOnAfterTwentyOtherLines(t *testing.T) {
	for others, joined := range map[int]bool{0: true, 20: true, 21: false} {
		records, _ := read(t, strings.NewReader("panic: tls: failed to parse private key\n\ngoroutine 1 [running]:\n"+
			strings.Repeat(`{"level":"info","time":"2026-05-04T09:30:01+08:00","msg":"a line of stdout"}`+"\n", others)+
			"main.main()\n\t/go/release/main.go:48 +0x27e\n"))
		require.Len(t, records, 1)
		assert.Equal(t, joined, strings.Contains(records[0].Stack, "main.main()"), "%d other lines", others)
	}
}
