// Package parser turns the lines of a log into records.
//
// # Using it
//
// [Records] reads a log to its end:
//
//	for record, err := range parser.Records(ctx, os.Stdin, parser.Options{}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(record.Stamp.Time, record.Kind, record.Subject())
//	}
//
// [Read] does the same with a function and tells how much it read ([Stats]),
// [ReadAt] reads a file with several workers, and a [Feed] takes the bytes of a log
// that grows. [Options] say of which lines records are wanted: by default of all;
// package patterns gives those by which the lines without a failure are passed over,
// at the speed of reading them. Nothing of this knows what a failure is.
//
// # From lines to records
//
// A line passes two steps, and each has one file per format:
//
//	bytes of a line ── Unwrap ──▶ Entry ── Parse ──▶ Record
//
// [Unwrap] takes off what the container runtime, the journal or syslog put
// around the program's own text: docker's json-file and timestamps, docker
// compose, CRI, kubectl, stern, logcli, journald, RFC 3164, RFC 5424, and the
// JSON exports of log shippers. They may be stacked (compose over timestamps,
// json-file over syslog), and what a layer knows of time, stream and origin is
// kept in the [Entry].
//
// [Parse] reads the text itself: WuKongIM's raw handshake line, its JSON log
// of every release and the console log of version 3, Go panics, the nginx
// error log, and the TLS handshake errors of net/http servers such as Caddy
// and Traefik. Whatever is none of them is a record of [KindText]; nothing is
// an error. A Go panic spans several entries: [StartsPanic] and
// [ContinuesPanic] find them, [ParsePanic] makes one record of them.
//
// # Extending
//
// A wrapper registers itself from its own file with a [Wrapper] label, a
// priority and the bytes that its lines can begin with; so does a record form.
// Both are tried by first byte and in order of priority, so a line costs only
// the formats that it can be.
//
// # Times
//
// Many logs print a wall clock without zone, and BSD syslog omits the year.
// A [Stamp] keeps what was printed and says what is missing; it guesses
// nothing.
package parser
