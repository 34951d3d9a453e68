package doctor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/source"
)

// mostLines of a log are asked for, the newest: where it may be longer that is told.
const mostLines = 1_000_000

// newestLines are how many of the newest lines of a log one piece after the other goes back
// to: where the time is up, what was not read is the oldest.
var newestLines = []int{20_000, 100_000, 300_000, mostLines}

// Tail reads a log from a time on, zero for all, its newest lines first. Each of its pieces
// is in the order of the log, and is read when the one before was.
type Tail struct {
	log   Log
	since time.Time
	sizes []int

	// begin is how the newest lines begin that were read to their end, nil for none.
	begin []byte
	// ended says that nothing is left to be read, broken that no more can be: what was read
	// of a piece would come again with the next.
	ended, broken bool
}

// Tail reads the log so.
func (l Log) Tail(since time.Time) *Tail { return &Tail{log: l, since: since, sizes: newestLines} }

// Pieces begin to read them, and give nil for one that does not exist.
func (t *Tail) Pieces() (all []func(context.Context) (io.ReadCloser, error)) {
	for i := range t.sizes {
		all = append(all, func(ctx context.Context) (io.ReadCloser, error) { return t.open(ctx, i) })
	}
	return all
}

func (t *Tail) open(ctx context.Context, i int) (io.ReadCloser, error) {
	switch {
	case t.ended, t.broken:
		return nil, nil
	case ctx.Err() != nil:
		return nil, t.Unread()
	}
	r, err := t.log.Open(ctx, t.since, t.sizes[i])
	if err != nil {
		return nil, t.failed(ctx, err)
	}
	p := &piece{ReadCloser: r, ctx: ctx, tail: t, lines: bufio.NewReaderSize(r, 64<<10), most: t.sizes[i], last: i == len(t.sizes)-1, begins: true}
	if i > 0 {
		p.until, p.most = t.begin, t.sizes[i]-t.sizes[i-1]
	}
	return p, nil
}

// Unread says what was not read when the time was up, nil for nothing.
func (t *Tail) Unread() error {
	if t.ended {
		return nil
	}
	return source.OnlyFrom(t.begin != nil, timeIn(t.begin))
}

// failed notes that a piece could not be read to its end.
func (t *Tail) failed(ctx context.Context, err error) error {
	t.broken = true
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return t.Unread()
	}
	return err
}

// ofJournal is the time of a line of journalctl as JSON, in microseconds
// (systemd.journal-fields(7)).
var ofJournal = regexp.MustCompile(`"__REALTIME_TIMESTAMP":"(\d{1,18})"`)

// timeIn is the time of a line as its engine writes it, zero where there is none.
func timeIn(line []byte) time.Time {
	word, _, _ := bytes.Cut(line, []byte(" "))
	at, err := time.Parse(time.RFC3339Nano, string(word))
	if found := ofJournal.FindSubmatch(line); err != nil && found != nil {
		var micros int64
		micros, err = strconv.ParseInt(string(found[1]), 10, 64)
		at = time.UnixMicro(micros)
	}
	if err != nil {
		return time.Time{}
	}
	return at
}

// mostBegin bytes of a line tell it from others: its time is among them.
const mostBegin = 4 << 10

// piece are the lines of a log up to those that were read before.
type piece struct {
	io.ReadCloser
	ctx   context.Context
	tail  *Tail
	lines *bufio.Reader
	// until is how the line begins behind the last, nil for the end; most are all lines.
	until []byte
	most  int
	last  bool

	first  []byte
	read   int
	begins bool // a line
	left   []byte
	err    error
}

// Read gives whole lines as long as they fit.
func (p *piece) Read(b []byte) (n int, err error) {
	for n < len(b) && (n == 0 || p.lines.Buffered() > 0) {
		if len(p.left) == 0 {
			if p.err == nil {
				p.next()
			}
			if len(p.left) == 0 && p.err != nil {
				break
			}
		}
		copied := copy(b[n:], p.left)
		n, p.left = n+copied, p.left[copied:]
	}
	if n > 0 {
		return n, nil
	}
	return 0, p.err
}

// next takes a line, or as much of it as is kept at once.
func (p *piece) next() {
	part, err := p.lines.ReadSlice('\n')
	if p.begins && len(part) > 0 {
		begin := part[:min(len(part), mostBegin)]
		if p.until != nil && (p.read == p.most || bytes.Equal(begin, p.until)) {
			p.end()
			return
		}
		if p.read++; p.read == 1 {
			p.first = slices.Clone(begin)
		}
	}
	p.begins = err == nil
	p.left = part
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
	case err == io.EOF:
		p.end()
	case err != nil:
		p.err = p.tail.failed(p.ctx, err)
	}
}

// end notes that it was read to its end.
func (p *piece) end() {
	t, few := p.tail, p.read < p.most
	if p.first != nil {
		t.begin = p.first
	}
	// Lines that were written meanwhile push old ones out of those that were asked for.
	full := p.read*10 >= p.most*9
	t.ended = p.last || p.read == 0 || p.until == nil && few
	if p.err = io.EOF; p.last && full {
		p.err = messages.NewError("doctor.newest", p.tail.sizes[len(p.tail.sizes)-1])
	}
}
