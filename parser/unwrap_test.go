package parser

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sameStamp(t *testing.T, want, got Stamp) {
	t.Helper()
	assert.True(t, want.Time.Equal(got.Time), "time: want %v, got %v", want.Time, got.Time)
	assert.Equal(t, want.Zoned, got.Zoned, "zoned")
	assert.Equal(t, want.Yearless, got.Yearless, "yearless")
}

func TestUnwrapTakesOffEachWrapper(t *testing.T) {
	texts := []string{rawLine, closeLine, "\t/go/release/main.go:48 +0x27e", "panic: open /x/cert.pem: no such file or directory", ""}
	for _, c := range wrapCases {
		t.Run(c.name, func(t *testing.T) {
			for _, text := range texts {
				if !c.fits(text) {
					continue
				}
				for _, end := range []string{"", "\n", "\r\n"} {
					line := c.wrap(text) + end
					e := Unwrap([]byte(line))
					require.Equal(t, c.wrapper, e.Wrapper, line)
					assert.Equal(t, text, string(e.Text), line)
					assert.Equal(t, c.stream, e.Stream)
					assert.Equal(t, c.origin, e.Origin)
					assert.False(t, e.Partial)
					sameStamp(t, c.stamp, e.Stamp)
					if c.inJSON {
						assert.Zero(t, e.Prefix)
					} else {
						assert.Equal(t, len(c.wrap("")), e.Prefix)
					}
				}
			}
		})
	}
}

func TestUnwrapAcceptsPrefixWithoutTrailingBlank(t *testing.T) {
	for _, line := range []string{
		"wukongim-1  |",
		"2026-05-04T01:30:00.123456789Z",
		"2026-05-04T01:30:00.123456789Z stderr F",
		"[pod/wukongim-0/wukongim]",
		"2026-05-04T09:30:00+0800 im01 wukongim[4242]:",
		"May  4 09:30:00 im01 wukongim[4242]:",
		"<30>1 2026-05-04T01:30:00Z im01 wukongim 4242 - -",
	} {
		e := Unwrap([]byte(line))
		assert.NotEqual(t, WrapperNone, e.Wrapper, line)
		assert.Empty(t, e.Text, line)
		assert.Equal(t, len(line), e.Prefix, line)
	}
}

func TestUnwrapLeavesOtherTextAlone(t *testing.T) {
	for _, line := range []string{
		"",
		" ",
		rawLine,
		closeLine,
		"panic: open /x: no such file or directory",
		"remote error: tls: bad certificate",
		"2026-05-04T01:30:00Z DBG log/log.go:245 > http: TLS handshake error from 10.0.0.1:1: EOF",
		"2026-08-23 00:31:08.123\tERROR\t[app]\tapp.go:1\tmessage",
		"2026/11/23 05:05:52 [info] 22873#22873: *1 client 127.0.0.1 closed keepalive connection",
		"2026/11/23 05:05:52 http: TLS handshake error from 10.0.0.1:1: EOF",
		"[gnet] 2026-11-23T04:43:42.621563664Z\tINFO\tlogging/logger.go:256\tLaunching gnet",
		"[GIN-debug] Listening and serving HTTP on 0.0.0.0:5001",
		"   ├─ WebSocket Secure: wss://0.0.0.0:5210",
		`{"time":"2026-05-04T01:30:00Z","level":"INFO","msg":"m","log":"no wrapper","stream":"x"}`,
		`{"log":"no stream and no time"}`,
		`{"log":"cut","stream":"std`,
		`{"log":7,"stream":"stdout","time":"2026-05-04T01:30:00Z"}`,
		`{"MESSAGE":null,"__REALTIME_TIMESTAMP":"1"}`,
		`{"MESSAGE":[1,256],"__REALTIME_TIMESTAMP":"1"}`,
		"some config file says {\"a\":1}",
		"goroutine 1 [running]:",
		"created by main.main in goroutine 1",
		"2026-13-04T01:30:00.1Z month 13",
		"2026-02-30T01:30:00.1Z no such day",
		"May 04 09:30:00",
		"May the 4th be with you: always",
		"<999999>May  4 09:30:00 im01 wukongim[1]: x",
		"<30>1 2026-05-04T01:30:00Z im01 wukongim 4242 - [unclosed x=\"",
		"[pod/wukongim-0/wukongim]text without blank",
		"[pod/with blank/x] text",
		"2026-05-04 | a table",
		"post-fix/smtpd[1234]: connect from unknown[203.0.113.5]",
		"im/wukongim[app]: no generated name of a pod",
	} {
		e := Unwrap([]byte(line))
		assert.Equal(t, WrapperNone, e.Wrapper, line)
		assert.Equal(t, line, string(e.Text))
		assert.True(t, e.Stamp.IsZero(), line)
		assert.Zero(t, e.Prefix, line)
	}
}

