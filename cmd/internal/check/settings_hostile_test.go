package check

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

// composed is a compose file with more in it, at the top and in its service.
func composed(top, more string) string {
	return top + "\nservices:\n  wukongim:\n    image: wukongim\n    " + more + "\n"
}

// yamlBomb names lists of nine, each of the one before.
func yamlBomb() string {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 8) + "*" + string(c-1) + "]\n"
	}
	return bomb
}

// envBomb names variables of ten, each of the one before.
func envBomb() string {
	bomb := "A0=xxxxxxxxxx\n"
	for i := range 20 {
		bomb += fmt.Sprintf("A%d=%s\n", i+1, strings.Repeat(fmt.Sprintf("${A%d}", i), 10))
	}
	return bomb
}

// TestHostileConfigurationsEndSoon gives files that were made to hang or to fill
// the memory. A compose file is docker-compose.yml, a configuration any other.
func TestHostileConfigurationsEndSoon(t *testing.T) {
	large := strings.Repeat("x", 1<<20-8)
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"YAML bomb":             {map[string]string{"wk.yaml": yamlBomb()}, "wk.yaml: yaml: document contains excessive aliasing"},
		"YAML in circles":       {map[string]string{"wk.yaml": "a: &a {b: *a}\n"}, "wk.yaml: yaml: anchor 'a' value contains itself"},
		"YAML merges itself":    {map[string]string{"wk.yaml": "a: &a {<<: *a}\n"}, "wk.yaml: yaml: anchor 'a' value contains itself"},
		"deep YAML":             {map[string]string{"wk.yaml": "a: " + strings.Repeat("[", 1<<19)}, "exceeded max depth"},
		"many keys":             {map[string]string{"wk.yaml": manyKeys()}, "wk.yaml: more than 20000 keys and values"},
		"one key often":         {map[string]string{"wk.yaml": strings.Repeat("a: 1\n", 1<<17)}, "wk.yaml: line 2: a key stands there twice"},
		"deep TOML":             {map[string]string{"wk.toml": "a = " + strings.Repeat("[", 1<<19)}, "wk.toml: line 1: toml: arrays and inline tables are nested"},
		"compose bomb":          {map[string]string{"docker-compose.yml": composed(yamlBomb(), "environment: *z")}, "excessive aliasing"},
		"compose in circles":    {map[string]string{"docker-compose.yml": composed("x-a: &a {b: *a}", "")}, "contains itself"},
		"compose merges itself": {map[string]string{"docker-compose.yml": composed("x-a: &a {<<: *a}", "")}, "contains itself"},
		"deep compose":          {map[string]string{"docker-compose.yml": composed("x-a: "+strings.Repeat("[", 1<<19), "")}, "exceeded max depth"},
		"variables":             {map[string]string{"docker-compose.yml": composed("", "environment: {WK_WSSADDR: $A20}"), ".env": envBomb()}, ".env: comes to more than 8 MiB"},
		"variable often": {map[string]string{
			"docker-compose.yml": composed("", "environment: {WK_WSSADDR: '"+strings.Repeat("$A", 1<<14)+"'}"), ".env": "A=" + large,
		}, "comes to more than 8 MiB"},
		"variables of an env file": {map[string]string{"docker-compose.yml": composed("", "env_file: wk.env"), "wk.env": envBomb()}, "wk.env: comes to more than 8 MiB"},
		"variables of an included file": {map[string]string{
			"docker-compose.yml": composed("include: [{path: more.yml, env_file: wk.env}]", ""), "more.yml": composed("", ""), "wk.env": envBomb(),
		}, "wk.env: comes to more than 8 MiB"},
		"ports": {map[string]string{"docker-compose.yml": composed("", "ports: ['127.0.0.1:1-65535:1-65535', '127.0.0.2:1-65535:1-65535']")}, "comes to more than 8 MiB"},
		"ports of a variable": {map[string]string{
			"docker-compose.yml": composed("", "ports: ['127.0.0.1:$A:$A', '127.0.0.2:$A:$A']"), ".env": "A=1-65535",
		}, "comes to more than 8 MiB"},
		"ports of another service": {map[string]string{
			"docker-compose.yml": composed("", "extends: a\n  a: {image: b, ports: ['1-65535:1-65535']}\n  c: {extends: a}"),
		}, "comes to more than 8 MiB"},
		"includes itself":       {map[string]string{"docker-compose.yml": composed("include: [docker-compose.yml]", "")}, "include each other too deeply"},
		"includes in circles":   {map[string]string{"docker-compose.yml": composed("include: [a.yml]", ""), "a.yml": "include: [b.yml]\n", "b.yml": "include: [a.yml]\n"}, "include each other too deeply"},
		"extends itself":        {map[string]string{"docker-compose.yml": composed("", "extends: {service: wukongim}")}, "include each other too deeply"},
		"includes a bomb":       {map[string]string{"docker-compose.yml": composed("include: [a.yml]", ""), "a.yml": yamlBomb()}, "a.yml: yaml: document contains excessive aliasing"},
		"extends a bomb":        {map[string]string{"docker-compose.yml": composed("", "extends: {file: sub/a.yml, service: b}"), "sub/a.yml": yamlBomb()}, "a.yml: yaml: document contains excessive aliasing"},
		"includes many":         {includesMany(), "include each other too deeply"},
		"includes far and wide": {includesWide(), "comes to more than 8 MiB"},
		"extends far and wide":  {map[string]string{"docker-compose.yml": composed("", extendsWide())}, "comes to more than 8 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			allocated := allocatedBy(func() {
				_, err := first(write(t, c.files))
				require.ErrorContains(t, err, c.want)
			})
			assert.Less(t, allocated, uint64(1<<30))
		})
	}
}

