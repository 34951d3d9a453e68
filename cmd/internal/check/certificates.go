package check

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"slices"
	"time"
)

// Certificates are the files that a server uses, with what is known of their
// use.
type Certificates struct {
	// CertFile and KeyFile are paths on this machine; the checks of one that is
	// empty are skipped.
	CertFile, KeyFile string
	// Mounts are folders that the server sees without those above them.
	Mounts []string
	// Contents are files that are not on this machine, by path: those of a Secret.
	Contents map[string][]byte
	// Closed are what the server may not read on the way to files of Contents.
	Closed map[string]string
	// Linked says that a link leads to one of the files, which are then those of whoever
	// renews them.
	Linked bool
	// Roots are the certificates that clients trust, nil for the system's.
	Roots *x509.CertPool
	// Host is the name or address that clients connect to, empty where it is
	// not known.
	Host string
	// UID and GID are those of the server's process, -1 where not known.
	UID, GID int
	// Groups are the others of its user.
	Groups []int
	// WarnDays is how many days before its end a certificate is to be renewed; 0 for a
	// third of its lifetime, at most 30.
	WarnDays   int
	Revocation Revocation
	Now        time.Time
}

// contain adds a file that is not on this machine. One that was encoded twice, which
// its Secret is told, is looked at as it should be.
func (c *Certificates) contain(path string, data []byte) {
	if once, is := decodedAgain(data); is {
		data = once
	}
	if c.Contents == nil {
		c.Contents = map[string][]byte{}
	}
	c.Contents[path] = data
}

// certificateCheck is one check of the files. It runs when the checks that it
// needs did not fail and were not skipped.
type certificateCheck struct {
	id     string
	breaks Breaks
	needs  []string
	run    func(*certificateFiles) Result
}

// certificateChecks in the order of the checklist. A fault fails the first check
// that looks at it; what builds on that one is skipped.
var certificateChecks = []certificateCheck{
	{"cert-file", TheServer, nil, checkCertFile},
	{"key-file", TheServer, nil, checkKeyFile},
	{"key-mode", "", []string{"key-file"}, checkKeyMode},
	{"cert-format", TheServer, []string{"cert-file"}, checkCertFormat},
	{"key-format", TheServer, []string{"key-file"}, checkKeyFormat},
	{"chain-order", TheServer, []string{"cert-format"}, checkChainOrder},
	{"key-match", TheServer, []string{"cert-format", "key-format", "chain-order"}, checkKeyMatch},
	{"chain-complete", SomeClients, []string{"cert-format", "chain-order"}, checkChainComplete},
	{"chain-root", "", []string{"cert-format", "chain-order"}, checkChainRoot},
	{"cert-trust", AllClients, []string{"chain-complete"}, checkTrust},
	{"cert-dates", AllClients, []string{"cert-format", "chain-order"}, checkDates},
	{"cert-lifetime", "", []string{"cert-format", "chain-order"}, checkLifetime},
	{"cert-names", AllClients, []string{"cert-format", "chain-order"}, checkNames},
	{"cert-usage", AllClients, []string{"cert-format", "chain-order"}, checkUsage},
	{"cert-algorithm", SomeClients, []string{"cert-format", "chain-order"}, checkAlgorithm},
	{"cert-staple", "", []string{"cert-format", "chain-order"}, checkStaple},
	{"cert-revocation", SomeClients, []string{"cert-format", "chain-order"}, checkRevocation},
}

// certificateFiles is what the checks share: the contents of the files, as far
// as they could be read.
type certificateFiles struct {
	Certificates
	cert, key []byte
	chain     []*x509.Certificate // as in the file
	private   crypto.PrivateKey
	swapped   bool
	// borrowed says that the machine has no roots of its own.
	borrowed bool
	done     []Result
}

// Check runs the whole checklist over the files.
func (c Certificates) Check() []Result {
	results, _ := c.check()
	return results
}

// Target is the file of the certificate, or of the key alone.
func (c Certificates) Target() Value { return Path.of("target", cmp.Or(c.CertFile, c.KeyFile)) }

// Leaf gives the first certificate of the file, nil where there is none.
func (c Certificates) Leaf() *x509.Certificate {
	if _, files := c.check(); len(files.chain) > 0 {
		return files.chain[0]
	}
	return nil
}

// Served is the same, and whether the file has beside it what clients need to get to what
// they trust.
func (c Certificates) Served() (leaf *x509.Certificate, whole bool) {
	results, files := c.check()
	if len(files.chain) == 0 {
		return nil, false
	}
	return files.chain[0], slices.ContainsFunc(results, func(r Result) bool { return r.ID == "chain-complete" && r.Status == Pass })
}

func (c Certificates) check() ([]Result, *certificateFiles) {
	f := &certificateFiles{Certificates: c}
	if f.Roots == nil && hasNoRoots() {
		f.Roots, f.borrowed = mozillaRoots(), true
	}
	for _, check := range certificateChecks {
		r := f.unmet(check)
		if r.Status != Skip {
			r = check.run(f)
		}
		f.done = append(f.done, r.of(check.id, check.breaks))
	}
	return f.done, f
}

// unmet is a skipped result when a check is needed that did not pass.
func (f *certificateFiles) unmet(check certificateCheck) Result {
	for _, id := range check.needs {
		if !f.passed(id) {
			return skipped("needs", Text.of("check", id))
		}
	}
	return Result{}
}

// passed tells whether a check ran and found nothing worse than a warning.
func (f *certificateFiles) passed(id string) bool {
	return slices.ContainsFunc(f.done, func(r Result) bool {
		return r.ID == id && (r.Status == Pass || r.Status == Warn)
	})
}

func pass(key string, args ...Value) Result { return Result{Status: Pass, Key: key, Args: args} }

func warn(cause, key string, args ...Value) Result {
	return Result{Status: Warn, Cause: cause, Key: key, Args: args}
}

func fail(cause, key string, args ...Value) Result {
	return Result{Status: Fail, Cause: cause, Key: key, Args: args}
}

// skipped names a reason that checks share.
func skipped(reason string, args ...Value) Result {
	return Result{Status: Skip, Key: sharedReason + reason, Args: args}
}

// rulesOut says which causes a pass makes impossible.
func (r Result) rulesOut(causes ...string) Result {
	if r.Status == Pass || r.Status == Warn {
		r.RulesOut = causes
	}
	return r
}
