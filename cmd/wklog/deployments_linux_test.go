package main

import (
	"crypto/x509"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"wklog/cmd/internal/kubetest"
	"wklog/cmd/internal/pkitest"
	"wklog/patterns"
)

// deployments is testdata/deployments.yaml: machines of users whose names are none of the
// catalogue's, with the faults that logs of theirs tell.
type deployments struct {
	// Replace are the names of the user's own, by the names that a report asks to replace.
	Replace map[string]string
	// Commands say what becomes of what is printed, by words that it holds: of each the
	// first counts.
	Commands    []printedCommand
	Deployments []deployment
}

// printedCommand is a command of a report.
type printedCommand struct {
	Words string
	// Status is not 0 where the command says so that something is at fault, Says what it
	// prints.
	Status int
	Says   string
	// Changes are the files that are other ones afterwards, as patterns of path.Match.
	Changes []string
	// Then is a script that shows what was made at work.
	Then string
	// Once says that it is run in one deployment alone, for what it takes.
	Once bool
	// Cannot is why it is not run, with the Source from which it is known what it does.
	Cannot, Source string
}

type deployment struct {
	Log string
	// Needs are programs without which it is skipped.
	Needs []string
	// Folder is where the user types; Files are there before, Start is run before.
	Folder string
	Files  map[string]string
	Start  string
	// Hand are what the user does by hand for a step without a command, or beside one, by
	// words of its text.
	Hand map[string]string
	// Replace are names that are other ones than usual, Commands what other commands do.
	Replace  map[string]string
	Commands []printedCommand
	// First is what commands do while nothing was done about the fault.
	First []printedCommand
	// Long says that it is run on demand alone.
	Long bool
	// Probe shows the fault at first as Fault and is in the end as Mended; without, the
	// remedy is one of another machine.
	Probe, Fault, Mended string
}

func readDeployments(t *testing.T) *deployments {
	t.Helper()
	data, err := os.ReadFile("testdata/deployments.yaml")
	require.NoError(t, err)
	d := &deployments{}
	require.NoError(t, yaml.Load(data, d, yaml.WithKnownFields()))
	return d
}

// TestRemediesOfDeploymentsMendTheirFaults types what the report of each log says, on a
// machine that has the fault, with nothing replaced but what the report says has to be.
func TestRemediesOfDeploymentsMendTheirFaults(t *testing.T) {
	d := readDeployments(t)
	u := startUser(t, d)
	logs, err := filepath.Glob("../../patterns/testdata/deployments/*.log")
	require.NoError(t, err)
	assert.Len(t, d.Deployments, len(logs), "a log without a machine, or the other way round")
	for _, deployed := range d.Deployments {
		t.Run(deployed.Log, func(t *testing.T) { u.deploy(t, &deployed) })
	}
	if t.Failed() || os.Getenv("DEPLOYMENTS") != "all" {
		return
	}
	for _, p := range d.Commands {
		assert.True(t, u.used[p.Words], "no report holds the command: %s", p.Words)
	}
	for _, words := range readCommandList(t).Deployed {
		assert.True(t, slices.ContainsFunc(u.told, func(command string) bool { return isOf(command, words) }), "was not typed: %s", words)
	}
}

// user is the one who types, before a machine.
type user struct {
	*machine
	d    *deployments
	used map[string]bool
	ran  map[string]bool
	// told are the commands as the reports print them.
	told []string
	kube *kubetest.API
}

func startUser(t *testing.T, d *deployments) *user {
	t.Helper()
	directory := acmeServer(t)
	m := startMachine(t, "203.0.113.77", "10.0.0.5")
	u := &user{machine: m, d: d, used: map[string]bool{}, ran: map[string]bool{}, kube: kubetest.New()}
	m.listen(t, "127.0.0.1:8001", func(l net.Listener) { _ = (&http.Server{Handler: u.kube, ErrorLog: quiet}).Serve(l) })
	m.put(t, "/root/.kube/config", string(kubetest.Config("http://127.0.0.1:8001")))
	m.listen(t, "127.0.0.1:14000", directory)
	m.put(t, "/etc/hosts", "127.0.0.1 localhost chat.acme.example hook.acme.example\n")
	m.put(t, "/etc/letsencrypt/cli.ini", "server = https://127.0.0.1:14000/dir\nagree-tos = true\nregister-unsafely-without-email = true\nnon-interactive = true\nno-random-sleep-on-renew = true\n")
	m.does(t, "/", "mkdir -p /srv/pki /etc/letsencrypt/renewal-hooks/deploy")
	u.certificates(t)
	m.does(t, "/", "cp /srv/pki/root.pem /usr/local/share/ca-certificates/of-the-test.crt && cat /srv/pki/root.pem >> /etc/ssl/certs/ca-certificates.crt")
	if _, err := exec.LookPath("certbot"); err == nil {
		m.does(t, "/", "certbot certonly --standalone -d chat.acme.example && systemctl start certbot.timer")
	}
	build(t, m.root+"/usr/local/bin/wukongim", "../internal/doctor/testdata/wukongim")
	build(t, m.root+"/usr/local/bin/server", "./testdata/server")
	u.startDocker(t)
	return u
}

