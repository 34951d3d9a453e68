package check

import (
	"crypto/x509"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

// box is a container that was found, in a folder of the host that it mounts.
type box struct {
	dir   string
	roots *x509.CertPool
	// how is what docker inspect says of it, beside the usual.
	environ map[string]string
	how     map[string]any
	labels  map[string]string
	user    string
	// below is the folder in it that is mounted, empty for itself.
	below string
	// image are files that no folder of the host has.
	image map[string]string
}

func newBox(t *testing.T) *box {
	t.Helper()
	now := time.Now()
	pki, key := pkitest.New(now), pkitest.Key()
	issue := func(change func(*x509.Certificate)) *x509.Certificate { return pki.Intermediate.Issue(key, change) }
	b := &box{dir: t.TempDir(), roots: x509.NewCertPool(), how: map[string]any{}, environ: map[string]string{
		"WK_WSSADDR": "wss://0.0.0.0:5210", "WK_EXTERNAL_WSSADDR": "wss://im.wangwei-corp.cn:5210", "WK_WSSCONFIG_CERTFILE": "/certs/full.pem", "WK_WSSCONFIG_KEYFILE": "/certs/key.pem",
	}}
	b.roots.AddCert(pki.Root.Certificate)
	for name, text := range map[string]string{
		"full.pem": pkitest.PEM(issue(nil), pki.Intermediate.Certificate), "key.pem": pkitest.KeyPEM(key), "leaf.pem": pkitest.PEM(issue(nil)),
		"www.pem": pkitest.PEM(issue(func(c *x509.Certificate) { c.DNSNames = []string{"www.wangwei-corp.cn"} }), pki.Intermediate.Certificate),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644))
	}
	return b
}

func (b *box) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644))
}

// remedied are the failures with what is said to mend them.
func (b *box) remedied(t *testing.T) (steps []string) {
	t.Helper()
	environ := []string{"MANAGER_TOKEN=secret"}
	for name, value := range b.environ {
		if value != "" {
			environ = append(environ, name+"="+value)
		}
	}
	host := map[string]any{
		"NetworkMode": "bridge", "RestartPolicy": map[string]any{"Name": "always"}, "LogConfig": map[string]any{"Type": "json-file"},
		"PortBindings": map[string]any{"5210/tcp": []any{map[string]string{"HostIp": "", "HostPort": "5210"}}},
	}
	maps.Copy(host, b.how)
	data, err := json.Marshal([]any{map[string]any{
		"Id": "0123456789abcdef", "Name": "/im", "Path": "/home/app", "State": map[string]any{"Running": true}, "HostConfig": host,
		"Mounts": []any{map[string]any{"Type": "bind", "Source": filepath.Join(b.dir, b.below), "Destination": "/certs", "RW": true}},
		"Config": map[string]any{"Image": "wukongim/wukongim:v2.2.5", "Env": environ, "Labels": b.labels, "User": b.user, "Hostname": "0123456789ab"},
	}})
	require.NoError(t, err)
	settings, err := Containers(data).Load("im", func(name string) (File, error) {
		if text, is := b.image[name]; is {
			return File{Data: []byte(text), Mode: 0o644}, nil
		}
		rest, ok := strings.CutPrefix(name, "/certs/")
		data, err := os.ReadFile(filepath.Join(b.dir, b.below, rest))
		if !ok || err != nil {
			return File{}, fs.ErrNotExist
		}
		return File{Data: data, Mode: 0o644}, nil
	})
	require.NoError(t, err)
	files := settings.Files()
	files.Roots, files.Now, files.Host = b.roots, time.Now(), settings.Host()
	settings.Leaf = files.Leaf()
	results := append(settings.Remedied(settings.Check(), b.roots), settings.Remedied(files.Check(), b.roots)...)
	requireTexts(t, results)
	for _, r := range results {
		for _, s := range r.Fixes {
			if r.Status != Pass {
				steps = append(steps, r.ID+": "+s.Key+": "+strings.ReplaceAll(s.CommandLine()+s.Snippet(), b.dir, "DIR"))
			}
		}
	}
	return steps
}

const again = `docker rename im im-old && docker update --restart no im-old && docker stop im-old &&
  docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' im-old |
  docker run -d --name im --env-file /dev/stdin \
  --restart always \
  -v DIR:/certs \
  --entrypoint /home/app`

