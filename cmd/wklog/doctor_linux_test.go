package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
	"wklog/cmd/internal/report"
)

// situation is a container of WuKongIM, and what doctor has to say of it.
type situation struct {
	name string
	// long says that it is looked at only where DOCTOR_ALONE asks for all: it stands beside
	// one of its kind.
	long bool
	// with are options of docker run, beside the usual ones: the settings of wss, the
	// folder of certificates, and the port that clients are given. PORT is that, CERTS the
	// folder. settings replace those of the usual environment; an empty one is not set.
	with     string
	settings map[string]string
	// bare says that no folder is mounted, and private that no port is published.
	bare, private bool
	// before is a program that runs beside it, after a script that runs when it is up; CLIENT
	// connects to its port, DIAL does so by a name, with roots.
	before, after string
	// image is another than the usual one.
	image string
	// cause leads, empty for a server of which nothing is at fault; warns says that it is a
	// warning alone, or not sure.
	cause string
	warns bool
	// command is a part of the first command.
	command string
	// compose says that it is of a compose file, whose variables are a list or a mapping;
	// folder is the one in which that is, in place of one that is called as the situation, and
	// variables says that others than the usual file have some.
	compose, list, variables bool
	folder                   string
	// front are the certificate and the key of nginx, which stands before it and is what is
	// at fault: in a container of its own, or onHost.
	front  string
	onHost bool
	// The commands that are said to be typed mend it, and then is what is left. What the first
	// one prints matches shows; look says why it only looks, and is typed alone, untyped why
	// nothing is typed.
	then, look, shows, untyped string
}

const (
	certFile = "WK_WSSCONFIG_CERTFILE"
	keyFile  = "WK_WSSCONFIG_KEYFILE"
	wssAddr  = "WK_WSSADDR"
	given    = "WK_EXTERNAL_WSSADDR"
	inside   = "/root/wukongim/certs/"
)

func cert(name string) map[string]string { return map[string]string{certFile: inside + name} }

