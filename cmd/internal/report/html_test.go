package report_test

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of the page, to be looked at")

// browser is a page of a real Chromium, with what it complained of and asked
// the network for.
type browser struct {
	context.Context
	address    string
	mu         sync.Mutex
	complaints []string
	// requests are those that the page's policy did not stop.
	requests map[network.RequestID]string
}

// open shows a report in Chromium.
func open(t *testing.T, html string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on PATH: Debian's package chromium runs this test")
	}
	dir := t.TempDir()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true),
	)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{Context: ctx, requests: map[network.RequestID]string{}}
	require.NoError(t, chromedp.Listen(ctx, b.listen))
	file := filepath.Join(dir, "report.html")
	require.NoError(t, os.WriteFile(file, []byte(html), 0o600))
	address := url.URL{Scheme: "file", Path: file}
	b.address = address.String()
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, log.Enable, cdp.Empty{})
	b.do(t, chromedp.Navigate(b.address))
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprint(e.Type))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		b.requests[e.RequestID] = e.Request.URL
	case *network.EventLoadingFailed:
		if e.BlockedReason == network.BlockedReasonCsp {
			delete(b.requests, e.RequestID)
		}
	}
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(b, actions...))
}

// call runs a command of the DevTools protocol.
func call[P any](t *testing.T, b *browser, command cdp.Command[P, cdp.Empty], params P) {
	t.Helper()
	b.do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	}))
}

// eval is what an expression gives on the page.
func eval[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression))
	require.NoError(t, err, expression)
	return value
}

// quiet checks that the page made no error and asked for nothing but itself.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Empty(t, b.complaints)
	for _, request := range b.requests {
		assert.Equal(t, b.address, request)
	}
}

func languages(t *testing.T, run func(t *testing.T, lang patterns.Lang)) {
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		t.Run(string(lang), func(t *testing.T) { run(t, lang) })
	}
}

const (
	shownRows = `Array.from(document.querySelectorAll("#findings tbody")[0].rows).filter(r => r.offsetHeight > 0)`
	counts    = shownRows + `.map(r => Number(r.cells[1].textContent))`
)

func TestPageInABrowser(t *testing.T) {
	languages(t, func(t *testing.T, lang patterns.Lang) {
		d := compared(t, lang)
		b := open(t, written(t, "html", d))
		assert.Equal(t, map[patterns.Lang]string{"en": "en", "zh": "zh-CN"}[lang], eval[string](t, b, "document.documentElement.lang"))
		assert.Equal(t, printer(t, lang).Say("report.title"), eval[string](t, b, "document.title"))
		b.charts(t, d)
		b.sorts(t)
		b.filters(t, printer(t, lang).Say("severity.warning"))
		b.copies(t)
		b.leads(t, d)
		b.quiet(t)
	})
}

// charts checks that every chart is drawn and has the colours of the style.
func (b *browser) charts(t *testing.T, d *report.Document) {
	drawn := func(selector string) int {
		return eval[int](t, b, `Array.from(document.querySelectorAll("`+selector+`")).filter(s => s.getBoundingClientRect().height > 10 && s.querySelector("rect.s0")).length`)
	}
	assert.Equal(t, 1, drawn(".chart svg"), "one of the two widths")
	assert.Equal(t, len(d.Findings)+3, drawn(".spark svg"), "a chart for each finding and node")
	assert.Equal(t, "rgb(47, 111, 208)", eval[string](t, b, `getComputedStyle(document.querySelector(".chart.wide rect.s0")).fill`))
	assert.Equal(t, eval[string](t, b, `getComputedStyle(document.body).fontFamily`), eval[string](t, b, `getComputedStyle(document.querySelector(".chart.wide text")).fontFamily`))
}

func (b *browser) sorts(t *testing.T) {
	before := eval[[]int](t, b, counts)
	require.Equal(t, []int{31, 13, 7, 1}, before)
	head := `#findings thead th:nth-child(2)`
	b.do(t, chromedp.Click(chromedp.CSS(head+" button")))
	assert.Equal(t, []int{31, 13, 7, 1}, eval[[]int](t, b, counts))
	assert.Equal(t, "descending", eval[string](t, b, `document.querySelector("`+head+`").getAttribute("aria-sort")`))
	b.do(t, chromedp.Focus(chromedp.CSS(head+" button")), chromedp.KeyEvent("\r"))
	assert.Equal(t, []int{1, 7, 13, 31}, eval[[]int](t, b, counts), "by the keyboard")
	b.do(t, chromedp.Click(chromedp.CSS(`#findings thead th:nth-child(3) button`)))
	titles := eval[[]string](t, b, shownRows+`.map(r => r.cells[2].textContent.trim())`)
	assert.Equal(t, eval[[]string](t, b, shownRows+`.map(r => r.cells[2].textContent.trim()).sort((a, b) => a.localeCompare(b, document.documentElement.lang, {numeric: true}))`), titles)
}

