// Package rules writes what the catalogue knows as rules for engines that watch logs by
// themselves: counts and alerts, filters of agents, a dashboard. One file for each form.
package rules

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v4"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// Request is what the rules are made of.
type Request struct {
	Catalogue *patterns.Catalogue
	// Select chooses streams in the engine's own language, empty for the form's default.
	Select string
	// Node is the label that names a node.
	Node string
	// Say writes what is for people in the language that was asked for; annotations of
	// alerts are in both.
	Say, English, Chinese *messages.Printer
}

// forms are the engines, each with its own way to write.
var forms = map[string]func(io.Writer, *Request) error{
	"vmalert": vmalert, "loki": loki, "prometheus": prometheus,
	"vector": vector, "fluent-bit": fluentBit, "otel": otel,
	"grafana": grafana, "grafana-loki": grafanaLoki, "grafana-vlogs": grafanaVlogs,
}

// Forms are the names of all engines.
func Forms() []string { return slices.Sorted(maps.Keys(forms)) }

// ErrLabel says that the node's label is none: in queries it would be more than a name.
var ErrLabel = errors.New("no name of a label")

// label is what Prometheus, Loki and Grafana's templates take for a label's name.
var label = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// Write writes the rules for an engine of Forms.
func Write(w io.Writer, engine string, r *Request) error {
	if !label.MatchString(r.Node) {
		return ErrLabel
	}
	return forms[engine](w, r)
}

// counted is the series that counts the lines of a minute, and the label behind it.
const counted = "wklog:lines:count1m"

// title is what a watch counts.
func (r *Request) title(watch *patterns.Watch, lang patterns.Lang) string {
	if p := r.Catalogue.Pattern(watch.Explain); p != nil {
		return p.Title.In(lang)
	}
	return watch.Title.In(lang)
}

// group is a group of rules as Prometheus, vmalert and Loki's ruler read it.
type group struct {
	Name     string `yaml:"name"`
	Type     string `yaml:"type,omitempty"`
	Interval string `yaml:"interval,omitempty"`
	Rules    []rule `yaml:"rules"`
}

type rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// recording is a group with one count for each reason. A count of one minute is read once;
// an alert over ten would read each line ten times.
func (r *Request) recording(kind string, expression func(*patterns.Watch) (string, error)) (group, error) {
	g := group{Name: "wklog-counts", Type: kind, Interval: "1m"}
	for _, watch := range r.Catalogue.Watches {
		expr, err := expression(watch)
		if err != nil {
			return g, err
		}
		g.Rules = append(g.Rules, rule{Record: counted, Expr: expr, Labels: map[string]string{"reason": watch.Reason}})
	}
	return g, nil
}

// most is how many lines in ten minutes are an alert where a line alone says nothing sure.
const most = "20"

// alerts is a group of alerts over the counts.
func (r *Request) alerts(kind string) group {
	g := group{Name: "wklog-alerts", Type: kind, Interval: "1m"}
	for _, watch := range r.Catalogue.Watches {
		alert := rule{
			Alert:  "WuKongIM" + camel(watch.Reason),
			Expr:   "sum by (" + r.Node + ") (sum_over_time(" + counted + `{reason="` + watch.Reason + `"}[10m])) > `,
			Labels: map[string]string{"severity": watch.Severity, "reason": watch.Reason},
			Annotations: map[string]string{
				"summary": r.title(watch, patterns.English) + ": {{ $labels." + r.Node + " }}", "summary_zh": r.title(watch, patterns.Chinese) + "：{{ $labels." + r.Node + " }}",
				"description": r.describe(r.English, watch), "description_zh": r.describe(r.Chinese, watch),
			},
		}
		if watch.Explain != "" { // of the project's documents, which have no address that everybody reaches
			alert.Annotations["fix"] = "docs/patterns.md#" + watch.Explain
			alert.Annotations["fix_zh"] = "docs/patterns.zh-CN.md#" + watch.Explain
		}
		if watch.Severity == "critical" {
			alert.Expr += "0"
		} else {
			alert.Expr += most
			alert.For = "5m"
		}
		g.Rules = append(g.Rules, alert)
	}
	return g
}

func (r *Request) describe(say *messages.Printer, watch *patterns.Watch) string {
	if watch.Explain == "" {
		return say.Say("rules.look")
	}
	return say.Say("rules.explain", watch.Explain)
}

// camel writes not-tls as NotTls.
func camel(id string) string {
	var b bytes.Buffer
	for _, part := range bytes.Split([]byte(id), []byte("-")) {
		b.Write(bytes.ToUpper(part[:1]))
		b.Write(part[1:])
	}
	return b.String()
}

// document writes YAML behind lines of comment.
func document(w io.Writer, say string, content any) error {
	var b bytes.Buffer
	b.WriteString(comment(say))
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(content); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

type groups struct {
	Groups []group `yaml:"groups"`
}