var situations = []situation{
	{name: "healthy"},
	{name: "not-mounted", bare: true, cause: "cert-file-missing", untyped: "nobody knows where the certificate is"},
	{name: "path-of-the-host", settings: map[string]string{certFile: "CERTS/full.pem"}, cause: "cert-file-missing"},
	{name: "folder-for-a-file", bare: true, with: "-v CERTS/absent.pem:/root/wukongim/certs/full.pem -v CERTS/key.pem:/root/wukongim/certs/key.pem", cause: "cert-file-missing", command: "rmdir CERTS/absent.pem"},
	{long: true, name: "relative-path", settings: map[string]string{certFile: "certs/full.pem"}, cause: "cert-file-missing"},
	{long: true, name: "tilde", settings: map[string]string{certFile: "~/certs/full.pem"}, cause: "cert-file-missing"},
	{long: true, name: "quotes", settings: map[string]string{certFile: `\"/root/wukongim/certs/full.pem\"`}, cause: "cert-file-missing"},
	{name: "links-of-certbot", bare: true, with: "-v CERTS/letsencrypt/live/im:/root/wukongim/certs", cause: "cert-file-missing", command: "-v CERTS/letsencrypt:CERTS/letsencrypt:ro"},
	{name: "misspelled-name", settings: cert("fullchain.pem"), cause: "cert-file-missing"},
	{name: "closed-to-its-user", with: "--user 1000", settings: map[string]string{keyFile: inside + "closed.pem"}, cause: "cert-file-unreadable"},
	{long: true, name: "closed-folder", with: "--user 1000", settings: map[string]string{keyFile: inside + "closed/key.pem"}, cause: "cert-file-unreadable"},
	{name: "not-published", private: true, cause: "connection-interrupted"},
	{name: "published-elsewhere", settings: map[string]string{given: "wss://im.wangwei-corp.cn:6999"}, cause: "connection-interrupted", warns: true},
	{name: "published-as-plain", private: true, with: "-p PORT:5200", cause: "tls-on-plaintext-port"},
	{name: "published-to-itself", private: true, with: "-p 127.0.0.1:PORT:5210", cause: "connection-interrupted", warns: true},
	{name: "address-of-numbers", settings: map[string]string{given: "wss://203.0.113.7:PORT"}, cause: "hostname-mismatch"},
	{name: "any-address", settings: map[string]string{given: "wss://0.0.0.0:PORT"}, cause: "hostname-mismatch"},
	{long: true, name: "localhost-for-clients", settings: map[string]string{given: "wss://localhost:PORT"}, cause: "hostname-mismatch"},
	{name: "plain-for-clients", settings: map[string]string{given: "ws://im.wangwei-corp.cn:PORT"}, cause: "insecure-websocket-on-https-page"},
	{name: "wss-off", settings: map[string]string{wssAddr: "", certFile: "", keyFile: ""}, cause: "cert-not-configured"},
	{name: "no-certificate", settings: map[string]string{certFile: "", keyFile: ""}, cause: "cert-not-configured"},
	{long: true, name: "half-configured", settings: map[string]string{keyFile: ""}, cause: "cert-not-configured"},
	{name: "listens-elsewhere", settings: map[string]string{wssAddr: "wss://10.9.8.7:5210"}, cause: "listen-address-invalid"},
	{name: "port-twice", settings: map[string]string{wssAddr: "wss://0.0.0.0:5200"}, cause: "listen-port-in-use"},
	{name: "expired", settings: cert("expired.pem"), cause: "cert-expired"},
	{long: true, name: "not-yet-valid", settings: cert("future.pem"), cause: "cert-not-yet-valid"},
	{name: "renewed-too-late", settings: cert("renewed.pem"), after: "cp CERTS/full.pem CERTS/renewed.pem", cause: "cert-expired", command: "docker restart renewed-too-late"},
	{name: "renewed-in-time", settings: cert("soon.pem"), after: "cp CERTS/full.pem CERTS/soon.pem", warns: true, command: "docker restart renewed-in-time"},
	{name: "key-of-another", settings: map[string]string{keyFile: inside + "other.key"}, cause: "cert-key-mismatch"},
	{long: true, name: "swapped", settings: map[string]string{certFile: inside + "key.pem", keyFile: inside + "full.pem"}, cause: "cert-key-swapped"},
	{name: "no-intermediate", settings: cert("leaf.pem"), cause: "chain-incomplete"},
	{name: "wrong-name", settings: cert("wrong.pem"), cause: "hostname-mismatch"},
	{name: "self-signed", settings: cert("self.pem"), cause: "untrusted-ca"},
	{name: "binary-form", settings: cert("der.pem"), cause: "cert-not-pem", then: "chain-incomplete"},
	{long: true, name: "empty-file", settings: cert("empty.pem"), cause: "cert-not-pem"},
	{long: true, name: "text-for-a-key", settings: map[string]string{keyFile: inside + "empty.pem"}, cause: "cert-not-pem"},
	{name: "crash-loop", with: "--restart always", settings: cert("nowhere.pem"), cause: "cert-file-missing"},
	{name: "environment-over-file", with: "-v CERTS/good.yaml:/root/wukongim/wk.yaml", settings: map[string]string{certFile: "/wrong/full.pem", keyFile: ""}, cause: "cert-file-missing"},
	{name: "settings-in-a-file", with: "-v CERTS/expired.yaml:/root/wukongim/wk.yaml", settings: map[string]string{wssAddr: "", certFile: "", keyFile: ""}, cause: "cert-expired"},
	{name: "files-of-the-image", image: "wukongim-with-files", bare: true, settings: cert("expired.pem"), cause: "cert-expired", shows: "notAfter=", then: "cert-expired"},
	{long: true, name: "volume-without-it", bare: true, with: "-v lost:/root/wukongim/certs", cause: "cert-file-missing", untyped: "nobody knows where the certificate is"},
	{name: "keeps-no-log", with: "--log-driver none", settings: cert("expired.pem"), cause: "cert-expired"},
	{name: "terminal", with: "-t", bare: true, cause: "cert-file-missing", untyped: "nobody knows where the certificate is"},
	{long: true, name: "local-driver", with: "--log-driver local", settings: cert("nowhere.pem"), cause: "cert-file-missing"},
	{name: "rotated", with: "--restart always --log-opt max-size=10k --log-opt max-file=2", settings: cert("nowhere.pem"), cause: "cert-file-missing"},
	{name: "another-name", image: "im-of-ours", with: "-v CERTS/none.yaml:/etc/im/wk.yaml", settings: cert("expired.pem"), cause: "cert-expired"},
	{name: "clock-ahead", with: "-e SKEW=72h -p 127.0.0.1::5001", cause: "clock-skew", look: "whose clock is wrong has to be seen first", shows: "Date: .* GMT"},
	{name: "compose-1", compose: true, settings: cert("renewed1.pem"), after: "cp CERTS/full.pem CERTS/renewed1.pem", cause: "cert-expired", command: " restart wk"},
	{name: "compose-2", compose: true, folder: "我的 IM", settings: map[string]string{certFile: "CERTS/full.pem"}, cause: "cert-file-missing", command: "sed -i -e "},
	{long: true, name: "compose-list", compose: true, list: true, settings: map[string]string{given: "wss://203.0.113.7:PORT"}, cause: "hostname-mismatch", command: "sed -i -e "},
	{name: "compose-file", compose: true, variables: true, with: "CERTS/mine.yaml:/root/wukongim/wk.yaml", settings: map[string]string{wssAddr: "", certFile: "", keyFile: ""}, cause: "cert-expired", command: "CERTS/mine.yaml"},
	{name: "held-port", with: "--network host", private: true, settings: map[string]string{wssAddr: "wss://0.0.0.0:7443", "WK_WSADDR": "ws://0.0.0.0:7200", "WK_HTTPADDR": "0.0.0.0:7001", given: "wss://im.wangwei-corp.cn:7443"},
		before: "busybox nc -l -p 7443", cause: "listen-port-in-use", look: "who holds the port has to be seen first", command: "7443", shows: "busybox"},
	{name: "network-of-the-host", with: "--network host", private: true, settings: map[string]string{wssAddr: "wss://0.0.0.0:7543", "WK_WSADDR": "ws://0.0.0.0:7300", "WK_HTTPADDR": "0.0.0.0:7101", given: "wss://im.wangwei-corp.cn:7543"}},
	{name: "log-that-is-sent-away", with: "--log-driver syslog --log-opt syslog-address=udp://127.0.0.1:514 --log-opt cache-disabled=true", settings: cert("expired.pem"), cause: "cert-expired"},
	{long: true, name: "mounted-elsewhere", bare: true, settings: map[string]string{certFile: "CERTS/full.pem", keyFile: "CERTS/key.pem"}, cause: "cert-file-missing"},
	{name: "clients-of-another-authority", cause: "untrusted-ca", untyped: "the name of the domain leads nowhere here", after: "for i in 1 2 3; do CLIENT -tls1_2 -verify_return_error >/dev/null 2>&1) || true; done"},
	{name: "clients-that-are-old", cause: "protocol-version", untyped: "the name of the domain leads nowhere here", after: "for i in 1 2 3; do CLIENT -tls1_1 -cipher DEFAULT@SECLEVEL=0 >/dev/null 2>&1) || true; done"},
	{name: "clients-of-another-name", cause: "hostname-mismatch", warns: true, untyped: "which name the clients have nobody knows", after: "for i in 1 2 3 4 5; do DIAL chat.wangwei-corp.cn CERTS/root.pem || true; done"},
	{name: "beside-its-data", bare: true, with: "-v CERTS/im/data:/root/wukongim/data", cause: "cert-file-missing", command: "-v CERTS/im/tls:CERTS/im/tls:ro"},
	{name: "copied-long-ago", bare: true, with: "-v CERTS/copied/certs:/root/wukongim/certs", settings: cert("expired.pem"), cause: "cert-expired", command: "cat CERTS/copied/tls/full.pem > CERTS/copied/certs/expired.pem"},
	{name: "nginx-renewed", front: "expired.pem key.pem", after: "cp CERTS/full.pem CERTS/nginx-renewed/full.pem", cause: "cert-expired", command: "docker exec nginx-renewed nginx -t && docker exec nginx-renewed nginx -s reload"},
	{name: "nginx-without-intermediate", front: "leaf.pem key.pem", after: "cp CERTS/full.pem CERTS/nginx-without-intermediate/bundle.pem", cause: "chain-incomplete", command: "CERTS/nginx-without-intermediate/bundle.pem > "},
	{long: true, name: "nginx-key-of-another", front: "full.pem other.key", after: "cp CERTS/key.pem CERTS/nginx-key-of-another/right.key", cause: "cert-key-mismatch", command: "CERTS/nginx-key-of-another/right.key > "},
	{name: "nginx-on-the-host", front: "expired.pem key.pem", onHost: true, after: "cp CERTS/full.pem CERTS/nginx-on-the-host/full.pem", cause: "cert-expired", command: "nginx -c CERTS/nginx-on-the-host/nginx.conf -s reload"},
	{name: "two-1", settings: map[string]string{"WK_CLUSTER_NODEID": "1", "WK_CLUSTER_INITNODES": "1@two-1,2@two-2"}},
	{name: "two-2", settings: map[string]string{"WK_CLUSTER_NODEID": "2", "WK_CLUSTER_INITNODES": "1@two-1,2@two-2", certFile: inside + "expired.pem"}, cause: "cert-expired"},
	{name: "node-1"}, {name: "node-2", settings: map[string]string{keyFile: inside + "other.key"}, cause: "cert-key-mismatch"}, {name: "node-3"},
}

