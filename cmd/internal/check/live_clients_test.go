package check

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/pkitest"
	"wklog/patterns"
)

func TestTableOfClientsIsComplete(t *testing.T) {
	table := clientKinds()
	require.Greater(t, len(table.Clients), 18)
	for _, set := range table.Sets {
		assert.Len(t, suitesOf(set), 2, "%v", set)
	}
	for _, k := range table.Clients {
		assert.NotEmpty(t, k.Source, k.Name)
		assert.Contains(t, []string{"1.2", "1.3"}, k.Newest, k.Name)
		assert.NotEmpty(t, k.Keys, k.Name)
		suites, curves := k.offer(table)
		assert.Len(t, suites, 2*len(k.Suites), k.Name)
		assert.Contains(t, curves, tls.CurveP256, k.Name)
		for _, root := range k.Lacks {
			assert.Contains(t, fmt.Sprint(table.Roots), root, k.Name)
		}
	}
}

// outOf are the kinds of clients that an endpoint shuts out, with why.
func outOf(t *testing.T, s *site) string {
	r := find(t, s.check(), "live-clients")
	if r.Key == "all" {
		return ""
	}
	require.Equal(t, "some", r.Key, "%+v", r)
	return r.Args[0].String()
}

func TestClientsThatCannotConnect(t *testing.T) {
	suite := func(name string) []uint16 { return suitesOf([]string{name}) }
	for _, c := range []struct {
		name    string
		set     func(*site)
		out, in []string // of the kinds; all where out is empty
	}{
		{"TLS 1.3 alone", func(s *site) { s.config.MinVersion = tls.VersionTLS13 }, []string{"Android 7.0 (TLS 1.3)", "Java 8u161 to 8u331 (TLS 1.3)", "OpenSSL 1.0.2 (CentOS 7) (TLS 1.3)"}, []string{"Android 10", "Java 11"}},
		{"TLS 1.2 alone", func(s *site) { s.config.MaxVersion = tls.VersionTLS12 }, nil, nil},
		{"Ed25519", func(s *site) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			require.NoError(s.t, err)
			s.leaf = issue(s.intermediate, key, nil)
		}, []string{"Chrome, Edge 131 or newer (Ed25519)", "Android 14 to 16 (Ed25519)"}, []string{"Go 1.24", "Node.js 12"}},
		{"P-521", func(s *site) {
			key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
			require.NoError(s.t, err)
			s.leaf = issue(s.intermediate, key, nil)
		}, []string{"Chrome, Edge 131 or newer (P-521)"}, []string{"Firefox", "iOS 16"}},
		{"ten years", func(s *site) {
			s.reissue(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(10, 0, 0) })
		}, []string{"iOS 13 to 15 (> 825 d)", "iOS 16 or newer (> 825 d)"}, []string{"iOS 10", "Android"}},
		{"X25519 alone, TLS 1.2", func(s *site) {
			s.config.MaxVersion, s.config.CurvePreferences = tls.VersionTLS12, []tls.CurveID{tls.X25519}
		}, []string{"Android 7.0 (TLS_ECDHE_ECDSA_", "Java 8u101 to 8u140 (TLS_ECDHE_ECDSA_", "OpenSSL 1.0.2 (CentOS 7) (TLS_ECDHE_ECDSA_"}, []string{"Android 7.1.1", "Chrome"}},
		{"ChaCha20 alone, TLS 1.2", func(s *site) {
			s.config.MaxVersion, s.config.CipherSuites = tls.VersionTLS12, suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256")
		}, []string{"Java 8u161 to 8u331 (TLS_ECDHE_ECDSA_", "iOS 10, 11 (TLS_ECDHE_ECDSA_", "OpenSSL 1.0.2 (CentOS 7) (TLS_ECDHE_ECDSA_"}, []string{"Android 7.0", "Go 1.24"}},
		{"AES-256 alone, TLS 1.2", func(s *site) {
			s.config.MaxVersion, s.config.CipherSuites = tls.VersionTLS12, suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
		}, []string{"Java 8u101 to 8u140 (TLS_ECDHE_ECDSA_"}, []string{"Java 8u161", "Android 7.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			public(t, s.live.Roots)
			c.set(s)
			told := outOf(t, s)
			for _, want := range c.out {
				assert.Contains(t, told, want)
			}
			for _, not := range c.in {
				assert.NotContains(t, told, not)
			}
			if c.out == nil {
				assert.Empty(t, told)
			}
		})
	}
}

// TestPrivateAuthorityShutsMiniProgramsOut: nobody can give them a root.
func TestPrivateAuthorityShutsMiniProgramsOut(t *testing.T) {
	assert.Equal(t, "微信小程序 (WeChat mini programs) (CA)", outOf(t, newSite(t)))
}

func TestRootsThatOldClientsDoNotHave(t *testing.T) {
	s := newSite(t)
	public(t, s.live.Roots)
	sum := sha256Of(s.root.Certificate)
	table := clientKinds()
	table.Roots[sum] = "ISRG Root X2"
	defer delete(table.Roots, sum)
	told := outOf(t, s)
	for _, want := range []string{"Android 7.0 (ISRG Root X2)", "Android 10 to 13 (ISRG Root X2)", "iOS 13 to 15 (ISRG Root X2)"} {
		assert.Contains(t, told, want)
	}
	assert.NotContains(t, told, "Android 14")
}

