package check

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
)

// keys are all that WuKongIM reads (v2.2.5 internal/options/options.go).
//
//go:embed keys.txt
var keys string

// maxUnknown bounds how many keys without a meaning are remembered.
const maxUnknown = 50

// misspelling is a name that WuKongIM ignores, and the key that it is near to.
type misspelling struct {
	setting
	key string
}

// meant is the key as it should be written in the place of the name.
func (m misspelling) meant() string {
	if strings.HasPrefix(m.name, "WK_") {
		return "WK_" + strings.ToUpper(strings.ReplaceAll(m.key, ".", "_"))
	}
	return spelled(m.key)
}

// spelled is a key as the documentation writes it.
func spelled(key string) string {
	for known := range strings.Lines(keys) {
		if known = strings.TrimSpace(known); strings.EqualFold(known, key) {
			return known
		}
	}
	return key
}

// unknown remembers a name that is none of WuKongIM's.
func (s *Settings) unknown(name, origin string) {
	key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "WK_"), "_", "."))
	if len(s.strange) < maxUnknown && !isKey(key) && !isKey(strings.ToLower(name)) {
		s.strange = append(s.strange, setting{name: name, origin: origin})
	}
}

// isKey tells whether WuKongIM reads a key, or one below it.
func isKey(key string) bool {
	for known := range strings.Lines(keys) {
		known = strings.ToLower(strings.TrimSpace(known))
		if known == key || strings.HasPrefix(known, key+".") || strings.HasPrefix(key, known+".") || strings.ReplaceAll(known, ".", "") == strings.ReplaceAll(key, ".", "") && strings.Count(known, ".") == strings.Count(key, ".") {
			return true
		}
	}
	return false
}

// wssKeys are those without which there is no wss.
var wssKeys = []string{keyWSSAddr, keyCertFile, keyKeyFile, keyExternalWSSAddr}

// misspelled are the names that are near to a key of wss which is not set: where it
// is, others do no harm.
func (s *Settings) misspelled() (all []misspelling) {
	for _, name := range s.strange {
		key := nearest(name.name)
		if key != "" && s.value(key) == "" && !slices.ContainsFunc(all, func(m misspelling) bool { return m.name == name.name }) {
			all = append(all, misspelling{name, key})
		}
	}
	slices.SortStableFunc(all, func(a, b misspelling) int { return slices.Index(wssKeys, a.key) - slices.Index(wssKeys, b.key) })
	return all
}

var notLetters = lazily(`[^a-z]+`)

// nearest is the key of wss that a name is written for, empty where it is none: the
// same letters, two of them wrong, or the right leaf in the wrong place.
func nearest(name string) string {
	path := strings.ToLower(strings.TrimPrefix(name, "WK_"))
	letters := notLetters().ReplaceAllString(path, "")
	for _, key := range wssKeys {
		if plain := notLetters().ReplaceAllString(key, ""); letters == plain {
			return key
		}
	}
	leaf := letters
	if at := strings.LastIndexAny(path, "._"); at >= 0 {
		leaf = notLetters().ReplaceAllString(path[at:], "")
	}
	switch {
	case strings.Contains(letters, "wss") && strings.Contains(leaf, "key"), leaf == "keyfile":
		return keyKeyFile
	case strings.Contains(letters, "wss") && (strings.Contains(leaf, "cer") || strings.Contains(leaf, "crt") || strings.Contains(leaf, "pem")), leaf == "certfile":
		return keyCertFile
	case strings.Contains(letters, "wss") && leaf == "wssaddr" && strings.Contains(letters, "external"):
		return keyExternalWSSAddr
	case leaf == "wssaddr":
		return keyWSSAddr
	}
	for _, key := range wssKeys {
		if plain := notLetters().ReplaceAllString(key, ""); levenshtein.ComputeDistance(letters, plain) <= 2 && strings.HasPrefix(letters, plain[:1]) && strings.Contains(letters, "ss") {
			return key
		}
	}
	return ""
}

// checkKeys tells of names that WuKongIM ignores without a word, and that are near to
// those of wss.
func (s *Settings) checkKeys(found []misspelling) Result {
	names, meant := []string{}, []string{}
	for _, m := range found {
		names, meant = append(names, m.name), append(meant, m.meant())
	}
	given := Value{Name: "settings", Type: Text, V: names, In: found[0].origin}
	return fail(causeOfMissing[found[0].key], "misspelled", given, Text.of("meant", meant)).instead(s.renameSteps(found)...)
}

// causeOfMissing is what comes of a key of wss that is not set.
var causeOfMissing = map[string]string{
	keyWSSAddr: "listen-address-invalid", keyCertFile: "cert-not-configured", keyKeyFile: "cert-not-configured", keyExternalWSSAddr: "hostname-mismatch",
}