func TestErrorTextBehindATimeIsNoSyslogTag(t *testing.T) {
	for line, wrapper := range map[string]Wrapper{
		"2026-05-04T01:30:00Z panic: open x":                                       WrapperDockerTimestamps,
		"2026-05-04T01:30:00.5Z remote error: tls: bad certificate":                WrapperDockerTimestamps,
		"2026-05-04T09:30:00+08:00 remote error: tls: bad certificate":             WrapperKubectl,
		"2026-05-04T09:30:00.123456+08:00 local error: tls: bad record MAC":        WrapperKubectl,
		"2026-05-04T09:30:00.123456789+08:00 fatal error: all goroutines are asle": WrapperKubectl,
		"2026-05-04T09:30:00.123456789+08:00 im01 wukongim: not the journal":       WrapperKubectl,
	} {
		e := Unwrap([]byte(line))
		_, text, _ := strings.Cut(line, " ")
		assert.Equal(t, wrapper, e.Wrapper, line)
		assert.Equal(t, text, string(e.Text))
		assert.Empty(t, e.Origin, line)
	}
}

func TestSyslogFileInISOTimeMayOmitPid(t *testing.T) {
	e := Unwrap([]byte("2026-05-04T09:30:00.123456+08:00 im01 wukongim: ready"))
	assert.Equal(t, WrapperJournald, e.Wrapper)
	assert.Equal(t, "ready", string(e.Text))
	assert.Equal(t, "im01 wukongim", e.Origin)
}

func TestPartialEntriesAreMarked(t *testing.T) {
	piece := strings.Repeat("x", dockerPiece)
	assert.True(t, Unwrap([]byte(`{"log":"`+piece+`","stream":"stdout","time":"2026-05-04T01:30:00Z"}`)).Partial)
	for line, text := range map[string]string{
		"2026-05-04T01:30:00.1Z stdout P first":   "first",
		"2026-05-04T01:30:00.1Z stderr P:x first": "first",
		`{"MESSAGE":"first","CONTAINER_NAME":"wk","CONTAINER_PARTIAL_MESSAGE":"true","__REALTIME_TIMESTAMP":"1","A":{}}`: "first",
	} {
		e := Unwrap([]byte(line))
		assert.True(t, e.Partial, line)
		assert.Equal(t, text, string(e.Text))
	}
}

func TestDockerJournalTellsStream(t *testing.T) {
	e := Unwrap([]byte(`{"PRIORITY":"3","CONTAINER_NAME":"wk","MESSAGE":"panic: x","_SOURCE_REALTIME_TIMESTAMP":"1777858200123456"}`))
	assert.Equal(t, "stderr", e.Stream)
	assert.Equal(t, "wk", e.Origin)
	sameStamp(t, inMicro, e.Stamp)
}

func TestDockerJSONOfALogShipper(t *testing.T) {
	e := Unwrap([]byte(`{"@timestamp":"2026-05-04T01:30:00Z","kubernetes":{"pod":"x"},"stream":"stdout","log":"text\n"}`))
	assert.Equal(t, WrapperDockerJSON, e.Wrapper)
	assert.Equal(t, "text", string(e.Text))
}

