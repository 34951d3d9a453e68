package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHostileProxiesEndSoon gives configurations that were made to hang or to fill the
// memory.
func TestHostileProxiesEndSoon(t *testing.T) {
	wide := map[string]string{"nginx.conf": strings.Repeat("include 0.conf;\n", 9), "12.conf": "server { listen 443 ssl; }\n"}
	for i := range 12 {
		wide[fmt.Sprintf("%d.conf", i)] = strings.Repeat(fmt.Sprintf("include %d.conf;\n", i+1), 9)
	}
	many := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
	for i := range 30_000 {
		many += fmt.Sprintf("  k%d: v\n", i)
	}
	for name, c := range map[string]struct {
		flag  string
		files map[string]string
		want  string
	}{
		"includes far and wide":     {"nginx", wide, "more than"},
		"includes itself":           {"nginx", map[string]string{"nginx.conf": "include nginx.conf;\nserver { listen 443; }\n"}, "cycle"},
		"deep blocks":               {"nginx", map[string]string{"nginx.conf": strings.Repeat("a {", 300_000)}, "more than"},
		"one word":                  {"nginx", map[string]string{"nginx.conf": strings.Repeat("x", 1<<20-1)}, "no configuration of nginx"},
		"Lua without an end":        {"nginx", map[string]string{"nginx.conf": "server { access_by_lua_block { " + strings.Repeat("[[ ]] \" ", 100_000)}, "no configuration of nginx"},
		"deep Caddyfile":            {"caddy", map[string]string{"Caddyfile": strings.Repeat("a {\n", 200_000)}, "Caddyfile"},
		"snippet of itself":         {"caddy", map[string]string{"Caddyfile": "(a) {\n\timport a\n\timport a\n}\nim.example.com {\n\timport a\n}\n"}, "Caddyfile"},
		"one key of many":           {"kube", map[string]string{"a.yaml": many}, "more than 20000 keys"},
		"YAML bomb in a manifest":   {"kube", map[string]string{"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n" + yamlBomb()}, "excessive aliasing"},
		"YAML bomb for Traefik":     {"traefik", map[string]string{"a.yml": yamlBomb()}, "excessive aliasing"},
		"lists in lists of kubectl": {"kube", map[string]string{"a.json": strings.Repeat(`{"apiVersion":"v1","kind":"List","items":[`, 5_000) + strings.Repeat("]}", 5_000)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, main := t.TempDir(), ""
			for file, text := range c.files {
				main = file
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
			}
			if c.flag == "nginx" {
				main = "nginx.conf"
			}
			allocated := allocatedBy(func() {
				require.ErrorContains(t, loadAs(c.flag, filepath.Join(dir, main)), c.want)
			})
			assert.Less(t, allocated, uint64(1<<30))
		})
	}
}

// TestVariablesOfAPodDoNotGrow names variables of ten, each of the one before.
func TestVariablesOfAPodDoNotGrow(t *testing.T) {
	env := "{name: A0, value: xxxxxxxxxx}"
	for i := range 30 {
		env += fmt.Sprintf(", {name: A%d, value: '%s'}", i+1, strings.Repeat(fmt.Sprintf("$(A%d)", i), 10))
	}
	file := filepath.Join(t.TempDir(), "pod.yaml")
	require.NoError(t, os.WriteFile(file, []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: wukongim, env: ["+env+"]}]}\n"), 0o600))
	allocated := allocatedBy(func() {
		_, err := Kube{Name: file}.Load()
		require.NoError(t, err)
	})
	assert.Less(t, allocated, uint64(1<<30))
}
