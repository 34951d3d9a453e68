package parser

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parseLine(line string) Record { return *Parse(Unwrap([]byte(line))) }

func wall(hour, minute, sec, nano int) Stamp {
	return Stamp{Time: time.Date(2026, 11, 23, hour, minute, sec, nano, time.UTC)}
}

// parseCase is a line and the record that it must give; Text is the line.
type parseCase struct {
	name    string
	line    string
	want    Record
	subject string
}

func runParseCases(t *testing.T, cases []parseCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := parseLine(c.line)
			sameStamp(t, c.want.Stamp, got.Stamp)
			assert.Equal(t, !c.want.Stamp.IsZero(), got.OwnTime)
			assert.Equal(t, c.subject, got.Subject())
			want := c.want
			want.Stamp, want.OwnTime, want.Text, want.Wrapper = got.Stamp, got.OwnTime, Readable(c.line), WrapperNone
			assert.Equal(t, want, got)
			if !c.want.Stamp.IsZero() {
				own, ok := Stamps([]byte(c.line))
				assert.True(t, ok, "Stamps")
				sameStamp(t, c.want.Stamp, own)
			}
		})
	}
}

func TestParseHandshake(t *testing.T) {
	const arrow = "-------------------------->"
	alert := Record{Kind: KindHandshake, Error: "remote error: tls: unknown certificate", State: "handshakeStatus13ReadClientFinished"}
	runParseCases(t, []parseCase{
		{"as printed", rawLine, alert, alert.Error},
		{"garbled by GBK", strings.Replace(rawLine, "握手失败！-", "鎻℃墜澶辫触锛?", 1), alert, alert.Error},
		{"in GBK", strings.Replace(rawLine, "握手失败！", "\xce\xd5\xca\xd6\xca\xa7\xb0\xdc\xa3\xa1", 1), alert, alert.Error},
		{"invalid UTF-8", strings.Replace(rawLine, "握手失败！", "\xff\xfe", 1), alert, alert.Error},
		{"arrows escaped for JSON", strings.ReplaceAll(rawLine, ">", `\u003e`), alert, alert.Error},
		{"arrows escaped for HTML", strings.ReplaceAll(rawLine, ">", "&gt;"), alert, alert.Error},
		{"behind an unknown prefix", "wk.log: " + rawLine, alert, alert.Error},
		{"cut out of JSON", strings.ReplaceAll(rawLine, ">", `\u003e`) + `\n","stream":"stdout"`, alert, alert.Error},
		{"without state", arrow + "握手失败！" + arrow + " EOF", Record{Kind: KindHandshake, Error: "EOF"}, "EOF"},
		{"trailing blanks", rawLine + " \t", alert, alert.Error},
		{"error with brackets", arrow + "握手失败！" + arrow + " tls: client offered only unsupported versions: [300] handshakeStatusUnknown",
			Record{Kind: KindHandshake, Error: "tls: client offered only unsupported versions: [300]", State: "handshakeStatusUnknown"},
			"tls: client offered only unsupported versions: [300]"},
	})
}

func TestParseClose(t *testing.T) {
	fields := map[string]string{"id": "1", "fd": "153"}
	runParseCases(t, []parseCase{
		{"v2.2", `{"level":"debug","time":"2026-11-23T04:44:58.944529576+00:00","msg":"【ReactorSub-1】close connn","error":"remote error: tls: bad certificate","id":1,"fd":153}`,
			Record{Kind: KindClose, Stamp: zoned(wall(4, 44, 58, 944529576).Time), Level: "debug", Logger: "ReactorSub-1",
				Message: "close connn", Error: "remote error: tls: bad certificate", Fields: fields}, "remote error: tls: bad certificate"},
		{"v1.2.6", `{"level":"debug","time":"2026-11-23 10:11:12","msg":"【ReactorSub-1】connection error","error":"remote error: tls: unknown certificate","id":1,"fd":153}`,
			Record{Kind: KindClose, Stamp: wall(10, 11, 12, 0), Level: "debug", Logger: "ReactorSub-1",
				Message: "connection error", Error: "remote error: tls: unknown certificate", Fields: fields}, "remote error: tls: unknown certificate"},
		{"v1.0.5", `{"level":"warn","time":"2026-11-23 08:47:44","msg":"【ReactorSub-4】failed to read","error":"tls: first record does not look like a TLS handshake"}`,
			Record{Kind: KindClose, Stamp: wall(8, 47, 44, 0), Level: "warn", Logger: "ReactorSub-4", Message: "failed to read",
				Error: "tls: first record does not look like a TLS handshake"}, "tls: first record does not look like a TLS handshake"},
		{"v2.0 with linenum", `{"level":"debug","time":"2026-11-23 08:47:44.120","linenum":"/go/release/pkg/wknet/reactor_sub.go:124","msg":"【ReactorSub-0】close connn","error":"handshake error: bad \"Upgrade\" header","id":1,"fd":153}`,
			Record{Kind: KindClose, Stamp: wall(8, 47, 44, 120e6), Level: "debug", Logger: "ReactorSub-0", Message: "close connn",
				Error:  `handshake error: bad "Upgrade" header`,
				Fields: map[string]string{"id": "1", "fd": "153", "linenum": "/go/release/pkg/wknet/reactor_sub.go:124"}}, `handshake error: bad "Upgrade" header`},
		{"without error", `{"level":"debug","msg":"【ReactorSub-0】close connn"}`,
			Record{Kind: KindClose, Level: "debug", Logger: "ReactorSub-0", Message: "close connn"}, "close connn"},
	})
}

