package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"wklog/parser"
)

const (
	// patience is how long an engine may be silent within an answer: both engines cut a
	// query themselves after half a minute.
	patience = 60 * time.Second
	// longestRetry is how long an engine that is busy or gone is waited for.
	longestRetry = 2 * time.Minute
	// parallel is how many requests run at the same time. More only queue in a small
	// engine, and cost it the same.
	parallel = 2
)

// backend is what one engine has of its own.
type backend interface {
	// query is a query for the entries of streams that hold one of the literals.
	query(selector string, f Filter) string
	// besides is one for those that hold one of some literals, or for all where there are
	// none, and that the filter does not choose.
	besides(selector string, literals []string, f Filter) string
	// ofReasons narrows a query to the entries whose reason is, or is not, one of some.
	ofReasons(query string, is bool, reasons []string) string
	// count tells how many entries of a query there are of each group within a span.
	count(ctx context.Context, query string, span Span, streams []Stream, tell func(Group, int64)) error
	// within is the selector of one stream that a query's selector chose.
	within(selector, stream string) string
	// read hands the entries of a span to emit: at most limit of them where the engine
	// hands out pages.
	read(ctx context.Context, query string, span Span, limit int, emit func(*Entry) error) error
	// streams lists the streams that a selector chooses.
	streams(ctx context.Context, selector string, span Span) ([]Stream, error)
	// traffic tells when the streams were written to, in the order of time, in parts of
	// about so long.
	traffic(ctx context.Context, selector string, span Span, step time.Duration, streams []Stream, tell func(Wrote)) error
	// names lists what a selector can be made of.
	names(ctx context.Context, span Span) ([]string, error)
	// most is the most entries that one page may have, 0 where there are no pages, and
	// first the widest span that is asked for at once.
	most() int
	first() time.Duration
}

// Stream is one of an engine's streams.
type Stream struct {
	Labels parser.Labels
	// Selector chooses it alone.
	Selector string
	// Job is its label job.
	Job string
}

func (s *Stream) add(name, value string) {
	s.Labels.Add(name, value)
	if name == "job" {
		s.Job = value
	}
}

// Client asks one engine.
type Client struct {
	Address
	*access
	backend
	// writer is what the labels of an entry begin with.
	writer parser.Labels
	// patience is that of the constant; tests have less.
	patience time.Duration
	elapsed  time.Duration

	// Requests that were sent, and bytes that the engine says it looked at.
	Requests, Scanned atomic.Int64
	// reached says that the engine answered once: until then its address may be wrong, and
	// nothing is waited for.
	reached atomic.Bool
	// cap is the most entries of a page that the engine gives, as far as is known.
	cap atomic.Int64
}

// NewClient prepares to ask an engine. A node is named by a label, or by the first that
// is known where that is empty.
func NewClient(a *Address, nodeLabel string, env func(string) string) (*Client, error) {
	access, err := newAccess(a, env)
	if err != nil {
		return nil, err
	}
	c := &Client{Address: *a, access: access, patience: patience, elapsed: longestRetry}
	if nodeLabel != "" {
		c.writer = parser.NodeLabel(nodeLabel)
	}
	c.backend = kinds[a.Engine].speaks(c)
	c.cap.Store(int64(c.most()))
	return c, nil
}

// Streams lists the streams that the selector chooses. Where an engine cuts that, it is
// asked for a later and later part of the span; whole says that the list is of all of it.
func (c *Client) Streams(ctx context.Context, span Span) (list []Stream, whole bool, err error) {
	const times = 8
	asked := span
	for range times {
		if list, err = c.streams(ctx, c.Selector, asked); err == nil || !isTooWide(err) || ctx.Err() != nil {
			return list, asked == span, err
		}
		asked.From = asked.Until.Add(-asked.width() / 4)
	}
	return nil, false, &Gap{Span: span, Err: err}
}

