package report_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/report"
	"wklog/patterns"
)

// sarifSchema is the schema that OASIS published.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("testdata/sarif-schema-2.1.0.json")
	require.NoError(t, err)
	defer file.Close()
	text, err := jsonschema.UnmarshalJSON(file)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("sarif.json", text))
	schema, err := c.Compile("sarif.json")
	require.NoError(t, err)
	return schema
}

func valid(t *testing.T, sarif string) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(sarif))
	require.NoError(t, err)
	assert.NoError(t, sarifSchema(t).Validate(value))
}

func TestSARIFFollowsItsSchema(t *testing.T) {
	for name, d := range map[string]*report.Document{
		"compared": compared(t, patterns.English),
		"chinese":  analyse(t, patterns.Chinese, cluster(t)),
		"nothing":  analyse(t, patterns.English, []input{{"quiet.log", "all is well\n"}}),
		"hostile":  hostile(t),
	} {
		t.Run(name, func(t *testing.T) { valid(t, written(t, "sarif", d)) })
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"version":"2.1.0","runs":[{"results":[]}]}`))
	require.NoError(t, err)
	assert.Error(t, sarifSchema(t).Validate(value), "a run without a tool is no SARIF")
}

// sarifResults are the parts of SARIF that code scanners read.
type sarifResults struct {
	Runs []struct {
		Results []struct {
			RuleID              string
			Level               string
			BaselineState       string
			OccurrenceCount     int
			PartialFingerprints map[string]string
			Locations           []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine int }
				}
			}
		}
	}
}

func parsed(t *testing.T, sarif string) sarifResults {
	t.Helper()
	var log sarifResults
	require.NoError(t, json.Unmarshal([]byte(sarif), &log))
	return log
}

func TestSARIFResultsKeepTheirFingerprints(t *testing.T) {
	results := parsed(t, written(t, "sarif", compared(t, patterns.English))).Runs[0].Results
	other := parsed(t, written(t, "sarif", analyse(t, patterns.Chinese, cluster(t)))).Runs[0].Results
	seen := map[string]bool{}
	for i, r := range results {
		print := r.PartialFingerprints["pattern/v1"]
		assert.False(t, seen[print], r.RuleID)
		seen[print] = true
		if i < len(other) {
			assert.Equal(t, other[i].PartialFingerprints, r.PartialFingerprints, r.RuleID)
		}
	}
	assert.Equal(t, "unchanged", results[0].BaselineState)
	assert.Equal(t, "new", results[3].BaselineState)
	assert.Equal(t, "absent", results[4].BaselineState)
}

func TestSARIFNamesFilesAsURIs(t *testing.T) {
	line := "-------------------------->握手失败！--------------------------> remote error: tls: expired certificate handshakeStatus13ReadClientFinished\n"
	for name, want := range map[string]string{
		"logs/info.log":           "logs/info.log",
		"/var/log/wk/out put.log": "file:///var/log/wk/out%20put.log",
		"a.tar.gz!node1/日志.log":   "a.tar.gz%21node1/%E6%97%A5%E5%BF%97.log",
		"12:30.log":               "./12:30.log",
		"a\x1b[2J\xff?b#c.log":    "a%1B%5B2J%FF%3Fb%23c.log",
	} {
		results := parsed(t, written(t, "sarif", analyse(t, patterns.English, []input{{name, "x\n" + line}}))).Runs[0].Results
		at := results[0].Locations[0].PhysicalLocation
		assert.Equal(t, want, at.ArtifactLocation.URI)
		assert.Equal(t, 2, at.Region.StartLine)
	}
}
