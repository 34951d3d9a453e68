package parser

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const certPanic = `panic: open /root/wukongim/certs/nope.pem: no such file or directory

goroutine 1 [running]:
github.com/WuKongIM/WuKongIM/internal/options.(*Options).ConfigureWithViper(0x3229d6668808, 0x3229d64fc820)
	/go/release/internal/options/options.go:894 +0x3a33
github.com/WuKongIM/WuKongIM/cmd.initConfig()
	/go/release/cmd/root.go:91 +0x345
github.com/spf13/cobra.(*Command).preRun(...)
	/go/pkg/mod/github.com/spf13/cobra@v1.6.1/command.go:946
main.main()
	/go/release/main.go:48 +0x27e
exit status 2`

const nilPanic = `panic: runtime error: invalid memory address or nil pointer dereference [recovered]
	panic: 【ReactorSub-1】reactorSub panic
[signal SIGSEGV: segmentation violation code=0x1 addr=0x48 pc=0xa49855]

goroutine 1190 [running]:
go.uber.org/zap/zapcore.CheckWriteAction.OnWrite(0x2?, 0x3fd43d18b3c0?, {0x0?, 0x0?, 0x3fd4394a7de0?})
	/go/pkg/mod/go.uber.org/zap@v1.27.0/zapcore/entry.go:196 +0x54
panic({0x14c5580?, 0x2718c60?})
	/usr/local/go/src/runtime/panic.go:860 +0x13a
github.com/WuKongIM/crypto/tls.(*Conn).readClientHello(0x3fd43d658008, {0x1aa6f90, 0x3fd43d1c6ff0})
	/go/pkg/mod/github.com/!wu!kong!i!m/crypto@v0.0.0/tls/handshake_server.go:190 +0x75
created by github.com/WuKongIM/WuKongIM/pkg/wknet.(*ReactorSub).Start in goroutine 1
	/go/release/pkg/wknet/reactor_sub.go:53 +0x4f`

const fatalPanic = `fatal error: all goroutines are asleep - deadlock!
runtime: some remark

goroutine 1 gp=0xc000002380 m=0 mp=0x1a2b3c [chan receive, 5 minutes]:
runtime.gopark(0xc0000?, 0x0?, 0x0?, 0x0?, 0x0?)
	/usr/local/go/src/runtime/proc.go:435 +0xce
main.Map[...](0xc000010000)
	/x/main.go:7 +0x1
...additional frames elided...
...23 frames elided...
created by main.main
	/x/main.go:7 +0x1

runtime stack:
runtime.throw({0x1, 0x2})
rax    0xca
rip    0x46d1a3
r10    0x0
rflags 0x286
PC=0x46d1a3 m=0 sigcode=0
SIGABRT: abort`

func splitLines(s string) [][]byte {
	var lines [][]byte
	for _, line := range strings.Split(s, "\n") {
		lines = append(lines, []byte(line))
	}
	return lines
}

func TestPanicLinesAreRecognised(t *testing.T) {
	for _, text := range []string{certPanic, nilPanic, fatalPanic} {
		for i, line := range splitLines(text) {
			assert.Equal(t, i == 0, StartsPanic(line), string(line))
			assert.Equal(t, i > 0, ContinuesPanic(line), string(line))
		}
	}
}

func TestTracesThatLostTheirTabsAreRecognised(t *testing.T) {
	for _, line := range []string{
		"    /go/release/cmd/root.go:91 +0x345",
		"        panic: 【ReactorSub-1】reactorSub panic",
		"  ",
		"goroutine 7 [running]:\r",
	} {
		assert.True(t, ContinuesPanic([]byte(line)), line)
	}
}

