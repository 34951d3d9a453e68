package main

import (
	"crypto/tls"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/fragile"
	"wklog/cmd/internal/pkitest"
	"wklog/cmd/internal/report"
)

// TestCheckCrashesNoServer runs every form of the check on a server that ends at
// the first handshake, since it has no certificate.
func TestCheckCrashesNoServer(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		env   map[string]string
		args  []string
	}{
		{"wk.yaml", map[string]string{"wk.yaml": "wssAddr: wss://HERE\nexternal: {wssAddr: 'wss://HERE'}\n"}, nil, []string{"check", "--config", "wk.yaml", "--addr", "config"}},
		{"wk.yaml, another address", map[string]string{"wk.yaml": "wssAddr: wss://0.0.0.0:5210\n"}, nil, []string{"check", "--config", "wk.yaml", "--addr", "HERE"}},
		{"wk.yaml, one file of two", map[string]string{"wk.yaml": "wssAddr: wss://HERE\nwssConfig: {certFile: /c.pem}\n"}, nil, []string{"check", "--config", "wk.yaml", "--addr", "HERE"}},
		{"wk.yaml, wss address only for clients", map[string]string{"wk.yaml": "external: {wssAddr: 'wss://HERE'}\n"}, nil, []string{"check", "--config", "wk.yaml", "--addr", "config"}},
		{"plain ports named by mistake", map[string]string{"wk.yaml": "wssAddr: wss://HERE\n"}, nil, []string{"check", "--config", "wk.yaml", "--addr", "HERE", "--api", "HERE", "--ws", "HERE"}},
		{"environment over wk.yaml", map[string]string{"wk.yaml": "mode: release\n"}, map[string]string{"WK_WSSADDR": "wss://HERE", "WK_EXTERNAL_WSSADDR": "wss://HERE"}, []string{"check", "--config", "wk.yaml", "--addr", "config"}},
		{"environment alone", nil, map[string]string{"WK_WSSADDR": "wss://HERE"}, []string{"check", "--addr", "HERE"}},
		{"environment as configuration", nil, map[string]string{"WK_WSSADDR": "wss://HERE", "WK_EXTERNAL_WSSADDR": "wss://HERE"}, []string{"check", "--addr", "config"}},
		{"compose", map[string]string{"docker-compose.yml": "services:\n  im:\n    image: wukongim/wukongim\n    environment: {WK_WSSADDR: 'wss://0.0.0.0:5210', WK_EXTERNAL_WSSADDR: 'wss://HERE'}\n"}, nil,
			[]string{"check", "--compose", "docker-compose.yml", "--addr", "config"}},
		{"compose, another service", map[string]string{"docker-compose.yml": "services:\n  im:\n    image: wukongim/wukongim\n    environment: {WK_WSADDR: 'ws://0.0.0.0:5200'}\n" +
			"  node2:\n    image: im\n    volumes: ['./data:/root/wukongim']\n", "data/wk.yaml": "wssAddr: wss://0.0.0.0:5210\n"}, nil, []string{"check", "--compose", "docker-compose.yml", "--addr", "HERE"}},
		{"certificate of elsewhere", map[string]string{"wk.yaml": "wssAddr: wss://HERE\n", "c.pem": "CERT", "k.pem": "KEY"}, nil,
			[]string{"check", "--config", "wk.yaml", "--addr", "HERE", "--cert", "c.pem", "--key", "k.pem"}},
		{"with a log", map[string]string{"wk.yaml": "wssAddr: wss://HERE\n", "server.log": handshakeLine}, nil, []string{"check", "--config", "wk.yaml", "--addr", "HERE", "--log", "server.log"}},
		{"analyze", map[string]string{"wk.yaml": "wssAddr: wss://HERE\nexternal: {wssAddr: 'wss://HERE'}\n", "server.log": handshakeLine}, nil, []string{"analyze", "--check", "wk.yaml", "server.log"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := fragile.Serve(t, nil)
			here := strings.NewReplacer("HERE", server.Addr)
			t.Chdir(t.TempDir())
			for name, text := range c.files {
				require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
				require.NoError(t, os.WriteFile(name, []byte(here.Replace(text)), 0o600))
			}
			for name, value := range c.env {
				t.Setenv(name, here.Replace(value))
			}
			args := []string{}
			for _, arg := range c.args {
				args = append(args, here.Replace(arg))
			}
			for _, lang := range []string{"en", "zh"} {
				out, stderr, status := run1(t, append(args, "--lang", lang)...)
				assert.Empty(t, stderr)
				assert.Empty(t, server.Deaths())
				assert.Zero(t, server.Seen().Hellos)
				if args[0] == "check" {
					assert.Equal(t, exitReached, status)
					assert.Contains(t, strings.Join(strings.Fields(out), ""), map[string]string{"en": "noTLSwassent", "zh": "没有发送任何TLS数据"}[lang])
					assert.Contains(t, out, "cert-not-configured")
				}
			}
		})
	}
}

// TestCheckHangsNoHandshake runs the check as the settings of Go's TLS have it: in
// some a ClientHello has no key share that WuKongIM knows.
func TestCheckHangsNoHandshake(t *testing.T) {
	pki := pkitest.New(time.Now())
	key := pkitest.Key()
	leaf := pki.Intermediate.Issue(key, nil)
	certificate := tls.Certificate{Certificate: [][]byte{leaf.Raw, pki.Intermediate.Certificate.Raw}, PrivateKey: key}
	root := filepath.Join(t.TempDir(), "root.pem")
	require.NoError(t, os.WriteFile(root, []byte(pkitest.PEM(pki.Root.Certificate)), 0o600))
	for _, settings := range []string{"", "fips140=on", "tlsmlkem=0", "tlssecpmlkem=0"} {
		server := fragile.Serve(t, &certificate)
		c := self(t, "wklog", "check", "--addr", server.Addr, "--ca", root, "--format", "json")
		c.Env = append(c.Env, "GODEBUG="+settings)
		out, err := c.Output()
		assert.Error(t, err, "the certificate is not one of the address")
		assert.Empty(t, server.Deaths(), settings)
		var list report.Checklist
		require.NoError(t, json.Unmarshal(out, &list))
		at := slices.IndexFunc(list.Checks, func(c report.CheckLine) bool { return c.ID == "live-tls13" })
		assert.Equal(t, "pass", list.Checks[at].Status, "%s: %s", settings, list.Checks[at].Detail)
	}
}
