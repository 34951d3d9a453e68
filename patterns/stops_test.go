package patterns_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

// stopped is one line of stops.jsonl and v3.jsonl: what a real server left that was
// started with a fault, or without one.
type stopped struct {
	ID, Cause, Stdout, Stderr string
	Logs                      map[string]string
}

// ofFiles analyses logs as several files.
func ofFiles(t *testing.T, logs ...input) patterns.Analysis {
	t.Helper()
	c := loaded(t)
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	options := c.ReadOptions()
	options.Zone = time.UTC
	for _, log := range logs {
		src := a.Source(log.name)
		_, err := parser.Read(context.Background(), strings.NewReader(log.text), options, func(rec *parser.Record) error {
			src.Add(rec)
			return nil
		})
		require.NoError(t, err)
		src.End()
	}
	return a.Result()
}

// ways are the ways in which somebody may collect what a server left.
func (s *stopped) ways() map[string][]input {
	out, err := input{"stdout.log", s.Stdout}, input{"stderr.log", s.Stderr}
	all := map[string][]input{
		"both streams in one": {{"server.log", s.Stdout + s.Stderr}}, "the other way round": {{"server.log", s.Stderr + s.Stdout}},
		"two files": {out, err}, "standard error": {err},
	}
	files := []input{out, err}
	for name, text := range s.Logs {
		files = append(files, input{"logs/" + name, text})
	}
	all["everything"] = files
	return all
}

// TestServerThatStopsForAnotherReason reads starts that fail of something that is
// not TLS, each collected in several ways.
func TestServerThatStopsForAnotherReason(t *testing.T) {
	reasons := map[string]string{
		"ws-port-in-use": "【Acceptor】initWSListener() failed", "tcp-port-in-use": "【Acceptor】initTCPListener() failed",
		"api-port-in-use": "listen tcp 127.0.0.1:25001: bind: address already in use", "manager-port-in-use": "listen tcp 127.0.0.1:25300: bind: address already in use",
		"cluster-port-in-use": "【Server】gnet run error", "config-missing": "read config file error: open wk.yaml: no such file or directory",
		"config-not-yaml":      "read config file error: While parsing config: yaml: line 2: found a tab character that violates indentation",
		"ws-address-not-local": "【Acceptor】initWSListener() failed", "ws-address-without-port": "【Acceptor】initWSListener() failed",
		"tcp-address-scheme": "【Acceptor】initTCPListener() failed", "data-is-a-file": "mkdir /root/wukongim/data/data: not a directory",
		"bad-flag": "Error: unknown flag: --confg", "v3-other-key": "load config: unknown config key: demo.on", "v3-api-port-in-use": "listen tcp 127.0.0.1:7501: bind: address already in use",
		"v3-ws-port-in-use": "listen tcp 127.0.0.1:7200: bind: address already in use",
		"v3-address-ws":     "listen tcp: address ws://127.0.0.1:7210: too many colons in address",
		"v3-config-missing": "load config: read /opt/nope.toml: open /opt/nope.toml: no such file or directory",
		"v3-no-config":      "load config: no default config file found",
	}
	met := 0
	for _, s := range append(readJSONL[stopped](t, "stops.jsonl"), readJSONL[stopped](t, "v3.jsonl")...) {
		if s.Cause == "wss_listener" || s.Cause == "tls_keys" {
			continue
		}
		for way, logs := range s.ways() {
			got := ofFiles(t, logs...)
			assert.Zero(t, got.Events, "%s, %s", s.ID, way)
			assert.Zero(t, got.Unclassified, "%s, %s", s.ID, way)
			if s.Cause == "ok" {
				assert.Empty(t, got.Stops, "%s, %s", s.ID, way)
				continue
			}
			if assert.Len(t, got.Stops, 1, "%s, %s: %v", s.ID, way, got.Stops) {
				assert.Equal(t, 1, got.Stops[0].Count, "%s, %s", s.ID, way)
				assert.True(t, strings.HasPrefix(got.Stops[0].Reason, reasons[s.ID]), "%s, %s: %q", s.ID, way, got.Stops[0].Reason)
			}
			met++
		}
	}
	assert.Greater(t, met, 70)
}

// TestStopNamesTheReasonOfTheRecord takes the reason from the record, where the
// panic on standard error repeats the message alone.
func TestStopNamesTheReasonOfTheRecord(t *testing.T) {
	for _, s := range readJSONL[stopped](t, "stops.jsonl") {
		if s.ID != "ws-port-in-use" {
			continue
		}
		for _, way := range []string{"both streams in one", "the other way round", "two files", "everything"} {
			got := ofFiles(t, s.ways()[way]...)
			require.Len(t, got.Stops, 1)
			assert.Equal(t, "【Acceptor】initWSListener() failed: bind: address already in use", got.Stops[0].Reason, way)
		}
	}
}

