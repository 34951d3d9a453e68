// Package patterns turns log records into events, events into findings and
// findings into a diagnosis.
//
// # Using it
//
// [Analyze] reads a log and tells what failed and why:
//
//	analysis, err := patterns.Analyze(ctx, os.Stdin, nil)
//	if err != nil {
//		return err
//	}
//	for _, d := range analysis.Diagnosis {
//		fmt.Printf("%3.0f %%  %s\n", 100*d.Confidence, d.Cause.Title.En)
//	}
//
// Its [Cause] says what to do, in English and Chinese. [Events] gives the failures
// one by one, [Recognise] looks at a text that somebody pasted, and [Understand] also
// at codes and words that somebody typed. [Options] choose
// among the failures, name the zone of the server's clock, or bring a catalogue that
// was added to ([Catalogue.Add]).
//
// A log is read as it is, in the form in which Docker, Kubernetes, systemd or a log
// shipper keeps it; compressed ones are unpacked by the caller. Only lines that hold
// one of a few literals are parsed, so a healthy log takes the time of reading it.
//
// Several logs that are one input (of the nodes of a cluster, or the standard output
// and the files that repeat it) go through one [Analyzer]: the records of each
// (package parser, read with [Catalogue.ReadOptions]) are added to a [Source] of its
// own, and a failure that stands in several of them is counted once. An Analyzer also
// takes the results of checks ([Analyzer.Settle]) and can go on where an earlier one
// ended ([Memory]). A Catalogue and what it recognised may be read by many goroutines;
// an Analyzer is for one.
//
// # How it works
//
// The knowledge stands in patterns/catalogue as YAML: every failure message
// with its samples, every root cause with its fixes. A [Matcher] finds the
// pattern of a record, an [Analyzer] counts each failure once over all sources
// of an input, and the ranking weighs the root causes over everything that was
// seen. What clients of each kind make the server print was measured with real
// connections; what was not measured stands as a stated prior beside its reason
// (internal/ranking). After a change of any of these, go generate makes the files
// that are embedded.
package patterns

//go:generate go run ./internal/generate
