package patterns_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/parser"
	"wklog/patterns"
)

func scan(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("../testdata/scans/" + name)
	require.NoError(t, err)
	return string(data)
}

// firstLines are the first n lines of a text.
func firstLines(text string, n int) string {
	return strings.Join(strings.SplitAfter(text, "\n")[:n], "")
}

// stamped puts times before lines, as docker logs -t does.
func stamped(text string, start time.Time, every time.Duration) string {
	var out strings.Builder
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(&out, "%s %s\n", start.Add(time.Duration(i)*every).Format("2006-01-02T15:04:05.000000000Z"), line)
	}
	return out.String()
}

func lead(t *testing.T, log string) *patterns.Diagnosis {
	t.Helper()
	_, result := analysed(t, loaded(t), log)
	require.NotEmpty(t, result.Diagnosis)
	return &result.Diagnosis[0]
}

var scanTime = time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)

const (
	notTLS = "-------------------------->握手失败！--------------------------> tls: first record does not look like a TLS handshake handshakeStatusUnknown\n"
	sslv2  = "-------------------------->握手失败！--------------------------> tls: unsupported SSLv2 handshake received handshakeStatusUnknown\n"
)

func TestScanIsRecognised(t *testing.T) {
	probes := scan(t, "probes.log")
	for name, log := range map[string]string{
		"SSH, RDP, SMB, SSL 2.0, HTTP, noise": firstLines(probes, 6),
		"all probes":                          probes,
		"sslscan":                             scan(t, "sslscan.log"),
		"testssl.sh":                          scan(t, "testssl.log"),
		"Go's net/http":                       scan(t, "net-http.log"),
		"nginx":                               scan(t, "nginx.log"),
		"with times":                          stamped(probes, scanTime, 200*time.Millisecond),
		"sslscan with times":                  stamped(scan(t, "sslscan.log"), scanTime, 150*time.Millisecond),
		"two in a night":                      stamped(probes, scanTime, time.Second) + stamped(probes, scanTime.Add(5*time.Hour), time.Second),
	} {
		got := lead(t, log)
		assert.Equal(t, "scanner-probe", got.Cause.ID, name)
		assert.Greater(t, got.Confidence, 0.6, name)
	}
}

func TestMisdirectedClientIsNoScan(t *testing.T) {
	http := "2026/05/04 01:%02d:%02d http: TLS handshake error from %s:51514: %s\n"
	for name, log := range map[string]string{
		"one client that tries again, and one probe": stamped(strings.Repeat(notTLS, 200)+sslv2+strings.Repeat(notTLS, 200), scanTime, 5*time.Second),
		"the same without times":                     strings.Repeat(notTLS, 25) + sslv2 + strings.Repeat(notTLS, 10),
		"an old client and a misdirected one":        stamped(strings.Repeat(notTLS+sslv2+notTLS, 100), scanTime, 10*time.Second),
		"hours between":                              stamped(notTLS+sslv2+notTLS+notTLS, scanTime, time.Hour),
		"two addresses": fmt.Sprintf(http, 30, 1, "203.0.113.9", "tls: first record does not look like a TLS handshake") +
			fmt.Sprintf(http, 30, 2, "203.0.113.10", "tls: unsupported SSLv2 handshake received") +
			fmt.Sprintf(http, 30, 3, "203.0.113.9", "tls: first record does not look like a TLS handshake"),
	} {
		got := lead(t, log)
		assert.Equal(t, "plaintext-on-tls-port", got.Cause.ID, "%s: %.2f", name, got.Confidence)
	}
}

func TestScanDoesNotHideTheFault(t *testing.T) {
	rejections := strings.Repeat(rawLine("remote error: tls: expired certificate")+rawLine("remote error: tls: unknown certificate"), 10)
	for _, log := range []string{
		rejections + scan(t, "sslscan.log"),
		stamped(rejections, scanTime, time.Second) + stamped(scan(t, "sslscan.log"), scanTime.Add(time.Minute), 150*time.Millisecond),
	} {
		assert.Equal(t, "cert-expired", lead(t, log).Cause.ID)
	}
}

// TestScanInALiveLog gives lines without a time as they arrive.
func TestScanInALiveLog(t *testing.T) {
	leadOf := func(every time.Duration) string {
		a, err := patterns.NewAnalyzer(loaded(t), patterns.Filter{})
		require.NoError(t, err)
		src := a.Source("-")
		for i, text := range strings.SplitAfter(firstLines(scan(t, "probes.log"), 6), "\n")[:6] {
			rec := parser.Parse(parser.Unwrap([]byte(strings.TrimSuffix(text, "\n"))))
			rec.Line, rec.Arrived, rec.TimeInferred = int64(i+1), scanTime.Add(time.Duration(i)*every), true
			rec.Stamp = parser.Stamp{Time: rec.Arrived, Zoned: true}
			src.Add(rec)
		}
		return a.Result().Diagnosis[0].Cause.ID
	}
	assert.Equal(t, "scanner-probe", leadOf(time.Second))
	assert.Equal(t, "plaintext-on-tls-port", leadOf(time.Hour))
}

// TestScansOfManyAddresses has more scanners at the same time than are watched.
func TestScansOfManyAddresses(t *testing.T) {
	var log strings.Builder
	for i := range 3000 {
		for j, err := range []string{"tls: first record does not look like a TLS handshake", "client sent an HTTP request to an HTTPS server"} {
			fmt.Fprintf(&log, "2026/05/04 01:%02d:%02d http: TLS handshake error from 192.0.%d.%d:%d: %s\n", i/600, i/10%60, i/250, i%250, 50000+j, err)
		}
	}
	assert.Equal(t, "scanner-probe", lead(t, log.String()).Cause.ID)
}
