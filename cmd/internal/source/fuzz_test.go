package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// swallowing reads every log to its end.
type swallowing struct{ bytes int64 }

func (s *swallowing) Read(l *Log) error {
	n, err := io.Copy(io.Discard, l)
	s.bytes += n
	return err
}

func (*swallowing) End() {}

// FuzzUnpack checks that any file can be read: as text, as an archive, as damage.
// Nothing expands beyond its limit.
func FuzzUnpack(f *testing.F) {
	f.Add("server.log", []byte("a line\n"))
	f.Add("server.log", []byte("\xff\xfea\x00\n\x00"))
	f.Add("answer.json", []byte(`{"status":"success","data":{"result":[{"stream":{"pod":"p"},"values":[["2","b"],["1","a"]]}]}}`))
	f.Add("download.json", []byte(`[{"line":"a","timestamp":"1","fields":{"pod":"p"}},{"line":"b"`))
	var packed, zipped, tarred bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(bytes.Repeat([]byte("a line\n"), 100))
	_ = z.Close()
	f.Add("server.log.gz", packed.Bytes())
	archive := zip.NewWriter(&zipped)
	w, _ := archive.Create("../a.log")
	_, _ = w.Write([]byte("a line\n"))
	_ = archive.Close()
	f.Add("logs.zip", zipped.Bytes())
	tape := tar.NewWriter(&tarred)
	_ = tape.WriteHeader(&tar.Header{Name: "a.log", Size: 7, Mode: 0o600})
	_, _ = tape.Write([]byte("a line\n"))
	_ = tape.Close()
	f.Add("logs.tar", tarred.Bytes())
	f.Add("x.zst", []byte("\x28\xb5\x2f\xfd\x04\x00"))
	f.Add("x.xz", []byte("\xfd7zXZ\x00"))
	f.Add("x.bz2", []byte("BZh9"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		v := &swallowing{}
		wk := &walker{ctx: context.Background(), visitor: v, limit: DefaultLimit, stored: int64(len(data)), isReport: func([]byte) bool { return false }}
		wk.deliver(&Log{Name: name, Size: int64(len(data)), Reader: bytes.NewReader(data), File: bytes.NewReader(data)}, found{path: name})
		require.LessOrEqual(t, v.bytes, max(int64(harmless), DefaultLimit.Times*int64(len(data)))+pieceSize)
	})
}

// FuzzRotationNames checks that pieces of any names have one order.
func FuzzRotationNames(f *testing.F) {
	f.Add("server.log.1", "server.log.2.gz")
	f.Add("info-2026-05-04T01-30-00.000.log", "info.log-20260504")
	f.Add("server.log.99999999999999999999", "server.log.-1")
	f.Fuzz(func(t *testing.T, a, b string) {
		rotationOf(a)
		one, other := found{path: a}, found{path: b}
		require.Equal(t, one.compare(other), -other.compare(one))
		require.Zero(t, one.compare(one))
		order(a)
		mayHoldLogs(a)
	})
}

// FuzzNodesByPattern checks that any expression of --node-from is refused or works.
func FuzzNodesByPattern(f *testing.F) {
	f.Add(`node-(\d+)`, "logs/node-3/server.log")
	f.Add(`(`, "a")
	f.Fuzz(func(t *testing.T, expr, name string) {
		if node, err := NodesByPattern(expr); err == nil {
			require.Contains(t, name, node(name))
		}
		if limit, err := ParseLimit(expr); err == nil {
			require.False(t, limit.Times < 0 || limit.Bytes < 0)
		}
	})
}

// FuzzState checks that any state file is refused or lets a log be followed.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"schema":"wklog.state/v1","files":[{"name":"LOG","device":1,"inode":2,"offset":4,"lines":1,"head":{"bytes":4,"sha256":"x"},"tail":{"bytes":4,"sha256":"x"},"read":[]}]}`))
	f.Add([]byte(`{"schema":"wklog.state/v1","files":[{"name":"LOG","offset":-5,"head":{"bytes":-1},"tail":{"bytes":-1}}],"memory":{"salt":1}}`))
	f.Add([]byte(`{"schema":"wklog.state/v1","files":[{"name":"LOG","offset":9223372036854775807,"lines":-9223372036854775808,"read":[{"size":-1}]}]}`))
	dir := f.TempDir()
	log, path := filepath.Join(dir, "server.log"), filepath.Join(dir, "state.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(log, []byte("one\ntwo\n"), 0o644))
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(data), "LOG", log)), 0o644))
		state, err := OpenState(path)
		if err != nil {
			require.ErrorIs(t, err, ErrState)
			return
		}
		defer state.Close()
		var memory struct{}
		_ = state.Memory(&memory)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		out := &lines{}
		follow := &Follow{Paths: []string{log}, FromStart: true, State: state, Deliver: out.deliver, Tick: func() error { return nil }, Report: func(Failure) {}}
		require.NoError(t, follow.Run(ctx))
		require.LessOrEqual(t, len(out.all), 2)
		require.NoError(t, follow.SaveAll(func() any { return nil }))
	})
}
