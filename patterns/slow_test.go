package patterns_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wklog/patterns"
)

// hostileLines are worst cases, each as long as the ordinary line, about 2 KB.
func hostileLines() map[string]string {
	const size = 2000
	fill := func(head, unit string) string {
		return head + strings.Repeat(unit, (size-len(head))/len(unit)) + "\n"
	}
	nginx := "2026/05/04 01:30:02 [info] 7#7: *1 "
	return map[string]string{
		"nginx":     fill(nginx, "SSL_do_handshake() failed (SSL: error:"),
		"nginx ssl": fill(nginx+"SSL_do_handshake() failed (SSL: ", "error:0A000415:SSL routines::x "),
		"x509":      fill("2026/05/04 01:30:02 ", "x509: certificate "),
		"tls":       fill("2026/05/04 01:30:02 ", "tls: "),
		"remote":    fill("2026/05/04 01:30:02 ", "remote error: tls: "),
		"escape":    fill("tls: bad certificate ", "\x1b[31m"),
		"logfmt":    fill("time=2026-05-04T01:30:02Z msg=x509: ", `a="`),
		"quotes":    fill("remote error: ", `tls: "`),
		"openssl":   fill("SSL routines:", "error:0A000415:SSL routines::"),
		"json":      fill(`{"level":"error","msg":"`, `x509: \"`),
		"panic":     fill(`{"level":"panic","time":"2026-05-04T01:30:02Z","msg":"`, "tls: failed to find any PEM data "),
		"arrows":    fill("---------->x", "----------> "),
		"quote":     fill("x509: ", "commit fix: "),
		"request":   fill("x509: GET /", " HTTP/1.1 x"),
		"empty":     strings.Repeat("\n", size),
		"raw empty": rawLine("EOF") + strings.Repeat("\n", size),
	}
}

// BenchmarkSlowLines tells how many times of an ordinary failure of the same length the
// lines take that are written to take long: at most 20.
func BenchmarkSlowLines(b *testing.B) {
	c := loaded(b)
	const ordinary = `{"level":"error","time":"2026-05-04T01:30:02Z","msg":"【A】dial","error":"Get \"https://im.example.com/\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-05-04T01:30:02Z is after 2026-05-03T01:30:02Z","stack":"%s"}` + "\n"
	const lines = 5
	read := func(log string) time.Duration {
		began := time.Now()
		_, err := patterns.Analyze(context.Background(), strings.NewReader(log), &patterns.Options{Catalogue: c})
		require.NoError(b, err)
		return time.Since(began)
	}
	whole := func(line string) string { return strings.Repeat(line, lines) }
	common := whole(fmt.Sprintf(ordinary, strings.Repeat("x.go:1 ", 250)))
	for name, line := range hostileLines() {
		b.Run(name, func(b *testing.B) {
			log := whole(line)
			var slow, usual time.Duration
			for b.Loop() {
				slow, usual = slow+read(log), usual+read(common)
			}
			b.ReportMetric(float64(slow)/float64(usual), "times")
		})
	}
}