// TestContainerIsRunAgainWithWhatMendsIt: with all that it was run with, and no password.
func TestContainerIsRunAgainWithWhatMendsIt(t *testing.T) {
	for name, c := range map[string]struct{ set, value, want string }{
		"a path that is not there":  {"WK_WSSCONFIG_CERTFILE", "/certs/fullchain.pem", "-e WK_WSSCONFIG_CERTFILE=/certs/full.pem"},
		"a chain that is cut":       {"WK_WSSCONFIG_CERTFILE", "/certs/leaf.pem", "-e WK_WSSCONFIG_CERTFILE=/certs/full.pem"},
		"an address of its own":     {"WK_WSSADDR", "wss://10.9.8.7:5210", "-e WK_WSSADDR=wss://0.0.0.0:5210"},
		"numbers for clients":       {"WK_EXTERNAL_WSSADDR", "wss://203.0.113.7:5210", "-e WK_EXTERNAL_WSSADDR=wss://im.wangwei-corp.cn:5210"},
		"no key":                    {"WK_WSSCONFIG_KEYFILE", "", "-e WK_WSSCONFIG_KEYFILE=/certs/key.pem"},
		"a port that is elsewhere":  {"WK_EXTERNAL_WSSADDR", "wss://im.wangwei-corp.cn:6999", "-e WK_EXTERNAL_WSSADDR=wss://im.wangwei-corp.cn:5210"},
		"another name for the pair": {"WK_WSSCONFIG_CERTFILE", "/certs/www.pem", "-e WK_WSSCONFIG_CERTFILE=/certs/full.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.environ[c.set] = c.value
			steps := b.remedied(t)
			require.NotEmpty(t, steps)
			assert.Contains(t, steps[0], again+" \\\n  "+c.want+" \\\n  -p 5210:5210 \\\n  wukongim/wukongim:v2.2.5")
			assert.Contains(t, steps[1], "docker rm -f im && docker rename im-old im && docker update --restart always im && docker start im")
			assert.NotContains(t, strings.Join(steps, " "), "secret")
		})
	}
}

// TestCertificateOfAnImageGetsAVolume: after its dates were looked at; not over a folder that
// has more than certificates.
func TestCertificateOfAnImageGetsAVolume(t *testing.T) {
	now := time.Now()
	pki, key := pkitest.New(now), pkitest.Key()
	expired := pki.Intermediate.Issue(key, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -90), now.AddDate(0, 0, -2) })
	for folder, volume := range map[string]string{"/root/wukongim/certs": "-v im-certs:/root/wukongim/certs", "/etc": ""} {
		b := newBox(t)
		b.roots.AddCert(pki.Root.Certificate)
		for _, name := range []string{"full.pem", "leaf.pem"} {
			require.NoError(t, os.Remove(filepath.Join(b.dir, name)))
		}
		b.image = map[string]string{folder + "/full.pem": pkitest.PEM(expired, pki.Intermediate.Certificate), folder + "/key.pem": pkitest.KeyPEM(key)}
		b.environ["WK_WSSCONFIG_CERTFILE"], b.environ["WK_WSSCONFIG_KEYFILE"] = folder+"/full.pem", folder+"/key.pem"
		steps := strings.Join(b.remedied(t), "\n")
		assert.Contains(t, steps, "cert-dates: any.fix-look-inside: docker cp -L im:"+folder+"/full.pem - | tar -xO | openssl x509")
		assert.Equal(t, volume != "", strings.Contains(steps, "docker run"), steps)
		assert.Contains(t, steps, volume)
	}
}

// TestPairThatDoesNotFitIsNotOffered: without the key of it, and of another name.
func TestPairThatDoesNotFitIsNotOffered(t *testing.T) {
	for _, gone := range []string{"key.pem", "full.pem"} {
		b := newBox(t)
		require.NoError(t, os.Remove(filepath.Join(b.dir, gone)))
		require.NoError(t, os.Remove(filepath.Join(b.dir, "leaf.pem")))
		assert.NotContains(t, strings.Join(b.remedied(t), "\n"), "docker run")
	}
}

// TestContainerOfWhichMoreIsAskedIsNotRunAgain: the command would lose it.
func TestContainerOfWhichMoreIsAskedIsNotRunAgain(t *testing.T) {
	for name, value := range map[string]any{"Memory": 1 << 30, "CapAdd": []string{"NET_ADMIN"}, "AutoRemove": true, "Tmpfs": map[string]string{"/run": ""}} {
		b := newBox(t)
		b.how[name], b.environ["WK_WSSADDR"] = value, "wss://10.9.8.7:5210"
		steps := b.remedied(t)
		assert.Equal(t, "config-listen: any.fix-edit: -e WK_WSSADDR=wss://0.0.0.0:5210", steps[0], name)
		assert.NotContains(t, strings.Join(steps, "\n"), "docker run", name)
	}
}

