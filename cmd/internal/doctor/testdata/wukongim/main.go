// Command wukongim stands in for WuKongIM v2.2.5 in the tests of doctor: it reads its
// keys and variables, prints its banner, ends as it does where a file or a port is at
// fault, and serves wss and the HTTP API with Go's own crypto/tls, so that its lines about
// failures are true. SKEW is how far its clock is ahead. With dial, an address, a name and a
// file of roots it is a client.
package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// keys are the settings that it knows, with their defaults.
var keys = map[string]string{
	"addr": "tcp://0.0.0.0:5100", "wsaddr": "ws://0.0.0.0:5200", "httpaddr": "0.0.0.0:5001", "wssaddr": "",
	"wssconfig.certfile": "", "wssconfig.keyfile": "", "external.wssaddr": "",
}

func main() {
	if len(os.Args) == 5 && os.Args[1] == "dial" {
		dial(os.Args[2], os.Args[3], os.Args[4])
		return
	}
	config := "/root/wukongim/wk.yaml"
	for _, arg := range os.Args[1:] {
		if file, ok := strings.CutPrefix(strings.TrimLeft(arg, "-"), "config="); ok {
			config = file
		}
	}
	readFile(config)
	for key := range keys {
		if value := os.Getenv("WK_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))); value != "" {
			keys[key] = value
		}
	}
	var certificate *tls.Certificate
	if keys["wssconfig.certfile"] != "" && keys["wssconfig.keyfile"] != "" {
		loaded, err := tls.LoadX509KeyPair(keys["wssconfig.certfile"], keys["wssconfig.keyfile"])
		if err != nil {
			die(err.Error(), "github.com/WuKongIM/WuKongIM/internal/options.(*Options).ConfigureWithViper(0x2f68dc4d2808, 0x2f68dc34f040)\n\t/go/release/internal/options/options.go:893 +0x5a68")
		}
		certificate = &loaded
	}
	banner(config)
	serveHTTP()
	serve("wsaddr", nil)
	if keys["wssaddr"] != "" {
		serve("wssaddr", &tls.Config{Certificates: certificates(certificate)})
	}
	log("info", "WuKongIM server started successfully. Press Ctrl+C to exit.")
	select {}
}

func certificates(c *tls.Certificate) []tls.Certificate {
	if c == nil {
		return nil
	}
	return []tls.Certificate{*c}
}

// readFile reads the keys of wk.yaml, of two levels.
func readFile(name string) {
	file, err := os.Open(name)
	if err != nil {
		return // --ignoreMissingConfig
	}
	defer file.Close()
	parent := ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), " #")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		name := strings.ToLower(strings.TrimSpace(key))
		if strings.HasPrefix(key, " ") {
			name = parent + "." + name
		} else {
			parent = name
		}
		if value = strings.Trim(strings.TrimSpace(value), `"'`); value != "" {
			if _, known := keys[name]; known {
				keys[name] = value
			}
		}
	}
}

func banner(config string) {
	fmt.Printf("\n🚀 Starting WuKongIM Server...\n\n📋 Configuration:\n   ├─ Config File: %s\n   ├─ Mode: 🚀 release (production)\n   └─ Data Directory: /root/wukongim/data\n\n🌐 Network Endpoints:\n", config)
	fmt.Printf("   ├─ TCP Client: %s\n   ├─ WebSocket: %s\n", keys["addr"], keys["wsaddr"])
	if keys["wssaddr"] != "" {
		fmt.Printf("   ├─ WebSocket Secure: %s\n", keys["wssaddr"])
	}
	fmt.Printf("   ├─ HTTP API: http://%s\n   └─ Demo: disabled\n\n", keys["httpaddr"])
}

func log(level, message string, fields ...string) {
	text := fmt.Sprintf(`{"level":%q,"time":%q,"msg":%q`, level, time.Now().Format(time.RFC3339Nano), message)
	for i := 0; i+1 < len(fields); i += 2 {
		text += fmt.Sprintf(`,%q:%q`, fields[i], fields[i+1])
	}
	fmt.Println(text + "}")
}

func portOf(address string) string { return address[strings.LastIndexByte(address, ':'):] }

// serve listens as the acceptor does (v2.2.5 pkg/wknet/acceptor.go).
func serve(key string, secure *tls.Config) {
	_, address, _ := strings.Cut(keys[key], "://")
	listener, err := net.Listen("tcp", address)
	if err != nil {
		reason := err.Error()[strings.LastIndex(err.Error(), "bind: "):]
		what := map[bool]string{true: "【Acceptor】initWSSListener() failed", false: "【Acceptor】initWSListener() failed"}[secure != nil]
		log("panic", what, "error", reason)
		die(what, "go.uber.org/zap/zapcore.CheckWriteAction.OnWrite(0x1?, 0x1076f5ec9e30?, {0x0?, 0x0?, 0x1076f5fdeae0?})\n\t/go/pkg/mod/go.uber.org/zap@v1.27.0/zapcore/entry.go:196 +0x54")
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go upgrade(conn, secure)
		}
	}()
}

// upgrade answers as wss does; a handshake that fails is the raw line of wknet.
func upgrade(conn net.Conn, secure *tls.Config) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if secure != nil {
		if len(secure.Certificates) == 0 {
			head := make([]byte, 1)
			if _, err := conn.Read(head); err == nil {
				crash()
			}
			return
		}
		state := "ReadClientHello"
		secure = secure.Clone()
		secure.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			state = "ReadClientFinished"
			return nil, nil
		}
		server := tls.Server(conn, secure)
		if err := server.Handshake(); errors.Is(err, io.EOF) {
			return // it begins with the first byte
		} else if err != nil {
			fmt.Printf("-------------------------->握手失败！--------------------------> %v handshakeStatus13%s\n", err, state)
			return
		}
		conn = server
	}
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept(request.Header.Get("Sec-WebSocket-Key")))
}

// crash is what a handshake without a certificate does to v2.2.5.
func crash() {
	log("panic", "【ReactorSub-1】reactorSub panic", "err", "runtime error: invalid memory address or nil pointer dereference")
	die("runtime error: invalid memory address or nil pointer dereference [recovered]\n\tpanic: 【ReactorSub-1】reactorSub panic\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x48 pc=0xa49855]",
		"github.com/WuKongIM/WuKongIM/pkg/wknet/crypto/tls.(*Conn).readClientHello(0xc0003a6008)\n\t/go/release/pkg/wknet/crypto/tls/handshake_server.go:135 +0x75")
}

func die(what, trace string) {
	fmt.Fprintf(os.Stderr, "panic: %s\n\ngoroutine 1 [running]:\n%s\n", what, trace)
	os.Exit(2)
}

func serveHTTP() {
	skew, _ := time.ParseDuration(os.Getenv("SKEW"))
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
		fmt.Fprint(w, `{"status":"ok"}`)
	})
	mux.HandleFunc("/route", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"tcp_addr": keys["addr"], "ws_addr": keys["wsaddr"], "wss_addr": keys["external.wssaddr"]})
	})
	listener, err := net.Listen("tcp", portOf(keys["httpaddr"]))
	if err != nil {
		die(err.Error(), "github.com/WuKongIM/WuKongIM/internal/api.(*Server).Start(0xc0003a6008)")
	}
	go func() { _ = http.Serve(listener, mux) }()
}
