package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"wklog/patterns"
)

// ErrSchema says that a document is not a report of this form, ErrPartial that it
// lists a part of its findings only, so that nothing can be called new.
var (
	ErrSchema  = errors.New("not a report in the form " + Schema)
	ErrPartial = errors.New("the report lists a part of its findings only")
)

// Comparison says with which earlier report a report was compared, and how.
type Comparison struct {
	Generated time.Time  `json:"generated"`
	First     *time.Time `json:"first"`
	Last      *time.Time `json:"last"`
	// Scale is the time that the logs of this report cover, divided by that of
	// the earlier ones: its counts are multiplied by it. It is 1 where one of
	// the two is not known.
	Scale float64 `json:"scale"`
	// Factor and Deviations are the thresholds of Change.
	Factor     float64 `json:"factor"`
	Deviations float64 `json:"deviations"`
}

// Change is how a finding changed since an earlier report.
type Change struct {
	// Status is new, gone, more, fewer or same.
	Status string `json:"status"`
	// Before is the count of the earlier report, Expected the one that its rate
	// would give over the time of this report.
	Before   int     `json:"before"`
	Expected float64 `json:"expected"`
}

// A count is more or fewer than before when the rate changed by half and by
// more than chance explains: independent failures at an unchanged rate give
// (n - before × scale) a standard deviation of √(n + before × scale²), and
// differ by two of these in one comparison of twenty.
const (
	changeFactor     = 1.5
	changeDeviations = 2
)

// ReadJSON reads a report that was written as JSON. Anything else is an
// ErrSchema, and a report that --top cut short an ErrPartial.
func ReadJSON(r io.Reader) (*Document, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the earlier report: %w", err)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("%w: its schema is %q", ErrSchema, head.Schema)
	}
	d := &Document{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	listed := 0
	for _, f := range d.Findings {
		listed += f.Count
	}
	if listed != d.Summary.Events {
		return nil, fmt.Errorf("%w: %d of %d failures", ErrPartial, listed, d.Summary.Events)
	}
	return d, nil
}

// Compare marks every finding as new, more, fewer or same against an earlier
// report, and lists those that are gone. Both need all their findings and the
// times of their inputs.
func (d *Document) Compare(old *Document) {
	c := &Comparison{
		Generated: old.Generated, First: old.Summary.First, Last: old.Summary.Last,
		Scale: 1, Factor: changeFactor, Deviations: changeDeviations,
	}
	if now, then := d.Summary.length(), old.Summary.length(); now > 0 && then > 0 {
		c.Scale = now.Seconds() / then.Seconds()
	}
	d.Compared, d.Gone = c, []Finding{}
	d.compareIncidents(old)
	before := map[string]int{}
	for _, f := range old.Findings {
		before[f.Pattern] = f.Count
		if d.finding(f.Pattern) == nil {
			f.Change, f.Ongoing = c.change(f.Count, 0), new(bool)
			d.Gone = append(d.Gone, d.translated(f))
		}
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		f.Change = c.change(before[f.Pattern], f.Count)
	}
}

func (c *Comparison) change(before, now int) *Change {
	expected := float64(before) * c.Scale
	change := &Change{Status: "same", Before: before, Expected: math.Round(expected*10) / 10}
	deviation := math.Sqrt(float64(now) + float64(before)*c.Scale*c.Scale)
	switch n := float64(now); {
	case before == 0:
		change.Status = "new"
	case now == 0:
		change.Status = "gone"
	case n >= expected*c.Factor && n-expected >= c.Deviations*deviation:
		change.Status = "more"
	case n*c.Factor <= expected && expected-n >= c.Deviations*deviation:
		change.Status = "fewer"
	}
	return change
}

// length is the time that the inputs cover, 0 where it is not known.
func (s Summary) length() time.Duration {
	if s.First == nil || s.Last == nil {
		return 0
	}
	return s.Last.Sub(*s.First)
}

func (d *Document) finding(pattern string) *Finding {
	for i := range d.Findings {
		if d.Findings[i].Pattern == pattern {
			return &d.Findings[i]
		}
	}
	return nil
}

// translated is a finding of an earlier report in the language of this one,
// with the titles of its causes in the list of causes.
func (d *Document) translated(f Finding) Finding {
	if d.catalogue == nil {
		return f
	}
	if p := d.catalogue.Pattern(f.Pattern); p != nil {
		f.Title, f.Why = p.Title.In(d.lang()), p.Explain.In(d.lang())
	}
	d.addTitles(f.Causes, d.catalogue)
	if len(f.Causes) > 0 && d.catalogue.Cause(f.Causes[0].ID) != nil {
		program := patterns.Side(f.Side).Program()
		program.Reporter = cmp.Or(patterns.ComponentID(f.Component), program.Reporter)
		if program.Component == patterns.ComponentWuKongIM {
			program.Component = program.Reporter
		}
		f.Fixes = Steps(d.catalogue.Advice(d.catalogue.Cause(f.Causes[0].ID), program).Fixes, d.lang())
	}
	return f
}

func (d *Document) lang() patterns.Lang { return patterns.Lang(d.Lang) }
