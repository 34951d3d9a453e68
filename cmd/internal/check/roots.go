package check

import (
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"path/filepath"
)

// Roots are the certificates in a file, in PEM or DER, or in all files of a folder; nil
// where there is none.
func Roots(path string) (*x509.CertPool, error) {
	files := []string{path}
	if entries, err := filepath.Glob(filepath.Join(path, "*")); err == nil && len(entries) > 0 {
		files = entries
	}
	pool, found := x509.NewCertPool(), false
	for _, file := range files {
		data, err := readFile(file)
		if err != nil && len(files) > 1 {
			continue // a folder in it, or one that another user keeps
		}
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		for _, c := range rootsIn(data) {
			pool.AddCert(c)
			found = true
		}
	}
	if !found {
		return nil, nil
	}
	return pool, nil
}

func rootsIn(data []byte) (all []*x509.Certificate) {
	if list, err := x509.ParseCertificates(data); err == nil {
		return list
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			all = append(all, c)
		}
	}
	return all
}