func TestParseZap(t *testing.T) {
	runParseCases(t, []parseCase{
		{"healthy record", `{"level":"info","time":"2026-11-23T12:28:46.2+08:00","msg":"【raft.node[56]】become leader","term":1,"replicas":[]}`,
			Record{Kind: KindZap, Stamp: zoned(wall(4, 28, 46, 200e6).Time), Level: "info", Logger: "raft.node[56]", Message: "become leader",
				Fields: map[string]string{"term": "1", "replicas": "[]"}}, "become leader"},
		{"ClientHello on the TCP port", `{"level":"warn","time":"2026-11-23T04:44:58+00:00","msg":"【Server】frameType is not CONNECT, closing connection","frameType":"UNKNOWN[14]","data":"\u0016\u0003\u0001\u0000\ufffd"}`,
			Record{Kind: KindZap, Stamp: zoned(wall(4, 44, 58, 0).Time), Level: "warn", Logger: "Server", Message: "frameType is not CONNECT, closing connection",
				Fields: map[string]string{"frameType": "UNKNOWN[14]", "data": "\x16\x03\x01\x00\ufffd"}}, "frameType is not CONNECT, closing connection"},
		{"listener panic", `{"level":"panic","time":"2026-11-23 04:44:58","msg":"【Acceptor】initWSSListener() failed","error":"bind: address already in use","stacktrace":"a.b\n\t/x.go:1"}`,
			Record{Kind: KindZap, Stamp: wall(4, 44, 58, 0), Level: "panic", Logger: "Acceptor", Message: "initWSSListener() failed",
				Error: "bind: address already in use", Stack: "a.b\n\t/x.go:1"}, "initWSSListener() failed: bind: address already in use"},
		{"err and stack", `{"level":"panic","time":"2026-11-23 04:44:58","msg":"【ReactorSub-1】reactorSub panic","err":"runtime error","stack":"s","stacktrace":"t"}`,
			Record{Kind: KindZap, Stamp: wall(4, 44, 58, 0), Level: "panic", Logger: "ReactorSub-1", Message: "reactorSub panic",
				Error: "runtime error", Stack: "s\n\nt"}, "reactorSub panic: runtime error"},
		{"error before err", `{"level":"dpanic","msg":"m","err":"second","error":"first"}`,
			Record{Kind: KindZap, Level: "dpanic", Message: "m", Error: "first", Fields: map[string]string{"err": "second"}}, "m: first"},
		{"errorVerbose alone", `{"level":"error","msg":"m","errorVerbose":"first line\nmain.main\n\t/x.go:1"}`,
			Record{Kind: KindZap, Level: "error", Message: "m", Error: "first line",
				Fields: map[string]string{"errorVerbose": "first line\nmain.main\n\t/x.go:1"}}, "m: first line"},
		{"repeated keys", `{"level":"info","time":"2026-11-23 04:44:58","msg":"first","msg":"second","msg":"third","level":"x","time":"y","a":1,"a":2,"error":"e","error":"f"}`,
			Record{Kind: KindZap, Stamp: wall(4, 44, 58, 0), Level: "info", Message: "first", Error: "e",
				Fields: map[string]string{"msg#2": "second", "a": "1", "time": "y"}}, "first: e"},
		{"v3 JSON", `{"time":"2026-11-23 04:44:58.001","level":"ERROR","module":"access.gateway","caller":"gateway/handler.go:180","msg":"gateway listener error","error":"x","ms":1.5}`,
			Record{Kind: KindZap, Stamp: wall(4, 44, 58, 1e6), Level: "error", Logger: "access.gateway", Message: "gateway listener error", Error: "x",
				Fields: map[string]string{"caller": "gateway/handler.go:180", "ms": "1.5"}}, "gateway listener error: x"},
		{"Caddy", `{"level":"error","ts":1795409098.25,"logger":"tls.obtain","msg":"could not get certificate","error":"timeout"}`,
			Record{Kind: KindZap, Stamp: zoned(wall(4, 44, 58, 250e6).Time), Level: "error", Logger: "tls.obtain", Message: "could not get certificate", Error: "timeout"},
			"could not get certificate: timeout"},
		{"Traefik", `{"level":"debug","error":"EOF","time":"2026-11-23T04:44:58Z","message":"Error while handling TCP connection"}`,
			Record{Kind: KindZap, Stamp: zoned(wall(4, 44, 58, 0).Time), Level: "debug", Message: "Error while handling TCP connection", Error: "EOF"},
			"Error while handling TCP connection: EOF"},
		{"msg and message", `{"level":"info","message":"a","msg":"b"}`,
			Record{Kind: KindZap, Level: "info", Message: "a", Fields: map[string]string{"msg": "b"}}, "a"},
		{"values of all kinds", `{"level":30,"msg":{"a":[1,"}"]},"error":null,"n":-1.5e3,"t":true,"k\"ey":"v\u00e9","empty":{}}`,
			Record{Kind: KindZap, Level: "30", Message: `{"a":[1,"}"]}`,
				Fields: map[string]string{"n": "-1.5e3", "t": "true", `k"ey`: "vé", "empty": "{}"}}, `{"a":[1,"}"]}`},
		{"unreadable time", `{"level":"info","time":"yesterday","msg":"m"}`,
			Record{Kind: KindZap, Level: "info", Message: "m", Fields: map[string]string{"time": "yesterday"}}, "m"},
		{"colour after the end", `{"level":"info","msg":"m"}` + "\x1b[0m \x00",
			Record{Kind: KindZap, Level: "info", Message: "m"}, "m"},
		{"bracket not closed", `{"level":"info","msg":"【m"}`, Record{Kind: KindZap, Level: "info", Message: "【m"}, "【m"},
		{"invalid UTF-8", "{\"level\":\"info\",\"msg\":\"\xff\xfe\",\"x\":\"\xc3\"}",
			Record{Kind: KindZap, Level: "info", Message: "\xff\xfe", Fields: map[string]string{"x": "\xc3"}}, "\xff\xfe"},
		{"cut off behind the message", `{"level":"panic","time":"2026-11-23 04:44:58","msg":"【Acceptor】initWSSListener() failed","error":"bind: x","stacktrace":"github.com/`,
			Record{Kind: KindZap, Stamp: wall(4, 44, 58, 0), Level: "panic", Logger: "Acceptor", Message: "initWSSListener() failed", Error: "bind: x"},
			"initWSSListener() failed: bind: x"},
		{"behind an unknown prefix", `wk.log: {"level":"info","msg":"m"}`, Record{Kind: KindZap, Level: "info", Message: "m"}, "m"},
	})
}

