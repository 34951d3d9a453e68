package parser_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"wklog/parser"
)

func ExampleRecords() {
	log := strings.NewReader(`2026-05-04T01:30:05.123456789Z stdout F -------------------------->握手失败！--------------------------> remote error: tls: expired certificate handshakeStatus13ReadClientFinished
2026-05-04T01:30:06.000000000Z stdout F {"level":"debug","time":"2026-05-04T09:30:06.5+08:00","msg":"【ReactorSub-1】close connn","error":"EOF","id":7,"fd":151}
`)
	for record, err := range parser.Records(context.Background(), log, parser.Options{}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(record.Line, record.Wrapper, record.Kind, record.Stamp.Time.UTC().Format(time.TimeOnly), record.Error)
	}
	// Output:
	// 1 cri handshake 01:30:05 remote error: tls: expired certificate
	// 2 cri close 01:30:06 EOF
}

// A line passes two steps: what its container put around it, then its own form.
func ExampleUnwrap() {
	entry := parser.Unwrap([]byte(`wukongim-1  | 2026/05/04 01:30:05 http: TLS handshake error from 192.0.2.7:51514: remote error: tls: bad certificate`))
	fmt.Printf("%s: %s\n", entry.Wrapper, entry.Text)
	record := parser.Parse(entry)
	fmt.Printf("%s: %s\n", record.Kind, record.Error)
	// Output:
	// compose: 2026/05/04 01:30:05 http: TLS handshake error from 192.0.2.7:51514: remote error: tls: bad certificate
	// net-http: remote error: tls: bad certificate
}

// A log that grows is given as its bytes arrive.
func ExampleFeed() {
	feed := parser.NewFeed(parser.Options{}, func(record *parser.Record) error {
		fmt.Println(record.Kind, record.Error)
		return nil
	})
	for _, part := range []string{"2026/05/04 01:30:05 http: TLS handshake error from 192.0.2.7:5", "1514: EOF\n"} {
		if err := feed.Write([]byte(part), parser.Arrival{At: time.Now()}); err != nil {
			panic(err)
		}
	}
	if err := feed.End(); err != nil {
		panic(err)
	}
	// Output:
	// net-http EOF
}