// TestDoctorFindsTheCause starts the servers alone, and then beside others, and asks once.
func TestDoctorFindsTheCause(t *testing.T) {
	for _, program := range []string{"nsenter", "ip", "nginx"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed (Debian's packages util-linux, iproute2, nginx)")
		}
	}
	e := startEngine(t)
	certs := e.prepare(t)
	const others = 20
	all := os.Getenv("DOCTOR_ALONE") != ""
	at := slices.DeleteFunc(slices.Clone(situations), func(s situation) bool { return s.long && !all || !chosen(s.name) })
	e.alone(t, at, certs, all)
	e.writeCertificates(t, certs) // anew, as they were
	var beside []string
	for i := range others {
		beside = append(beside, fmt.Sprintf("docker run -d --name other-%d --network none server raw 0 1h", i))
	}
	e.startAll(t, at, certs, 6000, beside...)
	by, unseen := e.examine(t, certs)
	assert.Len(t, by, servers(at))
	for _, s := range at {
		t.Run(s.name, func(t *testing.T) {
			if x := by[s.name]; assert.NotNil(t, x) {
				s.judge(t, x, certs)
			}
			if behind := by[s.beside("")]; behind != nil {
				assert.Empty(t, behind.Verdicts, "TLS ends before it")
			}
		})
	}
	if chosen("keeps-no-log") {
		assert.Contains(t, unseen, "keeps-no-log: log")
	}
	if chosen("no-certificate") {
		assert.Contains(t, e.run(t, "docker inspect -f '{{.State.Status}} {{.RestartCount}}' no-certificate"), "running 0", "doctor does no harm")
	}
	if chosen("healthy") {
		assert.Contains(t, e.run(t, "docker ps -a --filter name=healthy"), " Up ")
	}
	e.typeCommands(t, at, by)
	by, _ = e.examine(t, certs)
	for _, s := range at {
		if s.look+s.untyped == "" {
			t.Run(s.name+" mended", func(t *testing.T) {
				if x := by[s.name]; assert.NotNil(t, x) {
					s.judgeMended(t, x)
				}
			})
		}
	}
}

