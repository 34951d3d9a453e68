package check

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// change is a setting with the value that it should have, empty for none.
type change struct{ key, value string }

// Remedied puts what mends a fault here in place of what mends it in general: the settings
// of a container that was found are known, with what it is run by, and so is what its
// folders hold. roots are what clients trust, nil for the system's.
func (s *Settings) Remedied(results []Result, roots *x509.CertPool) []Result {
	if s.container == nil || s.container.running == "" {
		return results
	}
	found := pairs{ // several results may ask
		near:      sync.OnceValue(func() *nearPair { return s.near(roots) }),
		elsewhere: sync.OnceValue(func() *nearPair { return s.elsewhere(roots) }),
	}
	for i, r := range results {
		for j, step := range r.Fixes {
			if step.Key == sharedReason+"fix-restart" && step.Command == "" {
				results[i].Fixes[j] = s.restarted()
			}
		}
		if r.Status != Fail || r.Instead && !slices.Contains([]string{sharedReason + "path-not-mounted", "external-only"}, r.Key) {
			continue
		}
		if steps := s.remedy(&r, found); len(steps) > 0 {
			results[i] = r.instead(steps...)
		} else if look, ok := s.lookInside(); ok && r.ID == "cert-dates" {
			results[i] = r.fix(append([]Step{look}, s.overImage()...)...)
		}
	}
	return results
}

// remedy is what mends a fault, empty where only the general advice does.
func (s *Settings) remedy(r *Result, found pairs) []Step {
	switch r.ID + "." + r.Key {
	case "config-listen.container", "config-listen.name", "config-listen.foreign", "config-ports.twice":
		return s.change(change{keyWSSAddr, "wss://0.0.0.0:5210"})
	case "config-cert-path." + sharedReason + "path-folder", "config-key-path." + sharedReason + "path-folder":
		return s.unfolder(r, found.elsewhere)
	}
	switch {
	case r.ID == "config-external":
		return s.named()
	case r.Cause == "cert-key-swapped":
		return s.change(change{keyCertFile, s.value(keyKeyFile)}, change{keyKeyFile, s.value(keyCertFile)})
	case r.Key == sharedReason+"file-unreadable":
		return s.opened(r)
	case slices.Contains(ofFiles, r.Cause):
		if p := found.near(); p != nil && (p.trusted || !slices.Contains(ofTrust, r.Cause)) {
			return s.use(p)
		}
		if p := found.elsewhere(); p != nil {
			if steps := s.taken(r, p); len(steps) > 0 {
				return steps
			}
		}
	}
	switch r.ID {
	case "cert-names":
		return s.named()
	case "chain-complete":
		return s.completed(r)
	case "config-certificate":
		return s.silenced()
	}
	if p := s.mountable(r); p != "" {
		return s.again(sharedReason+"fix-mounted", mounting(p, p)...)
	}
	return nil
}

// ofFiles are the causes that another pair of files mends, ofTrust those of them that only
// one does that clients trust.
var (
	ofFiles = []string{"cert-file-missing", "cert-not-configured", "cert-key-mismatch", "cert-not-pem", "cert-malformed", "cert-expired", "cert-not-yet-valid", "chain-incomplete", "hostname-mismatch", "untrusted-ca", "key-unsupported"}
	ofTrust = []string{"cert-expired", "cert-not-yet-valid", "chain-incomplete", "hostname-mismatch", "untrusted-ca"}
)

// use sets the paths of a pair, and the address to listen on where there is none.
func (s *Settings) use(p *nearPair) []Step {
	var changes []change
	for _, c := range []change{{keyCertFile, p.cert}, {keyKeyFile, p.key}} {
		if s.value(c.key) != c.value {
			changes = append(changes, c)
		}
	}
	if s.value(keyWSSAddr) == "" {
		changes = append(changes, change{keyWSSAddr, "wss://0.0.0.0:5210"})
	}
	if len(changes) == 0 {
		return nil // it is the one that is there
	}
	return s.changed(sharedReason+"fix-edit-found", sharedReason+"fix-again-found", changes)
}