// certificates are what the user's machine has: an old one, and others that are at fault.
func (u *user) certificates(t *testing.T) {
	t.Helper()
	now := time.Now()
	key, other := pkitest.Key(), pkitest.Key()
	authority := authorities().Intermediate
	chain := func(begin, end time.Duration, names ...string) string {
		leaf := issued(authority, key, func(c *x509.Certificate) { c.DNSNames, c.NotBefore, c.NotAfter = names, now.Add(begin), now.Add(end) }).Leaf
		return pkitest.PEM(leaf, authority.Certificate)
	}
	for name, text := range map[string]string{
		"root.pem": pkitest.PEM(authorities().Root.Certificate), "key.pem": pkitest.KeyPEM(key), "other.key": pkitest.KeyPEM(other),
		"expired.pem": chain(-90*aDay, -aDay, "chat.acme.example", "hook.acme.example"),
		"good.pem":    chain(-aDay, 60*aDay, "chat.acme.example"),
		"self.pem":    pkitest.PEM(pkitest.SelfSigned(key, now, func(c *x509.Certificate) { c.DNSNames = []string{"chat.acme.example"} })),
		"private.pem": pkitest.PEM(authorities().Other.Certificate),
	} {
		u.put(t, "/srv/pki/"+name, text)
	}
}

// startDocker starts the machine's Docker engine, where it has one.
func (u *user) startDocker(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("dockerd"); err != nil {
		return
	}
	u.does(t, "/", "systemd-run -q --unit docker-of-the-test -p Delegate=yes -- dockerd --storage-driver vfs --bridge none --iptables=false --ip6tables=false")
	e := &engine{dir: t.TempDir(), env: append(os.Environ(), "DOCKER_HOST=unix://"+u.root+"/run/docker.sock")}
	require.Eventually(t, func() bool { _, err := e.try("docker version"); return err == nil }, time.Minute, 20*time.Millisecond)
	busybox, err := exec.LookPath("busybox")
	require.NoError(t, err)
	files := map[string]string{"app": u.root + "/usr/local/bin/wukongim", "server": u.root + "/usr/local/bin/server"}
	for _, name := range []string{"ls", "head", "id", "env", "date"} {
		files["bin/"+name] = busybox
	}
	e.image("wukongim/wukongim:v2", `ENTRYPOINT ["/app"]`, files)
	if nginx, err := exec.LookPath("nginx"); err == nil {
		e.image("nginx", `ENTRYPOINT ["/usr/sbin/nginx", "-g", "daemon off;"]`, withLibraries(t, nginx, "usr/sbin/nginx"))
	}
	u.put(t, "/root/.docker/cli-plugins/docker-compose", "#!/bin/sh\n"+`[ "$1" = docker-cli-plugin-metadata ] && exec echo '{"SchemaVersion": "0.1.0", "Vendor": "Debian", "Version": "1"}'
shift
exec docker-compose "$@"
`)
	u.does(t, "/root", "chmod 755 .docker/cli-plugins/docker-compose")
}

// withLibraries are a program and what it is linked with, by their paths in an image.
func withLibraries(t *testing.T, program, at string) map[string]string {
	t.Helper()
	out, err := exec.Command("ldd", program).Output()
	require.NoError(t, err)
	files := map[string]string{at: program, "etc/passwd": "/etc/passwd", "etc/group": "/etc/group"}
	for _, library := range regexp.MustCompile(`/\S+`).FindAllString(string(out), -1) {
		files[strings.TrimPrefix(library, "/")] = library
	}
	return files
}

// deploy makes the fault, does what the report says, and looks whether it is gone.
func (u *user) deploy(t *testing.T, d *deployment) {
	if d.Long && os.Getenv("DEPLOYMENTS") != "all" {
		t.Skip("runs with DEPLOYMENTS=all")
	}
	for _, program := range d.Needs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed")
		}
	}
	for name, text := range d.Files {
		if !path.IsAbs(name) {
			name = path.Join(d.Folder, name)
		}
		u.put(t, name, text)
	}
	t.Cleanup(func() { u.clear(t) })
	u.does(t, "/", "mkdir -p "+d.Folder)
	u.does(t, d.Folder, d.Start)
	if d.Probe != "" {
		u.probe(t, d, d.Fault)
	}
	looks, fixes := u.report(t, d)
	for _, step := range looks {
		u.take(t, d, step)
	}
	for _, step := range fixes {
		u.take(t, d, step)
		if step.Interrupts.En != "" {
			d.First = nil // something was done
		}
	}
	if d.Probe != "" && !t.Failed() {
		u.probe(t, d, d.Mended)
	}
}

