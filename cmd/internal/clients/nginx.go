package main

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"wklog/cmd/internal/pkitest"
)

// proxy is a real nginx that ends TLS before a WebSocket server.
type proxy struct {
	address net.Addr
	command *exec.Cmd
	backend *http.Server
	log     string
}

func startProxy(ctx context.Context, dir string, certificate tls.Certificate, version string) (*proxy, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err := errors.Join(err, free.Close()); err != nil {
		return nil, err
	}
	p := &proxy{address: free.Addr(), log: filepath.Join(dir, "error.log"), backend: &http.Server{Handler: http.HandlerFunc(echo)}}
	go p.backend.Serve(backend)
	config, err := p.configure(dir, certificate, version, backend.Addr().String())
	if err != nil {
		return nil, err
	}
	p.command = exec.CommandContext(ctx, "nginx", "-p", dir, "-c", config)
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start nginx: %w", err)
	}
	starting, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for starting.Err() == nil { // it listens before it says so
		if data, err := os.ReadFile(p.log); err == nil && strings.Contains(string(data), "OS: ") {
			return p, nil
		}
		time.Sleep(time.Millisecond)
	}
	return nil, fmt.Errorf("wait for nginx: %w", errors.Join(starting.Err(), p.command.Process.Kill()))
}

func (p *proxy) configure(dir string, certificate tls.Certificate, version, backend string) (string, error) {
	chain := []byte{}
	for _, der := range certificate.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	config := fmt.Sprintf(`daemon off; master_process off; pid nginx.pid; error_log error.log info;
events {}
http {
    access_log off;
    server {
        listen %s ssl;
        ssl_protocols TLSv%s; ssl_ciphers DEFAULT@SECLEVEL=0; ssl_certificate chain.pem; ssl_certificate_key key.pem;
        location / {
            proxy_pass http://%s; proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
        }
    }
}
`, p.address, version, backend)
	name := filepath.Join(dir, "nginx.conf")
	return name, errors.Join(
		os.WriteFile(filepath.Join(dir, "chain.pem"), chain, 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), []byte(pkitest.KeyPEM(certificate.PrivateKey)), 0o600),
		os.WriteFile(name, []byte(config), 0o644), os.RemoveAll(p.log),
	)
}

// echo opens a WebSocket and waits for its end.
func echo(w http.ResponseWriter, r *http.Request) {
	if socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}); err == nil {
		_, _, _ = socket.Read(r.Context())
	}
}

// end lets nginx finish its connections, and gives what it printed of them.
func (p *proxy) end() ([]string, error) {
	err := p.command.Process.Signal(syscall.SIGQUIT)
	_ = p.command.Wait()
	data, readErr := os.ReadFile(p.log)
	lines := []string{}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.Contains(line, ", client: ") || strings.Contains(line, " client ") {
			lines = append(lines, line)
		}
	}
	return lines, errors.Join(err, readErr, p.backend.Close())
}
