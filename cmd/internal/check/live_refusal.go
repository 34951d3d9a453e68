package check

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// refused explains a status that is not 101 (RFC 6455 section 4.2.2). Who answered, and
// with what words, tells whether that was a proxy, a firewall or WuKongIM.
func (e *endpoint) refused(ctx context.Context, response *http.Response) Result {
	said := Name.of("said", saidBy(response))
	status := Number.of("status", response.StatusCode)
	r := fail("connection-interrupted", keyOf(response), status, said)
	switch r.Key {
	case "status-redirect":
		r.Args = append(r.Args, Address.of("location", fromPeer(response.Header.Get("Location"))))
	case "status-forbidden":
		if e.wantsOrigin(ctx) {
			r = fail("connection-interrupted", "status-origin", status, said).breaking(SomeClients)
		}
	}
	r.Fixes = e.refusalFixes(r.Key, response)
	r.More = []Value{serverOf(response)}
	return r
}

// keyOf names the kind of a refusal by its status (RFC 9110 section 15). Those from 520
// on are Cloudflare's, and of the networks that took them over (its documentation,
// "Cloudflare 5xx errors").
func keyOf(response *http.Response) string {
	switch status := response.StatusCode; {
	case status/100 == 3 && response.Header.Get("Location") != "":
		return "status-redirect"
	case status == http.StatusUnauthorized, status == http.StatusProxyAuthRequired:
		return "status-auth"
	case status == http.StatusForbidden, status == http.StatusNotAcceptable, status == 444, status == 451:
		return "status-forbidden"
	case status == http.StatusNotFound, status == http.StatusGone, status == http.StatusMethodNotAllowed:
		return "status-path"
	case status == http.StatusTooManyRequests:
		return "status-many"
	case status/100 == 2:
		return "status-page"
	case status == 521, status == 522, status == 523, status == 524:
		return "status-cdn-down"
	case status == 525, status == 526:
		return "status-cdn-tls"
	case status >= 520 && status <= 530:
		return "status-cdn"
	case status >= 500:
		return "status-gateway"
	}
	return "status"
}

// wantsOrigin tells whether the upgrade works with an Origin, as browsers send it and
// apps do not.
func (e *endpoint) wantsOrigin(ctx context.Context) bool {
	a := e.shake(ctx, e.ordinary())
	if a.err != nil {
		return false
	}
	response, _ := openWebSocket(ctx, a.conn, "wss://"+e.authority()+e.path, http.Header{"Origin": {"https://" + e.host}})
	return response != nil && response.StatusCode == http.StatusSwitchingProtocols
}

var (
	pageTitle = lazily(`(?is)<(?:title|h1)[^>]*>(.*?)</`)
	pageTags  = lazily(`<[^>]*>`)
)

// saidBy is the server and the first words of its answer.
func saidBy(response *http.Response) string {
	body, _ := io.ReadAll(io.LimitReader(response.Body, mostBody))
	words := string(body)
	if title := pageTitle().FindStringSubmatch(words); title != nil {
		words = title[1]
	}
	words = strings.TrimSpace(html.UnescapeString(pageTags().ReplaceAllString(words, " ")))
	words, _, _ = strings.Cut(words, "\n")
	if words == "" {
		words = http.StatusText(response.StatusCode)
	}
	if server := response.Header.Get("Server"); server != "" {
		words = server + ": " + words
	}
	return fromPeer(words)
}

// products are those of servers and of networks before them, which are nobody's own.
var products = lazily(`(?i)^(?:nginx|openresty|tengine|cloudflare|caddy|apache|envoy|istio-envoy|traefik|haproxy|litespeed|microsoft-iis|yunjiasu-nginx|byte-nginx|esa|aliyunoss|cloudwaf|waf|awselb)[A-Za-z0-9./ _-]*$`)

func serverOf(response *http.Response) Value {
	server := fromPeer(response.Header.Get("Server"))
	if products().MatchString(server) {
		return Text.of("server", server)
	}
	return Name.of("server", server)
}

// refusalFixes says what to do about a refusal of a kind.
func (e *endpoint) refusalFixes(key string, response *http.Response) []Step {
	ask := step("fix-ask", "curl -sS -i --max-time 5 --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: d2tsb2cgd2tsb2cgd2tsbw==' %[1]s", "",
		Address.of("url", "https://"+e.authority()+e.path))
	upgrade := step("fix-upgrade", "", `location / {
    proxy_pass http://127.0.0.1:5200;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_set_header Host $host;
    proxy_read_timeout 300s;
}`)
	switch key {
	case "status-redirect":
		if onward := wssOf(response.Header.Get("Location")); onward != "" {
			return []Step{step("fix-redirect", "wklog check --addr %[1]s", "", Address.of("onward", onward)), step("fix-no-redirect", "", "")}
		}
		return []Step{step("fix-no-redirect", "", ""), ask}
	case "status-auth":
		return []Step{step("fix-auth", "", ""), ask}
	case "status-forbidden":
		return []Step{step("fix-forbidden", "", ""), ask}
	case "status-origin":
		return []Step{step("fix-origin", "", ""), ask}
	case "status-path":
		return []Step{step("fix-path", "", ""), upgrade, ask}
	case "status-many":
		return []Step{step("fix-many", "", "")}
	case "status-gateway":
		return []Step{e.whetherItRuns("fix-backend"), step("fix-health", "curl -sS --max-time 5 http://127.0.0.1:5001/health", "")}
	case "status-cdn-down", "status-cdn":
		return []Step{step("fix-cdn", "", ""), step("fix-listening", "ss -ltn", "")}
	case "status-cdn-tls":
		return []Step{step("fix-cdn-tls", "", "")}
	}
	return []Step{upgrade, ask}
}

// wssOf is the address for clients that a redirect leads to, empty where it leads to
// none that could be one.
func wssOf(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(location) > mostShown {
		return ""
	}
	u.Scheme = "wss"
	if _, _, _, err := ParseAddr(u.String()); err != nil {
		return ""
	}
	return u.String()
}
