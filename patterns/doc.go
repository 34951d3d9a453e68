// Package patterns turns log records into events, events into findings and
// findings into a diagnosis.
//
// The knowledge stands in patterns/catalogue as YAML: every failure message
// with its samples, every root cause with its fixes. A [Matcher] finds the
// pattern of a record, an [Analyzer] counts each failure once over all sources
// of an input, and a [Ranker] weighs the root causes over everything that was
// seen. What clients of each kind make the server print was measured with real
// connections (measured.json, made by go generate from testdata); what was not
// measured stands as a stated prior beside its reason (ranking.yaml). After a
// change of any of these, go generate makes the files that are embedded.
package patterns

//go:generate go run ./internal/generate