// TestEntriesOfLogShippers: each line is an entry of its own, though none ends in
// a line end.
func TestEntriesOfLogShippers(t *testing.T) {
	for _, line := range []string{
		`{"@timestamp":"2026-05-04T01:30:00.123456Z","message":"text","host":{"name":"im01"}}`,
		`{"_index":"logs","_id":"1","_source":{"message":"text","@timestamp":"2026-05-04T01:30:00.123456Z"}}`,
		`{"labels":{"app":"wukongim"},"line":"text","timestamp":"2026-05-04T01:30:00.123456Z"}`,
		`{"date":1777858200.123456,"log":"text","logtag":"F"}`,
		`{"date":1777858200.1,"log":"text","stream":"stdout","time":"2026-05-04T01:30:00.123456Z"}`,
		`{"date":1777858200.123456,"log":"text","stream":"stdout"}`,
		`{"time":"2026-05-04T01:30:00.123456Z","stream":"stdout","_p":"F","log":"text"}`,
		`{"message":"text","timestamp":1777858200123456,"source_type":"docker_logs"}`,
		`{"__time__":"1777858200.123456","_source_":"stdout","content":"text"}`,
		`{"version":"1.1","host":"im01","short_message":"text","timestamp":1777858200.123456,"level":6,"_container_name":"wukongim"}`,
		`{"__TIMESTAMP__":"1777858200.123456","__SOURCE__":"10.0.0.1","__CONTENT__":"text"}`,
		`{"insertId":"1","receiveTimestamp":"2026-05-04T01:30:07Z","textPayload":"text","timestamp":"2026-05-04T01:30:00.123456Z"}`,
		`{"TimeGenerated":"2026-05-04T01:30:00.123456Z","PodName":"wukongim-0","LogMessage":"text"}`,
		`{"LogEntry":"text","TimeGenerated":"2026-05-04T01:30:00.123456Z"}`,
		`{"timeUnixNano":"1777858200123456000","body":{"stringValue":"text"},"attributes":[]}`,
		"2026-05-04T01:30:00.123456+00:00\tdocker.wukongim\t" + `{"log":"text","container_name":"/wukongim"}`,
	} {
		e := Unwrap([]byte(line))
		assert.Equal(t, WrapperDockerJSON, e.Wrapper, line)
		assert.Equal(t, "text", string(e.Text), line)
		assert.False(t, e.Partial, line)
		sameStamp(t, inMicro, e.Stamp)
	}
	for _, line := range []string{
		`{"date":1777858200.123456,"log":"text","logtag":"P"}`,
		`{"time":"2026-05-04T01:30:00.123456Z","stream":"stdout","_p":"P","log":"text"}`,
	} {
		assert.True(t, Unwrap([]byte(line)).Partial, line)
	}
	for _, line := range []string{
		`{"@timestamp":"2026-05-04T01:30:00Z","level":"ERROR","message":"a program's own record"}`,
		`{"message":"no time"}`,
		`{"level":30,"timestamp":1777858200123,"message":"a program's own, its level a number"}`,
		`{"timestamp":"2026-05-04T01:30:00Z","body":"of a request"}`,
		`{"timestamp":"2026-05-04T01:30:00Z","body":{"kvlistValue":{"values":[]}}}`,
		"2026-05-04T01:30:00+00:00\tno tag with blanks\t" + `{"log":"text"}`,
		`{"@timestamp":"2026-05-04T01:30:00Z","message":"cut`,
	} {
		assert.Equal(t, WrapperNone, Unwrap([]byte(line)).Wrapper, line)
	}
}

// TestMembersBelowEachOther: tools of clouds print an entry over several lines.
func TestMembersBelowEachOther(t *testing.T) {
	for _, line := range []string{`   "message": "a \u003e b",`, "\t\"textPayload\": \"a > b\"", `"LogMessage" : "a > b\n" ,`} {
		e := Unwrap([]byte(line))
		assert.Equal(t, WrapperDockerJSON, e.Wrapper, line)
		assert.Equal(t, "a > b", string(e.Text), line)
	}
	for _, line := range []string{`   "timestamp": 1777858200123456,`, `"@timestamp": "2026-05-04T01:30:00.123456Z"`, `  "receiveTimestamp": "2026-05-04T01:30:00.123456Z",`} {
		sameStamp(t, inMicro, Unwrap([]byte(line)).Stamp)
	}
	for _, line := range []string{`"user": "a > b",`, `"message": 5,`, `"message": "a" "b"`, `"message": "cut`, `"message"`, `"date": "tomorrow"`, `"message": {"a": "b"},`} {
		assert.Equal(t, WrapperNone, Unwrap([]byte(line)).Wrapper, line)
	}
}

