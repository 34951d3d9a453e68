package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"

	"wklog/cmd/internal/messages"
)

// Errors about webhooks.
var (
	ErrURL  = errors.New("the address must be an http or https URL with a host")
	ErrForm = errors.New("unknown form")
)

const (
	webhookTimeout = 5 * time.Second  // of one try
	webhookTotal   = 60 * time.Second // of all tries
	maxReply       = 16 << 10         // bytes of a reply that are read
)

// Webhook posts each message to an address.
type Webhook struct {
	url    *url.URL
	form   robot
	secret string
	client *http.Client
	first  time.Duration // before the second try
	total  time.Duration
}

// NewWebhook posts in a form: json is the event itself, the others are those of
// Robots. A secret signs the messages of robots that were set up with one.
func NewWebhook(address, form, secret string) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, ErrURL // the address itself holds a token
	}
	r, ok := robots[form]
	if !ok {
		return nil, ErrForm
	}
	w := &Webhook{url: u, form: r, secret: secret, first: time.Second, total: webhookTotal}
	w.client = &http.Client{Timeout: webhookTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // it would be asked with GET, or without TLS, and be called delivered
	}}
	return w, nil
}

// Send posts a message. What may pass is tried again with growing pauses: errors
// of the network, 429, 5xx, and a robot's reply that it is asked too often. The error
// is that of the last try, not that the time is over.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = w.first
	last := error(messages.NewError("error.webhook.late"))
	_, err := backoff.Retry(ctx, func() (bool, error) {
		err := w.try(ctx, m)
		var later *laterError
		switch {
		case err == nil:
			return true, nil
		case ctx.Err() != nil: // the try itself was ended
			return false, err
		case errors.As(err, &later):
			last = errors.New(later.status)
			return false, backoff.RetryAfter(later.seconds)
		}
		last = reasonOf(err)
		return false, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(w.total), backoff.WithMaxTries(6))
	if err != nil {
		return messages.NewError("error.webhook.failed", w.url.Host, last)
	}
	return nil
}

// laterError is a reply that says when to try again.
type laterError struct {
	status  string
	seconds int
}

func (e *laterError) Error() string { return e.status }

// reasonOf drops from an error what stands around its reason: the address in one of
// net/http holds a token.
func reasonOf(err error) error {
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		err = permanent.Unwrap()
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		return inner.Err
	}
	return err
}

func (w *Webhook) try(ctx context.Context, m Message) error {
	body, query, err := w.form.request(m, w.secret, time.Now())
	if err != nil {
		return backoff.Permanent(err)
	}
	to := *w.url
	values := to.Query()
	for key := range query {
		values.Set(key, query.Get(key))
	}
	to.RawQuery = values.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "wklog")
	res, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return err
	}
	return w.outcome(res, reply)
}

// outcome tells whether the message was taken, and if not whether to try again.
func (w *Webhook) outcome(res *http.Response, reply []byte) error {
	switch {
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		const longest = 30
		if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
			return &laterError{res.Status, min(seconds, longest)}
		}
		return errors.New(res.Status)
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return backoff.Permanent(messages.NewError("error.webhook.redirect", res.StatusCode, placeOf(res)))
	case res.StatusCode >= 400:
		return backoff.Permanent(errors.New(res.Status))
	}
	return w.form.outcome(reply)
}

// placeOf is to where a reply sends, without what may be a token.
func placeOf(res *http.Response) string {
	to, err := res.Location()
	if err != nil {
		return "?"
	}
	return to.Scheme + "://" + to.Host
}

// replyCode is how the robots tell errors with status 200.
type replyCode struct {
	ErrCode int    `json:"errcode"`
	ErrMsg  string `json:"errmsg"`
	Code    int    `json:"code"`
	Msg     string `json:"msg"`
}

func (r robot) outcome(reply []byte) error {
	if r.busy == nil {
		return nil
	}
	var said replyCode
	if err := json.Unmarshal(reply, &said); err != nil {
		return backoff.Permanent(errors.New("the reply is not that of the robot"))
	}
	code := said.ErrCode + said.Code // one of them is always absent
	if code == 0 {
		return nil
	}
	err := fmt.Errorf("the robot refused: %d %.200q", code, said.ErrMsg+said.Msg)
	if r.busy[code] {
		return err
	}
	return backoff.Permanent(err)
}