// write makes the files, and names the one to check.
func write(t *testing.T, files map[string]string) Configuration {
	t.Helper()
	dir, c := t.TempDir(), Configuration{}
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		switch name {
		case "docker-compose.yml":
			c.Compose = path
		case "wk.yaml", "wk.toml":
			c.Config = path
		}
	}
	return c
}

func allocatedBy(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func manyKeys() string {
	var text strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&text, "k%d: 1\n", i)
	}
	return text.String()
}

func includesMany() map[string]string {
	files := map[string]string{"docker-compose.yml": composed("include: [0.yml]", "")}
	for i := range 100 {
		files[fmt.Sprintf("%d.yml", i)] = fmt.Sprintf("include: [%d.yml]\n", i+1)
	}
	return files
}

// includesWide names files of nine, each of the one before.
func includesWide() map[string]string {
	files := map[string]string{"docker-compose.yml": composed("include: [0.yml]", ""), "7.yml": "services: {a: {image: b}}\n"}
	for i := range 7 {
		files[fmt.Sprintf("%d.yml", i)] = "include: [" + strings.TrimSuffix(strings.Repeat(fmt.Sprintf("%d.yml, ", i+1), 9), ", ") + "]\n"
	}
	return files
}

func extendsWide() string {
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "\n  a%d: {extends: wukongim}", i)
	}
	return text.String()
}

// TestOnlyFilesAreRead puts what is none wherever a file may be named: reading a
// pipe would wait for ever.
func TestOnlyFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	fifo, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "large")
	pipe(t, fifo)
	require.NoError(t, os.WriteFile(large, nil, 0o600))
	require.NoError(t, os.Truncate(large, 1<<30))
	with := func(top, more string) Configuration {
		return write(t, map[string]string{"docker-compose.yml": composed(top, more), "a.yml": "services: {a: {image: b}}\n"})
	}
	for _, no := range []string{fifo, large, "/dev/zero", "/dev/stdin"} {
		for name, c := range map[string]Configuration{
			"configuration":   {Config: no},
			"compose file":    {Compose: no},
			"include":         with("include: ['"+no+"']", ""),
			"second include":  with("include: [{path: [a.yml, '"+no+"']}]", ""),
			"include's env":   with("include: [{path: a.yml, env_file: '"+no+"'}]", ""),
			"extends":         with("", "extends: {file: '"+no+"', service: a}"),
			"env file":        with("", "env_file: '"+no+"'"),
			"one of them":     with("", "env_file: [{path: '"+no+"', required: false}]"),
			"hook's env file": with("", "pre_start: [{command: a, env_file: '"+no+"'}]"),
			"label file":      with("", "label_file: '"+no+"'"),
			"secret":          with("secrets: {a: {file: '"+no+"'}}", "secrets: [a]"),
		} {
			done := make(chan error, 1)
			go func() {
				_, err := first(c)
				done <- err
			}()
			select {
			case err := <-done:
				if name != "hook's env file" && name != "label file" && name != "secret" { // those are not read at all
					assert.Error(t, err, "%s: %s", name, no)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: still reads %s", name, no)
			}
		}
	}
}