// TestTablesOfConsoles: the columns are in any order.
func TestTablesOfConsoles(t *testing.T) {
	for _, line := range []string{
		`"2026-05-04T01:30:00.123456Z","im01","wukongim","a long ""text"", with a comma"`,
		`"im01","a long ""text"", with a comma","2026-05-04T01:30:00.123456Z"`,
		`"one, two","2026-05-04T01:30:00.123456Z","a long ""text"", with a comma"`,
		`1777858200123456,10.0.0.1,"a long ""text"", with a comma"`,
		`2026-05-04T01:30:00.123456Z,im01,"a long ""text"", with a comma"`,
	} {
		e := Unwrap([]byte(line))
		assert.Equal(t, WrapperDockerTimestamps, e.Wrapper, line)
		assert.Equal(t, `a long "text", with a comma`, string(e.Text), line)
		assert.Zero(t, e.Prefix)
		sameStamp(t, inMicro, e.Stamp)
	}
	for _, line := range []string{
		"2026-05-04 01:30:00, something ended", "2026-05-04 01:30:00,123 INFO a program's own", `"a","b"`, `"2026-05-04T01:30:00Z"`,
		`1,2,3`, `"2026-05-04T01:30:00Z","cut`, `"a sentence, at 2026-05-04T01:30:00Z","b"`, "2026-05-04T01:30:00Z,",
	} {
		assert.NotContains(t, string(Unwrap([]byte(line)).Text), "b\x00")
		if e := Unwrap([]byte(line)); e.Wrapper != WrapperNone {
			assert.Equal(t, line, string(e.Text), "it is no table")
		}
	}
}

// TestRecordThatStandsAsAnObjectIsTheText: stern and kail read what is JSON and write it
// as JSON.
func TestRecordThatStandsAsAnObjectIsTheText(t *testing.T) {
	const record = `{"error":"EOF","level":"debug","msg":"【ReactorSub-1】close connn","time":"2026-05-04T09:30:00+08:00"}`
	for line, node := range map[string]string{
		`{"pod": "wukongim-0", "container": "wukongim", "message": ` + record + `}`:                   "wukongim-0",
		`{"container":"wukongim","message":` + record + `,"name":"wukongim-0","namespace":"im"}`:      "im/wukongim-0",
		`{"message":` + record + `,"@timestamp":"2026-05-04T01:30:00Z","name":"wukongim-0"}`:          "",
		`{"container":"wukongim","name":"wukongim-0","message":` + record + `}`:                       "",
		`{"container":"wukongim","message":` + record + `,"namespace":"im","app":"no name of a pod"}`: "",
	} {
		e := Unwrap([]byte(line))
		assert.Equal(t, node, e.Node, line)
		if node != "" {
			assert.Equal(t, record, string(e.Text))
		} else {
			assert.Equal(t, WrapperNone, e.Wrapper, line)
		}
	}
}

func TestTextIsNotEscapedTwice(t *testing.T) {
	e := Unwrap([]byte(`{"log":"a \u003e \u63e1\ud83d\ude80 \\u003e \"q\" \q \ud83d \u00zz\n","stream":"stdout","time":""}`))
	assert.Equal(t, "a > 握🚀 \\u003e \"q\" \\q \ufffd \\u00zz", string(e.Text))
	assert.True(t, e.Stamp.IsZero())
}

func TestRsyslogEscapesAreUndone(t *testing.T) {
	var escaped strings.Builder
	for _, c := range []byte("握手失败！\t") {
		escaped.WriteString("#" + string([]byte{'0' + c>>6, '0' + c>>3&7, '0' + c&7}))
	}
	e := Unwrap([]byte("May  4 09:30:00 im01 wukongim[1]: " + escaped.String() + "#211 #123 #346#217 #9 #"))
	assert.Equal(t, "握手失败！\t#211 #123 #346#217 #9 #", string(e.Text))
}

