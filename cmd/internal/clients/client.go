package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"wklog/cmd/internal/pkitest"
)

// client is a program with its TLS stack. In its commands HOST, PORT and CA stand
// for what they are in a run.
type client struct {
	name string
	// build makes the program, nil where there is nothing to make.
	build []string
	// version shows the version of the stack in its first line.
	version []string
	run     []string
	tls     []string // versions that it speaks
}

// clients lists them. What they print says connected when the handshake and the
// client's own checks passed.
func clients(programs, dir string) []client {
	source := func(name string) string { return filepath.Join(programs, name) }
	built := func(name string) string { return filepath.Join(dir, name) }
	both := []string{"1.2", "1.3"}
	return []client{
		{
			name: "erlang-ssl", tls: both,
			version: []string{"erl", "-noshell", "-eval", `application:load(ssl), {ok, V} = application:get_key(ssl, vsn), io:format("ssl ~s~n", [V]), halt().`},
			run:     []string{"escript", source("erlang.escript"), "HOST", "PORT", "CA"},
		},
		{
			name: "deno-ws", tls: both, version: []string{"deno", "--version"},
			run: []string{"deno", "run", "-A", "--cert", "CA", source("websocket.mjs"), "wss://HOST:PORT/"},
		},
		{
			name: "bun-ws", tls: both, version: []string{"bun", "--version"},
			run: []string{"bun", source("websocket.mjs"), "wss://HOST:PORT/", "CA"},
		},
		{
			name: "mbedtls", tls: []string{"1.2"},
			build:   []string{"gcc", "-o", built("mbedtls"), source("mbedtls.c"), "-lmbedtls", "-lmbedx509", "-lmbedcrypto"},
			version: []string{"dpkg-query", "-W", "libmbedtls-dev"},
			run:     []string{built("mbedtls"), "HOST", "PORT", "CA"},
		},
		{
			name: "wolfssl", tls: both,
			build:   []string{"gcc", "-o", built("wolfssl"), source("wolfssl.c"), "-lwolfssl"},
			version: []string{"dpkg-query", "-W", "libwolfssl-dev"},
			run:     []string{built("wolfssl"), "HOST", "PORT", "CA"},
		},
		{
			name: "php-openssl", tls: both, version: []string{"php", "--version"},
			run: []string{"php", source("php.php"), "HOST", "PORT", "CA"},
		},
		{
			name: "ruby-openssl", tls: both, version: []string{"ruby", "--version"},
			run: []string{"ruby", source("ruby.rb"), "HOST", "PORT", "CA"},
		},
	}
}

// prepare builds the program, and returns the version of the stack.
func (c *client) prepare(ctx context.Context) (version string, err error) {
	if c.build != nil {
		if out, err := exec.CommandContext(ctx, c.build[0], c.build[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
	}
	if _, err := exec.LookPath(c.run[0]); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, c.version[0], c.version[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(c.version, " "), err)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first, nil
}

// connect runs the client once, and returns what it printed.
func (c *client) connect(ctx context.Context, dir string, s *setup, address net.Addr) (string, error) {
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, []byte(pkitest.PEM(s.root)), 0o644); err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	args := make([]string, len(c.run))
	for i, arg := range c.run {
		args[i] = strings.NewReplacer("HOST", s.host, "PORT", port, "CA", ca).Replace(arg)
	}
	out, runErr := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	output := strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(string(out), dir, ""), port, "5210"))
	if output == "" && runErr != nil {
		output = runErr.Error()
	}
	return output, nil
}

// attempt lets a client connect to the Go server.
func attempt(ctx context.Context, dir string, c *client, s *setup, version string) (*Attempt, error) {
	number := uint16(tls.VersionTLS12)
	if version == "1.3" {
		number = tls.VersionTLS13
	}
	server, err := serve(s.certificate, number)
	if err != nil {
		return nil, err
	}
	output, err := c.connect(ctx, dir, s, server.listener.Addr())
	return &Attempt{
		ID: s.name + "/" + c.name + "/" + version, Cause: causeOf(s, output), Setup: s.name, Client: c.name, TLS: version, Level: "debug",
		Output: output, Stdout: server.end(), Stderr: []string{},
	}, err
}

// causeOf is the setup, unless the client connected.
func causeOf(s *setup, output string) string {
	if output == "connected" {
		return "ok"
	}
	return s.name
}

// proxied lets a client connect to nginx.
func proxied(ctx context.Context, dir string, c *client, s *setup, version string) (*Proxied, error) {
	p, err := startProxy(ctx, dir, s.certificate, version)
	if err != nil {
		return nil, err
	}
	_, err = c.connect(ctx, dir, s, p.address)
	lines, endErr := p.end()
	return &Proxied{ID: "nginx/" + s.name + "/" + c.name + "/" + version, Cause: s.name, Client: c.name, TLS: version, Lines: lines}, errors.Join(err, endErr)
}
