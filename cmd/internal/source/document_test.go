package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/source/engine"
)

// line is one of those that a document is handed out as.
type line struct {
	Labels          map[string]string
	Timestamp, Line string
}

// taken keeps the lines of each log, and how often a log went on.
type taken struct {
	lines map[string][]line
	parts map[string]int
	order []string
}

func (r *taken) Read(l *Log) error {
	data, err := io.ReadAll(l)
	for text := range bytes.Lines(data) {
		var one line
		if err := json.Unmarshal(text, &one); err != nil {
			return err
		}
		r.lines[l.Name] = append(r.lines[l.Name], one)
	}
	if (r.parts[l.Name] > 0) != l.More {
		return fmt.Errorf("%s: part %d, more %v", l.Name, r.parts[l.Name], l.More)
	}
	r.parts[l.Name]++
	r.order = append(r.order, l.Name)
	return err
}

func (r *taken) End() {}

func takeDocument(document io.Reader, size int) (*taken, error) {
	r := &taken{lines: map[string][]line{}, parts: map[string]int{}}
	s := newStreams(&walker{ctx: context.Background(), visitor: r}, &Log{Name: "d.json"})
	s.size = size
	return r, s.read(document)
}

func TestDocumentIsKnownByItsBeginning(t *testing.T) {
	for _, head := range []string{
		`{"status":"success","data":{"resultType":"streams","result":[`,
		"\xef\xbb\xbf{\n  \"status\": \"success\",\n  \"data\": {\n",
		`{"data":{"encodingFlags":["categorize-labels"],"result":[`, `{"streams": [{"stream":`, `{"stream":{"pod":"p"},"values":[`, `[{"stream":{}`,
		`[{"line":"{\"level\":1}","timestamp":"1"`, "[\n {\n  \"timestamp\": \"1\",\n  \"line\": \"a\"", `[{"date":"x","fields":{"a":"}"},"line":"a"`[:23] + `"b"},"line":"a"`,
	} {
		assert.True(t, documents.MatchString(head), head)
	}
	for _, head := range []string{
		"", "{", `{"level":"debug","time":"x","msg":"{\"status\":\"success\",\"data\":{"}`, `{"status":200,"data":{}}`, `{"status":"success","msg":"x"}`,
		`{"data":{"id":1},"level":"info"}`, `{"stream":"stdout","log":"x"}`, `[pod/a/b] {"stream":{"pod":"p"}}`, `[{"date":1777858200.1,"log":"x"}]`,
		`{"log":"{\"stream\":{}}","stream":"stdout"}`, `{"streams":3}`, `[1,{"line":"x"}]`,
	} {
		assert.False(t, documents.MatchString(head), head)
	}
}

// answerOf writes an answer with the entries of each pod, newest first if asked for.
func answerOf(pods, entries int, backward bool) string {
	type stream struct {
		Stream map[string]string `json:"stream"`
		Values [][2]string       `json:"values"`
	}
	var streams []stream
	for p := range pods {
		for _, level := range []string{"debug", "unknown"} { // the stream is split, as Loki does by its guess
			s := stream{Stream: map[string]string{"pod": fmt.Sprintf("wukongim-%d", p), "detected_level": level}}
			for n := range entries {
				if (n%2 == 0) == (level == "debug") {
					at := int64(1777858200e9) + int64(n/4)*2e9 + int64(n%4)
					s.Values = append(s.Values, [2]string{strconv.FormatInt(at, 10), fmt.Sprintf("%d>%d", p, n)})
				}
			}
			if backward {
				slices.Reverse(s.Values)
			}
			streams = append(streams, s)
		}
	}
	b, _ := json.Marshal(map[string]any{"status": "success", "data": map[string]any{"resultType": "streams", "result": streams}})
	return string(b)
}

func TestEntriesOfOneServerAreJoinedInTheOrderOfTime(t *testing.T) {
	for _, backward := range []bool{false, true} {
		got, err := takeDocument(strings.NewReader(answerOf(2, 50, backward)), holdSize)
		require.NoError(t, err)
		assert.Equal(t, []string{"d.json!wukongim-0", "d.json!wukongim-1"}, got.order)
		for p, name := range got.order {
			require.Len(t, got.lines[name], 50)
			for n, one := range got.lines[name] {
				assert.Equal(t, fmt.Sprintf("%d>%d", p, n), one.Line)
				assert.Equal(t, map[string]string{"pod": fmt.Sprintf("wukongim-%d", p)}, one.Labels)
			}
		}
	}
}

// TestLargeDocumentIsReadInPartsThatTakeNoFailureApart: each entry once, and those that
// came together in one part, in the order of time.
func TestLargeDocumentIsReadInPartsThatTakeNoFailureApart(t *testing.T) {
	const entries = 4000
	for _, backward := range []bool{false, true} {
		var document strings.Builder
		document.WriteString(`[`)
		for i := range entries {
			n := i
			if backward {
				n = entries - 1 - i
			}
			fmt.Fprintf(&document, `%s{"line":"%d","timestamp":"%d","fields":{"pod":"p"}}`, strings.Repeat(",", min(i, 1)), n, 1777858200e9+int64(n/4)*2e9+int64(n%4))
		}
		document.WriteString(`]`)
		got, err := takeDocument(strings.NewReader(document.String()), 50_000)
		require.NoError(t, err)
		lines := got.lines["d.json!p"]
		require.Len(t, lines, entries)
		assert.Greater(t, got.parts["d.json!p"], 3)
		seen := map[string]bool{}
		for i := 0; i < entries; i += 4 {
			first, err := strconv.Atoi(lines[i].Line)
			require.NoError(t, err)
			require.Zero(t, first%4, "a group begins with its first entry")
			for k := range 4 {
				require.Equal(t, strconv.Itoa(first+k), lines[i+k].Line)
				seen[lines[i+k].Line] = true
			}
		}
		assert.Len(t, seen, entries)
	}
}