func (b *browser) filters(t *testing.T, warning string) {
	b.do(t, chromedp.SendKeys(chromedp.CSS("#findings input"), "NO-SHARED-cipher"))
	assert.Equal(t, []int{1}, eval[[]int](t, b, counts))
	assert.Equal(t, 1, eval[int](t, b, `Array.from(document.querySelectorAll("article.finding")).filter(a => a.offsetHeight > 0).length`))
	assert.Contains(t, eval[string](t, b, `document.querySelector("#findings output").textContent`), "4")
	reset := chromedp.Evaluate[chromedp.Void](`document.querySelector("#findings form").reset(); document.querySelector("#findings form").dispatchEvent(new Event("input"))`)
	b.do(t, reset)
	assert.Len(t, eval[[]int](t, b, counts), 4)
	b.do(t, chromedp.SendKeys(chromedp.CSS("#findings select"), warning))
	assert.Equal(t, []int{1}, eval[[]int](t, b, counts))
	b.do(t, reset)
}

func (b *browser) copies(t *testing.T) {
	assert.Equal(t, eval[int](t, b, `document.querySelectorAll(".copy pre").length`), eval[int](t, b, `document.querySelectorAll(".copy button").length`))
	b.do(t, chromedp.Evaluate[chromedp.Void](`navigator.clipboard.writeText = async (text) => { window.copied = text; }`), chromedp.Click(chromedp.CSS(".copy button")))
	assert.Equal(t, eval[string](t, b, `document.querySelector(".copy code").textContent`), eval[string](t, b, "window.copied"))
}

// leads checks that the overview, the chart and the findings lead to what they name.
func (b *browser) leads(t *testing.T, d *report.Document) {
	require.Len(t, d.Incidents, 2)
	click := func(selector string) string {
		b.do(t, chromedp.Evaluate[chromedp.Void](`location.hash = ""`), chromedp.Click(chromedp.CSS(selector)))
		assert.True(t, eval[bool](t, b, `(() => { const at = document.getElementById(location.hash.slice(1)).getBoundingClientRect(); return at.height > 0 && at.top > -1 && at.top < innerHeight; })()`), selector)
		return eval[string](t, b, "location.hash")
	}
	assert.Equal(t, "#incident-1", click(`.overview li:nth-child(1) a`))
	assert.Equal(t, "#incident-2", click(`.chart.wide a[href="#incident-2"] .tag`))
	assert.Regexp(t, "^#incident-[12]$", click(".chart.wide rect.s0"), "a bar is of an incident")
	closed := `details:not([open]) > [id^="incident-"]`
	id := eval[string](t, b, `Array.from(document.querySelectorAll("#findings article a")).find(a => document.querySelector("details:not([open]) > " + a.hash)).hash`)
	before := eval[int](t, b, `document.querySelectorAll('`+closed+`').length`)
	assert.Equal(t, id, click(`#findings article a[href="`+id+`"]`))
	assert.Equal(t, before-1, eval[int](t, b, `document.querySelectorAll('`+closed+`').length`), "what was closed is open")
}

