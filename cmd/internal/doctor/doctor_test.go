package doctor

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLogOfWhichTheNewestLinesWereReadIsToldToBeLonger(t *testing.T) {
	for lines, why := range map[int]string{2: "", 3: "doctor.newest1000000"} {
		log := &newest{io.NopCloser(strings.NewReader(strings.Repeat("line\n", lines))), 3}
		text, err := io.ReadAll(log)
		assert.Len(t, text, lines*len("line\n"), "what was read is kept")
		if why == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, why)
		}
	}
}

func TestServerThatWasStartedAgainAMomentAgoIsNotTakenForOneThatRuns(t *testing.T) {
	now := time.Now()
	assert.Equal(t, Running, stateOfRunning(0, now))
	assert.Equal(t, Restarting, stateOfRunning(1, now))
	assert.Equal(t, Running, stateOfRunning(1, now.Add(-time.Minute)))
}

// An engine tells more of a container than its process does, which is then not told to be
// closed.
func TestWhatIsClosedOfAContainerThatItsEngineTellsOfIsNotMissed(t *testing.T) {
	closed := &Server{Name: "nginx", Container: "c1"}
	for container, missed := range map[string]int{"c1": 0, "c2": 1} {
		looks := []*Look{{Servers: []*Server{{Name: "edge", Container: container}}}, {Unseen: []Unseen{{What: "nginx", Of: closed}}}}
		once(looks)
		assert.Len(t, looks[1].Unseen, missed)
	}
}