// TestLinesOfOneMomentKeepTheirOrder: as a panic's, from a shipper that tells seconds.
func TestLinesOfOneMomentKeepTheirOrder(t *testing.T) {
	const first, second = `["1777858200000000000","a"],["1777858200000000000","b"]`, `["1777858201000000000","c"]`
	for document, want := range map[string]string{
		`[` + first + `,` + second + `,["never","d"]]`: "abcd",
		`[` + second + `,` + first + `]`:               "bac",
	} {
		got, err := takeDocument(strings.NewReader(`{"stream":{"pod":"p"},"values":`+document+`}`), holdSize)
		require.NoError(t, err)
		text := ""
		for _, one := range got.lines["d.json!p"] {
			text += one.Line
		}
		assert.Equal(t, want, text, document)
	}
}

func TestManyStreamsAreBounded(t *testing.T) {
	var document strings.Builder
	for n := range 3 * maxStreams {
		fmt.Fprintf(&document, `{"stream":{"pod":"p%d"},"values":[["1777858200000000000","a"]]}`, n)
	}
	got, err := takeDocument(strings.NewReader(document.String()), holdSize)
	require.NoError(t, err)
	assert.Len(t, got.lines, maxStreams+1)
	assert.Len(t, got.lines["d.json"], 2*maxStreams)
}

func TestServersOwnFilesComeLast(t *testing.T) {
	got, err := takeDocument(strings.NewReader(
		`{"streams":[{"stream":{"host":"a","filename":"/wk/error.log"},"values":[["1777858200000000000","a"]]},{"stream":{"host":"b"},"values":[["1777858200000000000","a"]]}]}`), holdSize)
	require.NoError(t, err)
	assert.Equal(t, []string{"d.json!b", "d.json!a/wk/error.log"}, got.order)
}

func TestLettersThatWereEscapedAreFound(t *testing.T) {
	got, err := takeDocument(strings.NewReader(`{"stream":{"pod":"p"},"values":[["1777858200000000000","--\u003e\u63e1\u624b \"\\\u0001"]]}`), holdSize)
	require.NoError(t, err)
	assert.Equal(t, "-->握手 \"\\\x01", got.lines["d.json!p"][0].Line)
	text := string(appendText(nil, []byte(`"--\u003e\u63e1\u624b"`)))
	assert.Equal(t, `"-->握手"`, text)
}

func TestDocumentIsReadFromAFileAndAnArchive(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "answer.json")
	require.NoError(t, os.WriteFile(path, []byte(answerOf(1, 4, true)), 0o600))
	logs, order, failures := walk(dir)
	assert.Empty(t, failures)
	assert.Equal(t, []string{path + "!wukongim-0"}, order)
	assert.Equal(t, 4, strings.Count(logs[order[0]], "\n"))

	whole := answerOf(1, 400, false)
	require.NoError(t, os.WriteFile(path, []byte(whole[:len(whole)/2]), 0o600))
	logs, order, failures = walk(path)
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0].Err, engine.ErrCut)
	assert.Equal(t, path, failures[0].Source)
	assert.Greater(t, strings.Count(logs[order[0]], "\n"), 100)

	require.NoError(t, os.WriteFile(path, []byte(`{"status":"success","data":{"resultType":"streams","result":[]}}`), 0o600))
	logs, _, failures = walk(path)
	assert.Empty(t, failures)
	assert.Equal(t, map[string]string{path: ""}, logs, "it is told that there is nothing in it")
}

// generated is a document of one line that is made while it is read.
type generated struct {
	left, n int
	rest    []byte
}

func (g *generated) Read(p []byte) (int, error) {
	if len(g.rest) == 0 {
		if g.left < 0 {
			return 0, io.EOF
		}
		text := fmt.Sprintf(`%s["%d","%d %s"]`, strings.Repeat(",", min(g.n, 1)), 1777858200e9-int64(g.n)*1e6, g.n, strings.Repeat("x", 200))
		if g.n == 0 {
			text = `{"status":"success","data":{"resultType":"streams","result":[{"stream":{"pod":"p"},"values":[` + text
		}
		if g.left -= len(text); g.left < 0 {
			text += `]}]}}`
		}
		g.n++
		g.rest = []byte(text)
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// counting counts what it reads, and the most memory that is in use meanwhile.
type counting struct {
	lines int
	most  uint64
}

func (c *counting) Read(l *Log) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.Read(buf)
		c.lines += bytes.Count(buf[:n], []byte("\n"))
		if err != nil {
			break
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	c.most = max(c.most, m.HeapAlloc)
	return nil
}

func (*counting) End() {}

// TestMemoryDoesNotGrowWithADocument: DOCUMENT_SIZE is how many MiB of one line it has.
func TestMemoryDoesNotGrowWithADocument(t *testing.T) {
	mebibytes := 8
	if size := os.Getenv("DOCUMENT_SIZE"); size != "" {
		var err error
		mebibytes, err = strconv.Atoi(size)
		require.NoError(t, err)
	}
	const size = 1 << 20
	c, g := &counting{}, &generated{left: mebibytes << 20}
	s := newStreams(&walker{ctx: context.Background(), visitor: c}, &Log{Name: "d.json"})
	s.size = size
	if mebibytes > 32 {
		s.size = holdSize
	}
	require.NoError(t, s.read(g))
	assert.Equal(t, g.n, c.lines)
	assert.Less(t, c.most, uint64(3*s.size+16<<20))
	t.Logf("%d MiB, %d entries, at most %d MiB in use", mebibytes, g.n, c.most>>20)
}
