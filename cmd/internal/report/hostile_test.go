package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	goldhtml "github.com/yuin/goldmark/renderer/html"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// attacks are texts that mean something in one of the forms.
var attacks = []string{
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `</code></pre></details>`,
	"``` \n````\n~~~\n# heading", "| a | b |", `[x](javascript:alert(1))`, `![x](http://evil.example/x.png)`, "@torvalds #211 GH-3",
	`\| \` + "`" + ` ***x*** https://evil.example www.evil.example`, `=HYPERLINK("http://evil.example")`, `+cmd|' /C calc'!A0`, `-1+1`, `@SUM(1)`,
	"\x1b[2J\x1b]0;owned\x07\u009b31m", "\u202egnp.exe\u2066\u200b\ufeff", "\xff\xfe", "{{.Document}}", `]]>&lt;`, "$$x$$",
}

// hostile is a report whose log, file names, nodes and errors are attacks.
func hostile(t *testing.T) *report.Document {
	t.Helper()
	logs := []input{}
	for _, attack := range attacks {
		line := strings.NewReplacer("\n", " ").Replace(attack)
		logs = append(logs, input{attack + "-node/" + attack, strings.Join([]string{
			attack + " panic: tls: failed to find any PEM data in certificate input",
			`{"level":"error","time":"2026-05-04T09:30:01.5+08:00","msg":"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(line) + ` tls: failed to verify certificate: x509: certificate has expired or is not yet valid","error":"remote error: tls: expired certificate"}`,
			"2026/05/04 09:30:02 http: TLS handshake error from 203.0.113.9:51514: remote error: tls: unknown certificate",
			line + " remote error: tls: something that nobody knows " + line,
		}, "\n") + "\n"})
	}
	d := analyse(t, patterns.English, logs)
	for _, attack := range attacks {
		d.Errors = append(d.Errors, report.Error{Source: attack, Message: attack})
		d.Tool.Command = append(d.Tool.Command, attack)
	}
	require.NotEmpty(t, d.Findings)
	require.NotZero(t, d.Summary.Unclassified)
	return d
}

// unsafeRune tells what no form may hold: it would steer a terminal or turn the
// direction of a text.
func unsafeRune(r rune) bool {
	return r != '\n' && r != '\r' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
}

func TestNoFormHoldsControlCharacters(t *testing.T) {
	d := hostile(t)
	for _, form := range report.Forms() {
		out := written(t, form, d)
		out = strings.TrimPrefix(out, "\ufeff") // of CSV
		unsafe := unsafeRune
		if form == "json" || form == "sarif" {
			var value any
			require.NoError(t, json.Unmarshal([]byte(out), &value), form)
		}
		if form == "json" { // the text is for programs and stays whole
			unsafe = func(r rune) bool { return r != '\n' && unicode.IsControl(r) }
		}
		if i := strings.IndexFunc(out, unsafe); i >= 0 {
			t.Errorf("%s holds %q", form, out[max(0, i-40):min(len(out), i+20)])
		}
		assert.Contains(t, out, "alert(1)", "%s tells what was in the logs", form)
	}
}

// TestMarkdownShowsLogsAsTheyAre renders the report with GitHub's extensions:
// no attack may become an element.
func TestMarkdownShowsLogsAsTheyAre(t *testing.T) {
	showsAsItIs(t, written(t, "markdown", hostile(t)))
}

// showsAsItIs renders a text in Markdown that holds the attacks.
func showsAsItIs(t *testing.T, source string) {
	t.Helper()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(goldhtml.WithUnsafe()))
	var b bytes.Buffer
	require.NoError(t, md.Convert([]byte(source), &b))
	own := regexp.MustCompile(`^</?(?:h[1-3]|p|ul|li|strong|code|pre|details|summary|table|thead|tbody|tr|t[hd]|hr)\b`)
	for _, tag := range regexp.MustCompile(`<[a-zA-Z/!][^>]*`).FindAllString(b.String(), -1) {
		if tag != "<!-- --" {
			assert.Regexp(t, own, tag)
		}
	}
	assert.NotContains(t, b.String(), "onerror=alert(1)>")
	assert.Equal(t, strings.Count(b.String(), "<details>"), strings.Count(b.String(), "</details>"))
	for _, heading := range regexp.MustCompile(`<h\d[^>]*>([^<]*)`).FindAllStringSubmatch(b.String(), -1) {
		assert.NotEqual(t, "heading", strings.TrimSpace(heading[1]))
	}
	columns := 0
	for line := range strings.Lines(source) {
		if !strings.HasPrefix(line, "| ") {
			columns = 0
			continue
		}
		if n := strings.Count(line, " | "); columns == 0 {
			columns = n
		} else {
			assert.Equal(t, columns, n, line)
		}
	}
	mention := regexp.MustCompile(`@\w|(?:^|[^&])#\w`)
	assert.Empty(t, mention.FindString(withoutFences(source)), "GitHub would make a mention or a link")
}

// withoutFences leaves out the fenced blocks of a text in Markdown.
func withoutFences(source string) string {
	var b strings.Builder
	fence := ""
	for line := range strings.Lines(source) {
		marks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(marks) >= 3:
			fence = marks
		case fence == "":
			b.WriteString(line)
		case len(marks) >= len(fence) && strings.TrimSpace(line) == marks:
			fence = ""
		}
	}
	return b.String()
}

func TestCSVIsSafeInASpreadsheet(t *testing.T) {
	c, err := patterns.Load()
	require.NoError(t, err)
	var b bytes.Buffer
	events, err := report.NewEventsCSV(&b, c, printer(t, patterns.English))
	require.NoError(t, err)
	logs := []input{}
	for _, attack := range append(attacks, "\t=1+1", "\r=1+1", "＝1+1") {
		logs = append(logs, input{attack, attack + " remote error: tls: expired certificate\n"})
	}
	d := analyse(t, patterns.English, logs, func(e *patterns.Event) { assert.NoError(t, events.Event(e)) })
	require.NoError(t, events.End(d))
	for name, text := range map[string]string{"events": b.String(), "findings": written(t, "csv", d)} {
		assert.True(t, strings.HasPrefix(text, "\ufeff"), name)
		assert.NotRegexp(t, `[^\r]\n`, text, name)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
		require.NoError(t, err, name)
		require.Greater(t, len(rows), 1, name)
		for _, row := range rows {
			assert.Len(t, row, len(rows[0]), name)
			for _, cell := range row {
				if cell != "" {
					assert.NotContains(t, "=+-@\t\r＝＋－＠", string([]rune(cell)[0]), "%s: %q", name, cell)
				}
			}
		}
	}
}
