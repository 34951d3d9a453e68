package main

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/pkitest"
	"wklog/cmd/internal/report"
)

// server is a folder with the certificate, the key, the root and the
// configuration of a server.
type server struct {
	dir, config, root string
}

// serverWith makes the server that a recorded fault needs.
func serverWith(t *testing.T, fault string) server {
	t.Helper()
	now := time.Now()
	pki, key := pkitest.New(now), pkitest.Key()
	address := "wss://im.wangwei-corp.cn:5210"
	leaf := pki.Intermediate.Issue(key, func(c *x509.Certificate) {
		c.NotBefore = now.AddDate(-2, 0, 0) // before the recorded failures
		c.NotAfter = c.NotBefore.AddDate(2, 2, 0)
		switch fault {
		case "expired":
			c.NotAfter = now.AddDate(0, 0, -1)
		case "not-yet-valid":
			c.NotBefore = now.AddDate(0, 0, 1)
		case "hostname-mismatch":
			c.DNSNames = []string{"www.wangwei-corp.cn"}
		}
	})
	chain := []*x509.Certificate{leaf, pki.Intermediate.Certificate}
	switch fault {
	case "chain-incomplete":
		chain = chain[:1]
	case "untrusted-ca":
		chain = []*x509.Certificate{pki.Other.Issue(key, func(c *x509.Certificate) { c.IssuingCertificateURL = nil }), pki.Other.Certificate}
	case "self-signed":
		chain = []*x509.Certificate{pkitest.SelfSigned(key, now, nil)}
	case "ip-address-target":
		address = "wss://203.0.113.7:5210"
	}
	s := server{dir: t.TempDir()}
	write := func(name, text string) string {
		path := filepath.Join(s.dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	s.root = write("root.pem", pkitest.PEM(pki.Root.Certificate))
	s.config = write("wk.yaml", fmt.Sprintf("wssAddr: wss://0.0.0.0:5210\nwssConfig:\n  certFile: %s\n  keyFile: %s\nexternal:\n  wssAddr: %s\n",
		write("fullchain.pem", pkitest.PEM(chain...)), write("privkey.pem", pkitest.KeyPEM(key)), address))
	return s
}

// causes are the contract's names for those of the recordings.
var causes = map[string]string{
	"self-signed": "untrusted-ca", "expired": "cert-expired", "not-yet-valid": "cert-not-yet-valid", "clock-ahead": "clock-skew",
	"clock-behind": "clock-skew", "ip-address-target": "hostname-mismatch",
}

// TestCertificateSettlesWhatTheLogCannot reads every recorded scenario together
// with the certificate that goes with it.
func TestCertificateSettlesWhatTheLogCannot(t *testing.T) {
	data, err := os.ReadFile("../../testdata/wukongim/scenarios/truth.jsonl")
	require.NoError(t, err)
	least, n := 1.0, 0
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var truth struct{ File, Cause string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &truth))
		want := truth.Cause
		if known, ok := causes[want]; ok {
			want = known
		}
		s := serverWith(t, truth.Cause)
		out, stderr, status := run1(t, "check", "--config", s.config, "--ca", s.root, "--log", "../../testdata/wukongim/scenarios/"+truth.File, "--format", "json")
		var list report.Checklist
		require.NoError(t, json.Unmarshal([]byte(out), &list), stderr)
		if want == "ok" {
			assert.Zero(t, status)
			assert.Empty(t, list.Report.Diagnosis, truth.File)
			continue
		}
		require.NotEmpty(t, list.Report.Diagnosis, truth.File)
		lead := list.Report.Diagnosis[0]
		assert.Equal(t, want, lead.Cause, truth.File)
		atLeast := 0.95
		if want == "clock-skew" {
			atLeast = 0.65 // nothing was found: from one place that leaves the rest possible
		}
		assert.Greater(t, lead.Confidence, atLeast, truth.File)
		assert.LessOrEqual(t, lead.Confidence, 0.97, truth.File)
		least, n = min(least, lead.Confidence), n+1
		assert.Equal(t, list.Has(check.Fail), status == exitReached)
		assert.Equal(t, want != "clock-skew", list.Has(check.Fail), truth.File)
	}
	require.Greater(t, n, 15)
	t.Logf("%d scenarios, least confidence %.3f", n, least)
}

// TestRootOfThisMachineAloneRulesNothingOut: clients need not have a root that was
// installed here, unless the user says so.
func TestRootOfThisMachineAloneRulesNothingOut(t *testing.T) {
	dir, pki, key := t.TempDir(), pkitest.New(time.Now()), pkitest.Key()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	chain := write("fullchain.pem", pkitest.PEM(pki.Intermediate.Issue(key, nil), pki.Intermediate.Certificate))
	private, root := write("privkey.pem", pkitest.KeyPEM(key)), write("root.pem", pkitest.PEM(pki.Root.Certificate))
	for _, flags := range [][]string{nil, {"--ca", root}} {
		wklog := self(t, "wklog", append([]string{"check", "--cert", chain, "--key", private, "--format", "json"}, flags...)...)
		wklog.Env = append(wklog.Env, "SSL_CERT_FILE="+root, "SSL_CERT_DIR="+dir)
		out, _ := wklog.Output() // warnings are none of this
		var list report.Checklist
		require.NoError(t, json.Unmarshal(out, &list))
		at := slices.IndexFunc(list.Checks, func(c report.CheckLine) bool { return c.ID == "cert-trust" })
		require.GreaterOrEqual(t, at, 0)
		assert.Equal(t, string(check.Pass), list.Checks[at].Status, flags)
		assert.Equal(t, flags != nil, slices.Contains(list.Checks[at].RulesOut, "untrusted-ca"), flags)
	}
}
