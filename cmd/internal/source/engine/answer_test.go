package engine

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
)

// told is what a document says, an entry a line.
func told(document string) ([]string, error) {
	list := []string{}
	err := Read(iotest.OneByteReader(strings.NewReader(document)), func(e *Entry) error {
		at := "-"
		if !e.Time.IsZero() {
			at = fmt.Sprint(e.Time.UnixNano())
		}
		list = append(list, fmt.Sprintf("%s %s %s", e.Labels.Origin(), at, parser.Unquote(e.Text)))
		return nil
	})
	return list, err
}

const answered = `{"status":"success","data":{"resultType":"streams","encodingFlags":["categorize-labels"],"result":[
 {"stream":{"namespace":"im","pod":"wukongim-0","container":"wk","detected_level":"debug"},"values":[
  ["1777858200000000001","a \"quoted\\\" text",{"structuredMetadata":{"detected_level":"info"},"parsed":{"pod":"of the client"}}],
  ["1777858200000000002","{\"msg\":\"b\"}"]]},
 {"stream":{"service_name":"x"},"values":[["1777858200000000003","c",{"structuredMetadata":{"k8s_pod_name":"wukongim-1"}}],["1777858200000000004","d"]]}],
 "stats":{"summary":{"totalBytesProcessed":12.5,"a":null,"b":[true,[-1e3]]}}}}`

func TestEntriesOfEachForm(t *testing.T) {
	for name, c := range map[string]struct {
		document string
		want     []string
	}{
		"answer": {answered, []string{
			`im/wukongim-0/wk 1777858200000000001 a "quoted\" text`, `im/wukongim-0/wk 1777858200000000002 {"msg":"b"}`,
			`wukongim-1 1777858200000000003 c`, ` 1777858200000000004 d`,
		}},
		"pages one after the other": {
			`{"status":"success","data":{"result":[{"stream":{"pod":"p"},"values":[["1","a"]]}]}}` + "\n" +
				`{"status":"success","data":{"result":[{"stream":{"pod":"p"},"values":[["2","b"]]}]}}`,
			[]string{"p 1 a", "p 2 b"},
		},
		"streams alone": {"\xef\xbb\xbf" + `[{"stream":{"pod":"p"},"values":[["1","a"]]}]`, []string{"p 1 a"}},
		"push":          {`{"streams":[{"stream":{"host":"im01","filename":"/var/log/wk/error.log"},"values":[["1","a",{"trace":"t"}]]}]}`, []string{"im01/var/log/wk/error.log 1 a"}},
		"Grafana": {
			`[{"line":"a","timestamp":"1777858200123456789","date":"2026-05-04T01:30:00.123Z","fields":{"pod":"p"}},
			  {"date":"2026-05-04T01:30:00.123Z","fields":{"pod":"q"},"line":"b"}]`,
			[]string{"p 1777858200123456789 a", "q 1777858200123000000 b"},
		},
		"a metric is no log": {`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"pod":"p"},"values":[[1777858200,"5"]]}]}}`, []string{}},
		"nothing":            {`{"status":"success","data":{"resultType":"streams","result":[]}}`, []string{}},
	} {
		got, err := told(c.document)
		assert.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
	}
}

// TestCutDocumentGivesWhatCameBefore: wherever it is cut.
func TestCutDocumentGivesWhatCameBefore(t *testing.T) {
	whole, err := told(answered)
	require.NoError(t, err)
	for at := 1; at < len(answered); at++ {
		got, err := told(answered[:at])
		assert.ErrorIs(t, err, ErrCut, "at %d", at)
		assert.Equal(t, whole[:len(got)], got, "at %d", at)
		if strings.Contains(answered[:at], `"stats"`) {
			assert.Len(t, got, len(whole), "at %d", at)
		}
	}
}

