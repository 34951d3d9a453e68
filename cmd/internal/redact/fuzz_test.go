package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzText checks that whatever stands before them, an address, a host and a user are
// replaced, and that nothing is replaced twice.
func FuzzText(f *testing.F) {
	for _, seed := range []string{`{"uid":"li"}`, "client: 2001:db8::7", `{"log":"{\"token\":\"`, "open /srv/x: no such", "a@b.cn", "http://x/?y#z", "\\", "\ue000"} {
		f.Add(seed)
	}
	r := New()
	f.Fuzz(func(t *testing.T, text string) {
		const planted = "\nhttp: TLS handshake error from 203.0.113.77:4711: lookup im.acme-corp.cn: by li.wei@acme-corp.cn"
		shown := r.Text(text + planted)
		for _, original := range []string{"203.0.113.77", "acme-corp", "li.wei"} {
			if !strings.Contains(text, original) {
				require.NotContains(t, shown, original)
			}
		}
	})
}
