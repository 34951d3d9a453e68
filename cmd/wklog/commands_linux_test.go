package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
	"mvdan.cc/sh/v3/syntax"

	"wklog/patterns"
)

// commandList is testdata/commands.yaml: what becomes of each command of the
// catalogue that has no test of its own. An entry is of the commands that hold its
// words.
type commandList struct {
	// Runs are the commands that look, with a regular expression of what they
	// print in each state that they tell apart.
	Runs []looking
	// Deployed are those that the test of deployments types.
	Deployed []string
	// Missing are the commands that cannot run in a test, with where it is known
	// from that they do what their step says.
	Missing []missing
	// Snippets are those of configuration that no program here checks.
	Snippets []missing
}

type looking struct {
	Words string
	Says  map[string]string // by the state
	// Told is what a text says of the output where it does not quote it.
	Told string
}

type missing struct{ Words, Why, Source string }

func readCommandList(t *testing.T) *commandList {
	t.Helper()
	data, err := os.ReadFile("testdata/commands.yaml")
	require.NoError(t, err)
	list := &commandList{}
	require.NoError(t, yaml.Load(data, list, yaml.WithKnownFields()))
	return list
}

// advised is a step of the catalogue that has a command or a snippet.
type advised struct {
	patterns.Step
	cause string
}

func catalogueSteps(t *testing.T) []advised {
	t.Helper()
	c, err := patterns.Load()
	require.NoError(t, err)
	var list []advised
	for _, cause := range c.Causes {
		for _, advice := range c.Advices(cause) {
			for _, step := range slices.Concat(advice.Fixes, advice.Verify) {
				list = append(list, advised{step, cause.ID})
			}
		}
	}
	return list
}

// isOf tells whether a command holds the words of an entry. They may have a line's
// end on both sides.
func isOf(command, words string) bool { return strings.Contains("\n"+command+"\n", words) }

// catalogueCommands are the steps by their commands.
func catalogueCommands(t *testing.T) map[string][]advised {
	t.Helper()
	found := map[string][]advised{}
	for _, step := range catalogueSteps(t) {
		if step.Command != "" {
			found[step.Command] = append(found[step.Command], step)
		}
	}
	return found
}

func TestEveryCommandOfTheCatalogueIsRunOrListed(t *testing.T) {
	list, commands := readCommandList(t), catalogueCommands(t)
	known := slices.Concat(slices.Collect(maps.Keys(tested)), list.Deployed)
	for _, entry := range list.Runs {
		known = append(known, entry.Words)
	}
	for _, entry := range list.Missing {
		known = append(known, entry.Words)
		assert.NotEmpty(t, entry.Why, entry.Words)
		assert.NotEmpty(t, entry.Source, entry.Words)
	}
	for command := range commands {
		n := 0
		for _, words := range known {
			if isOf(command, words) {
				n++
			}
		}
		assert.Equal(t, 1, n, "a command of the catalogue is run in a test or listed as one that cannot be, once: %s", command)
	}
	for _, words := range known {
		assert.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(commands)), func(command string) bool {
			return isOf(command, words)
		}), "no command of the catalogue: %s", words)
	}
}

// TestCommandsTellApartWhatTheirTextsSay runs each command that looks in every
// state that it claims to know.
func TestCommandsTellApartWhatTheirTextsSay(t *testing.T) {
	w := newWorld(t)
	list := readCommandList(t)
	vocabulary := []string{"Verify return code", "(NONE)"}
	for _, entry := range list.Runs {
		vocabulary = append(vocabulary, slices.Collect(maps.Values(entry.Says))...)
	}
	vocabulary = slices.DeleteFunc(vocabulary, func(phrase string) bool { return len(phrase) < 8 }) // words of every text
	for command, steps := range catalogueCommands(t) {
		for _, entry := range list.Runs {
			if !isOf(command, entry.Words) {
				continue
			}
			t.Run(entry.Words, func(t *testing.T) {
				t.Parallel()
				output := map[string]string{}
				for state := range entry.Says {
					output[state] = w.run(t, command, state)
				}
				entry.judge(t, command, output)
				for _, step := range steps {
					entry.judgeText(t, step, vocabulary, strings.Join(slices.Collect(maps.Values(output)), "\n"))
				}
			})
		}
	}
}

// judge wants of each state what is listed, and nothing of what another one prints.
func (l *looking) judge(t *testing.T, command string, output map[string]string) {
	t.Helper()
	for state, text := range output {
		if l.Says[state] == "" {
			assert.Empty(t, text, "%s: %s", state, command)
		} else {
			assert.Regexp(t, l.Says[state], text, "%s: %s", state, command)
		}
		for _, other := range l.Says {
			if other != "" && !strings.Contains(l.Says[state], other) {
				assert.NotRegexp(t, other, text, "%s prints what another state prints: %s", state, command)
			}
		}
	}
}

// judgeText wants a text that says what the output means, where there is more than
// the good one and a bad one, and that names nothing that no state prints.
func (l *looking) judgeText(t *testing.T, step advised, vocabulary []string, printed string) {
	t.Helper()
	said := slices.Compact(slices.Sorted(maps.Values(l.Says)))
	told := len(said) < 3
	for _, phrase := range append(said, l.Told) {
		told = told || phrase != "" && strings.Contains(step.Text.En, phrase)
	}
	assert.True(t, told, "%s does not say what the output means: %s", step.cause, step.Command)
	for _, phrase := range vocabulary {
		if strings.Contains(step.Text.En, phrase) {
			assert.Contains(t, printed, phrase, "%s names what no state prints: %s", step.cause, step.Command)
			assert.Contains(t, step.Text.Zh, phrase, step.cause)
		}
	}
}

