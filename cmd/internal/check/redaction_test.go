package check_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/parser"
	"wklog/patterns"
)

// TestMain sends what the tests found through every form of a report with redaction,
// once all of them have run: so each failing case of each check is looked at, with
// the values that it really has, and those of checks that are to come.
func TestMain(m *testing.M) {
	status := m.Run()
	if flag.Lookup("test.list").Value.String() == "" && !testing.Short() {
		err := redact(check.Seen())
		some := flag.Lookup("test.run").Value.String() + flag.Lookup("test.skip").Value.String()
		if status == 0 && err == nil && some == "" {
			err = complete(check.Seen())
		}
		if err != nil {
			fmt.Println(err)
			status = 1
		}
	}
	os.Exit(status)
}

func redact(results []check.Result) error {
	catalogue, err := patterns.Load()
	if err != nil {
		return err
	}
	leaks, reports := []string{}, 0
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		say, err := messages.In(lang)
		if err != nil {
			return err
		}
		for _, list := range checklists(results) {
			for form, text := range redacted(list, catalogue, say) {
				reports++
				for _, at := range check.Originals.FindAllStringIndex(text, -1) {
					leaks = append(leaks, fmt.Sprintf("%s as %s: …%s…", lang, form, text[max(0, at[0]-100):min(len(text), at[1]+40)]))
				}
			}
		}
	}
	if len(leaks) > 0 {
		return fmt.Errorf("originals in redacted reports: %d\n%s", len(leaks), strings.Join(leaks[:min(len(leaks), 20)], "\n"))
	}
	fmt.Printf("redaction: %d kinds of results in %d reports, originals found: 0\n", len(results), reports)
	return nil
}

// checklists have each failed check once, as those of users: a report refers to it
// by its name.
func checklists(results []check.Result) (lists [][]check.Result) {
	failed := map[string]int{}
	for _, r := range results {
		at := 0
		if r.Status == check.Fail {
			at = failed[r.ID]
			failed[r.ID]++
		}
		if at == len(lists) {
			lists = append(lists, nil)
		}
		lists[at] = append(lists[at], r)
	}
	return lists
}

// redacted gives every form of a report on checks that were made now, and on those
// that were made before and read as JSON.
func redacted(results []check.Result, catalogue *patterns.Catalogue, say *messages.Printer) map[string]string {
	texts := map[string]string{}
	list := report.NewChecklist(results, catalogue, say, time.Time{})
	var asJSON bytes.Buffer
	must(list.Write(&asJSON, "json", report.Options{Say: say}))
	before, err := report.ReadChecklist(asJSON.Bytes(), say)
	must(err)
	for name, l := range map[string]*report.Checklist{"": list, " of JSON": before} {
		analyzer, err := patterns.NewAnalyzer(catalogue, patterns.Filter{})
		must(err)
		source := analyzer.Source("-")
		_, err = parser.Read(context.Background(), strings.NewReader(failure), parser.Options{}, func(r *parser.Record) error {
			source.Add(r)
			return nil
		})
		must(err)
		source.End()
		analyzer.Settle(l.Proofs(time.Time{}))
		result := analyzer.Result()
		redactor, doc := report.NewRedactor(), report.New(&result, say, time.Time{})
		redactor.Document(doc, nil)
		doc.AddChecks(redactor.Checklist(l, say), catalogue, say)
		for _, form := range report.Forms() {
			var out bytes.Buffer
			must(report.Write(&out, form, doc, report.Options{Say: say}))
			texts[form+name] = out.String()
		}
	}
	return texts
}

const failure = "-------------------------->握手失败！--------------------------> remote error: tls: unknown certificate handshakeStatus13ReadClientFinished\n"

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// complete tells which texts of checks no test brought about.
func complete(results []check.Result) error {
	data, err := os.ReadFile("../messages/en.yaml")
	if err != nil {
		return err
	}
	met := map[string]bool{}
	for _, r := range results {
		key := r.ID + "." + r.Key
		if strings.HasPrefix(r.Key, "any.") {
			key = r.Key
		}
		met[key] = true
		met["any.met"] = met["any.met"] || len(r.Met) == 2
		met["any.met-sometimes"] = met["any.met-sometimes"] || len(r.Met) == 4
	}
	var unmet []string
	for _, m := range texts.FindAllSubmatch(data, -1) {
		if key := string(m[1]); !met[key] && !isOfAFix.MatchString(key) && !slices.Contains(beyond, key) {
			unmet = append(unmet, key)
		}
	}
	if len(unmet) > 0 {
		return fmt.Errorf("texts of checks that no test brings about: %s", strings.Join(unmet, ", "))
	}
	return nil
}

// texts of checks; those of errors are others.
var texts = regexp.MustCompile(`(?m)^check\.((?:any|cert|key|chain|config|live|proxy|kube)[a-z0-9-]*\.[a-z0-9-]+):`)

var isOfAFix = regexp.MustCompile(`\.fix(?:-[a-z]+)*$`)

// beyond are what depends on the machine: whether it has certificates of public
// authorities, openssl, a root user who can be another, and a broken disk.
var beyond = []string{
	"cert-trust.system", "live-trust.system", "cert-trust.mozilla", "live-trust.mozilla", "chain-complete.private", "live-served.private",
	"any.form-pkcs7", "any.form-pkcs12", "any.file-closed", "any.file-error",
}
