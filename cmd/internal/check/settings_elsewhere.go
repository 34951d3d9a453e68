package check

import (
	"crypto/x509"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Where certificates of a domain are kept by who gets them: certbot, acme.sh, the BT panel
// (their documentation).
var keptAt = []string{"/etc/letsencrypt/live/DOMAIN", "/root/.acme.sh/DOMAIN", "/root/.acme.sh/DOMAIN_ecc", "/www/server/panel/vhost/cert/DOMAIN"}

// mostFolders are looked into for a pair that no mount shows.
const mostFolders = 60

// pairs are those that were looked for when somebody asks: near those that are configured,
// in what the container sees, and elsewhere on this machine.
type pairs struct{ near, elsewhere func() *nearPair }

// elsewhere looks for a pair that fits, and that clients trust, on this machine outside of
// what the container sees: beside its compose file and its data, and where certificates of
// its domain are kept.
func (s *Settings) elsewhere(roots *x509.CertPool) *nearPair {
	folders := s.folders()
	certs, keys := keptIn(folders[:min(len(folders), mostFolders)])
	key := s.container.follow(s.value(keyKeyFile)).path // counts before another
	return bestPair(certs, keys, s.Host(), roots, func(p, best *nearPair) bool {
		return p.trusted && s.reads(p) && (best == nil || p.key == key && best.key != key)
	})
}

// keptFor are the folders where certificates of a domain are kept.
func keptFor(domain string) (folders []string) {
	for _, place := range keptAt {
		folders = append(folders, strings.ReplaceAll(place, "DOMAIN", domain))
	}
	return folders
}

// keptIn are the certificates and keys in some folders, by their paths.
func keptIn(folders []string) (certs, keys map[string][]byte) {
	certs, keys = map[string][]byte{}, map[string][]byte{}
	for _, folder := range folders {
		found, _ := filepath.Glob(filepath.Join(globbed(folder), "*"))
		for _, file := range found[:min(len(found), mostNear)] {
			keep(file, file, certs, keys)
		}
	}
	return certs, keys
}

// folders are those in which it is looked for.
func (s *Settings) folders() (all []string) {
	add := func(folders ...string) {
		for _, folder := range folders {
			if folder = absolute(folder); depth(folder) > 0 && !slices.Contains(all, folder) && isDir(folder) {
				all = append(all, folder)
			}
		}
	}
	around := func(folder string) {
		if depth(folder) == 0 {
			return
		}
		below, _ := filepath.Glob(filepath.Join(globbed(folder), "*"))
		add(append([]string{folder}, below...)...)
	}
	if s.container.composed != "" {
		around(filepath.Dir(s.container.composed))
	}
	for _, m := range s.container.mounts {
		if m.bind {
			around(filepath.Dir(absolute(m.source)))
		}
	}
	if domain := s.Host(); isDomain(domain) {
		add(keptFor(domain)...)
	}
	return all
}

// depth is how many folders a path is below the root.
func depth(folder string) int {
	return len(strings.FieldsFunc(folder, func(r rune) bool { return r == '/' }))
}

// reads tells that the container's user may read both files, once they are mounted.
func (s *Settings) reads(p *nearPair) bool {
	f := certificateFiles{Certificates: Certificates{UID: s.container.uid, GID: s.container.gid, Groups: s.container.groups, Mounts: []string{p.folder()}}}
	return p.folder() != "" && f.closedTo(p.cert) == "" && f.closedTo(p.key) == ""
}

// folder is the innermost that has both files, and what links in it lead to; empty where that
// is one of the root's, which is not to be mounted.
func (p *nearPair) folder() string {
	common := filepath.Dir(p.cert)
	for _, file := range []string{p.cert, p.key} {
		real, err := filepath.EvalSymlinks(file)
		if err != nil {
			return ""
		}
		for _, path := range []string{file, real} {
			for !within(path, common) {
				common = filepath.Dir(common)
			}
		}
	}
	if depth(common) < 2 {
		return ""
	}
	return common
}

// shown mounts the folder of a pair under the path that it has here, and sets the paths.
func (s *Settings) shown(p *nearPair) []Step {
	changes := []change{{keyCertFile, p.cert}, {keyKeyFile, p.key}}
	if s.value(keyWSSAddr) == "" {
		changes = append(changes, change{keyWSSAddr, "wss://0.0.0.0:5210"})
	}
	folder := p.folder()
	if s.container.composed != "" {
		lines := s.snippet(sharedReason+"fix-shown", "      %s: \"%s\"", changes)
		lines.Values = append(lines.Values, Name.of("service", s.container.service), Path.of("folder", folder))
		n := len(lines.Values)
		lines.Config = fmt.Sprintf("services:\n  %%[%d]s:\n    volumes:\n      - %%[%d]s:%%[%d]s:ro\n    environment:\n", n-1, n, n) + lines.Config
		return []Step{lines, s.restartStep()}
	}
	options := mounting(folder, folder)
	for _, c := range changes {
		options = append(options, Text.of("option", "-e"), Path.of("value", variableOf(c.key)+"="+c.value))
	}
	return s.again(sharedReason+"fix-shown", options...)
}

// unmounted are faults of a file that is in none of the container's mounts.
var unmounted = []string{"path-not-mounted", "path-missing", "path-not-in-volume", "path-link", "path-link-absolute"}

// taken mends a fault by a pair of elsewhere: it is shown to the container where that has no
// files, and written over those that it has.
func (s *Settings) taken(r *Result, p *nearPair) []Step {
	cert, key := s.container.follow(s.value(keyCertFile)), s.container.follow(s.value(keyKeyFile))
	switch {
	case r.Cause == "cert-not-configured", slices.Contains(unmounted, strings.TrimPrefix(r.Key, sharedReason)):
		return s.shown(p)
	case cert.kind != placeBind || key.kind != placeBind || cert.link+key.link != "" || !exists(cert.path) || !exists(key.path):
		return nil
	}
	steps := append(over(p.cert, cert.path), over(p.key, key.path)...)
	if len(steps) == 0 {
		return nil
	}
	return append(steps, s.restarted())
}
