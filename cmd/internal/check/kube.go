package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
)

// Kubernetes is read from manifests: a file, a folder of them, what Helm renders, or
// what kubectl get prints. The types of k8s.io/api are those of a whole cluster and
// would add more to the program than all of the checks; the few fields that matter
// are named here, and read as compose files are.

var (
	errNotKube      = errors.New("holds no object of Kubernetes")
	errHelmTemplate = errors.New("is a template of a Helm chart, not rendered")
	errHelmValues   = errors.New("is a values file of a Helm chart")
	errKubeUnfit    = errors.New("holds no object that has to do with WuKongIM or its TLS")
)

// kubeObject is one object of any kind.
type kubeObject struct {
	Kind     string
	Metadata struct {
		Name, Namespace     string
		Annotations, Labels map[string]string
	}
	Type       string            // of a Secret
	Data       map[string]string // of a Secret in Base64, of a ConfigMap as it is
	StringData map[string]string
	// Withheld are keys of a Secret whose contents were not asked for: wklog doctor
	// takes none but the certificate.
	Withheld []string
	Spec     map[string]any
	// Status is what the cluster says of it, nil in a manifest.
	Status map[string]any
}

func (o *kubeObject) named() string { return o.Kind + "/" + o.Metadata.Name }

// cluster are the objects that were read.
type cluster struct {
	objects []*kubeObject
	// unread are those of kinds that stand in the way of clients and are not
	// understood.
	unread []string
}

// Kube names the manifests: a file, a folder, or "-" for the standard input.
type Kube struct {
	Name  string
	Input Proxies // where "-" reads from
}

// KubeFindings are what manifests hold of WuKongIM.
type KubeFindings struct {
	Servers []*Settings
	Proxies []*Proxy
	// Secrets are certificates that no server and no Ingress of the manifests uses.
	Secrets []Certificates
	// Results say what was read.
	Results []Result
}

// Load reads the manifests.
func (k Kube) Load() (*KubeFindings, error) {
	c, err := k.read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	found := &KubeFindings{}
	if found.Servers, err = c.servers(); err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	found.Proxies = c.proxies(found.Servers)
	if len(found.Servers)+len(found.Proxies) == 0 {
		found.Secrets = c.secrets()
	}
	if len(found.Secrets) > 0 {
		for _, o := range c.of("Secret") {
			found.Results = append(found.Results, On(Name.of("target", o.named()), []Result{checkSecret(o.named(), c.data("Secret", o.Metadata.Name, "")).of("config-secret", TheServer)})...)
		}
	}
	if len(found.Servers)+len(found.Proxies)+len(found.Secrets) == 0 {
		return nil, fmt.Errorf("%s: %w", k.Name, errKubeUnfit)
	}
	found.Results = append(found.Results, c.told(k.Name)...)
	return found, nil
}

// told says which objects were read, and which not.
func (c *cluster) told(name string) []Result {
	read := []string{}
	for _, o := range c.objects {
		if slices.Contains(kubeKinds, o.Kind) {
			read = append(read, o.named())
		}
	}
	results := []Result{pass("read", Name.of("objects", fewOf(read)), Number.of("count", len(read))).of("kube-objects", "")}
	if len(c.unread) > 0 {
		results = append(results, Result{Status: Skip, Key: "unread", Args: []Value{Name.of("objects", fewOf(c.unread))}}.of("kube-objects", ""))
	}
	return On(Path.of("target", name), results)
}

func fewOf(list []string) []string {
	const most = 8
	if len(list) > most {
		return append(slices.Clone(list[:most]), "…")
	}
	return list
}

// kubeKinds are those that are understood.
var kubeKinds = []string{
	"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Service", "Secret", "ConfigMap", "Ingress", "IngressRoute", "Certificate", "NetworkPolicy",
}

// kubeOthers lead clients somewhere as well, and are not understood.
var kubeOthers = []string{"Gateway", "HTTPRoute", "TLSRoute", "TCPRoute", "VirtualService", "IngressRouteTCP", "ApisixRoute", "ApisixTls", "HTTPProxy", "VirtualServer", "KongIngress", "Rollout", "CloneSet", "ExternalSecret", "SealedSecret", "HelmRelease", "Kustomization", "Application"}