// TestDotEnvIsNoPipe is for the file that nobody names.
func TestDotEnvIsNoPipe(t *testing.T) {
	for _, text := range []string{composed("", ""), composed("include: [sub/a.yml]", "")} {
		c := write(t, map[string]string{"docker-compose.yml": text, "sub/a.yml": "services: {a: {image: b}}\n"})
		fifo := filepath.Join(filepath.Dir(c.Compose), "sub", ".env")
		if !strings.Contains(text, "include") {
			fifo = filepath.Join(filepath.Dir(c.Compose), ".env")
		}
		pipe(t, fifo)
		_, err := first(c)
		require.ErrorContains(t, err, ".env: not a regular file")
	}
}

// TestNothingIsFetched lets a compose file name a server in every place that
// takes an address.
func TestNothingIsFetched(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, composed("", ""))
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	for _, c := range []struct {
		top, more string
		fails     bool
	}{
		{"include: ['" + server.URL + "/a.yml']", "", true},
		{"include: ['" + server.URL + "/a.git']", "", true},
		{"include: ['git://" + host + "/a.git#main:b']", "", true},
		{"include: ['oci://" + host + "/a:latest']", "", true},
		{"include: [{path: a.yml, project_directory: '" + server.URL + "'}]", "", true},
		{"", "extends: {file: '" + server.URL + "/a.yml', service: wukongim}", true},
		{"", "env_file: '" + server.URL + "/wk.env'", true},
		{"", "build: '" + server.URL + "/a.git'", false},
		{"", "build: {context: '" + server.URL + "/a.git', additional_contexts: {a: '" + server.URL + "'}}", false},
		{"secrets: {a: {file: '" + server.URL + "'}}", "secrets: [a]", false},
	} {
		_, err := first(write(t, map[string]string{"docker-compose.yml": composed(c.top, c.more)}))
		assert.Equal(t, c.fails, err != nil, "%s %s: %v", c.top, c.more, err)
	}
	assert.Zero(t, asked.Load())
}

// TestErrorsTellTheLineAndNoPassword breaks files near a password.
func TestErrorsTellTheLineAndNoPassword(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"YAML":              {map[string]string{"wk.yaml": "managerToken: hunter2\nmanager: [\nwssAddr: hunter2\n"}, "line "},
		"YAML, quote":       {map[string]string{"wk.yaml": "managerToken: 'hunter2\n"}, "line "},
		"YAML, twice":       {map[string]string{"wk.yaml": "managerToken: hunter2\nmanagerToken: hunter2\n"}, "wk.yaml: line 2: a key stands there twice"},
		"YAML, no mapping":  {map[string]string{"wk.yaml": "# a\n- hunter2\n"}, "wk.yaml: line 2: holds no mapping of keys"},
		"YAML in GBK":       {map[string]string{"wk.yaml": "managerToken: hunter2\n# \xc5\xe4\xd6\xc3\n"}, "wk.yaml: line 2: is not UTF-8"},
		"TOML":              {map[string]string{"wk.toml": "[api]\ntoken = \"hunter2\"\nhunter2 = [\n"}, "wk.toml: line 3: toml: "},
		"TOML, of no type":  {map[string]string{"wk.toml": "[api]\nexternal_wss_addr = 5\n"}, "wk.toml: line 2: toml: "},
		"compose":           {map[string]string{"docker-compose.yml": composed("", "environment: [PASSWORD: 'hunter2]")}, "line "},
		"compose, template": {map[string]string{"docker-compose.yml": composed("", "environment: ['PASSWORD=hunter2${']")}, "services.wukongim.environment"},
		"env, name":         {map[string]string{"docker-compose.yml": composed("", ""), ".env": "A=b\nhunter2!\n"}, ".env: line 2: is not NAME=VALUE"},
		"env, quote":        {map[string]string{"docker-compose.yml": composed("", ""), ".env": "A=b\nPASSWORD='hunter2\n"}, ".env: line "},
		"env, template":     {map[string]string{"docker-compose.yml": composed("", "env_file: wk.env"), "wk.env": "PASSWORD=hunter2${\n"}, "wk.env: is not NAME=VALUE"},
		"env of another":    {map[string]string{"docker-compose.yml": composed("", "") + "  web: {image: nginx, env_file: web.env}\n", "web.env": "PASSWORD='hunter2\n"}, "web.env: line "},
	} {
		_, err := first(write(t, c.files))
		require.ErrorContains(t, err, c.want, name)
		assert.NotContains(t, err.Error(), "hunter2", name)
	}
}