// renameSteps write the names as they are meant. What stands in the wrong place of a
// file has to be moved by hand.
func (s *Settings) renameSteps(found []misspelling) []Step {
	expressions, values := []string{}, []Value{}
	moved := []string{}
	for i, m := range found {
		from, to := m.name, m.meant()
		if !strings.HasPrefix(m.name, "WK_") {
			if parentOf(from) != parentOf(to) {
				moved = append(moved, to)
				continue
			}
			from, to = leafOf(from), leafOf(to)
		}
		expressions = append(expressions, fmt.Sprintf("-e %%[%d]s", len(values)+1))
		values = append(values, Text.of("expression"+letterOf(i), `s/\b`+from+`\b/`+to+`/`))
	}
	steps := []Step{}
	if text, err := os.ReadFile(s.path); err == nil && len(values) > 0 && strings.Contains(string(text), leafOf(found[0].name)) {
		values = append(values, Path.of("settings_file", s.path))
		steps = append(steps, step("fix-rename", fmt.Sprintf("sed -i %s %%[%d]s", strings.Join(expressions, " "), len(values)), "", values...))
	} else if len(values) > 0 {
		steps = append(steps, step("fix-rename", "", ""))
	}
	if len(moved) > 0 {
		steps = append(steps, step("fix-move", "", nestedKeys))
	}
	return append(steps, s.restartStep())
}

// nestedKeys are the keys of wss in their places.
const nestedKeys = `wssAddr: "wss://0.0.0.0:5210"
wssConfig:
  certFile: "/root/wukongim/certs/fullchain.pem"
  keyFile: "/root/wukongim/certs/privkey.pem"
external:
  wssAddr: "wss://im.example.com:5210"`

func letterOf(i int) string { return "_" + string(rune('a'+i%26)) }

func parentOf(name string) string {
	if at := strings.LastIndexByte(name, '.'); at >= 0 {
		return strings.ToLower(name[:at])
	}
	return ""
}

func leafOf(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// restartStep makes the server read its settings again.
func (s *Settings) restartStep() Step {
	switch {
	case s.container != nil && s.container.pod:
		return step(sharedReason+"fix-rollout", "kubectl rollout restart %[1]s", "", Name.of("workload", s.container.service))
	case s.container != nil && s.container.running != "" && s.container.composed == "":
		return step(sharedReason+"fix-run-again", "docker inspect --format '{{json .HostConfig}}' %[1]s", "", Name.of("container", s.container.running))
	case s.container != nil && !s.container.unmapped:
		return step(sharedReason+"fix-recreate", "docker compose up -d %[1]s", "", Name.of("service", s.container.service))
	}
	return step(sharedReason+"fix-restart", "", "")
}

// What is named to be settings and is something else.
var (
	errIsKube    = errors.New("is a manifest of Kubernetes")
	errIsTraefik = errors.New("is a configuration of Traefik")
	errIsNginx   = errors.New("is a configuration of nginx")
	errIsCaddy   = errors.New("is a Caddyfile")
	errIsHAProxy = errors.New("is a configuration of HAProxy")
	errIsOther   = errors.New("holds no setting of WuKongIM")
)

// strangeFile says what a file is that holds no setting of WuKongIM, nil where it
// holds one, or nothing at all.
func strangeFile(document map[string]any) error {
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { _, ok := document[name]; return ok })
	}
	for name := range maps.Keys(document) {
		if isKey(strings.ToLower(name)) && !has("apiVersion") || nearest(name) != "" {
			return nil
		}
		if within, ok := document[name].(map[string]any); ok {
			for leaf := range within {
				if nearest(name+"."+leaf) != "" {
					return nil
				}
			}
		}
	}
	switch {
	case len(document) == 0:
		return nil
	case has("apiVersion") && has("kind"):
		return errIsKube
	case has("entryPoints", "providers", "http", "tcp") && !has("spring"):
		return errIsTraefik
	case isHelmValues(document):
		return errHelmValues
	}
	return errIsOther
}

var (
	nginxText   = lazily(`(?m)^\s*(?:server|http|location\s[^{]*|upstream\s+\S+|events)\s*\{`)
	caddyText   = lazily(`(?m)^\s*reverse_proxy\s`)
	haproxyText = lazily(`(?m)^(?:frontend|backend|defaults|listen)\b`)
)

// strangeText says what a text is that is no YAML of settings, nil for not known.
func strangeText(data []byte) error {
	switch {
	case caddyText().Match(data):
		return errIsCaddy
	case nginxText().Match(data):
		return errIsNginx
	case haproxyText().Match(data):
		return errIsHAProxy
	}
	return nil
}

// lazily compiles a pattern when it is first needed: most commands check nothing.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
