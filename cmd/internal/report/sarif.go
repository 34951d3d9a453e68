package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

func init() {
	register(form{name: "sarif", endings: []string{".sarif"}, write: func(w io.Writer, d *Document, opts Options) error {
		return WriteJSON(w, d.sarif(opts.Say), "  ")
	}})
}

// The types are the part of SARIF 2.1.0 (OASIS, errata 01) that a report uses,
// under the names of its section 3.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		Language    string            `json:"language"`
		ColumnKind  string            `json:"columnKind"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifMessage `json:"shortDescription"`
		FullDescription  sarifMessage `json:"fullDescription"`
		Help             sarifMessage `json:"help"`
		HelpURI          string       `json:"helpUri,omitempty"`
		Configuration    sarifLevel   `json:"defaultConfiguration"`
		Properties       sarifTags    `json:"properties"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifTags struct {
		Tags []string `json:"tags"`
	}
	sarifMessage struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifInvocation struct {
		CommandLine   string              `json:"commandLine,omitempty"`
		EndTimeUTC    string              `json:"endTimeUtc"`
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifResult struct {
		RuleID           string            `json:"ruleId"`
		RuleIndex        int               `json:"ruleIndex"`
		Level            string            `json:"level"`
		Message          sarifMessage      `json:"message"`
		Locations        []sarifLocation   `json:"locations"`
		RelatedLocations []sarifLocation   `json:"relatedLocations,omitempty"`
		OccurrenceCount  int               `json:"occurrenceCount,omitempty"`
		Fingerprints     map[string]string `json:"partialFingerprints"`
		BaselineState    string            `json:"baselineState,omitempty"`
		Properties       *sarifProperties  `json:"properties,omitempty"`
	}
	sarifProperties struct {
		First     *time.Time            `json:"first"`
		Last      *time.Time            `json:"last"`
		Ongoing   *bool                 `json:"ongoing"`
		Causes    []patterns.CauseScore `json:"causes"`
		Sources   []string              `json:"sources"`
		Incidents []int                 `json:"incidents"`
	}
	sarifLocation struct {
		ID       int           `json:"id,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int64         `json:"startLine"`
		Snippet   *sarifMessage `json:"snippet,omitempty"`
	}
)

func (d *Document) sarif(say *messages.Printer) sarifLog {
	run := sarifRun{
		Tool:        sarifTool{Driver: sarifDriver{Name: d.Tool.Name, Version: d.Tool.Version, Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{d.invocation(say)}, Results: []sarifResult{}, Language: d.Lang,
		ColumnKind: "unicodeCodePoints",
	}
	for i, f := range append(append([]Finding{}, d.Findings...), d.Gone...) {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, d.rule(&f, say))
		run.Results = append(run.Results, result(i, &f, say))
	}
	return sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	}
}

func (d *Document) invocation(say *messages.Printer) sarifInvocation {
	call := sarifInvocation{
		EndTimeUTC: d.Generated.UTC().Format(time.RFC3339), Successful: d.Summary.Unread == 0, Notifications: []sarifNotification{},
	}
	if len(d.Tool.Command) > 0 {
		call.CommandLine = shellWords(d.Tool.Command)
	}
	if d.Summary.Unclassified > 0 {
		call.Notifications = append(call.Notifications, unknown(d, say))
	}
	for _, e := range d.Errors {
		level := "error"
		if e.Note {
			level = "note"
		}
		call.Notifications = append(call.Notifications, sarifNotification{
			Level: level, Message: sarifMessage{Text: Visible(e.Message)}, Locations: []sarifLocation{location(e.Source)},
		})
	}
	for _, s := range d.Stops {
		at := location(s.Source)
		at.Physical.Region = &sarifRegion{StartLine: max(s.Line, 1)}
		call.Notifications = append(call.Notifications, sarifNotification{
			Level: "note", Message: sarifMessage{Text: Visible(s.Text)}, Locations: []sarifLocation{at},
		})
	}
	return call
}

// unknown tells that failures are in no result, since no pattern knows their words.
func unknown(d *Document, say *messages.Printer) sarifNotification {
	n := sarifNotification{Level: "warning", Message: sarifMessage{Text: say.Say("unclassified.text", d.Summary.Unclassified)}, Locations: []sarifLocation{}}
	for _, sample := range d.Unclassified {
		at := location(sample.Source)
		at.Physical.Region = &sarifRegion{StartLine: max(sample.Line, 1)}
		n.Locations = append(n.Locations, at)
	}
	return n
}

func (d *Document) rule(f *Finding, say *messages.Printer) sarifRule {
	return sarifRule{
		ID: Visible(f.Pattern), ShortDescription: sarifMessage{Text: Visible(f.Title)}, FullDescription: sarifMessage{Text: Visible(f.Why)},
		Help: d.help(f, say), HelpURI: reference(f.References), Configuration: sarifLevel{level(f.Severity)},
		Properties: sarifTags{[]string{"tls", f.Category}},
	}
}

// help says what to do, as text and as Markdown.
func (d *Document) help(f *Finding, say *messages.Printer) sarifMessage {
	md := &markdown{say: say}
	md.finding(d, f)
	md.steps("findings.fixes", f.Fixes)
	page := NewPage(Options{Say: say})
	page.Paragraph("", Visible(f.Why))
	page.advice("", "findings.fixes", f.Fixes)
	return sarifMessage{Text: page.String(), Markdown: md.String()}
}

func result(rule int, f *Finding, say *messages.Printer) sarifResult {
	sum := sha256.Sum256([]byte(f.Pattern))
	r := sarifResult{
		RuleID: Visible(f.Pattern), RuleIndex: rule, Level: level(f.Severity), OccurrenceCount: f.Count, Locations: []sarifLocation{},
		Message:      sarifMessage{Text: say.Say("sarif.result", Visible(f.Title), f.Count, span(f.First, f.Last))},
		Fingerprints: map[string]string{"pattern/v1": hex.EncodeToString(sum[:])},
		Properties:   &sarifProperties{First: f.First, Last: f.Last, Ongoing: f.Ongoing, Causes: f.Causes, Sources: []string{}, Incidents: append([]int{}, f.Incidents...)},
	}
	for _, name := range f.Sources {
		r.Properties.Sources = append(r.Properties.Sources, Visible(name))
	}
	if f.Change != nil {
		r.BaselineState = map[string]string{"new": "new", "gone": "absent", "more": "updated", "fewer": "updated", "same": "unchanged"}[f.Change.Status]
	}
	for i, s := range f.Samples {
		at := location(s.Source)
		at.Physical.Region = &sarifRegion{StartLine: max(s.Line, 1), Snippet: &sarifMessage{Text: Visible(s.Text)}}
		if i == 0 {
			r.Locations = append(r.Locations, at)
			continue
		}
		at.ID = i
		r.RelatedLocations = append(r.RelatedLocations, at)
	}
	return r
}

// location is the place of a log as a URI reference (RFC 3986): a path, in
// which the members of an archive follow a "!".
func location(name string) sarifLocation {
	path := filepath.ToSlash(name)
	u := url.URL{Path: path}
	switch {
	case filepath.VolumeName(name) != "":
		u = url.URL{Scheme: "file", Path: "/" + path}
	case strings.HasPrefix(path, "/"):
		u.Scheme = "file"
	}
	return sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{URI: u.String()}}}
}

// level is the SARIF level of a severity (section 3.27.10).
func level(severity string) string {
	switch patterns.Severity(severity) {
	case patterns.SeverityError, patterns.SeverityWarning:
		return severity
	}
	return "note"
}

var rfc = regexp.MustCompile(`^RFC (\d+)(?: section ([\d.]+))?`)

// reference is the address of the first source of a pattern that has one.
func reference(references []string) string {
	for _, text := range references {
		if m := rfc.FindStringSubmatch(text); m != nil {
			uri := "https://www.rfc-editor.org/rfc/rfc" + m[1]
			if m[2] != "" {
				uri += "#section-" + m[2]
			}
			return uri
		}
		if u, err := url.Parse(text); err == nil && u.Scheme == "https" && u.Host != "" {
			return u.String()
		}
	}
	return ""
}

// span is the time from the first to the last failure, empty where it is not
// known.
func span(first, last *time.Time) string {
	if first == nil || last == nil {
		return ""
	}
	return fmt.Sprintf("%s … %s", clock(*first), clock(*last))
}