func TestReasonsHaveTexts(t *testing.T) {
	for _, lang := range []patterns.Lang{patterns.English, patterns.Chinese} {
		say, err := messages.In(lang)
		require.NoError(t, err)
		for _, known := range reasons {
			assert.NotContains(t, Reason(fmt.Errorf("wk.yaml: %w", known.err), say), "check.error", "%s", lang)
		}
	}
	say, err := messages.In(patterns.Chinese)
	require.NoError(t, err)
	_, err = first(write(t, map[string]string{"wk.yaml": "a: 1\na: 2\n"}))
	assert.Equal(t, "第 2 行：键重复出现", Reason(err, say))
	c := write(t, map[string]string{"docker-compose.yml": composed("", "env_file: wk.env"), "wk.env": "A=b\nhunter2!\n"})
	_, err = first(c)
	assert.Equal(t, filepath.Join(filepath.Dir(c.Compose), "wk.env")+"：第 2 行：不是“名称=值”的形式", Reason(err, say))
	assert.Empty(t, Reason(os.ErrPermission, say))
}

func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]Configuration{
		"missing":             {Config: filepath.Join(dir, "wk.yaml")},
		"missing compose":     {Compose: filepath.Join(dir, "docker-compose.yml")},
		"folder":              {Config: dir},
		"no mapping":          write(t, map[string]string{"wk.yaml": "wssAddr\n"}),
		"no compose":          write(t, map[string]string{"docker-compose.yml": "a: b\n"}),
		"number for a file":   write(t, map[string]string{"docker-compose.yml": composed("", "extends: {file: 5, service: a}")}),
		"lists for mappings":  write(t, map[string]string{"docker-compose.yml": "include: [[5]]\nservices: [a]\n"}),
		"no service of it":    write(t, map[string]string{"docker-compose.yml": "services: {web: {image: nginx}}\n"}),
		"variable missing":    write(t, map[string]string{"docker-compose.yml": composed("", "command: '${NONE:?is needed}'")}),
		"configuration in it": write(t, map[string]string{"docker-compose.yml": composed("", "volumes: ['.:/root/wukongim']"), "wk.yaml": "- a\n"}),
	} {
		_, err := first(c)
		require.Error(t, err, name)
		file := c.Config
		if file == "" {
			file = c.Compose
		}
		assert.Contains(t, err.Error(), filepath.Base(file), name)
	}
}

// TestNothingIsPrinted is for compose-go, which warns of what is usual.
func TestNothingIsPrinted(t *testing.T) {
	var printed bytes.Buffer
	logrus.SetOutput(&printed)
	t.Cleanup(func() { logrus.SetOutput(os.Stderr) })
	files := map[string]string{"docker-compose.yml": composed("version: '3'", "command: $NONE"), ".env": "A=$B\n"}
	_, err := first(write(t, files))
	require.NoError(t, err)
	assert.Empty(t, printed.String())
	logrus.Warn("heard")
	assert.Contains(t, printed.String(), "heard")
}

// TestFormsThatAreNone gives each field what it cannot hold: an error or not, but
// no panic.
func TestFormsThatAreNone(t *testing.T) {
	texts := []string{"services: [a]", "services: 5", "services: {a: 5}", "services: {wukongim: }", "include: 5", "include: {a: b}", "? [a]\n: b", "5: a",
		"services: {? [a] : b}", "services: !reset null", "services: {wukongim: !override {image: wukongim}}", "networks: 5\nvolumes: 5\nsecrets: [a]\nconfigs: a\n" + composed("", "secrets: [a]\n    configs: [b]")}
	values := []string{"5", "[a]", "[5]", "[[a]]", "[{}]", "{}", "{a: b}", "{a: [b]}", "''", "[~]", "~", "['', ':', '-', '5-1:1']", "{service: 5}", "{service: b, file: 5}", "{service: b, file: [a]}"}
	for _, field := range []string{"image", "environment", "env_file", "ports", "volumes", "secrets", "configs", "user", "network_mode", "command", "entrypoint", "build", "extends", "healthcheck", "networks", "depends_on", "logging"} {
		for _, value := range values {
			texts = append(texts, composed("", field+": "+value), composed("", "extends: b\n    "+field+": "+value+"\n  b: {"+field+": "+value+"}"))
			for _, other := range values[:6] {
				texts = append(texts, composed("", "extends: b\n    "+field+": "+value+"\n  b: {"+field+": "+other+"}"))
			}
		}
	}
	for _, value := range values {
		texts = append(texts, composed("include: "+value, ""), composed("include: [{path: "+value+"}]", ""), composed("include: [{path: a, env_file: "+value+"}]", ""))
	}
	c := write(t, map[string]string{"docker-compose.yml": ""})
	for _, text := range texts {
		require.NoError(t, os.WriteFile(c.Compose, []byte(text), 0o600))
		require.NotPanics(t, func() {
			if s, err := first(c); err == nil {
				s.Check()
				s.Files()
			}
		}, text)
	}
}
