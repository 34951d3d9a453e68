package rules

import "io"

// prometheus writes the alerts over what Loki's ruler or vmalert recorded.
func prometheus(w io.Writer, r *Request) error {
	return document(w, r.Say.Say("rules.prometheus"), groups{[]group{r.alerts("")}})
}
