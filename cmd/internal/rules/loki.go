package rules

import (
	"io"

	"wklog/cmd/internal/source/engine"
	"wklog/patterns"
)

// lokiStreams are those of WuKongIM where no others are asked for: its containers.
const lokiStreams = `{app="wukongim"}`

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
	selector := r.Select
	if selector == "" {
		selector = lokiStreams
	}
	query, err := engine.Query("loki", selector, engine.Filter{Literals: watch.Literals})
	return "sum by (" + r.Node + ") (count_over_time(" + query + " [1m]))", err
}
