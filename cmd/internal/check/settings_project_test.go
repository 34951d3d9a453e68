package check

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestComposeFilesAreReadAsByDockerCompose compares with compose-go's loader,
// which docker compose has.
func TestComposeFilesAreReadAsByDockerCompose(t *testing.T) {
	defer logrus.SetLevel(logrus.GetLevel())
	logrus.SetLevel(logrus.PanicLevel)
	files, err := filepath.Glob("testdata/config/*/docker-compose.yml")
	require.NoError(t, err)
	require.Greater(t, len(files), 50)
	for _, more := range composeForms {
		files = append(files, write(t, more).Compose)
	}
	for _, file := range files {
		dir, err := filepath.Abs(filepath.Dir(file))
		require.NoError(t, err)
		// docker compose has the variables of its shell; see shellVariables
		shell := shellVariables(dir).values
		options, err := cli.NewProjectOptions([]string{file}, cli.WithName("wklog"), cli.WithResolvedPaths(true), cli.WithDefaultProfiles("*"),
			cli.WithEnv(types.Mapping(shell).Values()), cli.WithEnvFiles(), cli.WithDotEnv)
		require.NoError(t, err, file)
		want, err := options.LoadProject(context.Background())
		require.NoError(t, err, file)
		got, err := loadProject(file)
		require.NoError(t, err, file)
		require.Equal(t, slices.Sorted(maps.Keys(want.Services)), slices.Sorted(maps.Keys(got.services)), file)
		for name, service := range want.Services {
			compare(t, file+": "+name, service, got.services[name])
		}
	}
}

// composeForms are what the compose specification allows and few write.
var composeForms = []map[string]string{
	{"docker-compose.yml": composed("", "environment: {A: 1, B: true, C: null, D: 1.50, E: '', F: no, G: 0x10, H: '$$a', I: \"${X:-b}${Y-c}${HOME:+d}\"}")},
	{"docker-compose.yml": composed("", "environment: [A=1, 'B= b ', C, 'D=\"e\"', E=]\n    env_file: a.env"), "a.env": "A=2\nC = 3 # comment\nF='$A'\nG=\"$A\\n\"\nH: i\nJ=${C}${NONE:-k}\n#L=m\n"},
	{"docker-compose.yml": composed("", "env_file: [a.env, b.env]"), "a.env": "A=1\nB=$A\n", "b.env": "A=2\nC=$B$A\n"},
	{"docker-compose.yml": composed("", "ports: ['80', '81:82', '127.0.0.1:83:84', '[::1]:85:86', '87:88/udp', '90-92:90-92', 95, {target: 96}, {target: 97, published: '98', host_ip: 0.0.0.0}]")},
	{"docker-compose.yml": composed("", "volumes: [a:/b, ./c:/d:ro, '~/e:/f', /g, ../h:/i/, {type: bind, source: j, target: /k}, {type: tmpfs, target: /l}]\nvolumes: {a: }")},
	{"docker-compose.yml": composed("", "command: --config=/a 'b c' -d\n    entrypoint: [/home/app, -x]\n    user: '1000:1000'\n    network_mode: host")},
	{"docker-compose.yml": composed("", "extends: {service: a}\n    environment: {B: 3}\n    volumes: [./x:/t]\n    ports: ['1:1']\n  a: {image: b, environment: [A=1, B=2], volumes: ['./y:/t', './z:/u'], ports: ['1:1', '2:2'], command: c}")},
	{"docker-compose.yml": composed("", "extends: {file: sub/a.yml, service: a}\n    env_file: b.env"), "b.env": "A=1\n",
		"sub/a.yml": "services: {a: {image: b, env_file: b.env, volumes: ['./c:/d'], environment: {X: '$X'}}}\n", "sub/b.env": "A=2\nB=3\n", "sub/.env": "X=not this\n", ".env": "X=this\n"},
	{"docker-compose.yml": composed("include: [{path: sub/a.yml, project_directory: other, env_file: b.env}]", ""), "b.env": "X=1\n",
		"sub/a.yml": "services: {a: {image: b, volumes: ['./c:/d'], environment: {X: '$X', Y: '$Y'}}}\n", "sub/.env": "X=2\nY=2\n", "other/.env": "Y=3\n"},
	{"docker-compose.yml": composed("include: [{path: [a.yml, sub/b.yml]}]", ""), "a.yml": "services: {a: {image: b, ports: ['1:1'], environment: {A: 1}, volumes: ['./x:/y']}}\n", "sub/b.yml": "services: {a: {ports: ['2:2'], environment: {B: 2}, volumes: ['./z:/z']}}\n"},
	{"docker-compose.yml": composed("include: [a.yml]", ""), ".env": "X=1\nY=2\n", "a.yml": "include: [sub/b.yml]\nservices: {a: {image: '$X$Y'}}\n", "sub/b.yml": "services: {b: {image: '$X$Y$Z'}}\n", "sub/.env": "X=3\nZ=4\n"},
	{"docker-compose.yml": composed("x-a: &a {A: 1, B: 2}\nx-b: &b {<<: *a, B: 3}", "environment: {<<: [*b], C: 4}")},
	{"docker-compose.yml": "services: {wukongim: {image: wukongim, ports: ['1:1']}}\n---\nservices: {wukongim: {ports: ['2:2'], environment: [A=1]}}\n"},
	{"docker-compose.yml": composed("", "entrypoint: \"sh -c 'cp /certs /c #1'\"\n    command: \"./app --config /c/wk.yaml #server && sleep 1\"")},
	{"docker-compose.yml": composed("", "command: ./app \"a b\" 'c; d' e\\ f ''")},
	{"docker-compose.yml": composed("", "profiles: [a]\n    build: .\n    depends_on: {b: {condition: service_started}}\n  b: {image: c, scale: 2}")},
}

func compare(t *testing.T, name string, want types.ServiceConfig, got *service) {
	t.Helper()
	environ := []string{}
	for name, value := range want.Environment {
		if value != nil {
			environ = append(environ, name+"="+*value)
		}
	}
	assert.ElementsMatch(t, environ, got.environ, name)
	var volumes, gotVolumes []string
	for _, v := range want.Volumes {
		volumes = append(volumes, v.Type+" "+v.Source+" "+filepath.Clean(v.Target))
	}
	for _, v := range got.Volumes {
		if v.Type == "bind" {
			v.Source = absolute(v.Source)
		}
		gotVolumes = append(gotVolumes, v.Type+" "+v.Source+" "+filepath.Clean(v.Target))
	}
	assert.ElementsMatch(t, volumes, gotVolumes, name)
	var ports, gotPorts []string
	for _, p := range want.Ports {
		first, _, _ := strings.Cut(p.Published, "-")
		ports = append(ports, strings.Join([]string{p.HostIP, first, strconv.Itoa(int(p.Target)), p.Protocol}, " "))
	}
	for _, p := range got.ports {
		gotPorts = append(gotPorts, strings.Join([]string{p.address, p.host, p.container, cmp.Or(p.protocol, "tcp")}, " "))
	}
	assert.ElementsMatch(t, ports, gotPorts, name)
	assert.Equal(t, []string{want.Image, want.User, want.NetworkMode}, []string{got.Image, got.User, got.NetworkMode}, name)
	assert.Equal(t, []string(append(slices.Clone(want.Entrypoint), want.Command...)), append(words(got.Entrypoint), words(got.Command)...), name)
	assert.Equal(t, want.Build != nil, got.Build != nil, name)
}
