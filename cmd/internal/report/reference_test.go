package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

func referenceOf(t *testing.T, form string, lang patterns.Lang) string {
	t.Helper()
	c, err := patterns.Load()
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, report.WriteReference(&b, form, c, printer(t, lang)))
	return b.String()
}

// search types into the field of the page and gives the ids of the entries shown.
const search = `(query) => {
  const input = document.querySelector("form.filter input");
  input.value = query;
  input.dispatchEvent(new Event("input", {bubbles: true}));
  return Array.from(document.querySelectorAll("article:not([hidden])"), (a) => a.id);
}`

func TestReferenceFindsMessagesInABrowser(t *testing.T) {
	languages(t, func(t *testing.T, lang patterns.Lang) {
		b := open(t, referenceOf(t, "html", lang))
		found := func(query string) []string {
			quoted, err := json.Marshal(query)
			require.NoError(t, err)
			return eval[[]string](t, b, "("+search+")("+string(quoted)+")")
		}
		all := len(found(""))
		for query, want := range map[string]string{
			"remote error: tls: unknown certificate": "alert-unknown-certificate",
			"-------------------------->握手失败！--------------------------> remote error: tls: expired certificate handshakeStatus13ReadClientFinished": "alert-expired-certificate",
			"2026/05/04 01:30:02 http: TLS handshake error from 203.0.113.9:51514: tls: first record does not look like a TLS handshake":             "first-record-not-tls",
			"net::ERR_CERT_COMMON_NAME_INVALID": "client-says-wrong-name",
			"cert-expired":                      "cert-expired",
		} {
			ids := found(query)
			require.NotEmpty(t, ids, query)
			assert.Equal(t, want, ids[0], query)
			assert.Less(t, len(ids), all/4, query)
		}
		assert.Contains(t, found("证书过期"), "cert-expired", "words of an operator")
		assert.Empty(t, found("zzzz qqqq xxxx"))
		b.do(t, chromedp.Evaluate[chromedp.Void]("("+search+")('')"))
		assert.Equal(t, all, eval[int](t, b, `Array.from(document.querySelectorAll("article")).filter(a => a.offsetHeight > 0).length`))
		if lang == patterns.English {
			b.findsSamples(t)
		}
		b.quiet(t)
	})
}

// findsSamples looks up the first sample of every tenth message.
func (b *browser) findsSamples(t *testing.T) {
	const lost = `(() => {
  const search = ` + search + `;
  const samples = Array.from(document.querySelectorAll("#patterns article"), (a) => [a.id, a.querySelector("details pre").textContent]).filter((_, i) => i % 10 === 0);
  return samples.filter(([id, text]) => !search(text.split("\n")[0]).slice(0, 3).includes(id)).map(([id]) => id);
})()`
	missed := eval[[]string](t, b, lost)
	assert.LessOrEqual(t, len(missed), 2, "messages that are not among the first three: %s", strings.Join(missed, " "))
}

func TestReferenceHoldsEveryEntry(t *testing.T) {
	c, err := patterns.Load()
	require.NoError(t, err)
	languages(t, func(t *testing.T, lang patterns.Lang) {
		text := referenceOf(t, "markdown", lang)
		for _, p := range c.Patterns {
			assert.Contains(t, text, "\n### "+p.ID+"\n")
		}
		for _, cause := range c.Causes {
			assert.Contains(t, text, "\n### "+cause.ID+"\n")
			assert.Contains(t, text, "](#"+cause.ID+")")
		}
	})
}
