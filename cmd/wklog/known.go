package main

import (
	"net/url"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/secrets"
	"wklog/patterns"
)

// holdsSecret tells of a name that it is not shown.
func holdsSecret(value string) bool { return secrets.Hide(value) != value }

// known are the names that flags, and the configuration that they name, tell of a server.
func (c *checking) knownFrom(servers []*check.Settings) []patterns.Fact {
	var list []patterns.Fact
	tell := func(kind patterns.FactKind, name, value, from string) {
		if value != "" {
			list = append(list, patterns.Fact{Kind: kind, Name: name, Component: patterns.ComponentWuKongIM, Value: value, From: from})
		}
	}
	address := func(text, from string) {
		if u, err := url.Parse(check.Typed(text)); err == nil {
			tell(patterns.FactHost, "server", u.Hostname(), from)
			tell(patterns.FactPort, "wss", u.Port(), from)
		}
	}
	if len(c.addr) == 1 {
		address(c.addr[0], "--addr")
	}
	tell(patterns.FactPath, "certificate", c.cert, "--cert")
	tell(patterns.FactPath, "key", c.key, "--key")
	tell(patterns.FactPath, "config", c.config, "--config")
	tell(patterns.FactFile, "compose", c.compose, "--compose")
	tell(patterns.FactService, "compose", c.service, "--service")
	if len(servers) != 1 {
		return list
	}
	s := servers[0]
	from := "--config"
	if c.compose != "" {
		from = "--compose"
		tell(patterns.FactService, "compose", s.Service(), from)
	}
	files := s.Files()
	for name, file := range map[string]string{"certificate": files.CertFile, "key": files.KeyFile} {
		if files.Contents[file] == nil { // commands are typed on this machine, which has the file
			tell(patterns.FactPath, name, file, from)
		}
	}
	if s.Leaf != nil {
		tell(patterns.FactPath, "inside", s.CertificateInside(), from)
	}
	tell(patterns.FactPort, "listen", s.ListenPort(), from)
	tell(patterns.FactPath, "config", s.ConfigOnHost(), from)
	if len(c.addr) == 0 {
		address(s.Addr(), from)
	}
	return list
}
