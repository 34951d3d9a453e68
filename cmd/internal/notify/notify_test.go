package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/patterns"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

var message = Message{Event: []byte(`{"schema":"wklog.event/v1","pattern":"x"}`), Bulletin: report.Bulletin{
	Title: "故障 1 开始", Severity: patterns.SeverityWarning, Text: "先查看：证书 **x** <@all>", Command: "wklog check --addr config",
	Facts: []report.BulletinFact{{Name: "主机：", Value: "im01"}, {Name: "节点：", Value: "a`<@all>`"}},
}}

func TestCommandGetsTheEventAndNoShell(t *testing.T) {
	var out bytes.Buffer
	c, err := NewCommand(`cat - '/dev/null'`, &out)
	require.NoError(t, err)
	require.NoError(t, c.Send(context.Background(), message))
	assert.Equal(t, string(message.Event)+"\n", out.String())

	out.Reset()
	c, err = NewCommand(`echo "two words" $(id) '; | > x' $HOME #ops \; ""`, &out)
	require.NoError(t, err)
	require.NoError(t, c.Send(context.Background(), message))
	assert.Equal(t, "two words $(id) ; | > x $HOME #ops ; \n", out.String())
}

func TestCommandForAShellIsRefused(t *testing.T) {
	for _, line := range []string{"cat | mail ops", "cat > events", "cat; id", "true && id", "cat 2>/dev/null", "cat &"} {
		_, err := NewCommand(line, io.Discard)
		assert.ErrorIs(t, err, ErrShell, line)
	}
	for _, line := range []string{`echo "open`, "echo 'open", "echo (id)", "echo `id"} {
		_, err := NewCommand(line, io.Discard)
		assert.ErrorIs(t, err, ErrQuotes, line)
	}
}

func TestCommandThatIsMissingOrFails(t *testing.T) {
	_, err := NewCommand("no-such-program-here -x", io.Discard)
	assert.ErrorContains(t, err, "no-such-program-here")
	_, err = NewCommand("  ", io.Discard)
	assert.ErrorIs(t, err, ErrNoCommand)
	c, err := NewCommand("false", io.Discard)
	require.NoError(t, err)
	assert.ErrorContains(t, c.Send(context.Background(), message), "false: exit status 1")
}

// TestCommandThatHangsIsKilledWithItsChildren checks that a child which would
// write a file later is gone.
func TestCommandThatHangsIsKilledWithItsChildren(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	script := filepath.Join(t.TempDir(), "hang.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nsleep 100 &\necho $! > "+pid+"\nwait\n"), 0o755))
	c, err := NewCommand(script, io.Discard)
	require.NoError(t, err)
	c.timeout = 2 * time.Second
	start := time.Now()
	assert.ErrorIs(t, c.Send(context.Background(), message), ErrTooLong)
	assert.Less(t, time.Since(start), time.Minute)
	data, err := os.ReadFile(pid)
	require.NoError(t, err)
	assert.Eventually(t, func() bool {
		status, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(data)), "status"))
		return err != nil || bytes.Contains(status, []byte("State:\tZ"))
	}, time.Minute, 10*time.Millisecond, "the child still runs")
}

// server answers by a function of the number of the request.
func server(t *testing.T, reply func(n int, w http.ResponseWriter, r *http.Request, body []byte)) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var count atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		reply(int(count.Add(1)), w, r, body)
	}))
	t.Cleanup(s.Close)
	return s, &count
}