func TestBrokenJSONIsText(t *testing.T) {
	for _, line := range []string{
		`{`, `{}`, `{"`, `{"level"`, `{"level":`, `{"level":"debug"`, `{"level":"debug","time"`, `{"level":"debug","msg":"cut off in`,
		`{"level":"debug","msg":"m"} and more`, `{"level":"debug","msg":m}`, `{"level" "debug"}`, `{level:"debug","msg":"m"}`,
		`{"a":1}`, `[{"level":"info","msg":"m"}]`, `{"msg":}`, `{"x":[}`, "{\x00}", `{"msg"::"m","level":"x"}`,
	} {
		r := parseLine(line)
		assert.Equal(t, KindText, r.Kind, line)
		assert.Equal(t, line, r.Subject())
		assert.Nil(t, r.Fields, line)
		assert.Empty(t, r.Message+r.Level+r.Error, line)
	}
}

func TestParseConsole(t *testing.T) {
	stamp := wall(0, 31, 8, 123e6)
	want := Record{Kind: KindConsole, Stamp: stamp, Level: "error", Logger: "access.gateway.conn", Message: "gateway listener error",
		Error: `invalid "x"`, Fields: map[string]string{"caller": "gateway/handler.go:180", "listener": "ws-gateway"}}
	const tail = "\t[access.gateway.conn]\tgateway/handler.go:180\tgateway listener error\t" + `{"listener": "ws-gateway", "error": "invalid \"x\""}`
	plain := Record{Kind: KindConsole, Stamp: stamp, Level: "info", Message: "ready\tnow {x}"}
	stacked := want
	stacked.Stack = "main.main\n\t/x.go:1"
	runParseCases(t, []parseCase{
		{"as printed", "2026-11-23 00:31:08.123\tERROR" + tail, want, `gateway listener error: invalid "x"`},
		{"coloured level", "2026-11-23 00:31:08.123\t\x1b[31mERROR\x1b[0m" + tail, want, `gateway listener error: invalid "x"`},
		{"with stack", "2026-11-23 00:31:08.123\tERROR" + tail + "\nmain.main\n\t/x.go:1", stacked, `gateway listener error: invalid "x"`},
		{"message only", "2026-11-23 00:31:08.123\tINFO\tready\tnow {x}", plain, "ready\tnow {x}"},
		{"broken tail", "2026-11-23 00:31:08.123\tWARN\tx.go:1\tm\t{\"a\": }",
			Record{Kind: KindConsole, Stamp: stamp, Level: "warn", Message: "m\t{\"a\": }", Fields: map[string]string{"caller": "x.go:1"}}, "m\t{\"a\": }"},
		{"close record", "2026-11-23 00:31:08.123\tDEBUG\t[net]\tx.go:1\tconnection error\t{\"error\": \"EOF\"}",
			Record{Kind: KindClose, Stamp: stamp, Level: "debug", Logger: "net", Message: "connection error", Error: "EOF",
				Fields: map[string]string{"caller": "x.go:1"}}, "EOF"},
		{"Caddy console", "2026/11/23 00:31:08.123\tDEBUG\thttp.stdlib\thttp: TLS handshake error from 10.0.0.1:5: EOF",
			Record{Kind: KindNetHTTP, Stamp: stamp, Level: "debug", Message: "http.stdlib\thttp: TLS handshake error from 10.0.0.1:5: EOF",
				Remote: "10.0.0.1:5", Error: "EOF"}, "EOF"},
	})
}

