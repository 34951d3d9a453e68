package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// nginxImage makes an image of this machine's nginx.
func (e *engine) nginxImage(t *testing.T) {
	t.Helper()
	nginx, err := exec.LookPath("nginx")
	require.NoError(t, err)
	e.image("nginx:1.22", `ENTRYPOINT ["/usr/sbin/nginx", "-g", "daemon off;"]`, withLibraries(t, nginx, "usr/sbin/nginx"))
}

// servers counts what doctor finds of situations.
func servers(at []situation) (n int) {
	for _, s := range at {
		n++
		if s.front != "" {
			n++
		}
	}
	return n
}

// beside is the server behind nginx, empty where there is none.
func (s *situation) beside(before string) string {
	if s.front == "" {
		return ""
	}
	return before + s.name + "-server"
}

// nginxConf ends TLS on a port, and leads to an address.
const nginxConf = `user root;
pid PID;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
  server {
    listen LISTEN ssl;
    server_name im.wangwei-corp.cn;
    ssl_certificate FOLDER/full.pem;
    ssl_certificate_key FOLDER/key.pem;
    location / {
      proxy_pass http://BEHIND;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host;
      proxy_read_timeout 300s;
    }
  }
}
`

// behindNginx starts a server without TLS, and nginx before it where that is in a
// container.
func (s *situation) behindNginx() string {
	server := "docker run -d --network doctor -e WK_EXTERNAL_WSSADDR=wss://im.wangwei-corp.cn:PORT --name " + s.name + "-server "
	folder := "CERTS/" + s.name
	script := "set -e; mkdir -p " + folder + "; cp CERTS/" + strings.Replace(s.front, " ", " "+folder+"/full.pem; cp CERTS/", 1) + " " + folder + "/key.pem\n"
	conf := strings.NewReplacer("PID", "/nginx.pid", "LISTEN", "443", "FOLDER", "/etc/nginx", "BEHIND", s.name+"-server:5200").Replace(nginxConf)
	nginx := "docker run -d --network doctor --tmpfs /tmp -p PORT:443 -v " + folder + ":/etc/nginx --name " + s.name + " nginx:1.22"
	if s.onHost {
		conf = strings.NewReplacer("PID", folder+"/pid", "LISTEN", "PORT", "FOLDER", folder, "BEHIND", "127.0.0.1:5PORT").Replace(nginxConf)
		server += "-p 5PORT:5200 "
		nginx = ""
	}
	return script + "cat > " + folder + "/nginx.conf <<'END'\n" + conf + "END\n" + server + "wukongim/wukongim:v2.2.5\n" + nginx
}