func TestDamageIsNamedByItsPlace(t *testing.T) {
	got, err := told(`{"streams":[{"stream":{"pod":"p"},"values":[["1","a"],["2",<html>`)
	var syntax *SyntaxError
	require.ErrorAs(t, err, &syntax)
	assert.EqualValues(t, 60, syntax.At)
	assert.Equal(t, []string{"p 1 a"}, got)
}

// TestHostileDocumentsAreReadInBoundedMemory: what is too deep or too long is passed over,
// and what stands behind it is read.
func TestHostileDocumentsAreReadInBoundedMemory(t *testing.T) {
	const many = 200_000
	defer debug.SetMaxStack(debug.SetMaxStack(4 << 20))
	deep := strings.Repeat("[", many) + strings.Repeat("]", many)
	objects := strings.Repeat(`{"a":`, many) + "1" + strings.Repeat("}", many)
	long := strings.Repeat(`\\`, parser.MaxLine)
	for name, hostile := range map[string]string{
		"arrays": `"x":` + deep, "objects": `"x":` + objects, "labels": `"labels":` + objects, "values": `"values":[[` + deep + `]]`,
		"a key": `"` + long + `":1`, "a label": `"stream":{"pod":"` + long + `"}`,
	} {
		got, err := told(`{"data":{` + hostile + `},"result":[{"stream":{"pod":"p"},"values":[["1","a"]]}]}`)
		assert.NoError(t, err, name)
		assert.Equal(t, []string{"p 1 a"}, got, name)
	}
	for _, pad := range []string{"", "x", "xx"} {
		got, err := told(`{"stream":{"pod":"p"},"values":[["1","` + pad + long + `"],["2","b"]]}`)
		assert.NoError(t, err)
		require.Len(t, got, 2)
		assert.Less(t, len(got[0]), parser.MaxLine)
		assert.Equal(t, "p 2 b", got[1], "behind a text that was shortened")
	}
}

func TestTextThatIsNoUTF8IsKept(t *testing.T) {
	got, err := told("{\"stream\":{\"pod\":\"p\"},\"values\":[[\"1\",\"\xff\x01 \\q tls: \xe6\x8f\"]]}")
	assert.NoError(t, err)
	assert.Equal(t, []string{"p 1 \xff\x01 \\q tls: \xe6\x8f"}, got)
}

func TestErrorsOfTheReaderAndOfTheTakerEndTheReading(t *testing.T) {
	broken := errors.New("broken")
	assert.ErrorIs(t, Read(iotest.TimeoutReader(strings.NewReader(answered)), func(*Entry) error { return broken }), broken)
	assert.ErrorIs(t, Read(iotest.ErrReader(broken), nil), broken)
}

// FuzzRead: a document is read to its end or to a fault, and how its bytes arrive changes
// nothing.
func FuzzRead(f *testing.F) {
	f.Add([]byte(answered))
	f.Add([]byte(`[{"line":"a\\","timestamp":"1","fields":{"a":{"b":"c"}}}]`))
	f.Add([]byte(`{"values":[["1","\ud83d\"`))
	f.Fuzz(func(t *testing.T, document []byte) {
		var whole []string
		err := Read(bytes.NewReader(document), func(e *Entry) error {
			require.GreaterOrEqual(t, len(e.Text), 2)
			require.LessOrEqual(t, len(e.Text), parser.MaxLine+1)
			require.Equal(t, byte('"'), e.Text[len(e.Text)-1])
			at := "-"
			if !e.Time.IsZero() {
				at = fmt.Sprint(e.Time.UnixNano())
			}
			whole = append(whole, fmt.Sprintf("%s %s %s", e.Labels.Origin(), at, parser.Unquote(e.Text)))
			return nil
		})
		pieces, again := told(string(document))
		require.Equal(t, len(whole), len(pieces))
		for i := range pieces {
			require.Equal(t, whole[i], pieces[i])
		}
		require.Equal(t, fmt.Sprint(err), fmt.Sprint(again))
	})
}