func TestParseNginx(t *testing.T) {
	const message = "SSL_do_handshake() failed (SSL: error:0A000416:SSL routines::sslv3 alert certificate unknown:SSL alert number 46) while SSL handshaking"
	stamp := wall(5, 5, 52, 0)
	runParseCases(t, []parseCase{
		{"handshake", "2026/11/23 05:05:52 [info] 22873#22874: *1 " + message + ", client: 127.0.0.1, server: 0.0.0.0:443",
			Record{Kind: KindNginx, Stamp: stamp, Level: "info", Message: message, Remote: "127.0.0.1",
				Fields: map[string]string{"client": "127.0.0.1", "server": "0.0.0.0:443"}}, message},
		{"request with commas and colons", `2026/11/23 05:05:52 [error] 1#1: *3 connect() failed (111: Connection refused) while connecting to upstream, client: ::1, server: , request: "GET /a, b: c HTTP/1.1", upstream: "http://127.0.0.1:11210/", host: "im.example.test:13100"`,
			Record{Kind: KindNginx, Stamp: stamp, Level: "error", Message: "connect() failed (111: Connection refused) while connecting to upstream", Remote: "::1",
				Fields: map[string]string{"client": "::1", "server": "", "request": "GET /a, b: c HTTP/1.1", "upstream": "http://127.0.0.1:11210/", "host": "im.example.test:13100"}},
			"connect() failed (111: Connection refused) while connecting to upstream"},
		{"no tail", "2026/11/23 05:05:52 [info] 22873#22873: *1 client 127.0.0.1 closed keepalive connection",
			Record{Kind: KindNginx, Stamp: stamp, Level: "info", Message: "client 127.0.0.1 closed keepalive connection"}, "client 127.0.0.1 closed keepalive connection"},
		{"start-up", `2026/11/23 05:05:52 [emerg] 7#7: cannot load certificate "/x.pem": BIO_new_file() failed`,
			Record{Kind: KindNginx, Stamp: stamp, Level: "emerg", Message: `cannot load certificate "/x.pem": BIO_new_file() failed`}, `cannot load certificate "/x.pem": BIO_new_file() failed`},
		{"start-up without time", `nginx: [emerg] SSL_CTX_use_PrivateKey("/x.key") failed`,
			Record{Kind: KindNginx, Level: "emerg", Message: `SSL_CTX_use_PrivateKey("/x.key") failed`}, `SSL_CTX_use_PrivateKey("/x.key") failed`},
		{"OCSP", `2026/11/23 05:05:52 [error] 1#1: OCSP response not successful (6: unauthorized) while requesting certificate status, responder: r3.o.lencr.org, peer: 10.0.0.1:80, certificate: "/x.pem"`,
			Record{Kind: KindNginx, Stamp: stamp, Level: "error", Message: "OCSP response not successful (6: unauthorized) while requesting certificate status",
				Fields: map[string]string{"responder": "r3.o.lencr.org", "peer": "10.0.0.1:80", "certificate": "/x.pem"}},
			"OCSP response not successful (6: unauthorized) while requesting certificate status"},
	})
}

