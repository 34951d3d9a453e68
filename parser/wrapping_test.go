package parser

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// The moment at which the wrappers below say that the text was written.
var wrappedAt = time.Date(2026, 5, 4, 1, 30, 0, 123456789, time.UTC)

const (
	rawLine   = "-------------------------->握手失败！--------------------------> remote error: tls: unknown certificate handshakeStatus13ReadClientFinished"
	closeLine = `{"level":"debug","time":"2026-04-22T10:11:12.123456789+08:00","msg":"【ReactorSub-1】close connn","error":"remote error: tls: unknown certificate","id":1,"fd":153}`
)

// wrapCase writes a wrapper as its own tool does.
type wrapCase struct {
	name    string
	wrap    func(text string) string
	wrapper Wrapper
	stream  string
	origin  string
	stamp   Stamp
	// inJSON says that the text is encoded, so that it is no suffix of the
	// line and must be UTF-8.
	inJSON bool
	// starts says that only a text that visibly begins a record is wrapped.
	starts bool
}

func zoned(t time.Time) Stamp { return Stamp{Time: t, Zoned: true} }

// dockerJSON encodes a text as docker does: <, > and & as \u003c and so on.
func dockerJSON(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(b)
}

func prefixed(prefix string) func(string) string {
	return func(text string) string { return prefix + text }
}

var (
	inUTC    = zoned(wrappedAt)
	inSec    = zoned(wrappedAt.Truncate(time.Second))
	inMicro  = zoned(wrappedAt.Truncate(time.Microsecond))
	wallTime = time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	yearless = Stamp{Time: time.Date(0, 5, 4, 9, 30, 0, 0, time.UTC), Yearless: true}
)

