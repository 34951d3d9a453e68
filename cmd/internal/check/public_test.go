package check

import (
	"crypto/tls"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/pkitest"
)

// TestPublicCertificateFiles reads the files of folders, which are not in this
// repository: those of zlint and of Go, for example.
//
//	CERTIFICATE_FILES=$(go mod download -json github.com/zmap/zlint/v3@latest | jq -r .Dir)/testdata:$(go env GOROOT)/src/crypto \
//	    go test ./cmd/internal/check -run PublicCertificateFiles -v
//
// No file may be passed that Go's own loader refuses.
func TestPublicCertificateFiles(t *testing.T) {
	folders := os.Getenv("CERTIFICATE_FILES")
	if folders == "" {
		folders = filepath.Join("testdata", "files")
	}
	key := []byte(pkitest.KeyPEM(pkitest.Key()))
	files, passed, longest, slowest := 0, 0, time.Duration(0), ""
	for _, folder := range filepath.SplitList(folders) {
		require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, ".go") {
				return err
			}
			files++
			begin := time.Now()
			results := Certificates{CertFile: path, UID: -1, GID: -1, Now: time.Now()}.Check()
			if took := time.Since(begin); took > longest {
				longest, slowest = took, path
			}
			if len(byStatus(results, Fail)) > 0 && (find(t, results, "cert-format").Status == Fail || find(t, results, "cert-algorithm").Key == "kind") {
				return nil
			}
			if find(t, results, "cert-format").Status == Skip {
				return nil
			}
			passed++
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			_, err = tls.X509KeyPair(data, key)
			if assert.Error(t, err, path) {
				assert.Contains(t, err.Error(), "private key", "%s passes, and the loader says something else of it", path)
			}
			return nil
		}))
	}
	require.Positive(t, files)
	t.Logf("%d files, %d of them certificates that a server loads; the longest check took %s: %s", files, passed, longest.Round(time.Millisecond), slowest)
}
