package patterns_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wklog/patterns"
)

// TestLinesThatDockerGivesTwiceAreOneFailureEach has what `docker logs -f -t` of
// Docker 20.10 gives while max-size is reached: the last lines of the old file
// twice.
func TestLinesThatDockerGivesTwiceAreOneFailureEach(t *testing.T) {
	end := "2026-05-04T01:30:02.557312123Z " + rawLine(rejected) +
		"2026-05-04T01:30:02.557401977Z " + closeRecord(2, rejected) +
		"2026-05-04T01:30:03.100000001Z " + rawLine(rejected) +
		"2026-05-04T01:30:03.100090712Z " + closeRecord(3, rejected)
	got := over(t, patterns.Filter{}, input{"-", end + end + "2026-05-04T01:30:03.200000001Z " + rawLine(rejected)})
	assert.Equal(t, 3, got.Events)
	assert.Equal(t, 6, got.Duplicates)
}

// TestFailuresOfOneMomentAreNotOne has times that are not fine enough to tell
// failures that are alike from copies.
func TestFailuresOfOneMomentAreNotOne(t *testing.T) {
	for name, line := range map[string]string{
		"without a time":     rawLine(rejected),
		"milliseconds":       "2026-05-04T01:30:02.557Z " + rawLine(rejected),
		"the time of before": "2026-05-04T01:30:02.557312123Z [info] started\n" + rawLine(rejected),
	} {
		got := over(t, patterns.Filter{}, input{"-", line + line})
		assert.Equal(t, 2, got.Events, name)
	}
}

// TestTimeOnAWholeMicrosecondIsAsFineAsAnother has one of the thousand times of
// Docker's in which the last three digits are noughts.
func TestTimeOnAWholeMicrosecondIsAsFineAsAnother(t *testing.T) {
	for _, at := range []string{"2026-05-04T01:30:02.557312000Z ", "2026-05-04T01:30:02.000000000Z "} {
		line := at + rawLine(rejected)
		got := over(t, patterns.Filter{}, input{"-", line + line})
		assert.Equal(t, 1, got.Events, at)
	}
}
