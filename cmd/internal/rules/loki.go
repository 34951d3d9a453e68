package rules

import (
	"io"

	"wklog/cmd/internal/source/engine"
	"wklog/patterns"
)

// loki writes rules for Loki's ruler (https://grafana.com/docs/loki/latest/alert/): only
// counts, for the ruler cannot ask for what it recorded. Prometheus has the alerts.
func loki(w io.Writer, r *Request) error {
	counts, err := r.recording("", r.lokiCount)
	if err != nil {
		return err
	}
	return document(w, r.Say.Say("rules.loki"), groups{[]group{counts}})
}

func (r *Request) lokiCount(watch *patterns.Watch) (string, error) {
	query, err := engine.Query("loki", r.Select, engine.Filter{Literals: watch.Literals})
	return "sum by (" + r.Node + ") (count_over_time(" + query + " [1m]))", err
}
