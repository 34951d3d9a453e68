package check

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// podSpec is what a pod is made of (Kubernetes API, PodSpec v1).
type podSpec struct {
	HostNetwork     bool
	SecurityContext struct{ RunAsUser *int }
	Containers      []podContainer
	Volumes         []podVolume
}

type podContainer struct {
	Name, Image     string
	Command, Args   []string
	SecurityContext struct{ RunAsUser *int }
	Env             []struct {
		Name      string
		Value     any
		ValueFrom *struct {
			SecretKeyRef, ConfigMapKeyRef *keyRef
		}
	}
	EnvFrom []struct {
		Prefix                  string
		SecretRef, ConfigMapRef *keyRef
	}
	Ports []struct {
		Name                    string
		ContainerPort, HostPort int
	}
	VolumeMounts                                []struct{ Name, MountPath, SubPath string }
	LivenessProbe, ReadinessProbe, StartupProbe *podProbe
}

type keyRef struct{ Name, Key string }

type podProbe struct {
	HTTPGet *struct {
		Port   any
		Scheme string
	}
	TCPSocket *struct{ Port any }
}

type podVolume struct {
	Name      string
	Secret    *volumeSource
	ConfigMap *volumeSource
	Projected *struct {
		Sources []struct{ Secret, ConfigMap *volumeSource }
	}
	HostPath *struct{ Path string }
}

type volumeSource struct {
	SecretName, Name string
	Items            []struct{ Key, Path string }
}

// objectFiles are the files that a Secret or a ConfigMap shows in a container.
type objectFiles struct {
	names []string // "Secret/im-tls"
	files map[string][]byte
	// missing says that one of them was not read: what it holds is not known.
	missing bool
}

