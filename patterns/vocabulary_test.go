package patterns_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"wklog/patterns"
)

var update = flag.Bool("update", false, "write what is generated from the tests anew")

const (
	vocabularies    = "testdata/vocabulary"
	vocabularyTable = "../docs/vocabulary.md"
)

// faults are what every stack either has words for or gives a reason for having none:
// the alerts that the other side sends (RFC 5246, 6066, 7301, 7507, 8446, 8870 and 9849),
// what a client says of a certificate, what goes wrong in a handshake, and what a server
// says when it starts.
var faults = strings.Fields(`
	alert-0 alert-10 alert-20 alert-21 alert-22 alert-30 alert-40 alert-41 alert-42 alert-43 alert-44 alert-45
	alert-46 alert-47 alert-48 alert-49 alert-50 alert-51 alert-60 alert-70 alert-71 alert-80 alert-86 alert-90
	alert-100 alert-109 alert-110 alert-111 alert-112 alert-113 alert-114 alert-115 alert-116 alert-120
	expired not-yet-valid wrong-name unknown-issuer no-intermediate self-signed self-signed-in-chain revoked
	wrong-purpose weak-key weak-signature bad-signature pin-mismatch malformed-certificate
	no-tls plain-http no-common-version no-common-cipher no-common-group no-common-alpn client-certificate-missing
	bad-record closed-in-handshake reset-in-handshake timeout-in-handshake
	certificate-file-missing certificate-file-unreadable certificate-file-not-pem key-file-not-pem key-encrypted
	key-mismatch key-unsupported no-certificate-configured port-in-use`)

// vocabulary is what one stack prints of each fault.
type vocabulary struct {
	Stack    string            `yaml:"stack"`
	Versions string            `yaml:"versions"`
	Source   string            `yaml:"source"`
	Rows     []vocabularyRow   `yaml:"rows"`
	None     []vocabularyBlank `yaml:"none"`
	file     string
}

// vocabularyRow is one message as the stack prints it, with the lines that belong to it.
type vocabularyRow struct {
	Fault string `yaml:"fault"`
	// Also are further faults for which the stack has the same words.
	Also     []string `yaml:"also"`
	Message  string   `yaml:"message"`
	Versions string   `yaml:"versions"`
	// Provoked says that the program itself printed this message when the fault was
	// brought about.
	Provoked bool `yaml:"provoked"`
	// Pattern is the one by which it is recognised. Where there is none, it counts as
	// unclassified or is noise, for a reason.
	Pattern      string `yaml:"pattern"`
	Unclassified bool   `yaml:"unclassified"`
	Silent       bool   `yaml:"silent"`
	Reason       string `yaml:"reason"`
}

// vocabularyBlank are faults of which a stack has no words of its own.
type vocabularyBlank struct {
	Faults []string `yaml:"faults"`
	Reason string   `yaml:"reason"`
}

func (r *vocabularyRow) faults() []string { return append([]string{r.Fault}, r.Also...) }

func readVocabulary(data []byte) (v vocabulary, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	err = decoder.Decode(&v)
	return v, err
}

func allVocabularies(t *testing.T) []vocabulary {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(vocabularies, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	var all []vocabulary
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		v, err := readVocabulary(data)
		require.NoError(t, err, name)
		v.file = strings.TrimSuffix(filepath.Base(name), ".yaml")
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b vocabulary) int { return strings.Compare(strings.ToLower(a.Stack), strings.ToLower(b.Stack)) })
	return all
}

// gaps says what a vocabulary lacks or has twice.
func (v *vocabulary) gaps() []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if v.Stack == "" || v.Versions == "" || v.Source == "" {
		say("stack, versions or source is missing")
	}
	said, explained, messages := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, row := range v.Rows {
		for _, fault := range row.faults() {
			said[fault] = true
			if !slices.Contains(faults, fault) {
				say("unknown fault %s", fault)
			}
		}
		verdicts := 0
		for _, given := range []bool{row.Pattern != "", row.Unclassified, row.Silent} {
			if given {
				verdicts++
			}
		}
		switch {
		case verdicts != 1:
			say("one of pattern, unclassified and silent: %s", row.Message)
		case row.Pattern == "" && row.Reason == "":
			say("no reason: %s", row.Message)
		case messages[row.Message]:
			say("message twice: %s", row.Message)
		}
		messages[row.Message] = true
	}
	for _, blank := range v.None {
		if blank.Reason == "" {
			say("no reason: %s", strings.Join(blank.Faults, ", "))
		}
		for _, fault := range blank.Faults {
			switch {
			case !slices.Contains(faults, fault):
				say("unknown fault %s", fault)
			case said[fault]:
				say("%s has words and a reason for having none", fault)
			case explained[fault]:
				say("%s has two reasons", fault)
			}
			explained[fault] = true
		}
	}
	for _, fault := range faults {
		if !said[fault] && !explained[fault] {
			say("nothing of %s", fault)
		}
	}
	return wrong
}

// wrong says what is made of the message otherwise than its row says, empty for nothing:
// by itself, behind the time and name of a program that syslog puts before each line,
// and behind those of the program itself where the message has no time.
func (r *vocabularyRow) wrong(t *testing.T, c *patterns.Catalogue) []string {
	t.Helper()
	message := strings.TrimSuffix(r.Message, "\n")
	carried := []string{message, "Apr 22 10:11:12 im01 gateway[812]: " + strings.ReplaceAll(message, "\n", "\nApr 22 10:11:12 im01 gateway[812]: ")}
	if events, _ := analysed(t, c, message+"\n"); len(events) == 1 && events[0].Time().IsZero() {
		carried = append(carried, "2026/04/22 10:11:12 gateway: "+message)
	}
	var all []string
	for _, text := range carried {
		if wrong := r.misread(t, c, text); wrong != "" {
			all = append(all, wrong+": "+text)
		}
	}
	return all
}