func TestParseNetHTTP(t *testing.T) {
	stamp := wall(5, 5, 52, 0)
	at := func(remote, err string) Record {
		return Record{Kind: KindNetHTTP, Message: netHTTPMarker + remote + ": " + err, Remote: remote, Error: err}
	}
	dated := func(r Record, s Stamp, level string) Record { r.Stamp, r.Level = s, level; return r }
	utc := zoned(stamp.Time)
	const bad = "remote error: tls: bad certificate"
	v4, v6 := at("10.0.0.1:51234", bad), at("[fe80::1%eth0]:51234", "EOF")
	caddy := dated(v4, utc, "debug")
	caddy.Logger = "http.stdlib"
	logfmt := dated(at("10.0.0.1:51234", `tls: client requested unsupported application protocols (["h2"])`), utc, "debug")
	runParseCases(t, []parseCase{
		{"std log", "2026/11/23 05:05:52 " + v4.Message, dated(v4, stamp, ""), bad},
		{"IPv6", "2026/11/23 05:05:52 " + v6.Message, dated(v6, stamp, ""), "EOF"},
		{"undated", v4.Message, v4, bad},
		{"Caddy", `{"level":"debug","ts":1795410352.0,"logger":"http.stdlib","msg":"` + v4.Message + `"}`, caddy, bad},
		{"Traefik v2", `time="2026-11-23T13:05:52+08:00" level=debug msg="` + strings.ReplaceAll(logfmt.Message, `"`, `\"`) + `"`, logfmt, logfmt.Error},
		{"Traefik v3 console", "2026-11-23T05:05:52Z DBG log/log.go:245 > " + v4.Message, dated(v4, utc, "debug"), bad},
		{"Traefik v3 in colour", "\x1b[90m2026-11-23T05:05:52Z\x1b[0m \x1b[33mDBG\x1b[0m \x1b[1mlog/log.go:245\x1b[0m\x1b[36m >\x1b[0m " + v4.Message, dated(v4, utc, "debug"), bad},
		{"Traefik v3 JSON", `{"level":"debug","time":"2026-11-23T05:05:52Z","message":"` + v4.Message + `"}`, dated(v4, utc, "debug"), bad},
		{"cut off", netHTTPMarker + "10.0.0.1:5", Record{Kind: KindNetHTTP, Message: netHTTPMarker + "10.0.0.1:5", Remote: "10.0.0.1:5"}, ""},
	})
}

func TestParseText(t *testing.T) {
	for line, stamp := range map[string]Stamp{
		"2026/11/23 00:31:08 load config: open wukongim.toml":                           wall(0, 31, 8, 0),
		"[gnet] 2026-11-23T04:43:42.621563664Z\tINFO\tlogging/logger.go:256\tLaunching": zoned(wall(4, 43, 42, 621563664).Time),
		"2026-11-23T04:43:42Z INFO started":                                             zoned(wall(4, 43, 42, 0).Time),
		`time="2026-11-23T04:43:42Z" level=info msg="Configuration loaded"`:             zoned(wall(4, 43, 42, 0).Time),
		"2026/11/23 04:43:42 [not nginx] x":                                             wall(4, 43, 42, 0),
		"   ├─ WebSocket Secure: wss://0.0.0.0:5210":                                    {},
		"----- a line of dashes -----":                                                  {},
		"----------> one arrow only handshakeStatusUnknown":                             {},
		"关闭连接--->": {},
		"":         {},
	} {
		r := parseLine(line)
		assert.Equal(t, KindText, r.Kind, line)
		assert.Equal(t, line, r.Subject())
		sameStamp(t, stamp, r.Stamp)
		own, _ := Stamps([]byte(line))
		sameStamp(t, stamp, own)
	}
}

