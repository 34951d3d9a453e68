package rules

import (
	"encoding/json"
	"io"
)

// grafana writes a dashboard over the counts that were recorded, by whichever engine (https://grafana.com/docs/grafana/latest/dashboards/).
func grafana(w io.Writer, r *Request) error {
	lang := r.Say.Lang
	panels := []any{r.panel(1, 0, 0, 24, r.Say.Say("rules.panel.reasons"), "sum by (reason) ("+counted+`{reason!="any"})`)}
	for i, watch := range r.Catalogue.Watches {
		expr := "sum by (" + r.Node + ") (" + counted + `{reason="` + watch.Reason + `"})`
		panels = append(panels, r.panel(2+i, i%2*12, 8+i/2*8, 12, r.title(watch, lang), expr))
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(map[string]any{
		"__inputs": []any{map[string]string{"name": "DS_PROMETHEUS", "label": "Prometheus", "type": "datasource", "pluginId": "prometheus"}},
		"uid":      "wklog-counts", "title": r.Say.Say("rules.dashboard"), "schemaVersion": 39, "refresh": "1m",
		"tags": []string{"wklog"}, "time": map[string]string{"from": "now-6h", "to": "now"}, "panels": panels,
	})
}

func (r *Request) panel(id, x, y, width int, title, expr string) map[string]any {
	source := map[string]string{"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
	return map[string]any{
		"id": id, "type": "timeseries", "title": title, "datasource": source,
		"gridPos": map[string]int{"x": x, "y": y, "w": width, "h": 8},
		"targets": []any{map[string]any{"refId": "A", "datasource": source, "expr": expr}},
	}
}
