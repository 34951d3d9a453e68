package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	yaml "go.yaml.in/yaml/v4"
)

// originals are what must not be found in a redacted report.
var originals = []string{
	"203.0.113.77", "2001:db8:77::7", "10.77.0.5", "acme-corp", "hangzhou", "wangwei", "liuyang", "hunter2",
	"9f86d081884c7d659a2feaa0c55ad015", "13912345678", "/srv/secret-project", "secret-project", "node-a7", "archiv77",
}

// TestRedactedReportsHoldNoOriginal looks for the originals in every form, in
// both languages.
func TestRedactedReportsHoldNoOriginal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secret-project", "archiv77")
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	write("node-a7/stdout.log", `2026-05-04T01:30:00.000000000Z panic: open /srv/secret-project/im.acme-corp.cn.pem: no such file or directory
2026-05-04T01:30:01.000000000Z {"level":"debug","time":"2026-05-04T01:30:01+00:00","msg":"【ReactorSub-1】close connn","error":"remote error: tls: unknown certificate","uid":"wangwei","token":"hunter2","id":7,"fd":151}
2026-05-04T01:30:02.000000000Z http: TLS handshake error from 203.0.113.77:4711: remote error: tls: bad certificate
2026-05-04T01:30:03.000000000Z http: TLS handshake error from [2001:db8:77::7]:4711: EOF
2026-05-04T01:30:04.000000000Z http: TLS handshake error from 10.77.0.5:4711: tls: something new of im.acme-corp.cn for 13912345678
`)
	write("node-hangzhou/error.log", `2026/05/04 01:30:00 [crit] 7#7: *1 SSL_do_handshake() failed (SSL: error:0A000126:SSL routines::unexpected eof while reading) while SSL handshaking, client: 203.0.113.77, server: im.acme-corp.cn:443
2026/05/04 01:30:01 [error] 7#7: *2 peer closed connection in SSL handshake while SSL handshaking to upstream, client: 203.0.113.77, server: im.acme-corp.cn, request: "GET /ws?uid=liuyang&token=9f86d081884c7d659a2feaa0c55ad015 HTTP/1.1", upstream: "https://10.77.0.5:5210/ws", host: "im.acme-corp.cn"
`)
	write("node-hangzhou/damaged.log.gz", "\x1f\x8bnot gzip")
	write("wk.yaml", "wssAddr: wss://10.77.0.5:5210\nwssConfig:\n  certFile: /srv/secret-project/fullchain.pem\n  keyFile: /srv/secret-project/privkey.pem\nexternal:\n  wssAddr: wss://203.0.113.77:5210\n")
	for _, lang := range []string{"en", "zh"} {
		for _, form := range [][]string{
			{"report", ".json"}, {"report", ".html"}, {"report", ".md"}, {"report", ".csv"}, {"report", ".csv", "--events"}, {"report", ".sarif"}, {"report", ".txt"},
			{"analyze", "", "--format", "jsonl"}, {"analyze", ""}, {"analyze", "", "--format", "html"},
		} {
			written := func(more ...string) string {
				out := filepath.Join(t.TempDir(), "acme-corp"+form[1])
				args := append([]string{form[0], dir, "--lang", lang, "--check", filepath.Join(dir, "wk.yaml"), "--tz", "UTC", "-o", out}, form[2:]...)
				_, _, status := run1(t, append(args, more...)...)
				require.Equal(t, exitWrong, status) // one file is damaged
				data, err := os.ReadFile(out)
				require.NoError(t, err)
				return string(data)
			}
			plain, shown := written(), written("--redact")
			assert.Contains(t, plain, "203.0.113.77", "%v", form)
			for _, original := range originals {
				assert.NotContains(t, strings.ToLower(shown), original, "%s %v", lang, form)
			}
			count := regexp.MustCompile(`unknown-certificate`)
			assert.Len(t, count.FindAllString(shown, -1), len(count.FindAllString(plain, -1)), "%s %v", lang, form)
		}
	}
}

// TestNamesInLogsOfAllProgramsAreRedacted: wherever a program names something of its
// owner's, another word each time, none of which may come through in any form.
func TestNamesInLogsOfAllProgramsAreRedacted(t *testing.T) {
	dir := t.TempDir()
	planted := plant(t, dir)
	for _, form := range []string{"jsonl", "json", "html", "markdown", "csv", "sarif", "table"} {
		shown, _, _ := run1(t, "analyze", dir, "--format", form, "--verbose", "--redact")
		require.Contains(t, shown, "host-1", form)
		for word, place := range planted {
			assert.NotContains(t, strings.ToLower(shown), word, "%s: %s", form, place)
		}
	}
}

// plant writes logs of all programs, with a word of its own for each name in them, and
// gives the words with their places.
func plant(t *testing.T, dir string) map[string]string {
	t.Helper()
	var logs map[string]string
	require.NoError(t, yaml.Unmarshal(read(t, "testdata/planted.yaml"), &logs))
	planted := map[string]string{}
	name := regexp.MustCompile(`‹\w+›`)
	fill := func(file, text string) string {
		return name.ReplaceAllStringFunc(text, func(place string) string {
			word := []byte("z")
			for range 8 {
				word = append(word, "bcdfghjklmnpqrtvwx"[rand.IntN(18)])
			}
			planted[string(word)] = file + ": " + place
			return string(word)
		})
	}
	for file, text := range logs {
		path := filepath.Join(dir, fill(file, file))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(fill(file, text)), 0o644))
	}
	return planted
}