var wrapCases = []wrapCase{
	{name: "docker json-file", wrapper: WrapperDockerJSON, stream: "stdout", stamp: inUTC, inJSON: true,
		wrap: func(s string) string {
			return `{"log":` + dockerJSON(s+"\n") + `,"stream":"stdout","time":"2026-05-04T01:30:00.123456789Z"}`
		}},
	{name: "docker json-file with attrs", wrapper: WrapperDockerJSON, stream: "stderr", stamp: inUTC, inJSON: true,
		wrap: func(s string) string {
			return `{"log":` + dockerJSON(s+"\n") + `,"stream":"stderr","attrs":{"tag":"wk/{{.ID}}","log":"no"},"time":"2026-05-04T01:30:00.123456789Z"}`
		}},
	{name: "docker json-file in another order", wrapper: WrapperDockerJSON, stream: "stdout", stamp: inUTC, inJSON: true,
		wrap: func(s string) string {
			return `{"time": "2026-05-04T01:30:00.123456789Z", "stream": "stdout", "log": ` + dockerJSON(s+"\r\n") + ` }`
		}},
	{name: "docker timestamps", wrapper: WrapperDockerTimestamps, stamp: inUTC,
		wrap: prefixed("2026-05-04T01:30:00.123456789Z ")},
	{name: "kubectl timestamps", wrapper: WrapperKubectl, stamp: inUTC,
		wrap: prefixed("2026-05-04T09:30:00.123456789+08:00 ")},
	{name: "compose v2", wrapper: WrapperCompose, origin: "wukongim-1",
		wrap: prefixed("wukongim-1  | ")},
	{name: "compose v1", wrapper: WrapperCompose, origin: "wukongim_1",
		wrap: prefixed("wukongim_1     | ")},
	{name: "compose with timestamps", wrapper: WrapperCompose, origin: "wukongim-1", stamp: inUTC,
		wrap: prefixed("wukongim-1  | 2026-05-04T01:30:00.123456789Z ")},
	{name: "compose in colour", wrapper: WrapperCompose, origin: "wukongim-1",
		wrap: prefixed("\x1b[36mwukongim-1  |\x1b[0m ")},
	{name: "compose in colour up to the text", wrapper: WrapperCompose, origin: "wukongim-1",
		wrap: prefixed("\x1b[1;36mwukongim-1  | \x1b[0m")},
	{name: "docker service logs", wrapper: WrapperCompose, origin: "im_wukongim.1.x9k2@node1",
		wrap: prefixed("im_wukongim.1.x9k2@node1    | ")},
	{name: "cri", wrapper: WrapperCRI, stream: "stdout", stamp: inUTC,
		wrap: prefixed("2026-05-04T09:30:00.123456789+08:00 stdout F ")},
	{name: "cri with tags", wrapper: WrapperCRI, stream: "stderr", stamp: inUTC,
		wrap: prefixed("2026-05-04T01:30:00.123456789Z stderr F:tag:x ")},
	{name: "kubectl prefix", wrapper: WrapperKubectl, origin: "wukongim-0/wukongim",
		wrap: prefixed("[pod/wukongim-0/wukongim] ")},
	{name: "kubectl prefix and timestamps", wrapper: WrapperKubectl, origin: "wukongim-0/wukongim", stamp: inUTC,
		wrap: prefixed("[pod/wukongim-0/wukongim] 2026-05-04T01:30:00.123456789Z ")},
	{name: "stern", wrapper: WrapperKubectl, origin: "wukongim-0/wukongim", starts: true,
		wrap: prefixed("wukongim-0 wukongim ")},
	{name: "stern in colour", wrapper: WrapperKubectl, origin: "wukongim-0/wukongim", starts: true,
		wrap: prefixed("\x1b[36mwukongim-0\x1b[0m \x1b[96mwukongim\x1b[0m ")},
	{name: "stern with namespace", wrapper: WrapperKubectl, origin: "im/wukongim-0/wukongim", starts: true,
		wrap: prefixed("im wukongim-0 wukongim ")},
	{name: "vlogscli as logfmt", wrapper: WrapperDockerJSON, origin: "im/wukongim-0", stamp: inUTC, inJSON: true,
		wrap: func(s string) string {
			return `_msg=` + dockerJSON(s) + ` _stream="{namespace=\"im\",pod=\"wukongim-0\"}" _stream_id=00 _time=2026-05-04T01:30:00.123456789Z namespace=im pod=wukongim-0`
		}},
	{name: "kail", wrapper: WrapperKubectl, origin: "im/wukongim-0/wukongim",
		wrap: prefixed("im/wukongim-0[wukongim]: ")},
	{name: "kail in colour", wrapper: WrapperKubectl, origin: "im/wukongim-0/wukongim",
		wrap: prefixed("\x1b[97;1mim/wukongim-0[wukongim]\x1b[0m\x1b[97;1m: \x1b[0m")},
	{name: "kail as JSON", wrapper: WrapperDockerJSON, origin: "im/wukongim-0/wukongim", inJSON: true,
		wrap: func(s string) string {
			return `{"container":"wukongim","message":` + dockerJSON(s) + `,"name":"wukongim-0","namespace":"im"}`
		}},
	{name: "logcli", wrapper: WrapperDockerTimestamps, origin: "wukongim-0/wk}", stamp: inSec,
		wrap: prefixed(`2026-05-04T09:30:00+08:00 {app="wk}", pod="wukongim-0"} `)},
	{name: "Grafana's text", wrapper: WrapperDockerTimestamps, stamp: zoned(wrappedAt.Truncate(time.Millisecond)),
		wrap: prefixed("1777858200123\t2026-05-04T01:30:00.123Z\t")},
	{name: "GELF", wrapper: WrapperDockerJSON, origin: "im01/wukongim", stamp: inMicro, inJSON: true,
		wrap: func(s string) string {
			return `{"version":"1.1","host":"im01","short_message":` + dockerJSON(s) + `,"timestamp":1777858200.123456,"level":6,"_container_name":"wukongim"}`
		}},
	{name: "Google Cloud", wrapper: WrapperDockerJSON, origin: "im/wukongim-0", stamp: inUTC, inJSON: true,
		wrap: func(s string) string {
			return `{"insertId":"1","receiveTimestamp":"2026-05-04T01:30:04Z","resource":{"labels":{"namespace_name":"im","pod_name":"wukongim-0"}},"textPayload":` + dockerJSON(s) + `,"timestamp":"2026-05-04T01:30:00.123456789Z"}`
		}},
	{name: "Tencent Cloud's CLS", wrapper: WrapperDockerJSON, origin: "10.0.0.1", stamp: inSec, inJSON: true,
		wrap: func(s string) string {
			return `{"__TIMESTAMP__":"1777858200","__SOURCE__":"10.0.0.1","__CONTENT__":` + dockerJSON(s) + `}`
		}},
	{name: "Azure", wrapper: WrapperDockerJSON, origin: "im/wukongim-0", stamp: inUTC, inJSON: true,
		wrap: func(s string) string {
			return `{"TimeGenerated":"2026-05-04T01:30:00.123456789Z","PodNamespace":"im","PodName":"wukongim-0","LogMessage":` + dockerJSON(s) + `}`
		}},
	{name: "OTLP in JSON", wrapper: WrapperDockerJSON, stamp: inUTC, inJSON: true,
		wrap: func(s string) string {
			return `{"timeUnixNano":"1777858200123456789","body":{"stringValue":` + dockerJSON(s) + `},"attributes":[]}`
		}},
	{name: "Fluentd's file", wrapper: WrapperDockerJSON, origin: "wukongim", stamp: inSec, inJSON: true,
		wrap: func(s string) string {
			return "2026-05-04T09:30:00+08:00\tdocker.wukongim\t" + `{"container_name":"/wukongim","log":` + dockerJSON(s) + `}`
		}},
	{name: "a member below others", wrapper: WrapperDockerJSON, inJSON: true,
		wrap: func(s string) string { return `    "textPayload": ` + dockerJSON(s) + "," }},
	{name: "a table", wrapper: WrapperDockerTimestamps, stamp: inUTC, inJSON: true,
		wrap: func(s string) string {
			return `"2026-05-04T01:30:00.123456789Z","` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}},
	{name: "journald short-iso", wrapper: WrapperJournald, origin: "im01 wukongim[4242]", stamp: inSec,
		wrap: prefixed("2026-05-04T09:30:00+0800 im01 wukongim[4242]: ")},
	{name: "journald short-iso-precise", wrapper: WrapperJournald, origin: "im01 wukongim[4242]", stamp: inMicro,
		wrap: prefixed("2026-05-04T09:30:00.123456+08:00 im01 wukongim[4242]: ")},
	{name: "journald short-unix", wrapper: WrapperJournald, origin: "im01 wukongim[4242]", stamp: inMicro,
		wrap: prefixed("1777858200.123456 im01 wukongim[4242]: ")},
	{name: "journald with-unit", wrapper: WrapperJournald, origin: "im01 wukongim.service[4242]", stamp: Stamp{Time: wallTime},
		wrap: prefixed("Mon 2026-05-04 09:30:00 CST im01 wukongim.service[4242]: ")},
	{name: "journald json", wrapper: WrapperJournald, origin: "im01 wukongim[4242]", stamp: inMicro, inJSON: true,
		wrap: func(s string) string {
			return `{"__REALTIME_TIMESTAMP":"1777858200123456","_HOSTNAME":"im01","MESSAGE":` + dockerJSON(s) + `,"_PID":"4242","SYSLOG_IDENTIFIER":"wukongim","PRIORITY":"6"}`
		}},
	{name: "journald json with bytes", wrapper: WrapperJournald, origin: "im01 wukongim[4242]", stamp: inMicro, inJSON: true,
		wrap: func(s string) string {
			return `{"MESSAGE":` + strings.ReplaceAll(fmt.Sprint([]byte(s)), " ", ",") + `,"_COMM":"wukongim","_PID":"4242","_HOSTNAME":"im01","__REALTIME_TIMESTAMP":"1777858200123456"}`
		}},
	{name: "syslog file", wrapper: WrapperSyslog, origin: "im01 wukongim[4242]", stamp: yearless,
		wrap: prefixed("May 04 09:30:00 im01 wukongim[4242]: ")},
	{name: "journald short-precise", wrapper: WrapperSyslog, origin: "im01 wukongim[4242]",
		stamp: Stamp{Time: yearless.Time.Add(123456 * time.Microsecond), Yearless: true},
		wrap:  prefixed("May 04 09:30:00.123456 im01 wukongim[4242]: ")},
	{name: "syslog with priority", wrapper: WrapperSyslog, origin: "im01 wukongim[4242]", stamp: yearless,
		wrap: prefixed("<30>May  4 09:30:00 im01 wukongim[4242]: ")},
	{name: "syslog without pid", wrapper: WrapperSyslog, origin: "im01 wukongim", stamp: yearless,
		wrap: prefixed("May  4 09:30:00 im01 wukongim: ")},
	{name: "syslog without host", wrapper: WrapperSyslog, origin: "wukongim[4242]", stamp: yearless,
		wrap: prefixed("<30>May  4 09:30:00 wukongim[4242]: ")},
	{name: "syslog with priority and RFC 3339 time", wrapper: WrapperSyslog, origin: "im01 wukongim[4242]", stamp: inMicro,
		wrap: prefixed("<30>2026-05-04T09:30:00.123456+08:00 im01 wukongim[4242]: ")},
	{name: "syslog 5424", wrapper: WrapperSyslog, origin: "im01 wukongim[4242]", stamp: inMicro,
		wrap: prefixed("<30>1 2026-05-04T09:30:00.123456+08:00 im01 wukongim 4242 - - ")},
	{name: "syslog 5424 with structured data", wrapper: WrapperSyslog, origin: "im01 wukongim", stamp: inMicro,
		wrap: prefixed(`<30>1 2026-05-04T01:30:00.123456Z im01 wukongim - ID1 [x@1 a="\"]"][y b="]"] ` + bom)},
	{name: "docker json-file of a syslog line", wrapper: WrapperDockerJSON, stream: "stdout", origin: "im01 wukongim[4242]", stamp: yearless, inJSON: true,
		wrap: func(s string) string {
			return `{"log":` + dockerJSON("May  4 09:30:00 im01 wukongim[4242]: "+s+"\n") + `,"stream":"stdout","time":"2026-05-04T01:30:00.123456789Z"}`
		}},
	{name: "docker compose under systemd", wrapper: WrapperSyslog, origin: "im01 docker-compose[77]", stamp: inUTC,
		wrap: prefixed("May  4 09:30:00 im01 docker-compose[77]: wukongim-1  | 2026-05-04T01:30:00.123456789Z ")},
}

// fits reports whether the wrapper can carry the text unchanged.
func (c *wrapCase) fits(text string) bool {
	switch {
	case c.inJSON && !utf8.ValidString(text):
		return false
	case c.starts && !startsPod([]byte(text)):
		return false
	}
	return !strings.ContainsAny(text, "\r\n") && string(undoOctal([]byte(text))) == text &&
		!strings.HasPrefix(text, bom)
}