// programs are those that a command calls.
func programs(t *testing.T, command string) []string {
	t.Helper()
	file, err := syntax.NewParser().Parse(strings.NewReader(command), "")
	require.NoError(t, err)
	var names []string
	syntax.Walk(file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			names = append(names, call.Args[0].Lit())
			if names[len(names)-1] == "timeout" {
				names = append(names, call.Args[2].Lit())
			}
		}
		return true
	})
	return names
}

// world is a machine of its own for the commands: a folder in place of /, and a
// server in each state.
type world struct {
	dir, bin string
	servers  map[string]string // state → address
	acme     string
	writing  *sync.Mutex
}

func newWorld(t *testing.T) *world {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	w := &world{dir: t.TempDir(), bin: t.TempDir(), writing: &sync.Mutex{}}
	w.program(t, "wklog", "WKLOG_TEST_PROGRAM=wklog exec "+program+` "$@"`)
	w.servers = serveStates(t, w.dir)
	return w
}

// program puts a program before those of the machine.
func (w *world) program(t *testing.T, name, script string) {
	t.Helper()
	writeProgram(t, filepath.Join(w.bin, name), script)
}

// writeProgram writes a script that can be run at once: what another goroutine starts
// meanwhile does not inherit the open file, for which the kernel would refuse to run it
// (ETXTBSY), and a shell take the machine's program of that name.
func writeProgram(t *testing.T, path, script string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// run gives what a command prints, in the folder and before the server of a
// state.
func (w *world) run(t *testing.T, command, state string) string {
	t.Helper()
	dir := filepath.Join(w.dir, state)
	w.writing.Lock()
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		require.NoError(t, os.Mkdir(dir, 0o755))
		writeFiles(t, dir, state)
	}
	w.writing.Unlock()
	out, _ := w.runIn(t, dir, command, cmp.Or(w.servers[state], w.servers["good"]))
	return out
}

// runIn runs a command with the servers that it names at an address.
func (w *world) runIn(t *testing.T, dir, command, address string) (output string, status int) {
	t.Helper()
	w.installed(t, command)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", w.local(dir, command, address))
	c.Dir, c.WaitDelay = dir, time.Second
	c.Stdin = strings.NewReader("secret\n")            // what is asked for
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // is not asked at a terminal
	root, curl := filepath.Join(w.dir, "root.pem"), t.TempDir()
	write(t, curl, map[string]string{".curlrc": "connect-to = \"::" + address + "\"\ncacert = \"" + root + "\"\n"})
	c.Env = []string{
		"PATH=" + w.bin + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "HOME=" + dir, "XDG_CONFIG_HOME=" + dir + "/config", "LC_ALL=C", "TZ=UTC",
		"CURL_HOME=" + curl, "SSL_CERT_FILE=" + root, "SSL_CERT_DIR=" + filepath.Join(w.dir, "none"), "REQUESTS_CA_BUNDLE=" + root,
		"CAROOT=" + dir + "/mkcert", "TRUST_STORES=none",
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	require.NoError(t, ctx.Err(), "%s does not end", command)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		require.NoError(t, err, command)
	}
	return out.String(), c.ProcessState.ExitCode()
}

// installed skips a test whose command calls what this machine lacks.
func (w *world) installed(t *testing.T, command string) {
	t.Helper()
	for _, name := range programs(t, command) {
		if _, err := exec.LookPath(name); err == nil || name == "" || strings.Contains(name, "/") {
			continue
		}
		if _, err := os.Stat(filepath.Join(w.bin, name)); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
}

// local puts the folder and the address in place of the operator's machine and
// server. Nothing waits long for a server that is silent.
func (w *world) local(dir, command, address string) string {
	host, port, _ := strings.Cut(address, ":")
	replace := []string{
		"im.example.com 5210", host + " " + port, // nc
		"203.0.113.10", "127.0.0.1",
		"/etc/letsencrypt", dir + "/etc/letsencrypt", "/opt/wukongim", dir + "/opt/wukongim", "/www/server/panel", dir + "/www/server/panel",
		"/etc/haproxy", dir + "/etc/haproxy", "/etc/nginx/certs", dir + "/etc/nginx/certs", "/etc/caddy", dir + "/etc/caddy", "/etc/apache2", dir + "/etc/apache2", "/etc/ssl/im.example.com", dir + "/etc/ssl/im.example.com", "/usr/local/share", dir + "/usr/local/share",
	}
	for _, server := range []string{"im.example.com:5210", "im.example.com:443", "hook.example.com:443", "127.0.0.1:5210", "203.0.113.10:5210", "10.0.0.8:8090"} {
		replace = append([]string{"-connect " + server, "-connect " + address}, replace...)
	}
	if address == w.servers["silent"] {
		for _, wait := range []string{"timeout 20", "timeout 10", "--max-time 10", "--max-time 5"} {
			replace = append(replace, wait, wait[:strings.Index(wait, " ")]+" 0.3")
		}
		replace = append(replace, "seq 10", "seq 2")
	}
	return strings.NewReplacer(replace...).Replace(command)
}