func TestOtherLinesDoNotContinueAPanic(t *testing.T) {
	for _, line := range []string{
		rawLine, closeLine, "\t" + closeLine, "  " + closeLine, "\t" + rawLine,
		"panic: open /x: no such file or directory",
		"fatal error: x",
		"2026/11/23 05:05:52 [info] 1#1: *1 x (y)",
		"2026-08-23 00:31:08.123\tERROR\t[app]\tapp.go:1\tmessage(0x1)",
		"🚀 Starting WuKongIM Server...",
		"   ├─ Mode: 🐛 debug (development)",
		"    ╔══════════════════╗",
		"goroutine leak found",
		"goroutine 1",
		"created by the installer",
		"created by hand",
		"exit status unknown",
		"call main.main()",
		"server.start(foo)",
		"error reading config (0x1)",
		"see config.yaml (2)",
		"Signal: x",
		"SIGNALLED it did",
		"rax is 0x1",
		"size 0xzz",
		"[GIN-debug] GET /health --> github.com/x.func1 (4 handlers)",
		"[gnet] 2026-11-23T04:43:42.621563664Z\tINFO\tx.go:256\tLaunching",
		"wukongim-1 exited with code 2",
		"...",
		"关闭连接--->",
	} {
		assert.False(t, ContinuesPanic([]byte(line)), line)
	}
}

func TestParsePanicSeparatesWhatWasSaidFromTheTrace(t *testing.T) {
	first := Unwrap([]byte(`{"log":"panic: x\n","stream":"stderr","time":"2026-05-04T01:30:00.123456789Z"}`))
	for text, want := range map[string]Record{
		certPanic: {Message: "panic: open /root/wukongim/certs/nope.pem: no such file or directory",
			Error: "open /root/wukongim/certs/nope.pem: no such file or directory", Level: "panic"},
		nilPanic: {Message: "panic: runtime error: invalid memory address or nil pointer dereference [recovered]\npanic: 【ReactorSub-1】reactorSub panic",
			Error: "runtime error: invalid memory address or nil pointer dereference", Level: "panic"},
		fatalPanic: {Message: "fatal error: all goroutines are asleep - deadlock!",
			Error: "all goroutines are asleep - deadlock!", Level: "fatal"},
	} {
		r := ParsePanic(splitLines(text), first)
		assert.Equal(t, KindPanic, r.Kind)
		assert.Equal(t, want.Message, r.Subject())
		assert.Equal(t, want.Error, r.Error)
		assert.Equal(t, want.Level, r.Level)
		assert.Equal(t, text, r.Text)
		assert.Equal(t, "stderr", r.Stream)
		assert.Equal(t, WrapperDockerJSON, r.Wrapper)
		assert.False(t, r.OwnTime)
		sameStamp(t, inUTC, r.Stamp)
		assert.NotContains(t, r.Stack, "panic: ")
		assert.Contains(t, r.Stack, ".go:")
	}
}

func TestPanicOfOneEntryIsParsed(t *testing.T) {
	r := parseLine("panic: tls: failed to parse private key")
	assert.Equal(t, KindPanic, r.Kind)
	assert.Equal(t, "panic: tls: failed to parse private key", r.Subject())
	assert.Empty(t, r.Stack)

	r = *Parse(Entry{Text: []byte(nilPanic)})
	assert.Equal(t, ParsePanic(splitLines(nilPanic), Entry{Text: []byte(nilPanic)}), r)
}

// TestTraceGoesOnInTheNextFile cuts a log within a panic's trace at every line.
func TestTraceGoesOnInTheNextFile(t *testing.T) {
	log := "2026-05-04T01:30:00Z a line\n2026-05-04T01:30:01Z " + strings.ReplaceAll(certPanic, "\n", "\n2026-05-04T01:30:01Z ") + "\n" + strings.Repeat("2026-05-04T01:30:09Z another line\n", 2*maxPatience)
	whole, _ := read(t, strings.NewReader(log))
	require.Len(t, whole, 1)
	assert.False(t, whole[0].Open)
	lines := strings.SplitAfter(log, "\n")
	for cut := 2; cut < 2+strings.Count(certPanic, "\n"); cut++ {
		first, _ := read(t, strings.NewReader(strings.Join(lines[:cut], "")))
		require.Len(t, first, 1)
		require.True(t, first[0].Open)
		first[0].Continue([]byte(strings.Join(lines[cut:], "")))
		require.Equal(t, whole[0], first[0], "cut after line %d", cut)
	}
}