// lookInside shows the dates of a certificate that this machine does not have.
func (s *Settings) lookInside() (Step, bool) {
	file := s.value(keyCertFile)
	if s.container.files == nil || s.Files().Contents[file] == nil {
		return Step{}, false
	}
	return step(sharedReason+"fix-look-inside", "docker cp -L %[1]s:%[2]s - | tar -xO | openssl x509 -noout -subject -enddate", "",
		Name.of("container", s.container.running), Path.of("inside", file)), true
}

// overImage mounts a volume over the folder of the image that has the certificate: an engine
// puts the image's files into a new one (docker documentation, "Volumes"). Folders near the
// root hold more than certificates.
func (s *Settings) overImage() []Step {
	folder := path.Dir(s.value(keyCertFile))
	if s.container.follow(s.value(keyCertFile)).kind != placeNowhere || strings.Count(folder, "/") < 2 {
		return nil
	}
	return s.again(sharedReason+"fix-image", Text.of("option", "-v"), Path.of("value", s.container.running+"-certs:"+folder))
}

// silenced switches wss off, which crashes a server without a certificate.
func (s *Settings) silenced() []Step {
	if s.value(keyWSSAddr) == "" {
		return nil
	}
	steps := s.change(change{keyWSSAddr, ""})
	steps[0].Key = "fix-off"
	return steps
}

// completed fetches the certificate that the file lacks.
func (s *Settings) completed(r *Result) []Step {
	if s.container.follow(s.value(keyCertFile)).kind != placeBind {
		return nil
	}
	if steps := fetched(r, s.Files().CertFile); len(steps) > 0 {
		return append(steps, s.restarted())
	}
	return nil
}

// fetched puts the certificate that a file lacks behind its own, in a new file at first.
func fetched(r *Result, file string) []Step {
	at := slices.IndexFunc(r.Args, func(v Value) bool { return v.Name == "published_at" })
	if at < 0 || !exists(file) {
		return nil
	}
	from, ok := download(r.Args[at].String())
	if !ok {
		return nil
	}
	old, whole := Path.of("certificate_file", file), Path.of("whole_file", mendedCopy(file))
	return []Step{
		step(sharedReason+"fix-fetch", "curl -sS --fail %[1]s | openssl x509 -inform DER | awk 1 %[2]s - > %[3]s", "", from, old, whole),
		step(sharedReason+"fix-place", "cat %[1]s > %[2]s", "", whole, old),
	}
}

// change gives settings other values.
func (s *Settings) change(changes ...change) []Step {
	return s.changed(sharedReason+"fix-edit", sharedReason+"fix-again", changes)
}

// named gives clients a name that the certificate has, with the port that they are sent to.
func (s *Settings) named() []Step {
	if s.Leaf == nil || s.Leaf.VerifyHostname(s.NameOfCertificate()) != nil || strings.HasPrefix(s.NameOfCertificate(), "any.") {
		return nil
	}
	_, port, err := splitAddress(s.value(keyExternalWSSAddr))
	if _, set := s.values[keyExternalWSSAddr]; !set || err != nil {
		port = s.publishedPort()
	}
	if port == "" {
		return nil
	}
	return s.change(change{keyExternalWSSAddr, "wss://" + net.JoinHostPort(s.NameOfCertificate(), port)})
}

// publishedPort is the one of the host that leads to wss, empty for none.
func (s *Settings) publishedPort() string {
	for _, p := range s.container.ports {
		if p.container == s.ListenPort() && p.protocol != "udp" {
			return p.host
		}
	}
	return ""
}

// changed are the steps, with the texts of a change in a file and of another run.
func (s *Settings) changed(edit, again string, changes []change) []Step {
	inFile := s.file != "" && !slices.ContainsFunc(changes, func(c change) bool { return strings.HasPrefix(s.setting(c.key).name, "WK_") })
	switch {
	case inFile:
		return []Step{s.inFile(edit, changes), s.restarted()}
	case s.container.composed != "":
		return []Step{s.inCompose(edit, changes), s.restartStep()}
	}
	var options []Value
	for _, c := range changes {
		options = append(options, Text.of("option", "-e"), Path.of("value", variableOf(c.key)+"="+c.value))
	}
	if steps := s.again(again, options...); steps != nil {
		return steps
	}
	return []Step{s.snippet(edit, "-e %s=%s", changes), s.restartStep()}
}

