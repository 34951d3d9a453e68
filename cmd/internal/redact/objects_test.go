package redact

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestObjectsOfKubernetesAreNobodysInAReport: controllers print them as namespace/name.
func TestObjectsOfKubernetesAreNobodysInAReport(t *testing.T) {
	r := New()
	for text, want := range map[string]string{
		`Error getting SSL certificate "prod/im-cert": local SSL certificate prod/im-cert was not found. Using default certificate`: `Error getting SSL certificate "host-1/host-2": local SSL certificate host-1/host-2 was not found. Using default certificate`,
		`"Error syncing Secret" err="secret \"prod/im-cert\" contains no keypair or CA certificate" ingress="prod/im-cert"`:         `"Error syncing Secret" err="secret \"host-1/host-2\" contains no keypair or CA certificate" ingress="host-1/host-2"`,
		`Service "prod/im-cert" does not have any active Endpoint`:                                                                  `Service "host-1/host-2" does not have any active Endpoint`,
		`remote error: tls: unknown certificate`:                                                                                    `remote error: tls: unknown certificate`,
		`E1104 16:56:04 controller.go:1270] the SSL certificate has no key`:                                                         `E1104 16:56:04 controller.go:1270] the SSL certificate has no key`,
	} {
		r.personal("prod")
		r.personal("im-cert")
		assert.Equal(t, want, r.Text(text))
	}
}
