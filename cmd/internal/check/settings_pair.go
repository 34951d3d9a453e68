package check

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// nearPair are a certificate and its key as the container opens them, which fit: they belong
// together, are valid now, and for the domain that clients are given.
type nearPair struct {
	cert, key string
	// trusted says that clients accept it, with what the file holds behind it.
	trusted bool
}

const (
	// mostNear files are looked at of a folder, of at most nearSize bytes.
	mostNear = 100
	nearSize = 64 << 10
)

// near looks in the folders that the container sees for a pair that fits. What is
// configured already counts before the rest, then what clients trust.
func (s *Settings) near(roots *x509.CertPool) *nearPair {
	certs, keys := map[string][]byte{}, map[string][]byte{}
	for _, m := range s.container.mounts {
		if m.bind && m.source != "/" {
			s.container.collect(m, certs, keys)
		}
	}
	score := func(p *nearPair) (n int) {
		if p.trusted {
			n += 4
		}
		if p.cert == s.value(keyCertFile) {
			n += 2
		}
		if p.key == s.value(keyKeyFile) {
			n++
		}
		return n
	}
	return bestPair(certs, keys, s.Host(), roots, func(p, best *nearPair) bool {
		return s.opens(p) && (best == nil || score(p) > score(best))
	})
}

// bestPair is the one of some certificates and keys that fits and that is better than all
// before; better is asked with nil for the first.
func bestPair(certs, keys map[string][]byte, host string, roots *x509.CertPool, better func(p, best *nearPair) bool) (best *nearPair) {
	for _, cert := range sortedKeys(certs) {
		for _, key := range sortedKeys(keys) {
			if p := fitting(cert, key, certs[cert], keys[key], host, roots); p != nil && better(p, best) {
				best = p
			}
		}
	}
	return best
}

// collect reads what looks like a certificate or a key in a mount, and one folder below.
func (c *container) collect(m mount, certs, keys map[string][]byte) {
	files, _ := filepath.Glob(filepath.Join(globbed(m.source), "*"))
	below, _ := filepath.Glob(filepath.Join(globbed(m.source), "*", "*"))
	files = append(files, below...)
	if info, err := os.Stat(m.source); err == nil && info.Mode().IsRegular() {
		files = []string{m.source}
	}
	for _, file := range files[:min(len(files), mostNear)] {
		inside := path.Join(m.target, filepath.ToSlash(strings.TrimPrefix(file, m.source)))
		if at := c.follow(inside); at.kind == placeBind && exists(at.path) { // and no link that leads out of what the container sees
			keep(file, inside, certs, keys)
		}
	}
}

// keep reads a file, if it may hold a certificate or a key, and keeps it under a name.
func keep(file, as string, certs, keys map[string][]byte) {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > nearSize {
		return
	}
	data, err := readFile(file)
	if err != nil {
		return
	}
	text := string(data)
	if strings.Contains(text, "-----BEGIN CERTIFICATE-----") {
		certs[as] = data
	}
	if strings.Contains(text, "PRIVATE KEY-----") {
		keys[as] = data
	}
}

// globbed is a folder whose name stands for itself alone (path/filepath.Match).
func globbed(folder string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(folder)
}

// fitting is a pair that belongs together, is valid now, and is for a domain; nil for
// another.
func fitting(cert, key string, certData, keyData []byte, host string, roots *x509.CertPool) *nearPair {
	both, err := tls.X509KeyPair(certData, keyData)
	if err != nil || len(both.Certificate) == 0 {
		return nil
	}
	chain := parsedFrom(certData)
	leaf, now := chain[0], time.Now()
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return nil
	}
	if isDomain(host) && leaf.VerifyHostname(host) != nil {
		return nil
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
	return &nearPair{cert: cert, key: key, trusted: err == nil}
}

// opens tells that the user of the container may read both files.
func (s *Settings) opens(p *nearPair) bool {
	f := certificateFiles{Certificates: Certificates{UID: s.container.uid, GID: s.container.gid, Groups: s.container.groups, Mounts: s.container.sources()}}
	return f.closedTo(s.container.follow(p.cert).path) == "" && f.closedTo(s.container.follow(p.key).path) == ""
}

func (c *container) sources() (list []string) {
	for _, m := range c.mounts {
		if m.bind && !slices.Contains(list, absolute(m.source)) {
			list = append(list, absolute(m.source))
		}
	}
	return list
}