// Wrote is how much was written to a stream from a time to another. Amounts of one engine
// can be compared.
type Wrote struct {
	Stream
	From, Until time.Time
	Amount      int64
}

// within cuts off what is outside of a span.
func (w *Wrote) within(span Span) {
	if w.From.Before(span.From) {
		w.From = span.From
	}
	if w.Until.After(span.Until) {
		w.Until = span.Until
	}
}

// Traffic tells when the streams were written to, which their failures alone do not show: a
// server that goes on without failures is well. Of an engine that does not tell it at little
// cost nothing is known.
func (c *Client) Traffic(ctx context.Context, span Span, streams []Stream, tell func(Wrote)) error {
	const parts = 100
	return c.traffic(ctx, c.Selector, span, max(span.width()/parts, time.Second), streams, tell)
}

// Names lists some selectors that choose something.
func (c *Client) Names(ctx context.Context, span Span) ([]string, error) { return c.names(ctx, span) }

// Filter chooses the entries that hold one of its literals; all where there are none.
type Filter struct {
	Literals []string
	// BeginsWord tells of a literal that it begins and ends where words do, but for one of
	// several words, which may end within one; nil where all do.
	BeginsWord func(literal string) bool
}

// Query is what is asked of an engine, vlogs or loki, for the entries that a filter chooses
// of those that a selector does, where nobody can look which there are. ErrAddress is
// returned for another engine, ErrUnbound for a selector that it refuses.
func Query(engine, selector string, f Filter) (string, error) {
	kind, ok := kinds[engine]
	if !ok {
		return "", ErrAddress
	}
	if engine == "loki" {
		if selector = cmp.Or(selector, lokiStreams); !demands(selector) {
			return "", ErrUnbound
		}
	}
	return kind.speaks(nil).query(selector, f), nil
}

// ErrUnbound says that a stream without labels would be chosen, which Loki refuses.
var ErrUnbound = errors.New("the selector demands no label")

// StatusError is an answer that is none.
type StatusError struct {
	Code int
	// Text is what the engine says, without secrets of the request.
	Text string
}

func (e *StatusError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("HTTP %d", e.Code)
	}
	return fmt.Sprintf("HTTP %d: %s", e.Code, e.Text)
}

// ErrBroken says that an answer was cut off, or did not come.
var ErrBroken = errors.New("the engine cut its answer off")

// ask sends a request and hands the body of its answer to take, again where the engine is
// busy or not there. What take was given of an answer that was cut is not whole.
func (c *Client) ask(ctx context.Context, path string, form url.Values, take func(io.Reader) error) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = max(c.shortest, time.Millisecond), max(c.longest, time.Millisecond)
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		last = c.once(ctx, path, form, take)
		if busy, after := isBusy(last); busy && after > 0 {
			return struct{}{}, &backoff.RetryAfterError{Duration: after}
		} else if last != nil && (!busy || !c.reached.Load()) {
			return struct{}{}, backoff.Permanent(last)
		}
		return struct{}{}, last
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(c.retries+1), backoff.WithMaxElapsedTime(c.elapsed))
	if err != nil && ctx.Err() == nil {
		return last
	}
	return err
}

// small asks for an answer that costs an engine little, once more where it was cut: one cut,
// of a proxy or a restart, says little, but for one that took so long that the engine may
// have given up. What costs it much is asked for in parts then, and not by this. Each time
// take begins anew.
func (c *Client) small(ctx context.Context, path string, form url.Values, take func(io.Reader) error) error {
	begun := time.Now()
	err := c.ask(ctx, path, form, take)
	if errors.Is(err, ErrBroken) && time.Since(begun) < c.patience/4 {
		err = c.ask(ctx, path, form, take)
	}
	return err
}

// busyError is an engine that says when to ask again.
type busyError struct {
	StatusError
	after time.Duration
}

func (e *busyError) Unwrap() error { return &e.StatusError }

