package rules

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// pushed is a regular expression of the literals by which an engine is asked for lines:
// what agents keep is what wklog would read from it.
func (r *Request) pushed() string {
	var list []string
	for _, literal := range r.Catalogue.Pushed(false) {
		list = append(list, regexp.QuoteMeta(literal))
	}
	return strings.Join(list, "|")
}

func comment(say string) string {
	return "# " + strings.ReplaceAll(say, "\n", "\n# ") + "\n"
}

// vector writes a filter and a tag for Vector
// (https://vector.dev/docs/reference/configuration/transforms/).
func vector(w io.Writer, r *Request) error {
	_, err := fmt.Fprint(w, comment(r.Say.Say("rules.vector")),
		"[transforms.wklog_candidates]\ntype = \"filter\"\ninputs = [\"wukongim\"]\n",
		"condition = '''\n  match(string(.message) ?? \"\", r'", strings.ReplaceAll(r.pushed(), "'", `\x27`), "')\n'''\n\n",
		"[transforms.wklog_tagged]\ntype = \"remap\"\ninputs = [\"wklog_candidates\"]\nsource = '''\n  .wklog = \"candidate\"\n'''\n")
	return err
}

// fluentBit writes the same for Fluent Bit 2 and later, whose lines are in the field log
// (https://docs.fluentbit.io/manual/pipeline/filters/grep).
func fluentBit(w io.Writer, r *Request) error {
	_, err := fmt.Fprint(w, comment(r.Say.Say("rules.fluent-bit")),
		"[FILTER]\n    Name   grep\n    Match  wukongim.*\n    Regex  log ", r.pushed(), "\n\n",
		"[FILTER]\n    Name   modify\n    Match  wukongim.*\n    Add    wklog candidate\n")
	return err
}

// otel writes them for the OpenTelemetry Collector: its filter drops what a condition
// holds for (processor/filterprocessor and transformprocessor of the contrib collector).
func otel(w io.Writer, r *Request) error {
	type conditions struct {
		Condition []string `yaml:"log_record"`
	}
	type filter struct {
		ErrorMode string     `yaml:"error_mode"`
		Logs      conditions `yaml:"logs"`
	}
	type statements struct {
		Context    string   `yaml:"context"`
		Statements []string `yaml:"statements"`
	}
	type transform struct {
		ErrorMode string       `yaml:"error_mode"`
		Logs      []statements `yaml:"log_statements"`
	}
	return document(w, r.Say.Say("rules.otel"), map[string]any{"processors": map[string]any{
		"filter/wklog":    filter{"ignore", conditions{[]string{"not IsMatch(body, " + strconv.Quote(r.pushed()) + ")"}}},
		"transform/wklog": transform{"ignore", []statements{{"log", []string{`set(attributes["wklog"], "candidate")`}}}},
	}})
}
