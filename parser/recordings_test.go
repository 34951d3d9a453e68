package parser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const recordings = "../testdata/wukongim"

// recordedLines returns the lines of a recording's string lists or texts with
// the given keys.
func recordedLines(t testing.TB, file string, keys ...string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(recordings, file))
	require.NoError(t, err)
	defer f.Close()
	var lines []string
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		var attempt map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &attempt))
		for _, key := range keys {
			var list []string
			if json.Unmarshal(attempt[key], &list) != nil {
				var text string
				require.NoError(t, json.Unmarshal(attempt[key], &text))
				list = strings.Split(text, "\n")
			}
			lines = append(lines, list...)
		}
	}
	require.NoError(t, scanner.Err())
	return lines
}

func serverLines(t testing.TB) []string {
	lines := recordedLines(t, "attempts.jsonl", "server_stdout", "server_stderr")
	return append(lines, recordedLines(t, "faults.jsonl", "server_stdout", "server_stderr")...)
}

// TestEveryRecordedLineSurvivesEveryWrapper wraps what a real server printed
// and expects the same text and record back.
func TestEveryRecordedLineSurvivesEveryWrapper(t *testing.T) {
	lines := serverLines(t)
	require.Greater(t, len(lines), 1500)
	for _, c := range wrapCases {
		t.Run(c.name, func(t *testing.T) {
			for _, line := range lines {
				if !c.fits(line) {
					continue
				}
				e := Unwrap([]byte(c.wrap(line)))
				require.Equal(t, line, string(e.Text))
				require.Equal(t, c.wrapper, e.Wrapper)
				want, got := parseLine(line), *Parse(e)
				if !want.OwnTime {
					sameStamp(t, c.stamp, got.Stamp)
					got.Stamp = want.Stamp
				}
				got.Wrapper, got.Stream, got.Origin, got.Node, got.NodeBy = want.Wrapper, want.Stream, want.Origin, want.Node, want.NodeBy
				got.Collected = want.Collected
				require.Equal(t, want, got, c.wrap(line))
			}
		})
	}
}

// TestRecordedLinesAgreeWithEncodingJSON compares every record of the real
// servers with what encoding/json makes of the same line.
func TestRecordedLinesAgreeWithEncodingJSON(t *testing.T) {
	for _, line := range append(serverLines(t), recordedLines(t, "startup.jsonl", "stdout")...) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) != nil || strings.Count(line, `"msg":`) > 1 {
			continue
		}
		r := parseLine(line)
		require.Contains(t, []Kind{KindZap, KindClose}, r.Kind, line)
		assert.Equal(t, fields["level"], r.Level)
		assert.True(t, r.OwnTime, line)
		message := r.Message
		if r.Logger != "" {
			message = "【" + r.Logger + "】" + message
		}
		assert.Equal(t, fields["msg"], message)
		for _, key := range []string{"error", "err"} {
			if text, ok := fields[key].(string); ok {
				assert.Equal(t, text, r.Error)
			}
		}
		for key, value := range r.Fields {
			if text, ok := fields[key].(string); ok {
				assert.Equal(t, text, value)
			} else {
				encoded, err := json.Marshal(fields[key])
				require.NoError(t, err)
				assert.JSONEq(t, string(encoded), value)
			}
		}
		own, ok := Stamps([]byte(line))
		assert.True(t, ok)
		assert.Equal(t, r.Stamp, own)
	}
}

func TestEveryRecordedHandshakeLineHasErrorAndState(t *testing.T) {
	seen := 0
	for _, line := range serverLines(t) {
		if !strings.HasPrefix(line, "-----") {
			continue
		}
		seen++
		r := parseLine(line)
		require.Equal(t, KindHandshake, r.Kind)
		head, _, _ := strings.Cut(rawLine, " ")
		assert.Equal(t, line, head+" "+r.Error+" "+r.State)
		assert.True(t, strings.HasPrefix(r.State, "handshakeStatus"), line)
	}
	assert.Greater(t, seen, 800)
}

func TestEveryRecordedNginxLineIsTakenApart(t *testing.T) {
	for _, line := range recordedLines(t, "nginx.jsonl", "lines") {
		r := parseLine(line)
		if !strings.HasPrefix(line, "2026/") {
			assert.Equal(t, KindText, r.Kind, line)
			continue
		}
		require.Equal(t, KindNginx, r.Kind, line)
		assert.True(t, strings.Contains(line, "["+r.Level+"]"), line)
		assert.NotContains(t, r.Message, ", client: ")
		assert.NotEmpty(t, r.Message)
		if _, tail, ok := strings.Cut(line, ", client: "); ok {
			assert.True(t, strings.HasPrefix(tail, r.Remote+","), line)
		}
		for key, value := range r.Fields {
			assert.True(t, strings.Contains(line, key+": "+value) || strings.Contains(line, key+`: "`+value+`"`), line)
		}
	}
}

func TestEveryRecordedPanicIsOneRun(t *testing.T) {
	for _, text := range recordedTexts(t, "startup.jsonl", "stderr") {
		if !strings.HasPrefix(text, "panic: ") {
			continue
		}
		lines := splitLines(text)
		for i, line := range lines {
			require.Equal(t, i > 0, ContinuesPanic(line), string(line))
		}
		r := ParsePanic(lines, Entry{})
		first, _, _ := strings.Cut(text, "\n")
		assert.True(t, strings.HasPrefix(r.Subject(), first), text)
	}
}

func recordedTexts(t *testing.T, file, key string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(recordings, file))
	require.NoError(t, err)
	var texts []string
	for line := range bytes.Lines(b) {
		var attempt map[string]any
		require.NoError(t, json.Unmarshal(line, &attempt))
		if text, ok := attempt[key].(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// TestScenariosHaveOneWrapper expects of each scenario the wrapper that its
// name tells, on every line, and no line that is left unread.
func TestScenariosHaveOneWrapper(t *testing.T) {
	suffixes := map[string]Wrapper{
		"raw": WrapperNone, "docker-t": WrapperDockerTimestamps, "docker-json": WrapperDockerJSON, "compose": WrapperCompose,
		"compose-t": WrapperCompose, "cri": WrapperCRI, "kubectl": WrapperKubectl, "journald": WrapperJournald, "syslog": WrapperSyslog,
	}
	files, err := filepath.Glob(filepath.Join(recordings, "scenarios", "*.log"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".log")
		var want Wrapper
		longest := 0
		for suffix, wrapper := range suffixes {
			if strings.HasSuffix(name, "-"+suffix) && len(suffix) > longest {
				want, longest = wrapper, len(suffix)
			}
		}
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range bytes.Lines(b) {
			e := Unwrap(line)
			require.Equal(t, want, e.Wrapper, "%s: %s", name, line)
			require.NotEqual(t, KindText, Parse(e).Kind, "%s: %s", name, line)
		}
	}
}

func TestServersOwnLogsAreUnderstood(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recordings, "servers", "*", "logs", "*.log"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range bytes.Lines(b) {
			r := Parse(Unwrap(line))
			require.Contains(t, []Kind{KindZap, KindClose}, r.Kind, string(line))
			require.Equal(t, WrapperNone, r.Wrapper)
			require.True(t, r.OwnTime)
		}
	}
}