func (r *vocabularyRow) misread(t *testing.T, c *patterns.Catalogue, text string) string {
	t.Helper()
	events, result := analysed(t, c, text+"\n")
	events = slices.DeleteFunc(events, func(e *patterns.Event) bool {
		return r.Silent && e.Pattern.Severity == patterns.SeverityInfo
	})
	switch {
	case r.Silent && (len(events) > 0 || result.Unclassified > 0):
		return "it is not silent"
	case r.Silent:
		return ""
	case r.Unclassified && (len(events) > 0 || result.Unclassified == 0):
		return "it is not unclassified"
	case r.Unclassified:
		return ""
	case len(events) == 0 && result.Unclassified > 0:
		return "it is unclassified"
	case len(events) == 0:
		return "nothing is said"
	case len(events) > 1 || result.Unclassified > 0:
		return fmt.Sprintf("it is counted %d times", len(events)+int(result.Unclassified))
	case events[0].Pattern.ID != r.Pattern:
		return "it is " + events[0].Pattern.ID + " and not " + r.Pattern
	}
	return ""
}

func TestVocabulariesHaveNoHole(t *testing.T) {
	for _, v := range allVocabularies(t) {
		for _, wrong := range v.gaps() {
			t.Errorf("%s: %s", v.file, wrong)
		}
	}
}

func TestVocabulariesAreRecognised(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine: nothing for the race detector")
	}
	c := loaded(t)
	for _, v := range allVocabularies(t) {
		t.Run(v.file, func(t *testing.T) {
			for _, row := range v.Rows {
				for _, wrong := range row.wrong(t, c) {
					t.Errorf("%s: %s", row.Fault, wrong)
				}
			}
		})
	}
}

// TestHoleInAVocabularyIsFound takes something away from a whole vocabulary, or puts it
// there twice.
func TestHoleInAVocabularyIsFound(t *testing.T) {
	rest := faults[1:]
	row := vocabularyRow{Fault: faults[0], Message: "it said so", Pattern: "some-pattern"}
	whole := func() vocabulary {
		return vocabulary{Stack: "Some", Versions: "1", Source: "its source", Rows: []vocabularyRow{row}, None: []vocabularyBlank{{rest, "none of its own"}}}
	}
	v := whole()
	require.Empty(t, v.gaps())
	for want, change := range map[string]func(v *vocabulary){
		"stack, versions or source is missing":                func(v *vocabulary) { v.Source = "" },
		"nothing of port-in-use":                              func(v *vocabulary) { v.None[0].Faults = rest[:len(rest)-1] },
		"nothing of alert-0":                                  func(v *vocabulary) { v.Rows = nil },
		"unknown fault alert-7":                               func(v *vocabulary) { v.Rows[0].Also = []string{"alert-7"} },
		"unknown fault burnt":                                 func(v *vocabulary) { v.None = append(v.None, vocabularyBlank{[]string{"burnt"}, "fire"}) },
		"alert-10 has words and a reason for having none":     func(v *vocabulary) { v.Rows[0].Also = []string{"alert-10"} },
		"alert-10 has two reasons":                            func(v *vocabulary) { v.None = append(v.None, vocabularyBlank{[]string{"alert-10"}, "again"}) },
		"message twice: it said so":                           func(v *vocabulary) { v.Rows = append(v.Rows, row) },
		"one of pattern, unclassified and silent: it said so": func(v *vocabulary) { v.Rows[0].Pattern = "" },
		"no reason: it said so":                               func(v *vocabulary) { v.Rows[0].Pattern, v.Rows[0].Silent = "", true },
		"no reason: " + strings.Join(rest, ", "):              func(v *vocabulary) { v.None[0].Reason = "" },
	} {
		v := whole()
		v.Rows = slices.Clone(v.Rows)
		change(&v)
		assert.Equal(t, []string{want}, v.gaps())
	}
}

// TestWrongRowOfAVocabularyIsFound says of a known message what it is not.
func TestWrongRowOfAVocabularyIsFound(t *testing.T) {
	c := loaded(t)
	const known = "remote error: tls: unknown certificate"
	for want, row := range map[string]vocabularyRow{
		"":                       {Message: known, Pattern: "alert-unknown-certificate"},
		"it is not silent":       {Message: known, Silent: true},
		"it is not unclassified": {Message: known, Unclassified: true},
		"it is counted 2 times":  {Message: known + "\n" + known, Pattern: "alert-unknown-certificate"},
		"nothing is said":        {Message: "all is well", Pattern: "alert-unknown-certificate"},
		"it is alert-unknown-certificate and not alert-unknown-ca": {Message: known, Pattern: "alert-unknown-ca"},
		"it is unclassified": {Message: "TLS handshake failed for some reason", Pattern: "alert-unknown-ca"},
	} {
		assert.Equal(t, want, row.misread(t, c, row.Message))
	}
	row := vocabularyRow{Message: known, Pattern: "alert-unknown-ca"}
	assert.Len(t, row.wrong(t, c), 3)
}
