package rules

import (
	"encoding/json"
	"io"

	"wklog/cmd/internal/source/engine"
)

// dashboard is one of Grafana's (https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/),
// whose data source is asked for where it is imported.
type dashboard struct {
	Inputs        []input           `json:"__inputs"`
	UID           string            `json:"uid"`
	Title         string            `json:"title"`
	Description   string            `json:"description"`
	SchemaVersion int               `json:"schemaVersion"`
	Refresh       string            `json:"refresh"`
	Tags          []string          `json:"tags"`
	Time          map[string]string `json:"time"`
	Templating    struct{}          `json:"templating"`
	Annotations   struct{}          `json:"annotations"`
	Panels        []panel           `json:"panels"`
}

type input struct {
	Name     string `json:"name"`
	Label    string `json:"label"`
	Type     string `json:"type"`
	PluginID string `json:"pluginId"`
}

type reference struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID         int            `json:"id"`
	Type       string         `json:"type"`
	Title      string         `json:"title"`
	Datasource reference      `json:"datasource"`
	GridPos    map[string]int `json:"gridPos"`
	Targets    []target       `json:"targets"`
}

type target struct {
	RefID      string    `json:"refId"`
	Datasource reference `json:"datasource"`
	Expr       string    `json:"expr"`
	QueryType  string    `json:"queryType,omitempty"`
	Legend     string    `json:"legendFormat,omitempty"`
	MaxLines   int       `json:"maxLines,omitempty"`
}

const panelHeight = 8

// add puts a panel behind the others, width of 24 columns wide.
func (d *dashboard) add(kind, title string, width int, targets ...target) {
	x, y := 0, 0
	if n := len(d.Panels); n > 0 {
		last := d.Panels[n-1].GridPos
		if x, y = last["x"]+last["w"], last["y"]; x+width > 24 {
			x, y = 0, y+panelHeight
		}
	}
	source := reference{d.Inputs[0].PluginID, "${" + d.Inputs[0].Name + "}"}
	for i := range targets {
		targets[i].RefID, targets[i].Datasource = string(rune('A'+i)), source
	}
	d.Panels = append(d.Panels, panel{
		ID: len(d.Panels) + 1, Type: kind, Title: title, Datasource: source, Targets: targets,
		GridPos: map[string]int{"x": x, "y": y, "w": width, "h": panelHeight},
	})
}

func (d *dashboard) write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(d)
}

// grafana writes a dashboard over the counts that were recorded, by whichever engine.
func grafana(w io.Writer, r *Request) error {
	d := r.dashboard("counts", r.Say.Say("rules.dashboard.counts"), input{"DS_PROMETHEUS", "Prometheus", "datasource", "prometheus"})
	d.Refresh, d.Time["from"] = "1m", "now-6h"
	d.add("timeseries", r.Say.Say("rules.panel.reasons"), 24, target{Expr: "sum by (reason) (" + counted + `{reason!="any"})`, Legend: "{{reason}}"})
	for _, watch := range r.Catalogue.Watches {
		expr := "sum by (" + r.Node + ") (" + counted + `{reason="` + watch.Reason + `"})`
		d.add("timeseries", r.title(watch, r.Say.Lang), 12, target{Expr: expr, Legend: "{{" + r.Node + "}}"})
	}
	return d.write(w)
}

func (r *Request) dashboard(name, description string, of input) *dashboard {
	return &dashboard{
		Inputs: []input{of}, UID: "wklog-" + name, Title: r.Say.Say("rules.dashboard") + " (" + of.Label + ")",
		Description: description, SchemaVersion: 39, Tags: []string{"wklog"}, Time: map[string]string{"to": "now"},
	}
}

// grafanaLoki writes a dashboard that asks Loki itself.
func grafanaLoki(w io.Writer, r *Request) error {
	d := r.dashboard("loki", r.Say.Say("rules.dashboard.loki"), input{"DS_LOKI", "Loki", "datasource", "loki"})
	return r.asking(w, "loki", d, "range", "range", func(query string) string {
		return "sum by (" + r.Node + ") (count_over_time(" + query + " [$__auto]))"
	})
}

// grafanaVlogs writes a dashboard that asks VictoriaLogs itself, by its plugin
// (github.com/VictoriaMetrics/victorialogs-datasource, src/types.ts).
func grafanaVlogs(w io.Writer, r *Request) error {
	of := input{"DS_VICTORIALOGS", "VictoriaLogs", "datasource", "victoriametrics-logs-datasource"}
	d := r.dashboard("vlogs", r.Say.Say("rules.dashboard.vlogs"), of)
	return r.asking(w, "vlogs", d, "statsRange", "instant", func(query string) string {
		return query + " | stats by (" + r.Node + ") count() as lines"
	})
}

// asking writes a dashboard that has an engine search its logs whenever it is looked at: it
// has few panels, and shows the lines as well. counts and lines are the types of queries for
// either.
func (r *Request) asking(w io.Writer, name string, d *dashboard, counts, lines string, count func(query string) string) error {
	d.Refresh, d.Time["from"] = "5m", "now-1h"
	var reasons []target
	for _, watch := range r.Catalogue.Watches {
		query, err := engine.Query(name, r.Select, engine.Filter{Literals: watch.Literals})
		if err != nil {
			return err
		}
		one := target{Expr: count(query), QueryType: counts, Legend: "{{" + r.Node + "}}"}
		if len(d.Panels) == 0 {
			d.add("timeseries", r.title(watch, r.Say.Lang), 12, one)
			continue
		}
		one.Legend = watch.Reason + " {{" + r.Node + "}}"
		reasons = append(reasons, one)
	}
	d.add("timeseries", r.Say.Say("rules.panel.reasons"), 12, reasons...)
	query, err := engine.Query(name, r.Select, engine.Filter{Literals: r.Catalogue.Pushed(false), BeginsWord: r.Catalogue.BeginsWord})
	if err != nil {
		return err
	}
	d.add("logs", r.Say.Say("rules.panel.lines"), 24, target{Expr: query, QueryType: lines, MaxLines: 1000})
	return d.write(w)
}