func (k Kube) read() (*cluster, error) {
	files := []string{k.Name}
	if k.Name != "-" && isDir(k.Name) {
		if exists(filepath.Join(k.Name, "Chart.yaml")) {
			return nil, errHelmTemplate
		}
		var err error
		if files, err = manifestsIn(k.Name); err != nil {
			return nil, err
		}
	}
	c := &cluster{}
	var first error
	for _, file := range files {
		data, err := k.Input.input(file)
		if err == nil {
			err = c.add(data)
		}
		if err != nil && len(files) > 1 {
			err = &placed{file: filepath.Base(file), err: err}
		}
		if err != nil && (len(files) == 1 || !errors.Is(err, errNotKube) && !errors.Is(err, errHelmValues)) {
			first = cmp.Or(first, err)
		}
	}
	if first == nil && len(c.objects) == 0 {
		first = errNotKube
	}
	return c, first
}

// manifestsIn are the files of a folder and of those in it.
func manifestsIn(folder string) (files []string, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(path))) {
			files = append(files, path)
		}
		if len(files) > maxNginxFiles {
			return errTooMany
		}
		return err
	})
	return files, err
}

// add reads the objects of a file, and those of lists.
func (c *cluster) add(data []byte) error {
	if bytes.Contains(data, []byte("{{")) && bytes.Contains(data, []byte(".Values")) {
		return errHelmTemplate
	}
	documents, err := readObjects(data)
	if err != nil {
		return err
	}
	known := 0
	for _, document := range documents {
		if document == nil {
			continue
		}
		n, err := c.object(document, 0)
		if err != nil {
			return err
		}
		known += n
	}
	switch {
	case known > 0:
		return nil
	case slices.ContainsFunc(documents, isHelmValues):
		return errHelmValues
	}
	return errNotKube
}

// readObjects reads JSON or YAML; lists of a cluster may be long.
func readObjects(data []byte) ([]map[string]any, error) {
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' {
		var document map[string]any
		if json.Unmarshal(trimmed, &document) == nil {
			return []map[string]any{document}, nil
		}
	}
	return readYAMLUpTo(data, maxKubeNodes)
}

// maxKubeNodes bounds the keys and values of the objects of a cluster.
const maxKubeNodes = 400_000

// isHelmValues tells the file by what nearly every chart has in it.
func isHelmValues(keys map[string]any) bool {
	n := 0
	for _, name := range []string{"image", "replicaCount", "service", "ingress", "resources", "nodeSelector", "tolerations", "persistence", "env", "fullnameOverride", "serviceAccount"} {
		if _, ok := keys[name]; ok {
			n++
		}
	}
	return n >= 2
}

func (c *cluster) object(document map[string]any, depth int) (known int, err error) {
	kind, _ := document["kind"].(string)
	if _, ok := document["apiVersion"].(string); !ok || kind == "" || depth > 4 {
		return 0, nil
	}
	if items, ok := document["items"].([]any); ok {
		for _, item := range items {
			fields, _ := item.(map[string]any)
			n, err := c.object(fields, depth+1)
			if err != nil {
				return 0, err
			}
			known += n
		}
		return known + 1, nil
	}
	o := &kubeObject{}
	if err := decode(document, o); err != nil {
		return 0, nil // of a kind that only looks like one
	}
	c.objects = append(c.objects, o)
	if slices.Contains(kubeOthers, kind) {
		c.unread = append(c.unread, o.named())
	}
	return 1, nil
}

func decode(from, to any) error {
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: to, WeaklyTypedInput: true})
	if err != nil {
		return err
	}
	return decoder.Decode(from)
}

// find gives an object by its kind and name, nil where it was not read.
func (c *cluster) find(kind, name, namespace string) *kubeObject {
	for _, o := range c.objects {
		if o.Kind == kind && o.Metadata.Name == name && (namespace == "" || o.Metadata.Namespace == "" || o.Metadata.Namespace == namespace) {
			return o
		}
	}
	return nil
}

// of are the objects of a kind.
func (c *cluster) of(kind string) (all []*kubeObject) {
	for _, o := range c.objects {
		if o.Kind == kind {
			all = append(all, o)
		}
	}
	return all
}

// sortedKeys are those of a map.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