// TestVersion3RefusesTLS reads starts of version 3 that fail of a listener or of keys
// for TLS: one failure each, however it was collected.
func TestVersion3RefusesTLS(t *testing.T) {
	met := 0
	for _, s := range readJSONL[stopped](t, "v3.jsonl") {
		want := map[string]string{"wss_listener": "v3-listener-with-tls", "tls_keys": "v3-unknown-tls-key"}[s.Cause]
		if want == "" {
			continue
		}
		for way, logs := range s.ways() {
			got := ofFiles(t, logs...)
			if assert.Len(t, got.Findings, 1, "%s, %s", s.ID, way) {
				assert.Equal(t, want, got.Findings[0].Pattern.ID, "%s, %s", s.ID, way)
				assert.Equal(t, 1, got.Events, "%s, %s", s.ID, way)
				assert.Equal(t, "listen-address-invalid", got.Diagnosis[0].Cause.ID)
				assert.Equal(t, patterns.SideV3, got.Diagnosis[0].Side)
				assert.Greater(t, got.Diagnosis[0].Confidence, 0.9)
			}
			assert.Empty(t, got.Stops, "%s, %s", s.ID, way)
			met++
		}
	}
	assert.Greater(t, met, 30)
}

func TestVersion3StartThatIsTriedAgain(t *testing.T) {
	for _, s := range readJSONL[stopped](t, "v3.jsonl") {
		if s.ID == "v3-address-wss" || s.ID == "v3-api-port-in-use" {
			got := ofFiles(t, input{"server.log", strings.Repeat(s.Stdout+s.Stderr, 3)})
			count := got.Events
			for _, stop := range got.Stops {
				count += stop.Count
			}
			assert.Equal(t, 3, count, s.ID)
		}
	}
}

// TestVersion3StartInWrappers reads the line of a failed start as containers and
// clusters wrap it, coloured and not.
func TestVersion3StartInWrappers(t *testing.T) {
	for _, line := range []string{
		"✗ Startup failed at gateway: listen tcp: address wss://0.0.0.0:5210: too many colons in address",
		"\x1b[1;31m✗ Startup failed at gateway: gateway/transport/gnet: unsupported network \"wss\"\x1b[0m",
		"2026/08/23 00:31:08 load config: unknown config env: WK_WSSADDR, WK_WSSCONFIG_CERTFILE, WK_WSSCONFIG_KEYFILE",
	} {
		quoted := strings.NewReplacer(`"`, `\"`, "\x1b", `\u001b`).Replace(line)
		for _, log := range []string{
			line, "wukongim-1  | " + line, "\x1b[36mwukongim-1  | \x1b[0m" + line, "2026-08-23T00:31:08.123456789Z " + line,
			`{"log":"` + quoted + `\n","stream":"stdout","time":"2026-08-23T00:31:08.123456789Z"}`,
			"2026-08-23T08:31:08.123456789+08:00 stdout F " + line, "[pod/wukongim-0/wukongim] " + line,
			"Aug 23 00:31:08 host wukongim[1234]: " + line, "wukongim-0 wukongim " + line,
		} {
			events, _ := analysed(t, loaded(t), log+"\n")
			if assert.Len(t, events, 1, log) {
				assert.Equal(t, patterns.SideV3, events[0].Pattern.Side, log)
			}
		}
	}
}

func TestStopsAreAskedForByTime(t *testing.T) {
	log := input{"server.log", `{"level":"panic","time":"2026-05-04T01:30:00.5Z","msg":"【Acceptor】initWSListener() failed","error":"bind: address already in use","stacktrace":"github.com/WuKongIM/WuKongIM/pkg/wklog.Panic"}` + "\n"}
	at := time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)
	assert.Len(t, over(t, patterns.Filter{}, log).Stops, 1)
	assert.Empty(t, over(t, patterns.Filter{Since: at.Add(time.Minute)}, log).Stops)
	assert.Empty(t, over(t, patterns.Filter{Patterns: []string{"key-of-other-cert"}}, log).Stops)
}

func TestManyReasonsToStopAreBounded(t *testing.T) {
	var log strings.Builder
	for i := range 3000 {
		log.WriteString("panic: reason " + strings.Repeat("x", i%1500) + "\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1\n")
	}
	got := over(t, patterns.Filter{}, input{"server.log", log.String()})
	assert.LessOrEqual(t, len(got.Stops), 20)
}

func TestRunningServerHasNotStopped(t *testing.T) {
	for _, name := range []string{"healthy/stdout-debug.log", "ok/stdout.log", "expired/stdout.log"} {
		data, err := os.ReadFile("../testdata/wukongim/servers/" + name)
		require.NoError(t, err)
		_, result := analysed(t, loaded(t), string(data))
		assert.Empty(t, result.Stops, name)
	}
}
