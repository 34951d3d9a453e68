package report_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/doctor"
	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// examined writes an examination whose servers, logs and errors are attacks.
func examined(t *testing.T, form string, lang patterns.Lang) string {
	t.Helper()
	say := printer(t, lang)
	look := &doctor.Look{Finder: "docker", Found: len(attacks)}
	e := report.NewExamination(say, time.Now(), []*doctor.Look{look}, nil)
	doc := hostile(t)
	for i, attack := range attacks {
		var results []check.Result
		if i == 0 {
			results = []check.Result{{
				ID: "config-cert-path", Status: check.Fail, Cause: "cert-file-missing", Key: "any.path-missing", Breaks: check.TheServer,
				Target: check.Value{Name: "target", Type: check.Name, V: attack}, Args: []check.Value{{Name: "path", Type: check.Path, V: attack}},
				Fixes: []check.Step{{Command: "cat %[1]s", Values: []check.Value{{Name: "path", Type: check.Path, V: attack}}}},
			}}
		}
		c, err := loadOnce()
		require.NoError(t, err)
		s := &doctor.Server{Name: attack, FoundBy: "docker", State: doctor.Exited, Reason: attack}
		e.Add(s, report.NewChecklist(results, c, say, time.Now()), doc, []doctor.Unseen{{What: attack, Why: errors.New(attack), Command: attack}})
	}
	e.Finish(false)
	var b bytes.Buffer
	require.NoError(t, e.Write(&b, form, report.Options{Say: say}))
	return b.String()
}

func TestExaminationInMarkdownShowsNamesAsTheyAre(t *testing.T) {
	source := examined(t, "markdown", patterns.English)
	showsAsItIs(t, source)
	told, _, _ := strings.Cut(source, "<details>")
	assert.NotRegexp(t, `<[a-z]`, withoutFences(told), "chats show no HTML")
	assert.Contains(t, told, "alert(1)")
}

func TestExaminationHoldsNoControlCharacters(t *testing.T) {
	for _, form := range []string{"table", "markdown", "html"} {
		out := examined(t, form, patterns.Chinese)
		if i := strings.IndexFunc(out, unsafeRune); i >= 0 {
			t.Errorf("%s holds %q", form, out[max(0, i-40):min(len(out), i+20)])
		}
	}
}

// TestExaminationInABrowser opens it as a page: nothing in it runs or asks for anything,
// it fits a phone, its texts stand out, and on paper all of it is there.
func TestExaminationInABrowser(t *testing.T) {
	languages(t, func(t *testing.T, lang patterns.Lang) {
		b := open(t, examined(t, "html", lang))
		assert.Equal(t, 1, eval[int](t, b, `document.querySelectorAll("script").length`))
		assert.Zero(t, eval[int](t, b, `document.querySelectorAll("img, iframe, object, [onerror], [onload], [style], a[href]").length`))
		assert.True(t, eval[bool](t, b, `document.body.textContent.includes("<script>alert(1)</script>")`))
		assert.Equal(t, eval[int](t, b, `document.querySelectorAll(".copy pre").length`), eval[int](t, b, `document.querySelectorAll(".copy button").length`))
		for _, width := range []int64{400, 1400} {
			for _, scheme := range []string{"light", "dark"} {
				b.do(t, chromedp.EmulateViewport(width, 900))
				call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
				assert.LessOrEqual(t, eval[int64](t, b, "document.documentElement.scrollWidth"), width)
				assert.GreaterOrEqual(t, eval[float64](t, b, worstContrast), 4.5, "WCAG 2.2, 1.4.3: %s", scheme)
				shoot(t, b, "doctor-"+string(lang)+"-"+scheme+".png")
			}
		}
		b.do(t, chromedp.Evaluate[chromedp.Void](`window.dispatchEvent(new Event("beforeprint"))`))
		assert.Zero(t, eval[int](t, b, `document.querySelectorAll("details:not([open])").length`))
		b.quiet(t)
	})
}

// TestExaminationNamesWhatLooksAlike: the first of several causes that a log cannot tell
// apart does not stand alone, and no step is told twice.
func TestExaminationNamesWhatLooksAlike(t *testing.T) {
	languages(t, func(t *testing.T, lang patterns.Lang) {
		say := printer(t, lang)
		doc := analyse(t, lang, recorded(t, "scenarios/untrusted-ca-mixed-docker-t.log"))
		require.True(t, doc.Diagnosis[0].Alike && doc.Diagnosis[1].Alike, "it is no tie any more: take another")
		c, err := loadOnce()
		require.NoError(t, err)
		e := report.NewExamination(say, time.Now(), nil, nil)
		e.Add(&doctor.Server{Name: "im", FoundBy: "docker", State: doctor.Running}, report.NewChecklist(nil, c, say, time.Now()), doc, nil)
		e.Finish(false)
		verdict := e.Servers[0].Verdicts[0]
		assert.Contains(t, strings.Join(verdict.Found, "\n"), doc.Diagnosis[1].Title)
		for i, step := range verdict.Steps {
			for _, other := range verdict.Steps[:i] {
				assert.NotEqual(t, other, step)
			}
		}
	})
}
