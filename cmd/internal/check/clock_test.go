package check

import (
	"crypto/x509"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ahead(d time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(d) }
}

func TestClockOfTheEndpoint(t *testing.T) {
	for _, c := range []struct {
		name  string
		clock time.Duration
		want  Status
	}{
		{"within a second", 900 * time.Millisecond, Pass},
		{"half a minute", 30 * time.Second, Warn},
		{"eight hours behind, as with a wrong zone", -8 * time.Hour, Warn},
		{"two days behind", -48 * time.Hour, Fail},
		{"two centuries ahead", 200 * 365 * aDay, Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.clock = c.clock
			results := s.check()
			r := find(t, results, "live-clock")
			assert.Equal(t, c.want, r.Status, "%+v", r)
			assert.Empty(t, r.RulesOut)
			if c.want == Fail {
				requireOneFailure(t, results, "live-clock", "clock-skew", "differs")
			} else {
				assert.Empty(t, byStatus(results, Fail))
				assert.Empty(t, r.Cause)
			}
		})
	}
}

// TestWhoseClockIsWrongIsSeenFirst: by commands that change nothing, of which one asks the other
// machine where it answers HTTP.
func TestWhoseClockIsWrongIsSeenFirst(t *testing.T) {
	s := newSite(t)
	s.live.API = serveHTTP(t, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(72*time.Hour).UTC().Format(http.TimeFormat))
	}))
	results := s.check()
	requireTexts(t, results)
	var commands []string
	for _, step := range find(t, results, "live-clock").Fixes {
		commands = append(commands, step.CommandLine())
	}
	assert.Equal(t, []string{"curl -sSI --max-time 5 http://" + s.live.API + "/ | grep -i '^date:'", "date -u", "timedatectl status"}, commands)
}

func TestDateOutOfAllBounds(t *testing.T) {
	for date, sign := range map[string]string{"Mon, 01 Jan 0001 00:00:00 GMT": "-", "Fri, 31 Dec 9999 23:59:59 GMT": "+"} {
		for _, years := range []time.Duration{-5, 5} {
			s := newSite(t)
			s.live.NTP = serveTime(t, years*365*aDay)
			s.live.API = serveHTTP(t, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Date", date) }))
			r := find(t, s.check(), "live-clock")
			assert.Equal(t, "server", r.Key)
			assert.Equal(t, Fail, r.Status)
			assert.Equal(t, sign, r.Args[1].String()[:1], "%v", r.Args)
		}
	}
}

// TestThisMachinesClockIsTheOneFault: a certificate in date looks expired to a
// clock that is a year ahead.
func TestThisMachinesClockIsTheOneFault(t *testing.T) {
	for name, byTimeServer := range map[string]bool{"by the endpoint's date": false, "by a time server": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.live.Now = ahead(365 * aDay)
			if byTimeServer {
				s.live.NTP = serveTime(t, 0)
			}
			results := s.check()
			require.Equal(t, []string{"live-clock"}, byStatus(results, Fail), "%+v", results)
			assert.Equal(t, "clock-skew", find(t, results, "live-clock").Cause)
			assert.NotEqual(t, Fail, find(t, results, "live-dates").Status)
		})
	}
}

func TestFewHoursMatterToAFreshCertificate(t *testing.T) {
	s := newSite(t)
	s.reissue(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(-time.Hour) })
	s.live.Now = ahead(-8 * time.Hour)
	requireOneFailure(t, s.check(), "live-clock", "clock-skew", "differs")
}

func TestTimeServerTellsWhichClockIsWrong(t *testing.T) {
	t.Run("the endpoint's", func(t *testing.T) {
		s := newSite(t)
		s.clock = -72 * time.Hour
		s.live.NTP = serveTime(t, 0)
		results := s.check()
		requireOneFailure(t, results, "live-clock", "clock-skew", "server")
		assert.Equal(t, Pass, find(t, results, "live-dates").Status)
	})
	t.Run("this machine's", func(t *testing.T) {
		s := newSite(t)
		s.live.NTP = serveTime(t, 0)
		s.live.Now = ahead(72 * time.Hour)
		requireOneFailure(t, s.check(), "live-clock", "clock-skew", "local")
	})
	t.Run("this machine's, which hides that the certificate expired", func(t *testing.T) {
		s := newSite(t)
		s.reissue(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-100*aDay), time.Now().Add(-10*aDay)
		})
		s.live.NTP = serveTime(t, 0)
		s.live.Now = ahead(-50 * aDay)
		results := s.check()
		assert.Equal(t, []string{"live-dates", "live-clock"}, byStatus(results, Fail))
		assert.Equal(t, "cert-expired", find(t, results, "live-dates").Cause)
	})
}

func TestExpiryIsNotRuledOutByADisputedClock(t *testing.T) {
	s := newSite(t)
	s.clock = 200 * aDay
	results := s.check()
	requireOneFailure(t, results, "live-clock", "clock-skew", "differs")
	assert.Empty(t, find(t, results, "live-dates").RulesOut)
}

func TestTimeServerThatDoesNotAnswer(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	for _, host := range []string{silent.LocalAddr().String(), "nobody.wangwei-corp.cn", "[", ""} {
		s := newSite(t)
		s.live.NTP = host
		r := find(t, s.check(), "live-clock")
		if host == "" {
			assert.Equal(t, Pass, r.Status)
			continue
		}
		assert.Equal(t, Warn, r.Status)
		assert.Equal(t, "no-time", r.Key)
	}
}

func TestDateFromTheWSSEndpoint(t *testing.T) {
	s := newSite(t)
	s.wss = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-48*time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusNotFound)
	})
	s.start()
	s.live.API = ""
	assert.Equal(t, "clock-skew", find(t, runLive(t, s.live), "live-clock").Cause)
}

func TestDateFromACacheIsNotATime(t *testing.T) {
	s := newSite(t)
	s.clock = -48 * time.Hour
	s.live.API = serveHTTP(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Age", "172800")
		s.api().ServeHTTP(w, r)
	}))
	assert.NotEqual(t, Fail, find(t, s.check(), "live-clock").Status)
}
