// Package fragile is a server for tests that falls over what WuKongIM does: it
// ends for ever at a TLS handshake without a certificate, and at what hangs or
// crashes WuKongIM's handshakes.
package fragile

import (
	"bufio"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// Server listens on a port of this machine until it dies.
type Server struct {
	// Addr is HOST:PORT.
	Addr string

	certificate *tls.Certificate // nil where none is configured
	listener    net.Listener

	mutex  sync.Mutex
	conns  []net.Conn
	deaths []string
	seen   Seen
}

// Seen counts what a server was sent, by the first bytes of a connection.
type Seen struct{ Hellos, Requests int }

// Serve listens until the test ends. A server without a certificate is one with
// wssAddr and no wssConfig.
func Serve(t testing.TB, certificate *tls.Certificate) *Server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), certificate: certificate, listener: l}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if s.keep(conn) {
				running.Go(func() { s.serve(conn) })
			}
		}
	})
	t.Cleanup(func() {
		s.end()
		running.Wait()
	})
	return s
}

// Deaths are what the server died of.
func (s *Server) Deaths() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.deaths)
}

// Seen is what the server was sent so far.
func (s *Server) Seen() Seen {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.seen
}

// keep remembers a connection, unless the server is dead.
func (s *Server) keep(conn net.Conn) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.listener == nil {
		conn.Close()
		return false
	}
	s.conns = append(s.conns, conn)
	return true
}

func (s *Server) count(add func(*Seen)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	add(&s.seen)
}

// end closes everything, as the end of a process does: the listener first.
func (s *Server) end() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
	for _, conn := range s.conns {
		conn.Close()
	}
}

func (s *Server) die(of string) {
	s.mutex.Lock()
	s.deaths = append(s.deaths, of)
	s.mutex.Unlock()
	s.end()
}

// serve looks at the first record of a connection.
func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	const handshake, header = 0x16, 5
	in := bufio.NewReaderSize(conn, 1<<16)
	first, err := in.Peek(1)
	if err != nil {
		return
	}
	if first[0] != handshake {
		s.count(func(n *Seen) { n.Requests++ })
		return // "first record does not look like a TLS handshake"
	}
	s.count(func(n *Seen) { n.Hellos++ })
	if s.certificate == nil {
		s.die("ClientHello")
		return
	}
	record, err := in.Peek(header)
	if err != nil {
		return
	}
	if record, err = in.Peek(header + int(binary.BigEndian.Uint16(record[3:]))); err != nil {
		return
	}
	if of := Fatal(record); of != "" {
		s.die(of)
		return
	}
	s.open(&mute{Conn: conn, in: in})
}

// open does the handshake as WuKongIM does, and upgrades to WebSocket (RFC 6455
// section 4.2.2).
func (s *Server) open(conn net.Conn) {
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*s.certificate}, MinVersion: tls.VersionTLS10, CurvePreferences: groups})
	request, err := http.ReadRequest(bufio.NewReader(secure))
	if err != nil {
		return
	}
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(secure, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	io.Copy(io.Discard, secure)
}

// mute sends no alerts, as WuKongIM does not.
type mute struct {
	net.Conn
	in io.Reader
}

func (m *mute) Read(p []byte) (int, error) { return m.in.Read(p) }

func (m *mute) Write(p []byte) (int, error) {
	const alert = 0x15
	if p[0] == alert {
		return len(p), nil
	}
	return m.Conn.Write(p)
}