// isBusy tells whether the same request may be sent again, and after which time if the
// engine says so: it was not begun.
func isBusy(err error) (is bool, after time.Duration) {
	var busy *busyError
	if errors.As(err, &busy) {
		return true, busy.after
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial", 0
}

func (c *Client) once(ctx context.Context, path string, form url.Values, take func(io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(c.patience, func() { cancel(ErrBroken) })
	defer silent.Stop()
	target := c.Base
	target.Path += path
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	c.sign(r)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Loki-Response-Encoding-Flags", "categorize-labels")
	c.Requests.Add(1)
	answer, err := c.client.Do(r)
	if err != nil {
		return withoutAddress(ctx, err)
	}
	defer answer.Body.Close()
	c.reached.Store(true)
	body := &heard{answer.Body, c, silent}
	if answer.StatusCode != http.StatusOK {
		return refusal(answer, body)
	}
	if err := take(body); err != nil {
		return withoutAddress(ctx, err)
	}
	return nil
}

// heard is patient as long as something comes.
type heard struct {
	io.Reader
	client *Client
	silent *time.Timer
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if n > 0 {
		h.silent.Reset(h.client.patience)
	}
	if err != nil && err != io.EOF && !errors.Is(err, context.Canceled) {
		// VictoriaLogs that gives up writes its reason where the next chunk should be.
		err = fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return n, err
}

// refusal reads what the engine says in place of an answer.
func refusal(answer *http.Response, body io.Reader) error {
	const most = 600
	text, _ := io.ReadAll(io.LimitReader(body, most))
	e := StatusError{answer.StatusCode, parser.Readable(strings.Join(strings.Fields(string(text)), " "))}
	if e.Code != http.StatusTooManyRequests && (e.Code != http.StatusServiceUnavailable || e.namesLimit()) {
		return &e // to ask for the same again would end the same way
	}
	return &busyError{e, retryAfter(answer.Header.Get("Retry-After"), time.Now())}
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// withoutAddress takes the address from an error, and says of one that ended an answer
// that it did.
func withoutAddress(ctx context.Context, err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if !errors.Is(err, ErrBroken) && (errors.Is(context.Cause(ctx), ErrBroken) || isCutOff(err)) {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return err
}

// isCutOff tells of an error whether the connection ended within a request or an answer.
func isCutOff(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrCut) ||
		errors.As(err, &op) && op.Op != "dial" || strings.Contains(err.Error(), "http2: ") || strings.Contains(err.Error(), `malformed HTTP response ""`) || strings.Contains(err.Error(), "server closed")
}

// isTooWide tells whether an engine gave up on a span that was too wide for it, so that a
// part of it may be read.
func isTooWide(err error) bool {
	var status *StatusError
	switch {
	case errors.Is(err, ErrBroken), errors.Is(err, errTooMuch):
		return true
	case !errors.As(err, &status):
		return false
	case status.Code >= 500 && status.Code != http.StatusServiceUnavailable:
		return true
	}
	return status.Code != http.StatusTooManyRequests && status.namesLimit()
}

// namesLimit tells whether the engine says that a query was too much for a limit of its, of
// which a part of the time may be below (for Loki docs/sources/shared/troubleshoot-query.md,
// and what older ones say).
func (e *StatusError) namesLimit() bool {
	return slices.ContainsFunc([]string{
		"exceeds the limit", "exceeds limit", "length > limit", "too many bytes", "time range", "the query hit the", "limit exceeded", "limit reached",
		"maxQueryTimeRange", "maxQueryDuration",
	}, func(limit string) bool { return strings.Contains(e.Text, limit) })
}

// isTooOld tells whether Loki says that it keeps nothing of so long ago, or shows nothing of
// it (max_query_lookback): of what is later it may.
func isTooOld(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && strings.Contains(status.Text, "no longer available")
}

// errTooMuch ends an answer of which more is not held.
var errTooMuch = errors.New("more than is held at once")
