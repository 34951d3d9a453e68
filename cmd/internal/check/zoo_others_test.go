package check

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

// byNginx has nginx serve a certificate before a ws server.
func (z *zoo) byNginx(t *testing.T, name, cause, check string, leaf *pkitest.Authority, staple []byte, chain ...*pkitest.Authority) {
	if leaf == z.rsa1024 {
		return // OpenSSL's security level refuses it when nginx starts
	}
	s := *z.site
	s.leaf, s.staple, s.chain = leaf, staple, chain
	p := behind(serveHTTP(t, nil, http.HandlerFunc(acceptWebSocket)))
	if staple != nil {
		p.tls = "ssl_stapling on; ssl_stapling_file DIR/staple.der;"
	}
	host, port, err := net.SplitHostPort(p.start(t, &s))
	require.NoError(t, err)
	z.add(Animal{Name: name + ", nginx", Cause: cause, Check: check, TLS: true}, port, host)
}

// byOpenSSL has OpenSSL's own server serve it, which knows no WebSocket.
func (z *zoo) byOpenSSL(t *testing.T, name, cause, check string, leaf *pkitest.Authority, staple []byte, chain ...*pkitest.Authority) {
	if staple != nil || len(leaf.Certificate.DNSNames) > 100 {
		return
	}
	dir, port := t.TempDir(), freeAt(t, "127.0.0.1")
	write := func(file, text string) string {
		path := filepath.Join(dir, file)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	args := []string{"s_server", "-accept", "127.0.0.1:" + port, "-www", "-cert", write("leaf.pem", pkitest.PEM(leaf.Certificate)), "-key", write("key.pem", pkitest.KeyPEM(leaf.Key)),
		"-cipher", "DEFAULT@SECLEVEL=0"}
	if len(chain) > 0 {
		var all []*x509.Certificate
		for _, issuer := range chain {
			all = append(all, issuer.Certificate)
		}
		args = append(args, "-cert_chain", write("chain.pem", pkitest.PEM(all...)))
	}
	command := exec.Command("openssl", args...)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond, "openssl does not listen")
	z.add(Animal{Name: name + ", openssl", Cause: cause, Check: check, TLS: true, NoUpgrade: true}, port, "127.0.0.1")
}

// others are tools for the same job. The command has name, port, address and file of the
// root; it finds a fault where it ends with a status that is not 0, or says one of the
// words.
var others = []struct {
	tool, command string
	words         []string
	every         int // one in so many endpoints, for what is slow
}{
	{"openssl s_client", "openssl s_client -connect $ADDRESS -servername $NAME -verify_hostname $NAME -verify_return_error -CAfile $ROOT </dev/null", nil, 1},
	{"curl", "curl -sS --max-time 5 --cacert $ROOT --resolve $NAME:$PORT:$HOST https://$NAME:$PORT/ -o /dev/null", nil, 1},
	{"sslscan", "sslscan --no-colour --connect-timeout=3 --timeout=3 --sni-name=$NAME $ADDRESS", []string{"ERROR:"}, 1},
	{"testssl.sh", "timeout 100 testssl --quiet --fast --color 0 --warnings off --connect-timeout 3 --openssl-timeout 3 --ip $HOST --add-ca $ROOT -p -S $NAME:$PORT </dev/null", []string{"NOT ok", "NOT OK", "expired (", "not offered (NOT"}, 16},
}

// timedOut is the status of timeout(1): that a tool was stopped is no finding of it.
const timedOut = 124

// TestZooAgainstOthers prints the table of docs/comparison.md:
//
//	ZOO=compare go test ./cmd/internal/check -run ZooAgainstOthers -v -timeout 1h
//
// with Debian's openssl, curl, sslscan and testssl.sh.
func TestZooAgainstOthers(t *testing.T) {
	if os.Getenv("ZOO") != "compare" {
		t.Skip("ZOO=compare has the endpoints checked by other tools as well")
	}
	animals := NewZoo(t)
	root := filepath.Join(t.TempDir(), "root.pem")
	require.NoError(t, os.WriteFile(root, []byte(pkitest.PEM(animals[0].Root)), 0o600))
	fmt.Println("| tool | endpoints | faults found | false alarms | not ended | median time | longest |\n|---|---|---|---|---|---|---|")
	ended := true
	row := func(tool string, every int, finds func(Animal) bool) {
		faults, found, good, unended, alarms := 0, 0, 0, 0, []string{}
		var took []time.Duration
		for i, a := range animals {
			if i%every != 0 {
				continue
			}
			begin := time.Now()
			says := finds(a)
			took = append(took, time.Since(begin))
			if t.Log(tool, a.Name, a.Cause, says, ended); !ended {
				unended++
			}
			switch {
			case a.Cause != "":
				faults++
				if says {
					found++
				}
			default:
				good++
				if says {
					alarms = append(alarms, a.Name)
				}
			}
		}
		slices.Sort(took)
		fmt.Printf("| %s | %d | %d of %d | %d of %d | %d | %s | %s |\n", tool, len(took), found, faults, len(alarms), good, unended, took[len(took)/2].Round(10*time.Millisecond), took[len(took)-1].Round(10*time.Millisecond))
		t.Log(tool, alarms)
	}
	row("wklog check", 1, func(a Animal) bool { return len(byStatus(a.Live.Check(t.Context()), Fail)) > 0 })
	for _, other := range others {
		row(other.tool, other.every, func(a Animal) bool {
			host, port, err := net.SplitHostPort(a.Address)
			require.NoError(t, err)
			command := exec.Command("bash", "-c", other.command)
			command.Env = append(os.Environ(), "ADDRESS="+a.Address, "HOST="+host, "PORT="+port, "NAME="+siteName, "ROOT="+root)
			var out bytes.Buffer
			command.Stdout, command.Stderr = &out, &out
			err = command.Run()
			ended = command.ProcessState.ExitCode() != timedOut
			return ended && err != nil || slices.ContainsFunc(other.words, func(word string) bool { return strings.Contains(out.String(), word) })
		})
	}
}