func TestZeroBytesAndByteOrderMarkAreSkipped(t *testing.T) {
	for _, lead := range []string{"\x00\x00\x00", bom, "\x00" + bom} {
		e := Unwrap([]byte(lead + "wukongim-1  | " + rawLine))
		assert.Equal(t, rawLine, string(e.Text))
		assert.Equal(t, WrapperCompose, e.Wrapper)
		assert.Equal(t, len(lead)+len("wukongim-1  | "), e.Prefix)
	}
}

func TestProgramsOwnTimeIsNotTakenForTheSameWrapperAgain(t *testing.T) {
	e := Unwrap([]byte("2026-05-04T01:30:00.123456789Z 2026-05-04T01:30:00.12Z started"))
	assert.Equal(t, "2026-05-04T01:30:00.12Z started", string(e.Text))
	sameStamp(t, inUTC, e.Stamp)
}

func TestLabelsOfLogcliMayBeEmptyOrPadded(t *testing.T) {
	for _, line := range []string{
		"2026-05-04T09:30:00+08:00 {} " + rawLine,
		`2026-05-04T09:30:00+08:00 {pod="a"}      ` + rawLine,
		`2026-05-04T09:30:00.123456789Z {pod="a"} ` + rawLine,
	} {
		e := Unwrap([]byte(line))
		assert.Equal(t, WrapperDockerTimestamps, e.Wrapper)
		assert.Equal(t, rawLine, string(e.Text))
		assert.Equal(t, strings.Index(line, rawLine), e.Prefix)
	}
}

func TestAtMostThreeLayersAreTakenOff(t *testing.T) {
	e := Unwrap([]byte("[pod/a/b] wk-1 | May  4 09:30:00 im01 wk[1]: 2026-05-04T01:30:00.1Z x"))
	assert.Equal(t, "2026-05-04T01:30:00.1Z x", string(e.Text))
	assert.Equal(t, WrapperKubectl, e.Wrapper)
	assert.Equal(t, "a/b", e.Origin)
}

func TestTimesOfEveryLayout(t *testing.T) {
	at := func(nano int) time.Time { return time.Date(2026, 5, 4, 9, 30, 1, nano, time.UTC) }
	for text, want := range map[string]Stamp{
		"2026-05-04 09:30:01":                 {Time: at(0)},
		"2026-05-04 09:30:01.123":             {Time: at(123e6)},
		"2026-05-04T09:30:01,5":               {Time: at(5e8)},
		"2026/05/04 09:30:01.123456":          {Time: at(123456e3)},
		"2026-05-04T09:30:01.1234567899Z":     zoned(at(123456789)),
		"2026-05-04T09:30:01+00:00":           zoned(at(0)),
		"2026-05-04T17:30:01+0800":            zoned(at(0)),
		"2026-05-04T04:00:01.000000001-05:30": zoned(at(1)),
		"2026-05-04T09:30:60Z":                zoned(at(59e9)),
	} {
		got, n := scanDateTime([]byte(text + " x"))
		assert.Equal(t, len(text), n, text)
		sameStamp(t, want, got)
	}
}

// TestLinesAreReadWhereverTheyAreCut: a disk that is full, a process that is killed and
// a buffer cut lines at any byte.
func TestLinesAreReadWhereverTheyAreCut(t *testing.T) {
	lines := append([]string{
		"[Mon Nov 23 16:20:22.455712 2026] [ssl:info] [pid 8:tid 9] SSL Library Error: error:0A000418:SSL routines::tlsv1 alert unknown ca (SSL alert number 48)",
		"2026.11.23 16:20:22 LOG3[0]: SSL_accept: ../ssl/record/rec_layer_s3.c:1601: error:0A000418:SSL routines::tlsv1 alert unknown ca",
		"20261123T162022.689854 [23960] 127.0.0.1:60772 :0 7:8 Handshake failure: error:0A000418:SSL routines::tlsv1 alert unknown ca",
	}, parseSeeds...)
	for _, c := range wrapCases {
		lines = append(lines, c.wrap(rawLine), c.wrap(closeLine))
	}
	for _, line := range lines {
		for cut := range line {
			piece := line[:cut]
			assert.NotPanics(t, func() {
				e := Unwrap(slices.Clip([]byte(piece)))
				assert.LessOrEqual(t, e.Prefix, len(piece))
				assert.NotEmpty(t, Parse(e).Kind)
			}, piece)
		}
	}
}
