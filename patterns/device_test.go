package patterns_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFailureOfADeviceInSeveralLinesIsOne: Mbed TLS, ESP-IDF, Arduino and GnuTLS each
// print one failure in several lines, of which one names the reason.
func TestFailureOfADeviceInSeveralLinesIsOne(t *testing.T) {
	c := loaded(t)
	for log, want := range map[string]string{
		"  ! mbedtls_ssl_handshake returned -0x2700\n  ! The certificate validity has expired\nLast error was: -9984 - X509 - Certificate verification failed, e.g. CRL, CA or signature check failed\n":                                               "client-says-expired",
		"  ! mbedtls_ssl_handshake returned -0x2700\n  ! The certificate has been revoked (is on a CRL)\nLast error was: -9984 - X509 - Certificate verification failed, e.g. CRL, CA or signature check failed\n":                                     "client-says-revoked",
		"E (5432) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x2700\nI (5440) esp-tls-mbedtls: Failed to verify peer certificate!\nI (5440) esp-tls-mbedtls: verification info:   ! The certificate is not correctly signed by the trusted CA\n": "client-says-unknown-issuer",
		"[  7620][E][ssl_client.cpp:37] _handle_error(): [start_ssl_client():273]: (-9984) X509 - Certificate verification failed, e.g. CRL, CA or signature check failed\n[  7623][E][WiFiClientSecure.cpp:144] connect(): start_ssl_client: -9984\n": "client-says-invalid",
		"- Status: The certificate is NOT trusted. The certificate chain uses expired certificate. \n*** PKI verification of server certificate failed...\n*** Fatal error: Error in the certificate.\n":                                               "client-says-expired",
	} {
		_, result := analysed(t, c, log+log)
		assert.Equal(t, 2, result.Events, log)
		require.Len(t, result.Findings, 1, log)
		assert.Equal(t, want, result.Findings[0].Pattern.ID, log)
	}
}

// TestMountOfOtherFilesIsNoMatterOfTLS: only names that speak of certificates count.
func TestMountOfOtherFilesIsNoMatterOfTLS(t *testing.T) {
	c := loaded(t)
	for _, line := range []string{
		`MountVolume.SetUp failed for volume "config" : configmap "redis-config" not found`,
		`MountVolume.SetUp failed for volume "db" : secret "db-password" not found`,
		`MountVolume.SetUp failed for volume "data" : hostPath type check failed: /srv/data is not a directory`,
		`Error response from daemon: invalid mount config for type "bind": bind source path does not exist: /home/me/data`,
		`Error: secret "registry-credentials" not found`,
	} {
		events, result := analysed(t, c, line+"\n")
		assert.Empty(t, events, line)
		assert.Zero(t, result.Unclassified, line)
	}
}