// TestSettingIsChangedWhereItStands: in the compose file, in a list and in a mapping, or in
// wk.yaml; by hand where it is not plain.
func TestSettingIsChangedWhereItStands(t *testing.T) {
	for name, c := range map[string]struct{ compose, want string }{
		"a mapping":     {"services:\n  wk:\n    environment:\n      WK_WSSADDR: \"wss://10.9.8.7:5210\"\n", `sed -i -e '/WK_WSSADDR/s|wss://10\.9\.8\.7:5210|wss://0.0.0.0:5210|' DIR/docker-compose.yml`},
		"a list":        {"services:\n  wk:\n    environment:\n      - WK_WSSADDR=wss://10.9.8.7:5210\n", `sed -i -e '/WK_WSSADDR/s|wss://10\.9\.8\.7:5210|wss://0.0.0.0:5210|' DIR/docker-compose.yml`},
		"a variable":    {"services:\n  wk:\n    environment:\n      - WK_WSSADDR=${ADDRESS}\n", "services:\n  wk:\n    environment:\n      WK_WSSADDR: \"wss://0.0.0.0:5210\""},
		"in two places": {"services:\n  wk:\n    environment:\n      - WK_WSSADDR=wss://10.9.8.7:5210\n  other:\n    environment:\n      - WK_WSSADDR=wss://10.9.8.7:5210\n", "services:\n  wk:\n    environment:\n      WK_WSSADDR: \"wss://0.0.0.0:5210\""},
	} {
		b := newBox(t)
		b.write(t, "docker-compose.yml", c.compose)
		b.environ["WK_WSSADDR"] = "wss://10.9.8.7:5210"
		b.labels = map[string]string{labelService: "wk", labelFiles: b.dir + "/docker-compose.yml", labelFolder: b.dir}
		steps := b.remedied(t)
		assert.Equal(t, "config-listen: any.fix-edit: "+c.want, steps[0], name)
		assert.Equal(t, "config-listen: any.fix-recreate: docker compose up -d wk", steps[1], name)
	}
}

// TestPairThatTheContainerDoesNotSeeIsShownToIt: it lies beside what the container sees, and
// is one that clients accept. What fits nothing is not.
func TestPairThatTheContainerDoesNotSeeIsShownToIt(t *testing.T) {
	const run = "-v DIR:DIR:ro \\\n  -e WK_WSSCONFIG_CERTFILE=DIR/full.pem \\\n  -e WK_WSSCONFIG_KEYFILE=DIR/key.pem"
	for name, test := range map[string]struct {
		change func(t *testing.T, b *box)
		want   string
	}{
		"beside its data": {func(*testing.T, *box) {}, run},
		"of compose": {func(_ *testing.T, b *box) {
			b.labels = map[string]string{"com.docker.compose.service": "wk", "com.docker.compose.project.working_dir": "/srv/im"}
		}, "      - DIR:DIR:ro\n    environment:\n      WK_WSSCONFIG_CERTFILE: \"DIR/full.pem\""},
		"that nobody trusts": {func(_ *testing.T, b *box) { b.roots = x509.NewCertPool() }, ""},
		"of another":         {func(t *testing.T, b *box) { b.write(t, "key.pem", pkitest.KeyPEM(pkitest.Key())) }, ""},
	} {
		b := newBox(t)
		b.below = "data"
		require.NoError(t, os.MkdirAll(b.dir+"/data", 0o755))
		test.change(t, b)
		steps := strings.Join(b.remedied(t), "\n")
		assert.Equal(t, test.want != "", strings.Contains(steps, "fix-shown"), "%s\n%s", name, steps)
		assert.Contains(t, steps, test.want, name)
	}
}

// TestFolderOfAPairHoldsWhatItsLinksLeadTo, and is none of the root's.
func TestFolderOfAPairHoldsWhatItsLinksLeadTo(t *testing.T) {
	b := newBox(t)
	require.NoError(t, os.MkdirAll(b.dir+"/live", 0o755))
	require.NoError(t, os.Symlink("../full.pem", b.dir+"/live/full.pem"))
	require.NoError(t, os.WriteFile(b.dir+"/live/key.pem", nil, 0o600))
	assert.Equal(t, b.dir, (&nearPair{cert: b.dir + "/live/full.pem", key: b.dir + "/live/key.pem"}).folder())
	assert.Equal(t, b.dir+"/live", (&nearPair{cert: b.dir + "/live/key.pem", key: b.dir + "/live/key.pem"}).folder())
	assert.Empty(t, (&nearPair{cert: "/etc/passwd", key: "/etc/group"}).folder())
}
