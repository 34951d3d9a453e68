package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"

	"wklog/cmd/internal/check"
)

// hostile are labels of a container: whoever may start one may write anything.
var hostile = []string{
	"$(touch pwned)", "`touch pwned`", "a;touch pwned", "a&&touch pwned", "a\ntouch pwned", "--help", "-rf", "a>pwned", "${IFS}x", "a b;c",
	"'a'", "'$(touch pwned)'", `"$(touch pwned)"`, `a\`, "a\x00b", "\x1b[31mred", "chat\u202egnp", "exam\u200bple", "%s%[1]s", "a,/b", "我的", "",
}

// calls is what a command calls, with how many words, and what it has the shell put in.
func calls(t *testing.T, command string) (list []string) {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(command), "")
	require.NoError(t, err, command)
	syntax.Walk(file, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.CallExpr:
			if len(node.Args) > 0 {
				list = append(list, node.Args[0].Lit())
			}
		case *syntax.CmdSubst, *syntax.ParamExp, *syntax.Redirect, *syntax.ProcSubst:
			list = append(list, fmt.Sprintf("%T", node))
		}
		return true
	})
	return list
}

// TestHostileLabelsChangeNoCommand puts them in the place of each label that commands are
// made of: the same programs are called, and no more is put in by the shell.
func TestHostileLabelsChangeNoCommand(t *testing.T) {
	commands := []string{
		"docker compose restart wukongim",
		"docker compose -f /opt/wukongim/docker-compose.yml restart wukongim",
		"docker compose -f '/srv/my files/docker-compose.yml' exec wukongim env | grep -i proxy",
		`acme.sh --install-cert -d im.example.com --reloadcmd "docker compose -f /opt/wukongim/docker-compose.yml restart wukongim"`,
		"install -m 755 /dev/stdin /x.sh <<'EOF'\n#!/bin/sh\ndocker compose -f /opt/wukongim/docker-compose.yml restart wukongim\nEOF",
	}
	for _, value := range hostile {
		for _, label := range []string{
			"com.docker.compose.service", "com.docker.compose.project", "com.docker.compose.project.config_files", "com.docker.compose.project.working_dir",
			"com.docker.compose.project.environment_file",
		} {
			labels := map[string]string{
				"com.docker.compose.service": "wukongim", "com.docker.compose.project": "im", "com.docker.compose.project.working_dir": "/srv/im",
				"com.docker.compose.project.config_files": "docker-compose.yml",
			}
			labels[label] = value
			c := &container.InspectResponse{Name: "/im", Config: &container.Config{Labels: labels}, State: &container.State{}}
			s := (&engine{}).server(c, "image")
			for _, command := range commands {
				assert.Equal(t, calls(t, command), programs(calls(t, s.Operate(command))), "%q in %s: %s", value, label, s.Operate(command))
			}
			restart := s.Restart.CommandLine()
			for _, line := range []string{restart, s.Status.CommandLine()} {
				assert.Equal(t, []string{"docker"}, programs(calls(t, line)), "%q in %s: %s", value, label, line)
			}
			assert.NotContains(t, restart, "restart -", "%q in %s", value, label)
			assert.NotContains(t, restart, "%!", "%q in %s", value, label)
		}
	}
	assert.Equal(t, "SERVICE", check.Step{Command: "%[1]s", Values: []check.Value{{Name: "service", Type: check.Name, V: "--help"}}}.CommandLine())
}

// programs takes both programs of compose as one.
func programs(list []string) []string {
	for i, name := range list {
		if name == "docker-compose" {
			list[i] = "docker"
		}
	}
	return list
}

// TestComposeIsToldWhatItWasToldBefore: without them it would make other containers, or
// find no project.
func TestComposeIsToldWhatItWasToldBefore(t *testing.T) {
	for want, labels := range map[string]map[string]string{
		" -f /srv/im/docker-compose.yml":                                  {},
		" -f /srv/im/a.yml -f /srv/im/b/c.yml":                            {"config_files": "a.yml,/srv/im/b/c.yml"},
		" -f '/srv/我的 IM/compose.yaml'":                                   {"config_files": "/srv/我的 IM/compose.yaml", "working_dir": "/srv/我的 IM"},
		" -f /srv/im/deploy/compose.yaml --project-directory /srv/im":     {"config_files": "/srv/im/deploy/compose.yaml"},
		" -f /srv/im/docker-compose.yml --env-file /srv/im/prod.env":      {"environment_file": "prod.env"},
		" -f /srv/im/docker-compose.yml --env-file /a.env --env-file /b0": {"environment_file": "/a.env,/b0"},
		"": {"environment_file": "$(touch pwned)"},
	} {
		of := map[string]string{"com.docker.compose.service": "wukongim", "com.docker.compose.project.working_dir": "/srv/im"}
		for name, value := range labels {
			of["com.docker.compose.project."+name] = value
		}
		assert.Equal(t, want, composeFlags(of))
	}
}

// TestCommandsReachTheEngineOfTheContainer: not another one, which the engine's program looks
// for by itself.
func TestCommandsReachTheEngineOfTheContainer(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/docker-compose.yml", nil, 0o600))
	for _, c := range []struct {
		place         enginePlace
		label, of     string
		want, compose string
	}{
		{enginePlace{host: "unix:///var/run/docker.sock"}, "", "", "docker", ""},
		{enginePlace{host: "unix:///run/user/1000/docker.sock", apart: true}, "", "", "docker -H unix:///run/user/1000/docker.sock", ""},
		{enginePlace{host: "unix:///run/podman/podman.sock"}, "", "", "podman", "podman compose"},
		{enginePlace{host: "unix:///run/user/1000/podman/podman.sock", apart: true}, "", "", "podman --url unix:///run/user/1000/podman/podman.sock", "podman --url unix:///run/user/1000/podman/podman.sock compose"},
		{enginePlace{host: "unix:///run/podman/podman.sock"}, "io.podman.compose.project", "im", "podman", "podman-compose"},
	} {
		labels := map[string]string{"com.docker.compose.service": "wk", "com.docker.compose.project.working_dir": dir, c.label: c.of}
		s := (&engine{place: c.place}).server(&container.InspectResponse{Name: "/im", Config: &container.Config{Labels: labels}, State: &container.State{}}, "image")
		assert.Equal(t, c.want+" inspect im | "+c.want+" run -d im && sudo "+c.want+" rm im", s.Operate("docker inspect im | docker run -d im && sudo docker rm im"))
		restart := s.Operate("docker compose restart wk")
		assert.True(t, strings.HasSuffix(restart, " -f "+dir+"/docker-compose.yml restart wk"), restart)
		assert.True(t, strings.HasPrefix(restart, c.compose), restart)
		assert.Equal(t, c.place.apart, strings.Count(restart, c.place.host) == 1, restart)
	}
}

// TestContainerIsNamedWhereItsComposeFileIsElsewhere: a command with the file would fail.
func TestContainerIsNamedWhereItsComposeFileIsElsewhere(t *testing.T) {
	labels := map[string]string{"com.docker.compose.service": "wk", "com.docker.compose.project.config_files": "/data/compose/3/docker-compose.yml", "com.docker.compose.project.working_dir": "/data/compose/3"}
	s := (&engine{place: enginePlace{host: "unix:///var/run/docker.sock"}}).server(&container.InspectResponse{Name: "/im-wk-1", Config: &container.Config{Labels: labels}, State: &container.State{}}, "image")
	for command, want := range map[string]string{
		"docker compose restart wk":                 "docker restart im-wk-1",
		"docker compose logs wk 2>&1 | grep x":      "docker logs im-wk-1 2>&1 | grep x",
		"docker compose -f /a.yml exec wk nginx -t": "docker exec im-wk-1 nginx -t",
		"docker compose restart wk-other":           s.Operate("docker compose restart wk-other"),
	} {
		assert.Equal(t, want, s.Operate(command))
	}
	assert.Contains(t, s.Operate("docker compose restart wk-other"), "wk-other")
	assert.Equal(t, "docker restart im-wk-1", s.Restart.CommandLine())
	assert.Equal(t, "docker ps -a --filter name=im-wk-1", s.Status.CommandLine())
}

// TestPluginIsLookedForWhereDockerDoes: version 1 may be there too.
func TestPluginIsLookedForWhereDockerDoes(t *testing.T) {
	dir := t.TempDir()
	program := func(name string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\n"), 0o755))
	}
	program(dir + "/bin/docker-compose")
	t.Setenv("PATH", dir+"/bin")
	for _, folder := range []string{"home/.docker/cli-plugins", "config/cli-plugins", "extra"} {
		t.Run(folder, func(t *testing.T) {
			environment := map[string]string{"HOME": dir + "/home"}
			if folder != "home/.docker/cli-plugins" {
				environment["DOCKER_CONFIG"] = dir + "/config"
			}
			if folder == "extra" {
				require.NoError(t, os.WriteFile(dir+"/config/config.json", []byte(`{"cliPluginsExtraDirs":["`+dir+`/extra"]}`), 0o644))
			}
			isOfMachine := func(folder string) bool { return !strings.HasPrefix(folder, dir) }
			folders := slices.DeleteFunc(pluginFolders(func(name string) string { return environment[name] }), isOfMachine)
			assert.Equal(t, "docker-compose", composeProgram(folders))
			program(filepath.Join(dir, folder, "docker-compose"))
			assert.Equal(t, "docker compose", composeProgram(folders))
			require.NoError(t, os.Remove(filepath.Join(dir, folder, "docker-compose")))
		})
	}
}
