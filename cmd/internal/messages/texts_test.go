package messages

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

var (
	// stating is a word by which a title says how something is, or should be.
	stating = map[patterns.Lang]*regexp.Regexp{
		patterns.English: regexp.MustCompile(`\b(?:is|are|was|has|have|holds?|lets?|leaves?|passes|works?|can|not|no)\b`),
		patterns.Chinese: regexp.MustCompile(`已|没有|不会|可以|允许|正常`),
	}
	counted = regexp.MustCompile(`%(?:\[\d\])?d (?:(?:more|further|different|other) )?(?:bits|bytes|causes|certificates|chains|checks|clients|days|entries|failures|files|handshakes|inputs|kinds|lines|logs|namespaces|nodes|ones|others|pods|servers|times|that)\b`)
)

// TestTitlesOfChecksSayNoOutcome since one stands behind FAIL as well as behind PASS:
// "FAIL The port is open" says two things.
func TestTitlesOfChecksSayNoOutcome(t *testing.T) {
	for lang, outcome := range stating {
		p, err := In(lang)
		require.NoError(t, err)
		for key, text := range p.texts {
			id, isCheck := strings.CutPrefix(key, "check.")
			if isCheck && !strings.Contains(id, ".") {
				assert.False(t, outcome.MatchString(text), "%s: %q", key, text)
			}
		}
	}
}

// many are texts whose number is never one.
var many = map[string]string{
	"error.members":                     "a bound",
	"error.engine.crowd":                "a bound",
	"error.doctor.namespaces":           "a bound",
	"doctor.newest":                     "a bound",
	"note.engine.sampled":               "more than were read",
	"note.engine.counted":               "more than would be read",
	"summary.harmless":                  "healthy servers are not counted",
	"explain.several":                   "said of several kinds alone",
	"certainty.alike":                   "one cause looks like no other",
	"incident.others":                   "one more is named",
	"check.live-certificates.addresses": "said of several alone",
	"check.live-certificates.turn":      "said of several alone",
	"check.live-certificates.versions":  "said of several alone",
	"check.live-certificates.chains":    "said of several alone",
	"check.any.met-sometimes":           "handshakes that differ",
	"check.cert-lifetime.long":          "more than a year",
	"check.cert-lifetime.long-public":   "more than a month",
	"check.live-lifetime.long":          "more than a year",
	"check.live-lifetime.long-public":   "more than a month",
	"check.cert-algorithm.rsa":          "of a key",
	"check.live-trust.rsa":              "of a key",
	"check.live-served.long":            "more than are looked at",
	"check.live-clients.all":            "all that are known",
	"check.live-clients.some":           "all that are known",
}

// TestNoTextSaysOneDays wants a number that may be one behind its word, as in "days: 1".
func TestNoTextSaysOneDays(t *testing.T) {
	p, err := In(patterns.English)
	require.NoError(t, err)
	for key := range many {
		assert.Regexp(t, counted, p.texts[key], "%s has no number before a plural any more", key)
	}
	for key, text := range p.texts {
		if _, known := many[key]; !known {
			assert.NotRegexp(t, counted, text, key)
		}
	}
}
