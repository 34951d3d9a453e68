package parser

import "path"

var ownLog = lazily(`^(?:info|warn|error|panic|trace|focus|debug|app)(?:-\d{4}-\d\d-\d\dT[\d.-]+)?\.log(?:\.\w+)*$`)

// IsOwnLog tells by its name whether a file is one that WuKongIM itself writes
// (v2.2.5 pkg/wklog/logger.go, v3 internal/log/zap.go), rotated or not. Such a
// file repeats a part of the server's standard output.
func IsOwnLog(name string) bool { return ownLog().MatchString(path.Base(name)) }

// The names under which runtimes keep the logs of containers: the kubelet's folders
// NAMESPACE_POD_UID/CONTAINER/ (kuberuntime, BuildPodLogsDirectory), its links
// POD_NAMESPACE_CONTAINER-ID.log to them (legacyLogSymlink), and what Docker's json-file
// driver and Podman's k8s-file driver name by the container's number.
var (
	podFile       = lazily(`(?:^|[/\\!])([a-z0-9-]+)_([a-z0-9.-]+)_[0-9a-f-]{32,36}/([^/\\!]+)/[^/\\!]+$`)
	podLink       = lazily(`(?:^|[/\\!])([a-z0-9.-]+)_([a-z0-9-]+)_([^/\\!]+)-[0-9a-f]{64}\.log`)
	containerFile = lazily(`(?:^|[/\\!])([0-9a-f]{12})[0-9a-f]{52}(?:-json\.log|/userdata/ctr\.log)[^/\\!]*$`)
)

// PodOf tells by its name which container's log a file is, where Kubernetes keeps it. A
// pod of a StatefulSet that is made anew keeps its name and gets another UID.
func PodOf(name string) (namespace, pod, container string, ok bool) {
	if m := podFile().FindStringSubmatch(name); m != nil {
		return m[1], m[2], m[3], true
	}
	if m := podLink().FindStringSubmatch(name); m != nil {
		return m[2], m[1], m[3], true
	}
	return "", "", "", false
}

// ContainerOf tells by its name which container's log a file is, by the short form of its
// number, where Docker or Podman keeps it.
func ContainerOf(name string) (id string, ok bool) {
	m := containerFile().FindStringSubmatch(name)
	if m == nil {
		return "", false
	}
	return m[1], true
}
