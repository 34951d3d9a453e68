package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the expected outputs of the scripts anew")

func TestMain(m *testing.M) {
	switch os.Getenv("WKLOG_TEST_PROGRAM") {
	case "wklog":
		os.Exit(execute())
	case "writer":
		writeServerLog()
	case "last words":
		writeLastWords()
	}
	testscript.Main(m, map[string]func(){
		"wklog": func() { os.Exit(execute()) },
	})
}

// TestScripts runs the terminal sessions in testdata/script. In them $DATA is
// the project's testdata folder.
func TestScripts(t *testing.T) {
	data, err := filepath.Abs("../../testdata")
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATA", data)
			env.Setenv("CONFIGS", filepath.Join(filepath.Dir(data), "cmd/internal/check/testdata/config"))
			env.Setenv("HOSTILE", "{app=\"a\"}\ngroups: injected\n\x1b[31m")
			env.Setenv("LANG", "C")
			env.Setenv("TZ", "UTC")
			return errors.Join(writeOddFiles(env.WorkDir), writeStops(data, env.WorkDir))
		},
		RequireExplicitExec: true,
	})
}

const handshakeLine = "-------------------------->握手失败！--------------------------> remote error: tls: unknown certificate handshakeStatus13ReadClientFinished\n"

// writeOddFiles makes the files that a script cannot hold as text.
func writeOddFiles(dir string) error {
	gz, err := compressed(strings.Repeat(handshakeLine, 1000))
	if err != nil {
		return err
	}
	binary := append([]byte{0, 1, 2, 3, 0xff}, handshakeLine...)
	files := map[string][]byte{
		"binary.log":     binary,
		"dir/000001.log": binary,
		"whole.log.gz":   gz,
		"damaged.log.gz": gz[:len(gz)-20],
		"utf16.log":      utf16LE("\ufeff" + strings.ReplaceAll(handshakeLine, "\n", "\r\n")),
		"invalid.log":    []byte("\xfd\xfe broken \xc3\x28\n" + handshakeLine),
		"windows.log":    []byte(strings.ReplaceAll(handshakeLine+handshakeLine, "\n", "\r\n")),
		"long.log":       []byte(handshakeLine + strings.Repeat("x", 100<<20) + "\n" + handshakeLine),
		"hostile.log":    []byte("\x1b]0;owned\x07\x1b[31m 2026-05-04 panic: open /x/\x1b[2Jcert.pem\u009b31m: no such file or directory\npanic: open /x/\x1b[2Jcert.pem\u009b31m\u202e: no such file or directory\n"),
	}
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeStops makes a file of both streams of each recorded start of a server.
func writeStops(data, dir string) error {
	if err := os.Mkdir(filepath.Join(dir, "stops"), 0o755); err != nil {
		return err
	}
	for _, name := range []string{"stops.jsonl", "v3.jsonl"} {
		starts, err := os.ReadFile(filepath.Join(data, "wukongim", name))
		if err != nil {
			return err
		}
		for line := range bytes.Lines(starts) {
			var start struct{ ID, Stdout, Stderr string }
			if err := json.Unmarshal(line, &start); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, "stops", start.ID+".log"), []byte(start.Stdout+start.Stderr), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func compressed(text string) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

func utf16LE(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}
