package check_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/check"
	"wklog/cmd/internal/messages"
	"wklog/cmd/internal/report"
	"wklog/parser"
	"wklog/patterns"
)

// setups are the recorded faults that give the logs of a cause.
var setups = map[string]string{
	"expired": "cert-expired", "not_yet_valid": "cert-not-yet-valid", "hostname_not_in_san": "hostname-mismatch", "untrusted_ca_full_chain": "untrusted-ca",
	"missing_intermediate": "chain-incomplete", "revoked": "cert-revoked", "wrong_eku": "cert-unsupported",
}

// saying are the words of a server for faults that were not recorded.
var saying = map[string]string{
	"protocol-version": "tls: client offered only unsupported versions: [302 301]", "cipher-mismatch": "tls: no cipher suite supported by both client and server",
	"client-certificate": "tls: client didn't provide a certificate", "alpn-mismatch": "tls: client requested unsupported application protocols ([http/1.1])",
	"connection-interrupted": "read tcp 172.18.0.2:5210->203.0.113.7:51022: read: connection reset by peer",
}

// logsOfCauses are what a server wrote at the faults, of every client that was recorded.
func logsOfCauses(t *testing.T) map[string]string {
	file, err := os.Open("../../../testdata/wukongim/attempts.jsonl")
	require.NoError(t, err)
	defer file.Close()
	logs := map[string]string{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var attempt struct {
			Cause  string
			Stdout []string `json:"server_stdout"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &attempt))
		if cause := setups[attempt.Cause]; cause != "" {
			logs[cause] += strings.Join(attempt.Stdout, "\n") + "\n"
		}
	}
	for cause, words := range saying {
		logs[cause] = strings.Repeat("-------------------------->握手失败！--------------------------> "+words+" handshakeStatusDoFullHandshake2ReadHandshake1\n", 20)
	}
	logs["tls-on-plaintext-port"] = strings.Repeat("javax.net.ssl.SSLException: Unsupported or unrecognized SSL message\n", 20) // a client's
	return logs
}

// diagnosed reads a log with what checks found.
func diagnosed(t *testing.T, catalogue *patterns.Catalogue, log string, proofs []patterns.Proof) []patterns.Diagnosis {
	analyzer, err := patterns.NewAnalyzer(catalogue, patterns.Filter{})
	require.NoError(t, err)
	analyzer.Settle(proofs)
	source := analyzer.Source("-")
	_, err = parser.Read(context.Background(), strings.NewReader(log), parser.Options{}, func(r *parser.Record) error {
		source.Add(r)
		return nil
	})
	require.NoError(t, err)
	source.End()
	return analyzer.Result().Diagnosis
}

// mostSure is how sure a diagnosis may be that was made from one place.
const mostSure = 0.97

// TestZoo checks every endpoint, and reads a log of its fault with the result. A fault
// is found with its cause, what is in order gives no failure, and what is true is not
// ruled out. ZOO=full has nginx and OpenSSL serve every certificate too.
func TestZoo(t *testing.T) {
	animals := check.NewZoo(t)
	require.GreaterOrEqual(t, len(animals), 180)
	catalogue, err := patterns.Load()
	require.NoError(t, err)
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	logs := logsOfCauses(t)
	var took []time.Duration
	for _, animal := range animals {
		begin := time.Now()
		results := animal.Live.Check(t.Context())
		took = append(took, time.Since(begin))
		if animal.NoUpgrade {
			results = slices.DeleteFunc(results, func(r check.Result) bool { return r.ID == "live-wss" })
		}
		list := report.NewChecklist(results, catalogue, say, time.Now())
		proofs := list.Proofs(time.Time{})
		for _, proof := range proofs {
			assert.NotContains(t, proof.RulesOut, animal.Cause, "%s: ruled out by %s", animal.Name, proof.Check)
		}
		assertFound(t, animal, list)
		log := logs[animal.Cause]
		if animal.Cause == "" {
			log = logs["cert-expired"] // of another day, or another node
		}
		require.NotEmpty(t, log, animal.Cause)
		found := diagnosed(t, catalogue, log, proofs)
		require.NotEmpty(t, found, animal.Name)
		assert.LessOrEqual(t, found[0].Confidence, mostSure, "%s: %s", animal.Name, found[0].Cause.ID)
		if animal.Cause != "" {
			assert.Equal(t, animal.Cause, found[0].Cause.ID, animal.Name)
		}
	}
	slices.Sort(took)
	t.Logf("%d endpoints; a check took %s in the median, %s at most", len(animals), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
}

func assertFound(t *testing.T, animal check.Animal, list *report.Checklist) {
	t.Helper()
	failed, warned := []string{}, []string{}
	for _, line := range list.Checks {
		switch line.Status {
		case "fail":
			failed = append(failed, line.Cause)
		case "warn":
			warned = append(warned, line.ID)
		}
	}
	if animal.Cause == "" {
		assert.Empty(t, failed, "%s: %+v", animal.Name, list.Checks)
	} else {
		assert.Equal(t, []string{animal.Cause}, slices.Compact(failed), animal.Name)
	}
	if animal.Check != "" {
		assert.Contains(t, warned, animal.Check, animal.Name)
	}
}
