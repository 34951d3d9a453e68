package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// largeNamespace has so many pods, each with a Deployment, a ConfigMap and a Secret of its own.
func largeNamespace(b *testing.B, pods int) *namespace {
	b.Helper()
	n := newNamespace(&Kube{}, "im", nil)
	add := func(object map[string]any) json.RawMessage {
		raw, err := json.Marshal(object)
		if err != nil {
			b.Fatal(err)
		}
		return raw
	}
	for i := range pods {
		name := fmt.Sprint("wukongim-", i)
		metadata := map[string]any{"name": name, "namespace": "im"}
		n.objects = append(n.objects,
			add(map[string]any{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": map[string]any{}}),
			add(map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": map[string]string{"wk.yaml": strings.Repeat("# a comment\n", 400)}}),
			add(map[string]any{"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata, "spec": map[string]any{"secretName": name + "-tls"}}),
		)
		p := &pod{}
		raw := fmt.Sprintf(`{"metadata":{"name":"%s-0","ownerReferences":[{"kind":"StatefulSet","name":%q}]},"spec":{"containers":[{"name":"wukongim","image":"wukongim/wukongim:v2.2.5"}]}}`, name, name)
		if err := json.Unmarshal([]byte(raw), p); err != nil {
			b.Fatal(err)
		}
		n.found = append(n.found, p)
	}
	return n
}

// BenchmarkServersOfANamespace makes the servers of 500 pods, and ten commands of each.
func BenchmarkServersOfANamespace(b *testing.B) {
	for b.Loop() {
		n := largeNamespace(b, 500)
		for _, s := range n.servers(context.Background(), &Look{}) {
			for range 10 {
				s.Operate("kubectl describe certificate wukongim-7-tls")
			}
		}
	}
}
