package main

import (
	"crypto/x509"
	"time"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
)

// cluster reads the manifests of Kubernetes, where they are named: their servers are
// those that are checked.
func (a *app) cluster(c *checking, servers []*check.Settings) (*check.KubeFindings, []*check.Settings, error) {
	if c.kube == "" {
		return &check.KubeFindings{}, servers, nil
	}
	found, err := check.Kube{Name: c.kube, Input: check.Proxies{Stdin: a.stdin}}.Load()
	if err != nil {
		return nil, nil, messages.NewError("error.check.config", a.reasonOf(err))
	}
	if c.config+c.compose == "" {
		servers = nil
	}
	return found, append(servers, found.Servers...), nil
}

// beforeServers checks what stands between the clients and the servers.
func (a *app) beforeServers(c *checking, cluster *check.KubeFindings, servers []*check.Settings, addresses []string, roots *x509.CertPool) ([]check.Result, error) {
	named := c.proxies
	named.Compose, named.Stdin = c.compose, a.stdin
	clients := addresses
	for _, settings := range servers {
		if given := settings.Addr(); given != "" && len(addresses) == 0 {
			clients = append(clients, given)
		}
	}
	proxies, err := named.Load(servers, clients)
	if err != nil {
		return nil, messages.NewError("error.check.config", a.reasonOf(err))
	}
	results := resultsOf(append(cluster.Proxies, proxies...), c.warnDays, roots)
	return append(results, resultsOfFiles(cluster.Secrets, c.warnDays, roots)...), nil
}

// resultsOf are those of proxies, and of the certificates that they have.
func resultsOf(proxies []*check.Proxy, warnDays int, roots *x509.CertPool) (results []check.Result) {
	for _, proxy := range proxies {
		results = append(results, proxy.Of(check.On(proxy.Target(), proxy.Check()))...)
		for _, files := range proxy.Files() {
			results = append(results, proxy.Remedied(files, resultsOfFiles([]check.Certificates{files}, warnDays, roots), roots)...)
		}
	}
	return results
}

func resultsOfFiles(all []check.Certificates, warnDays int, roots *x509.CertPool) (results []check.Result) {
	for _, files := range all {
		files.Roots, files.Now, files.WarnDays = roots, time.Now(), warnDays
		results = append(results, check.On(files.Target(), files.Check())...)
	}
	return results
}
