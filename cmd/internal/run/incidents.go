package run

import (
	"slices"
	"time"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// told is an incident of a stream that was told.
type told struct {
	Number  int       `json:"number"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Nodes   []string  `json:"nodes"`
	Sources []string  `json:"sources"`
	Cause   string    `json:"cause"`
	Over    bool      `json:"over"`
}

// maxKnown is how many incidents that are over are remembered.
const maxKnown = 100

// watch tells the sinks what changed of the incidents.
func (c *Core) watch(list []patterns.Incident) {
	if !c.sinks.Watch() {
		return
	}
	matched := map[*told]bool{}
	for i := len(list) - 1; i >= 0; i-- { // the newest stands first
		in := &list[i]
		k := c.knownAs(in, matched)
		if k == nil {
			c.numbered++
			k = &told{Number: c.numbered, Over: true}
			c.told = append(c.told, k)
		}
		matched[k] = true
		c.compare(k, in)
	}
	c.told = slices.DeleteFunc(c.told, func(k *told) bool { return !k.Over && !matched[k] }) // part of another one now
	c.told = c.told[max(0, len(c.told)-maxKnown):]
}

// compare tells what is new of an incident.
func (c *Core) compare(k *told, in *patterns.Incident) {
	cause := ""
	if len(in.Diagnosis) > 0 {
		cause = in.Diagnosis[0].Cause.ID
	}
	fresh := k.First.IsZero() && k.Cause == ""
	switch {
	case fresh, k.Over && in.Ongoing && in.Last.After(k.Last):
		c.tell(k.Number, report.Begins, in)
		k.Over = false
	case !k.Over && cause != k.Cause:
		c.tell(k.Number, report.Changes, in)
	}
	if !k.Over && !in.Ongoing {
		c.tell(k.Number, report.Ends, in)
		k.Over = true
	}
	k.First, k.Last, k.Nodes, k.Sources, k.Cause = in.First, in.Last, in.Nodes, in.Sources, cause
}

func (c *Core) tell(number int, what report.What, in *patterns.Incident) {
	if c.err == nil {
		c.err = c.sinks.Incident(&report.News{Number: number, What: what, Incident: in})
	}
}

// knownAs is the incident that was told before, nil for none: one that has a time and a
// log or node in common.
func (c *Core) knownAs(in *patterns.Incident, matched map[*told]bool) *told {
	for i := len(c.told) - 1; i >= 0; i-- {
		k := c.told[i]
		if matched[k] || !in.First.IsZero() && !k.First.IsZero() && (in.First.After(k.Last) || k.First.After(in.Last)) {
			continue
		}
		if common(k.Nodes, in.Nodes) || common(k.Sources, in.Sources) {
			return k
		}
	}
	return nil
}

func common(a, b []string) bool {
	return slices.ContainsFunc(a, func(name string) bool { return slices.Contains(b, name) })
}

// Open are the incidents that go on, by their leading causes, with their beginnings.
func (c *Core) Open() map[string]time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	open := map[string]time.Time{}
	for _, k := range c.told {
		if first, ok := open[k.Cause]; !k.Over && (!ok || k.First.Before(first)) {
			open[k.Cause] = k.First
		}
	}
	return open
}