func (u *user) probe(t *testing.T, d *deployment, wanted string) {
	t.Helper()
	output := ""
	assert.Eventually(t, func() bool {
		output, _ = u.try(t, d.Folder, d.Probe)
		return regexp.MustCompile(wanted).MatchString(output)
	}, time.Minute, 50*time.Millisecond, "%s", d.Probe)
	if t.Failed() {
		t.Fatalf("wanted %s: %s", wanted, output)
	}
}

// report are the steps that are told of the log: how to be sure, and what to do.
func (u *user) report(t *testing.T, d *deployment) (looks, fixes []patterns.Step) {
	t.Helper()
	log, err := os.Open("../../patterns/testdata/deployments/" + d.Log + ".log")
	require.NoError(t, err)
	defer log.Close()
	analysis, err := patterns.Analyze(t.Context(), log, nil)
	require.NoError(t, err)
	require.NotEmpty(t, analysis.Diagnosis)
	advice := analysis.Diagnosis[0].Advice
	return advice.Verify, advice.Fixes
}

// take does a step.
func (u *user) take(t *testing.T, d *deployment, step patterns.Step) {
	command := step.Command
	u.told = append(u.told, command)
	for _, name := range step.Left {
		own := d.Replace[name.Name]
		if own == "" {
			own = u.d.Replace[name.Name]
		}
		require.NotEmpty(t, own, "%s has to be replaced in %s", name.Name, command)
		command = replaceName(command, name, own)
	}
	if command != "" {
		u.typed(t, d, command)
	}
	for words, script := range d.Hand {
		if strings.Contains(step.Text.En, words) {
			u.does(t, d.Folder, script)
		}
	}
}

// replaceName puts a name in each place of a command where another one stands for it.
func replaceName(command string, name *patterns.Name, own string) string {
	match := name.Match
	if match == "" {
		match = `(?:^|[^\w./-])(` + regexp.QuoteMeta(name.Name) + `)(?:$|[^\w-])`
	}
	result, place := "", regexp.MustCompile(match)
	for {
		at := place.FindStringSubmatchIndex(command)
		if at == nil {
			return result + command
		}
		result += command[:at[2]] + own
		command = command[at[3]:]
	}
}

// typed runs a command as it is printed.
func (u *user) typed(t *testing.T, d *deployment, command string) {
	list := slices.Concat(d.First, d.Commands, u.d.Commands)
	at := slices.IndexFunc(list, func(p printedCommand) bool { return strings.Contains(command, p.Words) })
	p := printedCommand{}
	if at >= 0 {
		p = list[at]
	}
	u.used[p.Words] = true
	if p.Cannot != "" {
		assert.NotEmpty(t, p.Source, command)
		return
	}
	if p.Once && u.ran[command] {
		return
	}
	u.runs(t, d, p, command)
}

// runs a command, and looks at what it says and changes.
func (u *user) runs(t *testing.T, d *deployment, p printedCommand, command string) {
	before := u.state(t)
	output, status := u.try(t, d.Folder, command)
	assert.Equal(t, p.Status, status, "%s\n%s", command, output)
	assert.Regexp(t, p.Says, output, command)
	for _, name := range changed(before, u.state(t)) {
		assert.True(t, slices.ContainsFunc(p.Changes, func(pattern string) bool {
			matches, err := path.Match(pattern, name)
			require.NoError(t, err)
			return matches || strings.HasSuffix(pattern, "/") && strings.HasPrefix(name, pattern)
		}), "%s changed %s", command, name)
	}
	if p.Then != "" {
		u.does(t, d.Folder, p.Then)
	}
}

// changed are the names of files that are other ones.
func changed(before, after map[string]string) (names []string) {
	for name := range maps.All(after) {
		if before[name] != after[name] {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// clear takes away what a deployment runs and has written.
func (u *user) clear(t *testing.T) {
	t.Helper()
	u.kube.Clear()
	u.does(t, "/", `docker ps -aq 2>/dev/null | xargs -r docker rm -f >/dev/null
for unit in im-server haproxy caddy; do systemctl stop $unit 2>/dev/null; systemctl reset-failed $unit 2>/dev/null; done
rm -f /etc/systemd/system/im-server.service /etc/systemd/system/caddy.service; systemctl daemon-reload
for pid in /run/nginx.pid /run/apache2/apache2.pid; do [ ! -e $pid ] || kill $(cat $pid); done
rm -rf /srv/im /opt/im /etc/letsencrypt/renewal-hooks/deploy/*
while ss -Hltn 'sport = :443 or sport = :5210' | grep -q .; do sleep 0.05; done`)
}