func hook(t *testing.T, address, form, secret string) *Webhook {
	t.Helper()
	w, err := NewWebhook(address, form, secret)
	require.NoError(t, err)
	w.first = time.Millisecond
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

func TestWebhookPostsTheEvent(t *testing.T) {
	s, count := server(t, func(_ int, w http.ResponseWriter, r *http.Request, body []byte) {
		assert.Equal(t, http.MethodPost, r.Method)
		assert.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
		assert.Equal(t, "t0ken", r.URL.Query().Get("access_token"))
		assert.Equal(t, string(message.Event), string(body))
	})
	require.NoError(t, hook(t, s.URL+"/?access_token=t0ken", "json", "").Send(context.Background(), message))
	assert.EqualValues(t, 1, count.Load())
}

func TestWebhookTriesAgainWhatMayPass(t *testing.T) {
	s, count := server(t, func(n int, w http.ResponseWriter, _ *http.Request, _ []byte) {
		switch n {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			conn, _, err := w.(http.Hijacker).Hijack()
			if assert.NoError(t, err) {
				conn.Close()
			}
		}
	})
	require.NoError(t, hook(t, s.URL, "json", "").Send(context.Background(), message))
	assert.EqualValues(t, 3, count.Load())
}

func TestWebhookWaitsAsLongAsItIsTold(t *testing.T) {
	var at [2]time.Time
	s, _ := server(t, func(n int, w http.ResponseWriter, _ *http.Request, _ []byte) {
		at[n-1] = time.Now()
		if n == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	require.NoError(t, hook(t, s.URL, "json", "").Send(context.Background(), message))
	assert.GreaterOrEqual(t, at[1].Sub(at[0]), time.Second)
}

func TestWebhookGivesUp(t *testing.T) {
	for name, reply := range map[string]func(w http.ResponseWriter, r *http.Request){
		"not found": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.com/", http.StatusTemporaryRedirect)
		},
	} {
		s, count := server(t, func(_ int, w http.ResponseWriter, r *http.Request, _ []byte) { reply(w, r) })
		err := hook(t, s.URL+"/?access_token=t0ken", "json", "").Send(context.Background(), message)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "t0ken")
		assert.EqualValues(t, 1, count.Load(), name)
	}
}

func TestWebhookThatNeverAnswersEndsInTime(t *testing.T) {
	release := make(chan bool)
	s, _ := server(t, func(int, http.ResponseWriter, *http.Request, []byte) { <-release })
	defer close(release)
	w := hook(t, s.URL+"/?access_token=t0ken", "json", "")
	w.client.Timeout, w.total = 50*time.Millisecond, 300*time.Millisecond
	start := time.Now()
	err := w.Send(context.Background(), message)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "t0ken")
	assert.Less(t, time.Since(start), time.Minute)
}

func TestWebhookAddressesAreChecked(t *testing.T) {
	for _, address := range []string{"ftp://example.com", "example.com/x", "http://", "https://%zz"} {
		_, err := NewWebhook(address, "json", "")
		assert.ErrorIs(t, err, ErrURL, address)
	}
	_, err := NewWebhook("https://example.com", "slack", "")
	assert.ErrorIs(t, err, ErrForm)
	assert.Equal(t, []string{"dingtalk", "feishu", "json", "wecom"}, Robots())
}