// again runs the container again with more options, nil where that cannot be said.
func (s *Settings) again(key string, options ...Value) []Step {
	if r := s.container.rerun(); r != nil {
		return r.with(options...).steps(key)
	}
	return nil
}

// restarted is for what the server reads when it starts, as a file.
func (s *Settings) restarted() Step {
	if s.container.composed != "" {
		return step(sharedReason+"fix-restart", "docker compose restart %[1]s", "", Name.of("service", s.container.service))
	}
	return step(sharedReason+"fix-restart", "docker restart %[1]s", "", Name.of("container", s.container.running))
}

func variableOf(key string) string { return "WK_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_")) }

// snippet is what to write by hand.
func (s *Settings) snippet(key, form string, changes []change) Step {
	var lines []string
	var values []Value
	for _, c := range changes {
		letter := letterOf(len(values))
		values = append(values, Text.of("setting"+letter, variableOf(c.key)), Path.of("value"+letter, c.value))
		lines = append(lines, fmt.Sprintf(form, fmt.Sprintf("%%[%d]s", len(values)-1), fmt.Sprintf("%%[%d]s", len(values))))
	}
	return step(key, "", strings.Join(lines, "\n"), values...)
}

// plainValue is one that neither sed nor YAML reads as more than its letters.
var plainValue = lazily(`^[\w./:-]*$`)

// inCompose changes variables where the compose file has each in one line, with its value;
// else it says what to write.
func (s *Settings) inCompose(key string, changes []change) Step {
	data, err := readFile(s.container.composed)
	var expressions []string
	for _, c := range changes {
		old := s.setting(c.key)
		line := regexp.MustCompile(`(?m)^[^#\n]*\b`+variableOf(c.key)+`\b.*$`).FindAllString(string(data), -1)
		if err != nil || len(line) != 1 || old.value == "" || !strings.Contains(line[0], old.value) || !plainValue().MatchString(c.value) || strings.ContainsAny(old.value, "|\n") {
			return s.snippet(key, "services:\n  "+s.container.service+":\n    environment:\n      %s: \"%s\"", changes[:1]).more(s, changes[1:])
		}
		expression := "/" + variableOf(c.key) + "/s|" + regexp.QuoteMeta(old.value) + "|" + c.value + "|"
		if c.value == "" {
			expression = "/" + variableOf(c.key) + "/s|^|#|"
		}
		expressions = append(expressions, expression)
	}
	return edited(key, s.container.composed, "", expressions)
}

// more adds the further variables of a snippet of a compose file.
func (s Step) more(of *Settings, changes []change) Step {
	if len(changes) == 0 {
		return s
	}
	all := of.snippet(s.Key, "      %s: \"%s\"", changes)
	for i, v := range all.Values {
		v.Name += "_more"
		all.Values[i] = v
	}
	for i := len(all.Values); i > 0; i-- {
		all.Config = strings.ReplaceAll(all.Config, fmt.Sprintf("%%[%d]s", i), fmt.Sprintf("%%[%d]s", i+len(s.Values)))
	}
	return step(s.Key, "", s.Config+"\n"+all.Config, append(s.Values, all.Values...)...)
}

// inFile changes keys of the configuration where this machine has it and each key stands
// there once; else it says what to write.
func (s *Settings) inFile(key string, changes []change) Step {
	at := s.container.follow(s.file)
	data, err := readFile(at.path)
	var expressions []string
	for _, c := range changes {
		spelling := spellings[c.key]
		indent := ""
		if strings.Contains(spelling, ".") {
			indent = `\s+`
		}
		pattern := `^(` + indent + leafOf(spelling) + `\s*:).*`
		if err != nil || at.kind != placeBind || len(regexp.MustCompile(`(?mi)`+pattern).FindAllIndex(data, -1)) != 1 || !plainValue().MatchString(c.value) {
			return s.snippet(key, "%s=%s", changes)
		}
		expression := "s|" + pattern + `|\1 "` + c.value + `"|I`
		if c.value == "" {
			expression = "s|" + pattern + "|#&|I"
		}
		expressions = append(expressions, expression)
	}
	return edited(key, at.path, "-E ", expressions)
}