// alone are the situations that are looked at one by one too, with no other server beside
// them whose evidence might help; DOCTOR_ALONE asks for all of them.
var alone = []string{
	"healthy", "path-of-the-host", "no-intermediate",
}

func (e *engine) alone(t *testing.T, at []situation, certs string, all bool) {
	t.Helper()
	for i, s := range at {
		if !all && !slices.Contains(alone, s.name) {
			continue
		}
		t.Run(s.name+" alone", func(t *testing.T) {
			e.startAll(t, []situation{s}, certs, 6000+i)
			by, _ := e.examine(t, certs)
			if x := by[s.name]; assert.NotNil(t, x) && assert.Len(t, by, servers([]situation{s})) {
				s.judge(t, x, certs)
			}
			e.run(t, "docker rm -f -v "+s.name+s.beside(" "))
		})
	}
}

// startAll starts them, each with a port of its own, and what runs after their start.
func (e *engine) startAll(t *testing.T, at []situation, certs string, port int, beside ...string) {
	t.Helper()
	scripts, after := beside, []string{}
	for i, s := range at {
		if s.before != "" {
			e.start(t, fmt.Sprintf("exec nsenter -t %d -n %s", e.pid, s.before))
		}
		scripts = append(scripts, s.script(certs, port+i))
		client := fmt.Sprintf("(nsenter -t %d -n openssl s_client -connect 127.0.0.1:%d -servername im.wangwei-corp.cn </dev/null", e.pid, port+i)
		dial := fmt.Sprintf("nsenter -t %d -n %s/wukongim dial 127.0.0.1:%d", e.pid, e.dir, port+i)
		after = append(after, strings.NewReplacer("CERTS", certs, "CLIENT", client, "DIAL", dial).Replace(s.after))
	}
	e.runAll(t, scripts)
	for i, s := range at {
		if s.onHost {
			e.start(t, fmt.Sprintf("exec nsenter -t %d -n nginx -c %s/%s/nginx.conf -g 'daemon off;' 2>/dev/null", e.pid, certs, s.name))
			require.Eventually(t, func() bool {
				_, err := e.try(fmt.Sprintf("nsenter -t %d -n nc -z 127.0.0.1 %d", e.pid, port+i))
				return err == nil
			}, time.Minute, 50*time.Millisecond)
		}
		if s.front != "" && strings.HasSuffix(s.after, s.name+"/full.pem") { // what nginx has read by then
			require.Eventually(t, func() bool {
				_, err := e.try(fmt.Sprintf("nsenter -t %d -n openssl s_client -connect 127.0.0.1:%d </dev/null 2>/dev/null | grep -q 'BEGIN CERTIFICATE'", e.pid, port+i))
				return err == nil
			}, time.Minute, 50*time.Millisecond)
		}
		if s.after != "" && s.front == "" {
			require.Eventually(t, func() bool { return strings.Contains(e.run(t, "docker logs "+s.name+" 2>&1"), "started successfully") }, time.Minute, 50*time.Millisecond)
		}
	}
	e.runAll(t, after)
}