func TestClientsOfTwoPackets(t *testing.T) {
	s := newSite(t)
	public(t, s.live.Roots)
	s.config.Certificates = []tls.Certificate{s.certificate()}
	s.live.Addr = at(t, middlebox(t, serveHTTP(t, s.config, s.wss), hold))
	assert.Equal(t, "Chrome, Edge 131 or newer (X25519MLKEM768), Firefox 132 or newer (X25519MLKEM768), Go 1.24 or newer (X25519MLKEM768)", outOf(t, s))
}

// TestOldClientsAndAPrivateAuthorityAreNoWarning: everybody has them.
func TestOldClientsAndAPrivateAuthorityAreNoWarning(t *testing.T) {
	s := newSite(t)
	s.config.MaxVersion, s.config.CipherSuites = tls.VersionTLS12, suitesOf([]string{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"})
	r := find(t, s.check(), "live-clients")
	assert.Equal(t, Pass, r.Status, "%+v", r)
	assert.Equal(t, "微信小程序 (WeChat mini programs) (CA), Java 8u101 to 8u140 (TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, X25519)", r.Args[0].V)
}

// realClients are programs of the machine that stand for rows of the table. Each tries
// the ports and prints those where the handshake worked; none verifies names or chains.
var realClients = []struct{ kind, program, command string }{
	{"OpenSSL 3, curl, PHP, Python", "openssl", "for p in $PORTS; do openssl s_client -connect 127.0.0.1:$p </dev/null >/dev/null 2>&1 && echo $p; done"},
	{"OpenSSL 3, curl, PHP, Python", "curl", "for p in $PORTS; do curl -sk --max-time 5 -o /dev/null https://127.0.0.1:$p/ && echo $p; done"},
	{"Node.js 12 or newer", "node", `node -e 'for (const port of process.env.PORTS.split(" ")) require("tls").connect({port,host:"127.0.0.1",rejectUnauthorized:false},function(){console.log(port);this.destroy()}).on("error",()=>0)'`},
	{"Java 17 or newer", "java", "java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC $JAVA $PORTS"},
}

const javaClient = `import javax.net.ssl.*;import java.security.cert.X509Certificate;
public class Client{public static void main(String[] a)throws Exception{
SSLContext c=SSLContext.getInstance("TLS");
c.init(null,new TrustManager[]{new X509ExtendedTrustManager(){
public void checkClientTrusted(X509Certificate[] x,String s){}public void checkServerTrusted(X509Certificate[] x,String s){}
public void checkClientTrusted(X509Certificate[] x,String s,java.net.Socket k){}public void checkServerTrusted(X509Certificate[] x,String s,java.net.Socket k){}
public void checkClientTrusted(X509Certificate[] x,String s,SSLEngine k){}public void checkServerTrusted(X509Certificate[] x,String s,SSLEngine k){}
public X509Certificate[] getAcceptedIssuers(){return new X509Certificate[0];}}},null);
for(String p:a)try(SSLSocket s=(SSLSocket)c.getSocketFactory().createSocket("127.0.0.1",Integer.parseInt(p))){s.setSoTimeout(5000);s.startHandshake();System.out.println(p);}
catch(Exception e){}}}
`

// TestRealClientsConnectWhereTheTableSaysSo tries programs that are installed at
// endpoints that shut some of them out.
func TestRealClientsConnectWhereTheTableSaysSo(t *testing.T) {
	java := filepath.Join(t.TempDir(), "Client.java")
	require.NoError(t, os.WriteFile(java, []byte(javaClient), 0o600))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	rsaKey := pkitest.Must(rsa.GenerateKey(rand.Reader, 2048))
	told, names, ports := map[string]string{}, map[string]string{}, []string{}
	for name, set := range map[string]func(*site){
		"TLS 1.3 alone": func(s *site) { s.config.MinVersion = tls.VersionTLS13 },
		"Ed25519":       func(s *site) { s.leaf = issue(s.intermediate, edKey, nil) },
		"ChaCha20, TLS 1.2": func(s *site) {
			s.leaf = issue(s.intermediate, rsaKey, nil)
			s.config.MaxVersion, s.config.CipherSuites = tls.VersionTLS12, suitesOf([]string{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"})
		},
		"P-384 and AES-256, TLS 1.2": func(s *site) {
			s.config.MaxVersion, s.config.CurvePreferences = tls.VersionTLS12, []tls.CurveID{tls.CurveP384}
			s.config.CipherSuites = suitesOf([]string{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"})
		},
		"TLS 1.1": func(s *site) { s.config.MaxVersion = tls.VersionTLS11 },
	} {
		s := newSite(t)
		set(s)
		r := find(t, s.check(), "live-clients")
		port := portOf(t, s.live.Addr)
		ports = append(ports, port)
		names[port], told[port] = name, r.Detail(english(t))
		if r.Status == Skip { // no kind can
			told[port] = "(" + strings.Join([]string{realClients[0].kind, realClients[2].kind, realClients[3].kind}, " (") + " ("
		}
	}
	for _, c := range realClients {
		if _, err := exec.LookPath(c.program); err != nil {
			t.Logf("%s is not installed: %s is not tried", c.program, c.kind)
			continue
		}
		command := exec.Command("bash", "-c", strings.ReplaceAll(c.command, "$JAVA", java))
		command.Env = append(os.Environ(), "PORTS="+strings.Join(ports, " "))
		out, _ := command.Output()
		for _, port := range ports {
			assert.Equal(t, !strings.Contains(told[port], c.kind+" ("), strings.Contains(string(out), port), "%s, %s: told %q", names[port], c.program, told[port])
		}
	}
}

func english(t *testing.T) *messages.Printer {
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	return say
}
