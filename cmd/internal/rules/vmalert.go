package rules

import (
	"io"

	"wklog/cmd/internal/source/engine"
	"wklog/patterns"
)

// vmalert writes rules for VictoriaMetrics' vmalert: counts over VictoriaLogs, and alerts
// over what it recorded (https://docs.victoriametrics.com/victorialogs/vmalert/).
func vmalert(w io.Writer, r *Request) error {
	counts, err := r.recording("vlogs", func(watch *patterns.Watch) (string, error) {
		query, err := engine.Query("vlogs", r.Select, engine.Filter{Literals: watch.Literals})
		return query + " | stats by (" + r.Node + ") count() as lines", err
	})
	if err != nil {
		return err
	}
	return document(w, r.Say.Say("rules.vmalert"), groups{[]group{counts, r.alerts("prometheus")}})
}
