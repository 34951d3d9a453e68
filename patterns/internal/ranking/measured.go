package ranking

import "wklog/parser"

// Key is what a server prints of one failed connection: the kind of record,
// the pattern and the handshake state, empty where the record shows none.
type Key struct {
	Kind    parser.Kind `json:"kind"`
	Pattern string      `json:"pattern"`
	State   string      `json:"state,omitempty"`
}

// KeyOf gives the key under which a record of a pattern was measured. A record of a Go
// server other than WuKongIM shows the same alerts as a close record.
func KeyOf(rec *parser.Record, pattern string) Key {
	switch rec.Kind {
	case parser.KindHandshake, parser.KindNginx:
		return KeyIn(rec.Kind, pattern, rec.State)
	case parser.KindOpenSSL:
		return KeyIn(parser.KindNginx, pattern, "")
	}
	return KeyIn(parser.KindClose, pattern, "")
}

// KeyIn gives the key of a pattern in records of a kind: only raw handshake lines
// show a state.
func KeyIn(kind parser.Kind, pattern, state string) Key {
	if kind != parser.KindHandshake {
		state = ""
	}
	return Key{Kind: kind, Pattern: pattern, State: state}
}

// Measurement tells how a recorded client behaved under a recorded setup: how
// often it was tried, and how often the server printed each key. A server may
// print nothing at all.
type Measurement struct {
	// Kind is the kind of records that were looked at.
	Kind     parser.Kind `json:"kind"`
	Setup    string      `json:"setup"`
	Client   string      `json:"client"`
	TLS      string      `json:"tls"`
	Attempts int         `json:"attempts"`
	Seen     []KeyCount  `json:"seen"`
	// Silent counts the attempts that left no failure and ended in a close
	// record that healthy connections leave as well.
	Silent int `json:"silent,omitempty"`
}

// KeyCount is a key with the number of attempts that printed it.
type KeyCount struct {
	Key
	Count int `json:"count"`
}
