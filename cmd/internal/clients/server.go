package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// server is a listener with one certificate that prints as WuKongIM at level
// debug.
type server struct {
	listener net.Listener
	config   *tls.Config
	wait     sync.WaitGroup
	mutex    sync.Mutex
	lines    []string
}

func serve(certificate tls.Certificate, version uint16) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{listener: l, config: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: version, MaxVersion: version}}
	s.wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wait.Go(func() { s.connection(conn) })
		}
	})
	return s, nil
}

// end waits for the connections and gives what was printed.
func (s *server) end() []string {
	s.listener.Close()
	s.wait.Wait()
	return append([]string{}, s.lines...)
}

func (s *server) print(lines ...string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.lines = append(s.lines, lines...)
}

// connection shakes hands, and prints the raw line where WuKongIM does: for what
// TLS itself reports, and not for the end of the stream.
func (s *server) connection(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	state := "handshakeStatusUnknown"
	config := s.config.Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		// From here on the server waits for the client's verdict.
		state = "handshakeStatusDoFullHandshake2ReadHandshake1"
		if s.config.MaxVersion == tls.VersionTLS13 {
			state = "handshakeStatus13ReadClientFinished"
		}
		return nil, nil
	}
	secure := tls.Server(conn, config)
	if err := secure.Handshake(); err != nil {
		text := ending(err)
		if strings.Contains(text, "tls: ") {
			s.print("-------------------------->握手失败！--------------------------> " + text + " " + state)
		}
		s.print(closeRecord(text))
		return
	}
	s.print(closeRecord(ending(upgraded(secure))))
}

// ending words an error as WuKongIM's network library does.
func ending(err error) string {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "EOF"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "read: connection reset by peer"
	}
	return err.Error()
}

func closeRecord(text string) string {
	value, _ := json.Marshal(text)
	return fmt.Sprintf(`{"level":"debug","time":"%s","msg":"【ReactorSub-1】close connn","error":%s,"id":7,"fd":151}`,
		time.Now().Format(time.RFC3339Nano), value)
}

// upgraded lets the client open a WebSocket, if it wants one, and waits for its
// end.
func upgraded(conn net.Conn) error {
	end := make(chan error, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			end <- io.EOF
			return
		}
		_, _, err = socket.Read(r.Context())
		var closed websocket.CloseError
		if errors.As(err, &closed) {
			err = fmt.Errorf("ws closed: %d %s", closed.Code, closed.Reason)
		}
		end <- err
	})
	first := make([]byte, 1)
	if _, err := io.ReadFull(conn, first); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	web := &http.Server{Handler: handler}
	defer web.Close()
	go web.Serve(&oneConnection{Conn: &replayed{Conn: conn, first: first}, done: ctx.Done()})
	select {
	case err := <-end:
		return err
	case <-ctx.Done():
		return io.EOF
	}
}

// replayed gives the bytes that were read already once more.
type replayed struct {
	net.Conn
	first []byte
}

func (r *replayed) Read(p []byte) (int, error) {
	if len(r.first) > 0 {
		n := copy(p, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}

// oneConnection is a listener with one connection.
type oneConnection struct {
	net.Conn
	taken bool
	done  <-chan struct{}
}

func (l *oneConnection) Accept() (net.Conn, error) {
	if l.taken {
		<-l.done
		return nil, net.ErrClosed
	}
	l.taken = true
	return l.Conn, nil
}

func (l *oneConnection) Close() error   { return nil }
func (l *oneConnection) Addr() net.Addr { return l.LocalAddr() }