// chosen tells whether a situation is to be looked at: DOCTOR_SITUATIONS may name some.
func chosen(name string) bool {
	some := os.Getenv("DOCTOR_SITUATIONS")
	return some == "" || slices.Contains(strings.Split(some, ","), name)
}

// runAll runs scripts, some of them at the same time.
func (e *engine) runAll(t *testing.T, scripts []string) {
	t.Helper()
	var running sync.WaitGroup
	free := make(chan struct{}, 4)
	for _, script := range scripts {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			out, err := e.try(script)
			assert.NoError(t, err, "%s\n%s", script, out)
		})
	}
	running.Wait()
}

// typeCommands does what is said to be done first: the first command alone, or all up to
// the way back.
func (e *engine) typeCommands(t *testing.T, at []situation, by map[string]*report.Examined) {
	t.Helper()
	var scripts []string
	for _, s := range at {
		if by[s.name] == nil || len(by[s.name].Verdicts) == 0 || s.untyped != "" {
			continue
		}
		if s.shows != "" {
			out, err := e.typed(by[s.name].Verdicts[0].Steps[0].Command).CombinedOutput()
			assert.NoError(t, err, s.name)
			assert.Regexp(t, s.shows, string(out), s.name)
		}
		if s.look != "" {
			continue
		}
		script := "set -e"
		for i, step := range by[s.name].Verdicts[0].Steps {
			if i > 0 && strings.HasPrefix(step.Command, "docker rm -f ") {
				break
			}
			assert.Empty(t, step.Placeholders, "%s: %s", s.name, step.Command)
			assert.True(t, i > 0 || step.Command != "", "%s: no command", s.name)
			script += "\n" + step.Command
		}
		t.Log(s.name, script)
		scripts = append(scripts, script)
	}
	e.runAll(t, scripts)
}

// typed is a command that is typed on the machine of the engine.
func (e *engine) typed(command string) *exec.Cmd {
	c := e.shell(fmt.Sprintf(`exec nsenter -t %d -n sh -c "$TYPED"`, e.pid))
	c.Env = append(c.Env, "TYPED="+command)
	return c
}

