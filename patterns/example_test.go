package patterns_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"wklog/parser"
	"wklog/patterns"
)

func ExampleAnalyze() {
	log, err := os.Open("../testdata/wukongim/scenarios/expired-mixed-docker-json.log")
	if err != nil {
		panic(err)
	}
	defer log.Close()
	analysis, err := patterns.Analyze(context.Background(), log, nil)
	if err != nil {
		panic(err)
	}
	lead := analysis.Diagnosis[0]
	fmt.Printf("%d failures, most probably %s (%.0f %%)\n", analysis.Events, lead.Cause.ID, 100*lead.Confidence)
	fmt.Println(lead.Cause.Fixes[0].Command)
	// Output:
	// 33 failures, most probably cert-expired (95 %)
	// openssl x509 -in ./wukongimdata/certs/fullchain.pem -noout -enddate
}

func ExampleEvents() {
	log := strings.NewReader(`2026/05/04 01:30:05 http: TLS handshake error from 192.0.2.7:51514: remote error: tls: expired certificate
2026/05/04 01:30:06 GET /health 200
2026/05/04 01:30:07 http: TLS handshake error from 192.0.2.8:40112: EOF
`)
	for event, err := range patterns.Events(context.Background(), log, nil) {
		if err != nil {
			panic(err)
		}
		fmt.Println(event.Record.Line, event.Time().Format("15:04:05"), event.Pattern.Severity, event.Pattern.Title.En)
	}
	// Output:
	// 1 01:30:05 error Alert 45, certificate expired, sent by the client
	// 3 01:30:07 warning Client ended the connection during the handshake (Go proxy)
}

func ExampleRecognise() {
	event, _, err := patterns.Recognise(context.Background(), "net::ERR_CERT_COMMON_NAME_INVALID", nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(event.Pattern.Title.In(patterns.Chinese))
	fmt.Println(event.Causes[0].ID)
	// Output:
	// 客户端：证书不包含连接的地址
	// hostname-mismatch
}

// A catalogue of one's own adds to the embedded one.
func ExampleOptions_catalogue() {
	catalogue, err := patterns.Load()
	if err != nil {
		panic(err)
	}
	err = catalogue.Add("gateway.yaml", []byte(`
patterns:
  - id: gateway-tls-failed
    title: {en: "The gateway gave up the TLS handshake", zh: "网关放弃了 TLS 握手"}
    severity: warning
    match:
      - regex: 'gateway: TLS handshake given up after [0-9]+ ms'
    causes:
      - {id: connection-interrupted, score: 0.6}
`))
	if err != nil {
		panic(err)
	}
	log := strings.NewReader("2026-05-04T01:30:00Z gateway: TLS handshake given up after 3000 ms\n")
	analysis, err := patterns.Analyze(context.Background(), log, &patterns.Options{Catalogue: catalogue})
	if err != nil {
		panic(err)
	}
	for _, finding := range analysis.Findings {
		fmt.Println(finding.Count, finding.Pattern.ID, finding.Causes[0].ID)
	}
	// Output:
	// 1 gateway-tls-failed connection-interrupted
}

// Several logs are one input: what stands in more than one of them is counted once.
func ExampleAnalyzer() {
	catalogue, err := patterns.Load()
	if err != nil {
		panic(err)
	}
	analyzer, err := patterns.NewAnalyzer(catalogue, patterns.Filter{Severity: patterns.SeverityError})
	if err != nil {
		panic(err)
	}
	const line = `{"level":"debug","time":"2026-05-04T09:30:01.5+08:00","msg":"【ReactorSub-1】close connn","error":"remote error: tls: unknown certificate","id":7,"fd":151}` + "\n"
	for _, name := range []string{"stdout.log", "logs/debug.log"} {
		source := analyzer.Source(name)
		for record, err := range parser.Records(context.Background(), strings.NewReader(line), catalogue.ReadOptions()) {
			if err != nil {
				panic(err)
			}
			source.Add(record)
		}
		source.End()
	}
	analysis := analyzer.Result()
	fmt.Println(analysis.Events, analysis.Duplicates, analysis.Findings[0].Pattern.ID)
	// Output:
	// 1 1 alert-unknown-certificate
}
