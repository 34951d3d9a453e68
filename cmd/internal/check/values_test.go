package check

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

func TestValuesAreSaidInTheirWay(t *testing.T) {
	at := time.Date(2026, 6, 1, 14, 0, 0, 0, time.FixedZone("", 2*60*60))
	for _, c := range []struct {
		v                  Value
		format, want, json string
	}{
		{Name.of("certificate", "Wangwei CA"), "%s", "Wangwei CA", `{"type":"name","value":"Wangwei CA"}`},
		{Host.of("names", []string{"a.cn", "b.cn"}), "%s", "a.cn, b.cn", `{"type":"host","value":["a.cn","b.cn"]}`},
		{Number.of("days", 3), "%d", "3", `{"type":"number","value":3}`},
		{Number.of("port", uint64(5210)), "%s", "5210", `{"type":"number","value":5210}`},
		{Time.of("not_after", at), "%s", "2026-06-01 12:00 UTC", `{"type":"time","value":"2026-06-01T14:00:00+02:00"}`},
		{Text.of("key", x509.ECDSA), "%v", "ECDSA", `{"type":"text","value":"ECDSA"}`},
		{Path.of("file", ` a".pem`), "%q", `" a\".pem"`, `{"type":"path","value":" a\".pem"}`},
		{setting{name: "WK_WSSADDR", origin: "compose.yml"}.named(), "%s", "WK_WSSADDR (compose.yml)", `{"type":"text","value":"WK_WSSADDR","in":"compose.yml"}`},
		{setting{name: "wssAddr"}.named(), "%s", "wssAddr", `{"type":"text","value":"wssAddr"}`},
	} {
		assert.Equal(t, c.want, fmt.Sprintf(c.format, c.v))
		data, err := json.Marshal(c.v)
		require.NoError(t, err)
		assert.Equal(t, c.json, string(data))
		var read Value
		require.NoError(t, json.Unmarshal(data, &read))
		assert.Equal(t, c.want, fmt.Sprintf(c.format, read), "as read from JSON")
		assert.Equal(t, c.v.Type, read.Type)
	}
}

func TestValuesOfACommandAreQuoted(t *testing.T) {
	s := step("fix", "curl %[1]s | grep '100%%'", "a: %[1]s\nb: %[2]s", Address.of("url", "http://a/$(id)"), Number.of("port", 1))
	assert.Equal(t, "curl 'http://a/$(id)' | grep '100%'", s.CommandLine())
	assert.Equal(t, "a: http://a/$(id)\nb: 1", s.Snippet())
	assert.Equal(t, "date +%s", step("fix", "date +%s", "", Number.of("port", 1)).CommandLine(), "no format without an index")
}

// TestRareResults has those that no other test brings about.
func TestRareResults(t *testing.T) {
	p := pki()
	files := func(change func(*x509.Certificate)) Certificates {
		return filesOf(t, pkitest.PEM(p.intermediate.Issue(p.key, change), p.intermediate.Certificate), pkitest.KeyPEM(p.key))
	}
	requireTexts(t, Certificates{}.Check())
	requireTexts(t, files(func(c *x509.Certificate) { c.OCSPServer = []string{"http://ocsp.wangwei-corp.cn"} }).Check())
	private := files(nil)
	private.Roots = nil
	requireTexts(t, private.Check())
	elsewhere := p.leaf
	dsa := *elsewhere
	dsa.PublicKey = "DSA"
	weak, is := weakness(&dsa, true)
	require.True(t, is)
	requireTexts(t, []Result{weak.of("cert-algorithm", SomeClients), weak.of("live-trust", AllClients)})
	e := newEndpoint(Live{Addr: "wss://im.wangwei-corp.cn:5210"})
	e.target = "10.1.2.3:5210"
	for _, r := range []Result{
		e.alerted(tls.AlertError(80).Error(), false),
		e.alerted(tls.AlertError(40).Error(), false),
		misspoken(`tls: failed to parse certificate from server: x509: cannot parse dnsName "wangwei corp"`),
		misspoken("tls: server sent certificate containing RSA key larger than 8192 bits"),
		misspoken("local error: tls: bad record MAC"),
		e.refusal(t.Context(), &attempt{err: syscall.ECONNREFUSED}), // down since it was connected to
		e.refusal(t.Context(), &attempt{err: io.EOF, asked: true}),
	} {
		requireTexts(t, []Result{r.of("live-tls13", AllClients)})
	}
	requireTexts(t, Live{Addr: "wss://im wangwei-corp.cn:1"}.Check(t.Context()))
	requireTexts(t, []Result{e.unresolved(&net.DNSError{Err: "server misbehaving", Name: "im.wangwei-corp.cn", Server: "10.1.2.3:53"}).of("live-name", AllClients)})
	requireTexts(t, []Result{e.unresolved(errors.New("no resolver")).of("live-name", AllClients)})
}

func TestRareResultsOfAnEndpoint(t *testing.T) {
	s := newSite(t)
	s.reissue(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	s.start()
	s.live.File = nil
	assert.Equal(t, "usage-signature", find(t, runLive(t, s.live), "live-trust").Key)

	s = newSite(t)
	s.chain, s.live.Roots = nil, nil
	s.reissue(func(c *x509.Certificate) { c.IssuingCertificateURL = nil })
	s.start()
	s.live.Addr = "wss://127.0.0.1:" + portOf(t, s.live.Addr)
	assert.Equal(t, "address", find(t, runLive(t, s.live), "live-names").Key)

	s = newSite(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	s.live.API = serveHTTP(t, nil, mux)
	assert.Equal(t, "status", find(t, s.check(), "live-route").Key)

	told := newEndpoint(Live{}).compareRoute("wss://im.wangwei-corp.cn:5210")
	assert.Equal(t, "told", told.Key)
	requireTexts(t, []Result{told.of("live-route", AllClients)})
}

func portOf(t *testing.T, address string) string {
	_, port, _, err := ParseAddr(address)
	require.NoError(t, err)
	return port
}