func mac(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	io.WriteString(h, text)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func TestRobotsGetTheirForms(t *testing.T) {
	const secret = "SECabc"
	checks := map[string]func(r *http.Request, body map[string]any){
		"dingtalk": func(r *http.Request, body map[string]any) {
			assert.Equal(t, "markdown", body["msgtype"])
			assert.Equal(t, map[string]any{"title": "故障 1 开始", "text": "#### 故障 1 开始\n\n- 主机： `im01`\n\n- 节点： `a'＜@all>'`\n\n先查看：证书 ＊＊x＊＊ ＜@all>\n\n`wklog check --addr config`"}, body["markdown"])
			at := r.URL.Query().Get("timestamp")
			ms, err := strconv.ParseInt(at, 10, 64)
			assert.NoError(t, err)
			assert.WithinDuration(t, time.Now(), time.UnixMilli(ms), time.Minute)
			assert.Equal(t, mac(secret, at+"\n"+secret), r.URL.Query().Get("sign"))
			assert.Equal(t, "t0ken", r.URL.Query().Get("access_token"))
		},
		"feishu": func(_ *http.Request, body map[string]any) {
			assert.Equal(t, "interactive", body["msg_type"])
			card, err := json.Marshal(body["card"])
			assert.NoError(t, err)
			assert.JSONEq(t, `{"config":{"wide_screen_mode":true},"header":{"template":"orange","title":{"tag":"plain_text","content":"故障 1 开始"}},"elements":[
				{"tag":"div","fields":[{"is_short":true,"text":{"tag":"plain_text","content":"主机：\nim01"}},{"is_short":true,"text":{"tag":"plain_text","content":"节点：\na`+"`"+`＜@all>`+"`"+`"}}]},
				{"tag":"div","text":{"tag":"plain_text","content":"先查看：证书 **x** ＜@all>"}},{"tag":"div","text":{"tag":"plain_text","content":"wklog check --addr config"}}]}`, string(card))
			at := body["timestamp"].(string)
			seconds, err := strconv.ParseInt(at, 10, 64)
			assert.NoError(t, err)
			assert.WithinDuration(t, time.Now(), time.Unix(seconds, 0), time.Minute)
			assert.Equal(t, mac(at+"\n"+secret, ""), body["sign"])
		},
		"wecom": func(_ *http.Request, body map[string]any) {
			assert.Equal(t, "markdown", body["msgtype"])
			assert.Equal(t, map[string]any{"content": "#### 故障 1 开始\n> 主机： `im01`\n> 节点： `a'＜@all>'`\n先查看：证书 ＊＊x＊＊ ＜@all>\n`wklog check --addr config`"}, body["markdown"])
		},
	}
	busy := map[string]string{
		"dingtalk": `{"errcode":130101,"errmsg":"send too fast"}`, "feishu": `{"code":11232,"msg":"frequency limited"}`, "wecom": `{"errcode":45009,"errmsg":"api freq out of limit"}`,
	}
	for form, check := range checks {
		t.Run(form, func(t *testing.T) {
			s, count := server(t, func(n int, w http.ResponseWriter, r *http.Request, data []byte) {
				var body map[string]any
				assert.NoError(t, json.Unmarshal(data, &body))
				check(r, body)
				if n == 1 {
					io.WriteString(w, busy[form])
					return
				}
				io.WriteString(w, `{"errcode":0,"errmsg":"ok"}`)
			})
			require.NoError(t, hook(t, s.URL+"/?access_token=t0ken", form, secret).Send(context.Background(), message))
			assert.EqualValues(t, 2, count.Load(), "a busy robot is asked again")
		})
	}
}

func TestRobotThatRefusesWithStatus200IsAnError(t *testing.T) {
	s, count := server(t, func(_ int, w http.ResponseWriter, _ *http.Request, _ []byte) {
		io.WriteString(w, `{"errcode":310000,"errmsg":"sign not match"}`)
	})
	assert.ErrorContains(t, hook(t, s.URL, "dingtalk", "").Send(context.Background(), message), "310000")
	assert.EqualValues(t, 1, count.Load())
	s, _ = server(t, func(_ int, w http.ResponseWriter, _ *http.Request, _ []byte) { io.WriteString(w, "<html>") })
	assert.Error(t, hook(t, s.URL, "wecom", "").Send(context.Background(), message))
}

func TestLongTextsAreCutBetweenCharacters(t *testing.T) {
	for n := range 8 {
		text := truncate(strings.Repeat("x", n)+strings.Repeat("证书", 3000), 4096)
		assert.LessOrEqual(t, len(text), 4096)
		assert.True(t, utf8.ValidString(text))
		assert.True(t, strings.HasSuffix(text, "…"))
	}
}

// slow delivers when it is let.
type slow struct {
	let  chan bool
	fail bool
}

func (s *slow) Send(ctx context.Context, _ Message) error {
	select {
	case <-s.let:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.fail {
		return fmt.Errorf("refused")
	}
	return nil
}

func TestQueueNeverWaitsAndCountsWhatItDrops(t *testing.T) {
	s := &slow{let: make(chan bool)}
	q := NewQueue(s, func(error) {})
	for range maxQueued + 50 {
		q.Send(message)
	}
	assert.GreaterOrEqual(t, q.Dropped(), int64(49), "one may be on its way")
	close(s.let)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	q.Close(ctx)
	assert.EqualValues(t, maxQueued+50, q.Sent()+q.Dropped())
}

func TestQueueEndsWithItsReceiverStuck(t *testing.T) {
	var mutex sync.Mutex
	var errs []error
	q := NewQueue(&slow{}, func(err error) { mutex.Lock(); errs = append(errs, err); mutex.Unlock() })
	q.Send(message)
	q.Send(message)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	q.Close(ctx)
	assert.EqualValues(t, 2, q.Failed()+q.Dropped())
	assert.Len(t, errs, int(q.Failed()))
}

// TestWebhookDoesNotFollow: a redirect would be asked with GET and called delivered,
// from https to http be sent in the clear, or never end.
func TestWebhookDoesNotFollow(t *testing.T) {
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, to := range map[string]string{"itself": "/again?access_token=t0ken", "elsewhere": "http://example.com/?access_token=t0ken", "nowhere": ""} {
			s, count := server(t, func(_ int, w http.ResponseWriter, r *http.Request, _ []byte) {
				assert.Equal(t, http.MethodPost, r.Method)
				if to != "" {
					w.Header().Set("Location", to)
				}
				w.WriteHeader(status)
			})
			err := hook(t, s.URL+"/?access_token=t0ken", "json", "").Send(context.Background(), message)
			require.Error(t, err)
			told := say.Error(err)
			assert.EqualValues(t, 1, count.Load(), "%d to %s", status, name)
			assert.Contains(t, told, fmt.Sprintf("answers %d", status))
			assert.NotContains(t, told, "t0ken")
			if name == "elsewhere" {
				assert.Contains(t, told, "http://example.com")
			}
		}
	}
}

// TestWebhookTellsTheLastReason: that the program ends is not why nothing was
// delivered.
func TestWebhookTellsTheLastReason(t *testing.T) {
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	reply := func(status int, after string) func(int, http.ResponseWriter, *http.Request, []byte) {
		return func(_ int, w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(status)
		}
	}
	failing, _ := server(t, reply(500, ""))
	busy, _ := server(t, reply(429, "1"))
	closed := httptest.NewServer(nil)
	closed.Close()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer untrusted.Close()
	for address, reason := range map[string]string{
		failing.URL: "500 Internal Server Error", busy.URL: "429 Too Many Requests", closed.URL: "connection refused", untrusted.URL: "x509: certificate signed by unknown authority",
	} {
		w := hook(t, address+"/?access_token=t0ken", "json", "")
		ctx, cancel := context.WithCancel(context.Background())
		tries := 0
		w.client.Transport = tripper(func(r *http.Request) (*http.Response, error) {
			if tries++; tries == 2 {
				cancel() // the program ends while it is tried again
			}
			return http.DefaultTransport.RoundTrip(r)
		})
		err := w.Send(ctx, message)
		cancel()
		assert.Contains(t, say.Error(err), reason)
		assert.NotContains(t, say.Error(err), "canceled")
		assert.NotContains(t, say.Error(err), "t0ken")
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// TestCommandThatFloodsIsBounded: where its output goes a disk may fill.
func TestCommandThatFloodsIsBounded(t *testing.T) {
	var out bytes.Buffer
	c, err := NewCommand("head -c 1000000 /dev/zero", &out)
	require.NoError(t, err)
	var excess int64
	c.OnExcess = func(bytes int64) { excess = bytes }
	for range 2 {
		out.Reset()
		require.NoError(t, c.Send(context.Background(), message))
		assert.Equal(t, maxOutput, out.Len())
		assert.EqualValues(t, 1_000_000-maxOutput, excess)
	}
}