// judge compares what leads with what is at fault.
func (s *situation) judge(t *testing.T, x *report.Examined, certs string) {
	t.Helper()
	var list []string
	for _, v := range x.Verdicts {
		list = append(list, fmt.Sprintf("%s %.2f %v %q", v.Cause, v.Confidence, v.Proven, v.Found))
	}
	all := strings.Join(list, "\n")
	if s.cause == "" && !s.warns {
		assert.Empty(t, x.Verdicts, all)
		return
	}
	if assert.NotEmpty(t, x.Verdicts) {
		lead := x.Verdicts[0]
		assert.Equal(t, s.cause, lead.Cause, all)
		assert.Equal(t, !s.warns, lead.Proven || lead.Confidence > 0.5, all)
		if s.command != "" && assert.NotEmpty(t, lead.Steps, all) {
			assert.Contains(t, lead.Steps[0].Command, strings.ReplaceAll(s.command, "CERTS", certs))
		}
	}
}

// judgeMended looks that nothing of it is left.
func (s *situation) judgeMended(t *testing.T, x *report.Examined) {
	t.Helper()
	left := ""
	if at := slices.IndexFunc(x.Verdicts, func(v report.Verdict) bool { return v.Over == nil }); at >= 0 {
		left = x.Verdicts[at].Cause
	}
	assert.Equal(t, s.then, left)
	assert.True(t, s.then != "" || x.State == "running", x.State)
}

// project starts it by a compose file: version 1 writes down the names of files as they
// were given, version 2 whole.
func (s *situation) project(environment map[string]string) string {
	text := "services:\n  wk:\n    image: wukongim/wukongim:v2.2.5\n    container_name: " + s.name + "\n    environment:\n"
	for key, value := range environment {
		switch {
		case value == "":
		case s.list:
			text += "      - " + key + "=" + value + "\n"
		default:
			text += "      " + key + ": \"" + value + "\"\n"
		}
	}
	text += "    ports: [\"PORT:5210\"]\n    volumes:\n      - CERTS:/root/wukongim/certs\n"
	if s.with != "" {
		text += "      - " + s.with + "\n"
	}
	text += "networks: {default: {external: true, name: doctor}}\n"
	folder, up := "CERTS/"+s.name, composeProgram()
	if s.folder != "" {
		folder = "CERTS/" + s.folder
	}
	if s.variables {
		text = strings.Replace(text, ":v2.2.5", ":${TAG:?}", 1)
		up = "echo TAG=v2.2.5 > prod.env && " + up + " --env-file prod.env"
	}
	if s.name != "compose-1" {
		up += " -f '" + folder + "/docker-compose.yml'"
	}
	return "mkdir -p '" + folder + "' && cd '" + folder + "' && cat > docker-compose.yml <<'END'\n" + text + "END\n" + up + " up -d"
}

// composeProgram is that of this machine; DOCTOR_COMPOSE is the plugin of version 2 where
// that is to be used.
func composeProgram() string {
	if os.Getenv("DOCTOR_COMPOSE") != "" {
		return "docker compose"
	}
	return "docker-compose"
}

// plugin gives docker the plugin, and has version 1 fail.
func (e *engine) plugin(t *testing.T) {
	t.Helper()
	if plugin := os.Getenv("DOCTOR_COMPOSE"); plugin != "" {
		require.NoError(t, os.MkdirAll(e.dir+"/config/cli-plugins", 0o755))
		require.NoError(t, os.Symlink(plugin, e.dir+"/config/cli-plugins/docker-compose"))
		require.NoError(t, os.WriteFile(e.dir+"/bin/docker-compose", []byte("#!/bin/sh\nexit 1\n"), 0o755))
	}
}

// script starts the container.
func (s *situation) script(certs string, port int) string {
	environment := map[string]string{wssAddr: "wss://0.0.0.0:5210", given: "wss://im.wangwei-corp.cn:PORT", certFile: inside + "full.pem", keyFile: inside + "key.pem"}
	for key, value := range s.settings {
		environment[key] = value
	}
	replacer := strings.NewReplacer("CERTS", certs, "PORT", fmt.Sprint(port))
	if s.front != "" {
		return replacer.Replace(s.behindNginx())
	}
	if s.compose {
		return replacer.Replace(s.project(environment))
	}
	script := "docker run -d --name " + s.name + " " + s.with
	if !strings.Contains(s.with, "--network") {
		script += " --network doctor"
	}
	for key, value := range environment {
		if value != "" {
			script += fmt.Sprintf(` -e %s="%s"`, key, value)
		}
	}
	if !s.bare {
		script += " -v CERTS:/root/wukongim/certs"
	}
	if !s.private {
		script += " -p PORT:5210"
	}
	image := "wukongim/wukongim:v2.2.5"
	if s.image != "" {
		image = s.image
	}
	return replacer.Replace(script + " " + image)
}