// TestPageIsWholeWithoutScript shows the page with scripts turned off.
func TestPageIsWholeWithoutScript(t *testing.T) {
	b := open(t, written(t, "html", compared(t, patterns.English)))
	call(t, b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.do(t, chromedp.Navigate(b.address))
	assert.Zero(t, eval[int](t, b, `document.querySelectorAll("button").length`), "the script did not run")
	assert.Zero(t, eval[int](t, b, `document.querySelector("form.filter").offsetHeight`))
	assert.Len(t, eval[[]int](t, b, counts), 4)
	assert.Equal(t, 4, eval[int](t, b, `Array.from(document.querySelectorAll("article.finding h3")).filter(h => h.offsetHeight > 0).length`))
}

// TestPageFitsAPhone checks that nothing but the tables' own frames is wider
// than the screen, in light and dark, and that texts stand out.
func TestPageFitsAPhone(t *testing.T) {
	languages(t, func(t *testing.T, lang patterns.Lang) {
		b := open(t, written(t, "html", compared(t, lang)))
		for _, width := range []int64{400, 1400} {
			for _, scheme := range []string{"light", "dark"} {
				b.do(t, chromedp.EmulateViewport(width, 900))
				call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
				assert.LessOrEqual(t, eval[int64](t, b, "document.documentElement.scrollWidth"), width)
				if width == 1400 {
					assert.Zero(t, eval[int](t, b, `Array.from(document.querySelectorAll(".scroll")).filter(s => s.scrollWidth > s.clientWidth).length`), "tables that are cut")
				}
				assert.Zero(t, eval[int](t, b, coveredCode), "code under a button")
				assert.GreaterOrEqual(t, eval[float64](t, b, worstContrast), 4.5, "WCAG 2.2, 1.4.3: %s", scheme)
				shoot(t, b, fmt.Sprintf("%s-%d-%s.png", lang, width, scheme))
			}
		}
		b.quiet(t)
	})
}

// coveredCode counts the lines of code of which a button covers a part.
const coveredCode = `Array.from(document.querySelectorAll(".copy")).filter(c => {
  const button = c.querySelector("button").getBoundingClientRect(), text = document.createRange();
  text.selectNodeContents(c.querySelector("code"));
  return Array.from(text.getClientRects()).some(r => r.width > 0 && r.right > button.left && r.left < button.right && r.bottom > button.top && r.top < button.bottom);
}).length`

// worstContrast is the least contrast of a text and the page or panel behind it
// (WCAG 2.2, relative luminance).
const worstContrast = `(() => {
  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = 21;
  for (const e of document.querySelectorAll("h1, h2, h3, p, li, a, td, th, code, summary, .badge, .quiet, .change, figcaption, button, svg text")) {
    const style = getComputedStyle(e);
    const [a, b] = [luminance(rgb(e.tagName === "text" ? style.fill : style.color)), luminance(behind(e))];
    worst = Math.min(worst, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return worst;
})()`

func shoot(t *testing.T, b *browser, name string) {
	if *screenshots == "" {
		return
	}
	picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(*screenshots, name), picture, 0o644))
}

func TestPrintedPageShowsEverything(t *testing.T) {
	b := open(t, written(t, "html", compared(t, patterns.English)))
	b.do(t, chromedp.Evaluate[chromedp.Void](`window.dispatchEvent(new Event("beforeprint"))`))
	assert.Zero(t, eval[int](t, b, `document.querySelectorAll("details:not([open])").length`))
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	assert.Zero(t, eval[int](t, b, `Array.from(document.querySelectorAll("button, form.filter")).filter(e => e.offsetHeight > 0 && !e.closest("th")).length`))
	b.do(t, chromedp.EmulateViewport(680, 900)) // A4 without its margins
	assert.LessOrEqual(t, eval[int](t, b, "document.documentElement.scrollWidth"), 680)
	b.do(t, chromedp.Evaluate[chromedp.Void](`window.dispatchEvent(new Event("afterprint"))`))
	assert.NotZero(t, eval[int](t, b, `document.querySelectorAll("details:not([open])").length`))
	b.quiet(t)
}

// TestPageRunsNothingFromTheLogs opens a report of a log that attacks it.
func TestPageRunsNothingFromTheLogs(t *testing.T) {
	b := open(t, written(t, "html", hostile(t)))
	assert.Equal(t, 1, eval[int](t, b, `document.querySelectorAll("script").length`))
	assert.Zero(t, eval[int](t, b, `document.querySelectorAll("img, iframe, object, [onerror], [onload], [style], a[href^='javascript'], a[href^='http']").length`))
	assert.True(t, eval[bool](t, b, `document.body.textContent.includes("<script>alert(1)</script>")`))
	b.quiet(t)
}

// TestPolicyStopsWhatEscapingMissed puts a script, a style and a request into
// the page and expects the browser to refuse them.
func TestPolicyStopsWhatEscapingMissed(t *testing.T) {
	html := written(t, "html", analyse(t, patterns.English, cluster(t)))
	html = strings.Replace(html, "<main>", `<main><script>window.owned = true</script><img src="http://127.0.0.1:1/x.png" onerror="window.owned = true"><p id="victim" style="color: rgb(1, 2, 3)">x</p>`, 1)
	b := open(t, html)
	assert.False(t, eval[bool](t, b, "window.owned === true"))
	assert.NotEqual(t, "rgb(1, 2, 3)", eval[string](t, b, `getComputedStyle(document.getElementById("victim")).color`))
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.GreaterOrEqual(t, len(b.complaints), 3)
	for _, request := range b.requests {
		assert.Equal(t, b.address, request)
	}
}

func TestPageNamesNoOtherPlace(t *testing.T) {
	html := written(t, "html", analyse(t, patterns.English, cluster(t)))
	for _, m := range regexp.MustCompile(`(?:src|href|action|url)\s*[=(]\s*["']?([^"'\s>)]*)`).FindAllStringSubmatch(html, -1) {
		text := strings.HasPrefix(m[1], "&#34;") // within a configuration that is shown
		assert.True(t, text || strings.HasPrefix(m[1], "#"), m[0])
	}
}