func TestRecordWithoutOwnTimeKeepsTheWrappers(t *testing.T) {
	r := parseLine("2026-05-04T01:30:00.123456789Z " + rawLine)
	assert.False(t, r.OwnTime)
	sameStamp(t, inUTC, r.Stamp)
	r = parseLine("2026-05-04T01:30:00.123456789Z " + closeLine)
	assert.True(t, r.OwnTime)
	require.True(t, r.Stamp.Time.Equal(time.Date(2026, 4, 22, 2, 11, 12, 123456789, time.UTC)))
}

func TestRawLineInsideAJSONMessageIsAHandshake(t *testing.T) {
	r := parseLine(`{"@timestamp":"x","message":` + dockerJSON(rawLine) + `}`)
	assert.Equal(t, KindHandshake, r.Kind)
	assert.Equal(t, "remote error: tls: unknown certificate", r.Subject())
	assert.Equal(t, "handshakeStatus13ReadClientFinished", r.State)
}

func TestRecordSharesNoMemoryWithTheLine(t *testing.T) {
	for _, line := range []string{rawLine, "wukongim-1  | " + closeLine, "2026/11/23 05:05:52 http: TLS handshake error from 10.0.0.1:1: EOF"} {
		b := []byte(line)
		got := *Parse(Unwrap(b))
		for i := range b {
			b[i] = 'x'
		}
		assert.Equal(t, parseLine(line), got)
	}
}

func TestMegabyteLinesTakeLinearTime(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	const n = 1 << 20
	for _, part := range []string{
		"-", "a", " ", "[", "{", `"`, `\`, "\x00", "\x1b[", "#3", "#346", ", ", ": ", "(", "\t", "|", "=", "{\"", "\t{", "]: ", "=\" ",
		"---------->", " handshakeStatus", "\x1b[1m", `{"a":`, `\u003e`, "http: TLS handshake error from ", `{"level":"`, "a=\"b\" ",
	} {
		long := strings.Repeat(part, n/len(part))
		for _, line := range []string{
			long,
			"{\"level\":\"info\",\"msg\":\"" + long,
			"{\"level\":\"info\",\"msg\":\"m\",\"error\":" + long,
			"{\"log\":\"" + long,
			"{\"MESSAGE\":[" + long,
			"2026/11/23 05:05:52 [info] 1#1: *1 x, client: " + long,
			"2026-05-04T09:30:00+08:00 " + long,
			"2026-05-04T09:30:00+08:00 {a=" + long,
			"2026-08-23 00:31:08.123\tERROR\t" + long,
			"May  4 09:30:00 im01 wukongim[1]: " + long,
			"<30>1 - - - - - [" + long,
			"time=\"2026-05-04T09:30:00+08:00\" " + long,
			"wukongim-1 | ----------" + long,
			"wukongim-0 " + long,
			"panic: " + long,
		} {
			r := Parse(Unwrap([]byte(line)))
			_, _ = Stamps([]byte(line))
			assert.NotEmpty(t, r.Kind)
			assert.False(t, ContinuesPanic([]byte("{"+line)))
			_ = ContinuesPanic([]byte(long))
		}
	}
}

func TestRecordCutAnywhereBehindItsMessageIsOne(t *testing.T) {
	const whole = `{"level":"debug","time":"2026-05-04T09:30:01+08:00","msg":"【ReactorSub-1】close connn", "error" : "EOF","id":7,"fd":[1,{"a":null}],"x":true}`
	from := strings.Index(whole, `", "error"`) + 1
	for cut := from; cut <= len(whole); cut++ {
		r := parseLine(whole[:cut])
		assert.Contains(t, []Kind{KindZap, KindClose}, r.Kind, whole[:cut])
		assert.Equal(t, "close connn", r.Message, whole[:cut])
	}
}