// prepare makes the network, the images and the folder of certificates.
func (e *engine) prepare(t *testing.T) (certs string) {
	t.Helper()
	e.run(t, fmt.Sprintf("nsenter -t %d -n ip link set lo up && docker network create --subnet 10.77.0.0/16 doctor", e.pid))
	e.plugin(t)
	certs = e.dir + "/certs"
	require.NoError(t, os.MkdirAll(certs+"/closed", 0o755))
	e.writeCertificates(t, certs)
	build(t, e.dir+"/wukongim", "../internal/doctor/testdata/wukongim")
	program := map[string]string{"app": e.dir + "/wukongim"}
	e.image("wukongim/wukongim:v2.2.5", `ENTRYPOINT ["/app"]`, program)
	e.nginxImage(t)
	e.image("im-of-ours", `ENTRYPOINT ["/app", "--config=/etc/im/wk.yaml"]`, program)
	e.image("wukongim-with-files", `ENTRYPOINT ["/app"]`, map[string]string{
		"app": e.dir + "/wukongim", "root/wukongim/certs/expired.pem": certs + "/expired.pem", "root/wukongim/certs/key.pem": certs + "/key.pem",
	})
	return certs
}

func (e *engine) writeCertificates(t *testing.T, dir string) {
	t.Helper()
	now := time.Now()
	pki, key := pkitest.New(now), pkitest.Key()
	issue := func(change func(*x509.Certificate)) *x509.Certificate { return pki.Intermediate.Issue(key, change) }
	chain := func(leaf *x509.Certificate) string { return pkitest.PEM(leaf, pki.Intermediate.Certificate) }
	from := func(begin, end time.Duration) string {
		return chain(issue(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(begin), now.Add(end) }))
	}
	const day = 24 * time.Hour
	good := from(-day, 80*day)
	expired := from(-90*day, -2*day)
	wss := "wssAddr: wss://0.0.0.0:5210\nwssConfig:\n  certFile: /root/wukongim/certs/%s\n  keyFile: /root/wukongim/certs/key.pem\n"
	files := map[string]string{
		"root.pem": pkitest.PEM(pki.Root.Certificate), "full.pem": good, "key.pem": pkitest.KeyPEM(key), "other.key": pkitest.KeyPEM(pkitest.Key()),
		"closed.pem": pkitest.KeyPEM(key), "closed/key.pem": pkitest.KeyPEM(key),
		"expired.pem": expired, "renewed.pem": expired, "renewed1.pem": expired, "renewed2.pem": expired, "soon.pem": from(-60*day, 3*day), "future.pem": from(2*day, 90*day),
		"leaf.pem":  pkitest.PEM(issue(nil)),
		"wrong.pem": chain(issue(func(c *x509.Certificate) { c.DNSNames = []string{"www.wangwei-corp.cn"} })),
		"self.pem":  pkitest.PEM(pkitest.SelfSigned(key, now, nil)),
		"der.pem":   string(issue(nil).Raw), "empty.pem": "",
		"good.yaml": fmt.Sprintf(wss, "full.pem"), "expired.yaml": fmt.Sprintf(wss, "expired.pem"), "mine.yaml": fmt.Sprintf(wss, "expired.pem"), "none.yaml": "mode: release\n",
	}
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	for name, from := range map[string]string{ // beside what containers see
		"im/tls/full.pem": "full.pem", "im/tls/key.pem": "key.pem", "im/data/any": "empty.pem", "copied/tls/full.pem": "full.pem", "copied/tls/key.pem": "key.pem",
		"copied/certs/expired.pem": "expired.pem", "copied/certs/key.pem": "key.pem", "letsencrypt/archive/im/full.pem": "full.pem", "letsencrypt/archive/im/key.pem": "key.pem",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(files[from]), 0o644))
	}
	require.NoError(t, os.MkdirAll(dir+"/letsencrypt/live/im", 0o755))
	for _, name := range []string{"full.pem", "key.pem"} {
		link := dir + "/letsencrypt/live/im/" + name
		_ = os.Remove(link) // of an earlier time
		require.NoError(t, os.Symlink("../../archive/im/"+name, link))
	}
	require.NoError(t, os.Chmod(e.dir, 0o755))
	require.NoError(t, os.Chmod(dir+"/closed.pem", 0o600))
	require.NoError(t, os.Chmod(dir+"/closed", 0o700))
}

