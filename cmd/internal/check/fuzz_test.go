package check

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
)

// FuzzSettings checks that any file can be given as a configuration, in each of its
// forms: it is refused, or it can be checked.
func FuzzSettings(f *testing.F) {
	f.Add("wk.yaml", []byte("wssAddr: 'wss://0.0.0.0:5210'\nwssConfig: {certFile: ./a.pem, keyFile: ./a.key}\n"))
	f.Add("wukongim.toml", []byte("[wssConfig]\ncertFile = \"a.pem\"\n"))
	f.Add("docker-compose.yml", []byte("services:\n  wukongim:\n    image: registry/wukongim:v2\n    env_file: .env\n    environment: [WK_WSSADDR=wss://0.0.0.0:5210]\n    volumes: ['./w:/root/wukongim']\n"))
	f.Add("docker-compose.yml", []byte("include: [docker-compose.yml]\nservices: &a {x: *a}"))
	f.Add(".env", []byte("A=\"b\nexport C=$A"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		path := filepath.Join(dir, "docker-compose.yml")
		c := Configuration{Compose: path}
		switch filepath.Ext(name) {
		case ".yaml", ".toml":
			path = filepath.Join(dir, "wk"+filepath.Ext(name))
			c = Configuration{Config: path}
		case ".env":
			require.NoError(t, os.WriteFile(path, []byte("services: {wukongim: {image: wukongim, env_file: .env}}"), 0o644))
			path = filepath.Join(dir, ".env")
		}
		require.NoError(t, os.WriteFile(path, data, 0o644))
		defer os.Remove(path)
		servers, err := c.Load()
		if err != nil {
			return
		}
		for _, settings := range servers {
			for _, r := range settings.Check() {
				require.NotEmpty(t, r.ID)
			}
			_ = settings.Files()
		}
	})
}

// FuzzCertificates checks that any file can be given as a certificate and as a key.
func FuzzCertificates(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), []byte("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("0\x82\x01\x00"), []byte("\xef\xbb\xbf-----BEGIN"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		files := Certificates{CertFile: filepath.Join(dir, "a.pem"), KeyFile: filepath.Join(dir, "a.key"), UID: -1, GID: -1, Host: "im.example.com", Now: time.Unix(1_777_777_777, 0)}
		require.NoError(t, os.WriteFile(files.CertFile, cert, 0o600))
		require.NoError(t, os.WriteFile(files.KeyFile, key, 0o600))
		for _, r := range files.Check() {
			require.NotEmpty(t, r.ID)
		}
		_ = files.Leaf()
	})
}

// FuzzRoute checks that whatever GET /route answers, one result comes of it, which steers
// no terminal.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{
		`{"tcp_addr":"203.0.113.7:5100","ws_addr":"ws://203.0.113.7:5200","wss_addr":"wss://im.example.com:5210"}`,
		`{"wss_addr":"ws://203.0.113.7:5200"}`, `{"wss_addr":null}`, `{"wss_addr":["wss://x:1"]}`, `{"wss_addr":"wss://\u001b[2J:1"}`, `[]`, "<html>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e := newEndpoint(Live{Addr: "wss://im.example.com:5210"})
		checkSpoken(t, e.judgeRoute(body))
	})
}

// FuzzTimeServer checks that whatever a time server answers, it is refused or is a time,
// from which one result comes.
func FuzzTimeServer(f *testing.F) {
	answer := make([]byte, 48) // RFC 5905 section 7.3
	answer[0], answer[1] = 4<<3|4, 1
	binary.BigEndian.PutUint64(answer[16:], 0xeb00_0000_0000_0000)
	binary.BigEndian.PutUint64(answer[32:], 0xeb00_0001_0000_0000)
	binary.BigEndian.PutUint64(answer[40:], 0xeb00_0001_0000_0000)
	f.Add(answer)
	f.Add(answer[:47])
	f.Add(append(bytes.Clone(answer), bytes.Repeat([]byte{0xff}, 200)...))
	kissed := bytes.Clone(answer)
	kissed[1] = 0
	copy(kissed[12:], "\x1b[2J")
	f.Add(kissed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		e := newEndpoint(Live{Addr: "wss://im.example.com:5210", NTP: "192.0.2.1", Now: func() time.Time { return time.Unix(1_777_777_777, 0) }})
		offset, err := e.askTimeOver(t.Context(), func(string, string) (net.Conn, error) { return &datagram{answer: data}, nil })
		if err != nil {
			checkSpoken(t, e.withoutTimeServer(err))
			return
		}
		e.skew = skew{local: offset, proven: true}
		checkSpoken(t, e.judge("local", offset, e.NTP))
	})
}

// datagram is a connection on which one answer arrives: to what was asked, as its
// origin says (RFC 5905 section 7.3), which a stranger has to guess.
type datagram struct {
	net.Conn
	answer []byte
}

func (d *datagram) Write(request []byte) (int, error) {
	d.answer = bytes.Clone(d.answer)
	if len(d.answer) >= 32 {
		copy(d.answer[24:32], request[40:48])
	}
	return len(request), nil
}

func (d *datagram) Read(p []byte) (int, error) { return copy(p, d.answer), nil }
func (*datagram) SetDeadline(time.Time) error  { return nil }
func (*datagram) Close() error                 { return nil }

// checkSpoken checks what a result says of a stranger's bytes.
func checkSpoken(t *testing.T, r Result) {
	require.NotEmpty(t, r.Status)
	for _, arg := range r.Args {
		require.Negative(t, strings.IndexFunc(arg.String(), unicode.IsControl), arg.String())
	}
}
