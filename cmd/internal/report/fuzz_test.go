package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// FuzzForms checks every form of output with any text in a log, its name and an
// error: JSON is JSON, rows have their columns, nothing steers a terminal or becomes
// an element.
func FuzzForms(f *testing.F) {
	for _, attack := range attacks {
		f.Add(attack)
	}
	base := analyse(f, patterns.English, []input{{"a/b.log", "x remote error: tls: something that nobody knows\npanic: tls: failed to find any PEM data in certificate input\n"}})
	say := printer(f, patterns.English)
	f.Fuzz(func(t *testing.T, text string) {
		d := *base
		d.Inputs, d.Findings, d.Unclassified = slices.Clone(base.Inputs), slices.Clone(base.Findings), slices.Clone(base.Unclassified)
		d.Inputs[0].Name, d.Inputs[0].Error = text, text
		d.Findings[0].Sources, d.Findings[0].Samples = []string{text}, []report.Sample{{Source: text, Text: text}}
		d.Unclassified[0].Text = text
		d.Errors = []report.Error{{Source: text, Message: text}}
		d.Tool.Command = []string{text}
		for _, form := range report.Forms() {
			checkForm(t, form, inForm(t, form, &d, say))
		}
	})
}

// inForm is a document in a form; the texts are read once for all of them.
func inForm(t *testing.T, form string, d *report.Document, say *messages.Printer) string {
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, form, d, report.Options{Say: say}))
	return b.String()
}

func checkForm(t *testing.T, form, out string) {
	switch form {
	case "json", "sarif":
		require.True(t, json.Valid([]byte(out)), form)
		return
	case "csv":
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out, "\ufeff"))).ReadAll()
		require.NoError(t, err)
		for _, row := range rows {
			require.Len(t, row, len(rows[0]))
		}
	case "html":
		require.Equal(t, 1, strings.Count(strings.ToLower(out), "<script"))
		require.Zero(t, strings.Count(strings.ToLower(out), "<img"))
	}
	require.Negative(t, strings.IndexFunc(strings.TrimPrefix(out, "\ufeff"), unsafeRune), form)
}

// FuzzBaseline checks that any file can be given as an earlier report: it is refused,
// or the report that is compared with it can be written.
func FuzzBaseline(f *testing.F) {
	d := analyse(f, patterns.English, []input{{"a/b.log", "2026/05/04 09:30:02 http: TLS handshake error from 203.0.113.9:51514: remote error: tls: unknown certificate\n"}})
	var earlier bytes.Buffer
	require.NoError(f, report.Write(&earlier, "json", d, report.Options{Say: printer(f, patterns.English), Width: 80}))
	f.Add(earlier.Bytes())
	f.Add([]byte(`{"schema":"wklog.report/v1","findings":[{"pattern":"x","count":-1}],"summary":{"first":null}}`))
	base := analyse(f, patterns.English, []input{{"a/b.log", "2026/05/04 09:30:02 remote error: tls: expired certificate\n"}})
	say := printer(f, patterns.English)
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = report.ReadChecklist(data, say)
		before, err := report.ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		now := *base
		now.Findings, now.Gone = slices.Clone(base.Findings), nil
		now.Compare(before)
		now.HideSecrets()
		for _, form := range report.Forms() {
			require.NotEmpty(t, inForm(t, form, &now, say))
		}
	})
}
