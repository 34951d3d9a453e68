// Package ranking weighs the root causes of what servers printed of their clients'
// verdicts: from the connections that were recorded (measured.json), and from what is
// assumed of clients and faults, each with its reason (ranking.yaml). Go generate
// makes ranking.gob of both, which is embedded.
package ranking