// TestDoctorLooksIntoPodman has containers of it beside each other: its API is Docker's,
// and what is to be typed is its own.
func TestDoctorLooksIntoPodman(t *testing.T) {
	e := startPodman(t)
	certs := e.dir + "/certs"
	require.NoError(t, os.MkdirAll(certs+"/closed", 0o755))
	e.writeCertificates(t, certs)
	build(t, e.dir+"/wukongim", "../internal/doctor/testdata/wukongim")
	e.image("wukongim/wukongim:v2.2.5", `ENTRYPOINT ["/app"]`, map[string]string{"app": e.dir + "/wukongim"})
	run := func(name, ports, certificate string) {
		e.run(t, strings.NewReplacer("PORTS", ports, "CERTS", certs, "CERTIFICATE", certificate).Replace("docker run -d --network host -v CERTS:/root/wukongim/certs "+
			"-e WK_WSADDR=ws://0.0.0.0:PORTS0 -e WK_WSSADDR=wss://0.0.0.0:PORTS1 -e WK_HTTPADDR=0.0.0.0:PORTS2 -e WK_EXTERNAL_WSSADDR=wss://im.wangwei-corp.cn:PORTS1 "+
			"-e WK_WSSCONFIG_CERTFILE=CERTIFICATE -e WK_WSSCONFIG_KEYFILE="+inside+"key.pem --name "+name+" wukongim/wukongim:v2.2.5"))
	}
	run("well", "600", inside+"full.pem")
	run("expired", "601", inside+"expired.pem")
	run("path-of-the-host", "602", certs+"/full.pem")
	e.run(t, "docker run -d --name other --network none server raw 0 1h")
	require.NoError(t, os.Symlink(e.dir+"/socket", e.dir+"/podman.sock"))
	c := e.shell(fmt.Sprintf("unset DOCKER_HOST; CONTAINER_HOST=unix://%s/podman.sock SSL_CERT_FILE=%s/root.pem SSL_CERT_DIR=/nowhere exec wklog doctor --offline --format json", e.dir, certs))
	c.Stderr = os.Stderr
	out, _ := c.Output()
	causes, commands := map[string]string{}, ""
	for _, x := range examinationOf(t, string(out)).Servers {
		if x.FoundBy != "docker" {
			continue // of this machine
		}
		causes[x.Name] = ""
		if len(x.Verdicts) > 0 {
			causes[x.Name] = x.Verdicts[0].Cause
			for _, s := range x.Verdicts[0].Steps {
				commands += s.Command + "\n"
			}
		}
	}
	assert.Equal(t, map[string]string{"well": "", "expired": "cert-expired", "path-of-the-host": "cert-file-missing"}, causes)
	assert.Contains(t, commands, "podman inspect ")
	assert.NotContains(t, commands, "docker ")
}

// examine runs doctor in the network of the engine.
func (e *engine) examine(t *testing.T, certs string) (by map[string]*report.Examined, unseen string) {
	t.Helper()
	begin := time.Now()
	c := e.shell(fmt.Sprintf("exec nsenter -t %d -n env SSL_CERT_FILE=%s/root.pem SSL_CERT_DIR=/nowhere wklog doctor --format json", e.pid, certs))
	c.Stderr = os.Stderr
	out, _ := c.Output()
	t.Logf("doctor took %v, of which the processor %v", time.Since(begin), c.ProcessState.UserTime()+c.ProcessState.SystemTime())
	found := &report.Examination{}
	require.NoError(t, json.Unmarshal(out, found), "%s", out)
	if file := os.Getenv("DOCTOR_JSON"); file != "" {
		require.NoError(t, os.WriteFile(file, out, 0o644))
	}
	by = map[string]*report.Examined{}
	for _, x := range found.Servers {
		switch { // the machine of the test may have processes of its own
		case x.FoundBy == "docker":
			by[x.Name] = x
		case x.FoundBy == "front" && strings.Contains(fmt.Sprint(x.Checks), certs):
			by["nginx-on-the-host"] = x
		}
	}
	return by, fmt.Sprint(found.Unseen)
}
