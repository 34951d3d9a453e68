package doctor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

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