// servers are the containers that run WuKongIM; without any, the ConfigMaps that
// hold its settings.
func (c *cluster) servers() (all []*Settings, err error) {
	for _, o := range c.objects {
		spec, labels, ok := o.pod()
		if !ok {
			continue
		}
		for _, in := range spec.Containers {
			box := c.container(o, spec, in, labels)
			if likeness(o.Metadata.Name, &service{Image: in.Image, environ: box.environ, mounts: box.mounts, ports: box.ports}) < isAlike {
				continue
			}
			s, err := box.settings(o.named())
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	for _, o := range c.of("ConfigMap") {
		for _, name := range sortedKeys(o.Data) {
			if base := path.Base(name); base == "wk.yaml" || base == "wk.yml" {
				s := &Settings{values: map[string]setting{}, container: &container{service: o.named(), built: true, pod: true}}
				if err := s.readData([]byte(o.Data[name]), name); err != nil {
					return nil, &placed{file: o.named(), err: err}
				}
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// pod is the pod that an object is or makes.
func (o *kubeObject) pod() (spec podSpec, labels map[string]string, ok bool) {
	var body struct {
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     podSpec
		}
	}
	switch o.Kind {
	case "Pod":
		return spec, o.Metadata.Labels, decode(o.Spec, &spec) == nil
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		err := decode(o.Spec, &body)
		return body.Template.Spec, body.Template.Metadata.Labels, err == nil
	}
	return spec, nil, false
}

// container is one of a pod, as the checks of compose files know them.
func (c *cluster) container(o *kubeObject, spec podSpec, in podContainer, labels map[string]string) *container {
	box := &container{service: o.named(), image: in.Image, alike: isAlike, hostNetwork: spec.HostNetwork, command: append(slices.Clone(in.Command), in.Args...), pod: true}
	for _, user := range []*int{in.SecurityContext.RunAsUser, spec.SecurityContext.RunAsUser} {
		if user != nil {
			box.uid = *user
			break
		}
	}
	box.environ = c.environ(o, in)
	for _, m := range in.VolumeMounts {
		for _, v := range spec.Volumes {
			if v.Name == m.Name {
				box.mounts = append(box.mounts, c.mount(o, v, m.MountPath, m.SubPath))
			}
		}
		if !slices.ContainsFunc(spec.Volumes, func(v podVolume) bool { return v.Name == m.Name }) { // of volumeClaimTemplates
			box.mounts = append(box.mounts, mount{source: m.Name, target: m.MountPath})
		}
	}
	box.probes = map[string]*podProbe{"livenessProbe": in.LivenessProbe, "readinessProbe": in.ReadinessProbe, "startupProbe": in.StartupProbe}
	box.portNames = map[string]string{}
	for _, p := range in.Ports {
		box.portNames[p.Name] = strconv.Itoa(p.ContainerPort)
		if p.HostPort > 0 {
			box.routed = append(box.routed, routedPort{service: o.Metadata.Name, node: strconv.Itoa(p.HostPort), inside: strconv.Itoa(p.ContainerPort)})
		}
	}
	c.publish(o, box, labels)
	box.policies = c.policies(o, labels)
	return box
}

// environ are the variables of a container; $(NAME) is filled in with those before.
func (c *cluster) environ(o *kubeObject, in podContainer) []string {
	values, order := map[string]string{}, []string{}
	set := func(name, value string) {
		if _, ok := values[name]; !ok {
			order = append(order, name)
		}
		values[name] = value
	}
	for _, from := range in.EnvFrom {
		for kind, ref := range map[string]*keyRef{"ConfigMap": from.ConfigMapRef, "Secret": from.SecretRef} {
			if ref == nil {
				continue
			}
			data := c.data(kind, ref.Name, o.Metadata.Namespace)
			for _, key := range sortedKeys(data) {
				set(from.Prefix+key, string(data[key]))
			}
		}
	}
	for _, e := range in.Env {
		value := ""
		switch {
		case e.Value != nil:
			value = fmt.Sprint(e.Value)
		case e.ValueFrom == nil:
		case e.ValueFrom.SecretKeyRef != nil:
			value = string(c.data("Secret", e.ValueFrom.SecretKeyRef.Name, o.Metadata.Namespace)[e.ValueFrom.SecretKeyRef.Key])
		case e.ValueFrom.ConfigMapKeyRef != nil:
			value = string(c.data("ConfigMap", e.ValueFrom.ConfigMapKeyRef.Name, o.Metadata.Namespace)[e.ValueFrom.ConfigMapKeyRef.Key])
		}
		for name, known := range values {
			if value = strings.ReplaceAll(value, "$("+name+")", known); len(value) > maxFile {
				value = ""
			}
		}
		set(e.Name, value)
	}
	all := []string{}
	for _, name := range order {
		all = append(all, name+"="+values[name])
	}
	return all
}

// data are the contents of a Secret or a ConfigMap, nil where it was not read; one that
// was not asked for is there and nil.
func (c *cluster) data(kind, name, namespace string) map[string][]byte {
	o := c.find(kind, name, namespace)
	if o == nil {
		return nil
	}
	all := map[string][]byte{}
	for key, value := range o.Data {
		all[key] = []byte(value)
		if kind == "Secret" {
			if decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), "")); err == nil {
				all[key] = decoded
			}
		}
	}
	for key, value := range o.StringData {
		all[key] = []byte(value)
	}
	for _, key := range o.Withheld {
		all[key] = nil
	}
	return all
}

// mount shows a volume in a container.
func (c *cluster) mount(o *kubeObject, v podVolume, target, subPath string) mount {
	files := &objectFiles{files: map[string][]byte{}}
	add := func(kind string, source *volumeSource) {
		if source == nil {
			return
		}
		name := cmp.Or(source.SecretName, source.Name)
		data := c.data(kind, name, o.Metadata.Namespace)
		files.names = append(files.names, kind+"/"+name)
		files.missing = files.missing || data == nil
		for key, value := range data {
			if len(source.Items) == 0 {
				files.files[key] = value
			}
		}
		for _, item := range source.Items {
			if value, ok := data[item.Key]; ok {
				files.files[item.Path] = value
			}
		}
	}
	add("Secret", v.Secret)
	add("ConfigMap", v.ConfigMap)
	if v.Projected != nil {
		for _, source := range v.Projected.Sources {
			add("Secret", source.Secret)
			add("ConfigMap", source.ConfigMap)
		}
	}
	switch {
	case files.names == nil && v.HostPath != nil:
		return mount{source: "hostPath " + v.HostPath.Path, target: target}
	case files.names == nil:
		return mount{source: v.Name, target: target}
	case subPath != "":
		one := map[string][]byte{}
		if value, ok := files.files[subPath]; ok {
			one[""] = value
		}
		return mount{source: v.Name, target: target, object: &objectFiles{names: files.names, files: one, missing: files.missing}, subPath: subPath}
	}
	return mount{source: v.Name, target: target, object: files}
}

// settings are those of a container: its variables, and the file that a ConfigMap
// shows it.
func (c *container) settings(origin string) (*Settings, error) {
	s := &Settings{values: map[string]setting{}, container: c}
	inside := c.configPath()
	if at := c.find(inside); at.kind == placeObject {
		if data, ok := at.object.files[at.path]; ok {
			if err := s.readData(data, path.Base(inside)); err != nil {
				return nil, &placed{file: origin, err: err}
			}
		}
	}
	s.readEnviron(c.environ, "")
	return s, nil
}

// checkObject looks for a file where a Secret or a ConfigMap shows it.
func (s *Settings) checkObject(set setting, at place) Result {
	object := Name.of("object", strings.Join(at.object.names, ", "))
	_, ok := at.object.files[at.path]
	switch {
	case ok:
		return pass("object", set.path(), object)
	case at.object.missing:
		return Result{Status: Skip, Key: sharedReason + "path-unread", Args: []Value{set.path(), object}}
	case at.subPath != "":
		return fail("cert-file-missing", sharedReason+"path-no-subpath", set.path(), Text.of("key", at.subPath), object)
	}
	keys := sortedKeys(at.object.files)
	return fail("cert-file-missing", sharedReason+"path-no-key", set.path(), object, Path.of("keys", keys)).instead(s.keySteps(set, at, keys)...)
}

// keySteps name the key that was meant.
func (s *Settings) keySteps(set setting, at place, keys []string) []Step {
	wanted := "tls.crt"
	if strings.EqualFold(set.name, spellings[keyKeyFile]) || strings.HasSuffix(set.name, "KEYFILE") {
		wanted = "tls.key"
	}
	if !slices.Contains(keys, wanted) {
		return []Step{step(sharedReason+"fix-secret", "kubectl create secret tls %[1]s --cert=fullchain.pem --key=privkey.pem --dry-run=client -o yaml", "", Name.of("secret", lastPart(at.object.names[0])))}
	}
	return []Step{step(sharedReason+"fix-key", "", "%[1]s: \"%[2]s\"", set.as("variable"), Path.of("right", path.Join(at.target, wanted)))}
}

func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