// edited is sed with some expressions on a file.
func edited(key, file, options string, expressions []string) Step {
	command := "sed -i " + options
	values := []Value{}
	for _, e := range expressions {
		values = append(values, Path.of("expression"+letterOf(len(values)), e))
		command += fmt.Sprintf("-e %%[%d]s ", len(values))
	}
	values = append(values, Path.of("settings_file", file))
	return step(key, command+fmt.Sprintf("%%[%d]s", len(values)), "", values...)
}

// unfolder takes the folder away that Docker made where a file was missing, which is
// mounted once it is there.
func (s *Settings) unfolder(r *Result, elsewhere func() *nearPair) []Step {
	for _, v := range r.Args {
		if v.Name == "source" {
			steps := []Step{step(sharedReason+"fix-unfolder", "rmdir %[1]s", "", v)}
			if p := elsewhere(); r.ID == "config-cert-path" && p != nil && p.key == s.container.follow(s.value(keyKeyFile)).path {
				steps = append(steps, step(sharedReason+"fix-put-found", "cp -pL %[1]s %[2]s", "", Path.of("near_file", p.cert), v))
			} else {
				steps = append(steps, step(sharedReason+"fix-put", "", ""))
			}
			if again := s.again(sharedReason + "fix-again"); again != nil {
				return append(steps, again...)
			}
			return append(steps, s.restartStep())
		}
	}
	return nil
}

// opened lets the user of the server read a file of root that is mounted, or pass through
// a folder.
func (s *Settings) opened(r *Result) []Step {
	at := slices.IndexFunc(r.Args, func(v Value) bool { return v.Name == "path" })
	if at < 0 || s.container.uid <= 0 {
		return nil
	}
	closed := r.Args[at]
	mounted := slices.ContainsFunc(s.container.sources(), func(source string) bool { return within(closed.String(), source) })
	info, err := os.Stat(closed.String())
	if err != nil || !mounted {
		return nil
	}
	owner, _, known := ownerOf(info)
	switch {
	case info.IsDir():
		return []Step{step(sharedReason+"fix-pass", "chmod a+x %[1]s", "", closed), s.restarted()}
	case known && owner == 0 && info.Mode()&0o400 != 0:
		return []Step{step(sharedReason+"fix-own", "chown %[1]s %[2]s", "", Number.of("user", s.container.uid), closed), s.restarted()}
	}
	return nil
}

// CertificateInside is its path as the container is told it, empty without one.
func (s *Settings) CertificateInside() string {
	if s.container == nil {
		return ""
	}
	return s.value(keyCertFile)
}

// ConfigOnHost is the file of the settings where this machine shows it to the container.
func (s *Settings) ConfigOnHost() string {
	if s.container == nil || s.file == "" || s.container.running == "" {
		return ""
	}
	if at := s.container.follow(s.file); at.kind == placeBind {
		return at.path
	}
	return ""
}

// mountable is the folder of this machine that has the file under the path that the
// container is told, and is not mounted.
func (s *Settings) mountable(r *Result) string {
	if r.Key != sharedReason+"path-not-mounted" {
		return ""
	}
	folder := path.Dir(s.value(keyCertFile))
	if folder == "/" || !exists(s.value(keyCertFile)) || !exists(s.value(keyKeyFile)) || path.Dir(s.value(keyKeyFile)) != folder {
		return ""
	}
	return folder
}

// isDomain tells a name that is no address.
func isDomain(host string) bool {
	_, err := netip.ParseAddr(host)
	return err != nil && host != "" && host != "localhost"
}
