package report_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/parser"
	"wklog/patterns"
)

var update = flag.Bool("update", false, "write the expected reports anew")

// generated is when the reports of the tests were made.
var generated = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// printers are those of the languages, read once for all tests.
var printers = map[patterns.Lang]func() (*messages.Printer, error){
	patterns.English: sync.OnceValues(func() (*messages.Printer, error) { return messages.In(patterns.English) }),
	patterns.Chinese: sync.OnceValues(func() (*messages.Printer, error) { return messages.In(patterns.Chinese) }),
}

// printer says things in a language.
func printer(t testing.TB, lang patterns.Lang) *messages.Printer {
	t.Helper()
	say, err := printers[lang]()
	require.NoError(t, err)
	return say
}

// input is one log of an analysis.
type input struct{ name, text string }

// recorded gives logs of testdata/wukongim.
func recorded(t *testing.T, names ...string) []input {
	t.Helper()
	list := []input{}
	for _, name := range names {
		path := filepath.Join("testdata/wukongim", filepath.FromSlash(name))
		data, err := os.ReadFile(filepath.Join("../../..", path))
		require.NoError(t, err)
		list = append(list, input{filepath.ToSlash(path), string(data)})
	}
	return list
}

// nodeOf takes a log's node from the first word of its file's name.
func nodeOf(source string) string {
	node, _, _ := strings.Cut(filepath.Base(source), "-")
	return node
}

// loadOnce reads the catalogue once for all tests.
var loadOnce = sync.OnceValues(patterns.Load)

// analyse makes the report of some logs as the commands do.
func analyse(t testing.TB, lang patterns.Lang, logs []input, each ...func(*patterns.Event)) *report.Document {
	t.Helper()
	c, err := loadOnce()
	require.NoError(t, err)
	a, err := patterns.NewAnalyzer(c, patterns.Filter{})
	require.NoError(t, err)
	a.Node, a.ByNode = nodeOf, true
	for _, f := range each {
		a.OnEvent = f
	}
	inputs, seen := []report.Input{}, patterns.Span{}
	var records int64
	for _, log := range logs {
		src := a.Source(log.name)
		stats, err := parser.Read(context.Background(), strings.NewReader(log.text), parser.Options{Zone: time.UTC}, func(rec *parser.Record) error {
			src.Add(rec)
			return nil
		})
		require.NoError(t, err)
		src.End()
		inputs = append(inputs, report.Input{Name: log.name, Bytes: stats.Bytes, Lines: stats.Lines, Wrapper: string(stats.Wrapper), First: report.Moment(stats.First), Last: report.Moment(stats.Last)})
		records += stats.Records
		seen.Add(stats.First)
		seen.Add(stats.Last)
	}
	result := a.Result()
	d := report.New(&result, printer(t, lang), generated)
	d.Inputs, d.Summary.Records = inputs, records
	d.Summary.First, d.Summary.Last = report.Moment(seen.First), report.Moment(seen.Last)
	for _, in := range inputs {
		d.Summary.Bytes += in.Bytes
		d.Summary.Lines += in.Lines
	}
	d.Tool.Version, d.Tool.Command = "v1.2.3", []string{"wklog", "report", "logs/", "-o", "a report.html"}
	return d
}

// written is a document in a form.
func written(t *testing.T, form string, d *report.Document) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, form, d, report.Options{Say: printer(t, patterns.Lang(d.Lang))}))
	return b.String()
}
