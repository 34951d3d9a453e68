package metrics

import (
	"io"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// Check is the outcome of one check of one target.
type Check struct {
	Target, ID, Status, Cause string
	// Seconds is how long a stage on the network took, 0 for the others.
	Seconds float64
	// NotAfter is the end of the certificate that ends first, where the check is one of
	// dates and knows it.
	NotAfter time.Time
	// Differ says that the target serves different certificates.
	Differ bool
}

// Checks are those of one run.
type Checks struct {
	At   time.Time
	List []Check
}

// statuses of checks as numbers; what was skipped has none.
var statuses = map[string]float64{"pass": 0, "warn": 1, "fail": 2}

// CheckCollector gives the last run of the checks to Prometheus.
type CheckCollector struct {
	last func() Checks

	status, fault, seconds, notAfter, remaining, differ, at *prometheus.Desc
}

// NewCheckCollector serves what last returns; it is called from other goroutines.
func NewCheckCollector(last func() Checks) *CheckCollector {
	return &CheckCollector{
		last:      last,
		status:    desc("check_status", "Outcome of a check: 0 passed, 1 warns, 2 failed.", "target", "check"),
		fault:     desc("check_fault", "1 for each cause that a check found.", "target", "check", "cause"),
		seconds:   desc("check_stage_seconds", "How long a stage on the network took; live-tls13 and live-tls12 are the handshakes.", "target", "check"),
		notAfter:  desc("check_certificate_not_after_timestamp_seconds", "End of the certificate that ends first.", "target"),
		remaining: desc("check_certificate_remaining_seconds", "Time until the certificate that ends first does; negative after its end.", "target"),
		differ:    desc("check_certificates_differ", "1 where addresses, versions or handshakes show different certificates.", "target"),
		at:        desc("check_timestamp_seconds", "When the checks were made."),
	}
}

// Describe lists the metrics.
func (c *CheckCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.status, c.fault, c.seconds, c.notAfter, c.remaining, c.differ, c.at} {
		to <- d
	}
}

// Collect gives their values. Where a target is checked twice, the worse outcome counts.
func (c *CheckCollector) Collect(to chan<- prometheus.Metric) {
	run := c.last()
	if run.At.IsZero() {
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(c.at, float64(run.At.UnixMilli())/1e3)
	type key struct{ target, id, cause string }
	status, seconds, ends, differ := map[key]float64{}, map[key]float64{}, map[string]time.Time{}, map[string]float64{}
	for _, one := range run.List {
		value, checked := statuses[one.Status]
		if !checked {
			continue
		}
		at := key{target: one.Target, id: one.ID}
		status[at] = max(status[at], value)
		if one.Seconds > 0 {
			seconds[at] = max(seconds[at], one.Seconds)
		}
		if one.Cause != "" {
			status[key{one.Target, one.ID, one.Cause}] = 1
		}
		if known, ok := ends[one.Target]; !one.NotAfter.IsZero() && (!ok || one.NotAfter.Before(known)) {
			ends[one.Target] = one.NotAfter
		}
		if one.ID == "live-certificates" {
			differ[one.Target] = map[bool]float64{true: 1}[one.Differ]
		}
	}
	for at, value := range status {
		if at.cause != "" {
			gauge(c.fault, value, at.target, at.id, at.cause)
			continue
		}
		gauge(c.status, value, at.target, at.id)
	}
	for at, value := range seconds {
		gauge(c.seconds, value, at.target, at.id)
	}
	for target, end := range ends {
		gauge(c.notAfter, float64(end.Unix()), target)
		gauge(c.remaining, end.Sub(run.At).Seconds(), target)
	}
	for target, value := range differ {
		gauge(c.differ, value, target)
	}
}

// WriteChecks writes the metrics of a run in Prometheus' text form, as the textfile
// collector of node_exporter reads it.
func WriteChecks(w io.Writer, run Checks) error {
	registry := prometheus.NewRegistry()
	if err := registry.Register(NewCheckCollector(func() Checks { return run })); err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return err
		}
	}
	return nil
}
