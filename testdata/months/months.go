// Package months composes the logs of a cluster over a month from connections that
// were recorded one by one: faults that come one after the other or on several
// nodes at once, clients that try again and again, what passes by, and a server that
// works. The same seed gives the same bytes.
//
//	go run ./testdata/months/write -seed 7 -o FOLDER
package months

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Month is what a cluster wrote, and what befell it.
type Month struct {
	Logs   []Log
	Faults []Fault
}

// Log is one file, whose folder names its node.
type Log struct{ Node, Name, Text string }

// Fault is a stretch of time in which connections to some nodes failed of one
// reason.
type Fault struct {
	// Cause is one of the recordings (truth.json).
	Cause string
	Nodes []string
	// First and Last are the times of its first and its last failure.
	First, Last time.Time
	Failures    int
	// Lines are what it alone made the servers write, without wrapper.
	Lines []string
}

// Recordings are the connections to compose from.
type Recordings struct {
	byCause map[string]map[string][][]string // by level and client: the lines of each connection
	passing map[string][][]string
	healthy []string
}

// connection is one line of the recordings.
type connection struct {
	Cause  string   `json:"cause"`
	Client string   `json:"client"`
	TLS    string   `json:"tls"`
	Level  string   `json:"level"`
	Out    []string `json:"server_stdout"`
}

// faults are the recorded ones of which a server can be the reason, or most of its
// clients, in groups that no log can tell apart.
var faults = [][]string{
	{"expired", "expired_intermediate", "client_clock_ahead", "not_yet_valid", "client_clock_behind"},
	{"hostname_not_in_san", "ip_not_in_san", "wildcard_too_deep", "wrong_host_cert"},
	{"ca_not_trusted_by_client", "missing_intermediate", "self_signed", "self_signed_ca_true", "untrusted_ca_full_chain", "wrong_intermediate"},
	{"revoked"}, {"wrong_eku"}, {"bad_signature"}, {"no_common_cipher"},
}

// passing are what scanners, health checks and users who leave do.
var passing = []string{
	"garbage_or_scan", "tcp_connect_close", "client_fin_mid_handshake", "client_rst_mid_handshake", "https_get_not_websocket",
	"lb_httpchk_plain_to_wss", "http2_preface_in_tls", "client_plain_alert_0", "client_fin_right_after_hello",
}

// Read reads the recordings in testdata.
func Read(testdata string) (*Recordings, error) {
	r := &Recordings{byCause: map[string]map[string][][]string{}, passing: map[string][][]string{}}
	for _, name := range []string{"wukongim/attempts.jsonl", "clients/attempts.jsonl", "wukongim/faults.jsonl"} {
		f, err := os.Open(filepath.Join(testdata, name))
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var c connection
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				return nil, err
			}
			r.add(&c)
		}
		f.Close()
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	data, err := os.ReadFile(filepath.Join(testdata, "wukongim/servers/healthy/stdout-debug.log"))
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, `{"level":"info"`) && !strings.Contains(line, "tarted") && !strings.Contains(line, "ready") {
			r.healthy = append(r.healthy, strings.TrimSpace(line))
		}
	}
	return r, err
}

// add keeps a connection that left a line.
func (r *Recordings) add(c *connection) {
	lines := slices.DeleteFunc(slices.Clone(c.Out), func(line string) bool { return strings.TrimSpace(line) == "" })
	if len(lines) == 0 {
		return
	}
	if slices.Contains(passing, c.Cause) {
		r.passing[c.Level] = append(r.passing[c.Level], lines)
	}
	clients := r.byCause[c.Cause+"/"+c.Level]
	if clients == nil {
		clients = map[string][][]string{}
		r.byCause[c.Cause+"/"+c.Level] = clients
	}
	clients[c.Client+c.TLS] = append(clients[c.Client+c.TLS], lines)
}

// entry is one line to be written.
type entry struct {
	at   time.Time
	text string
}

// month is one that is being composed.
type month struct {
	*Recordings
	rng        *rand.Rand
	start, end time.Time
	level      string
	nodes      []string
	entries    map[string][]entry
	made       Month
}

// Compose makes a month with so many faults.
func (r *Recordings) Compose(seed uint64, count int) Month {
	rng := rand.New(rand.NewPCG(seed, 17))
	start := time.Date(2026, time.Month(1+rng.IntN(9)), 1, 0, 0, 0, 0, time.UTC)
	m := &month{Recordings: r, rng: rng, start: start, end: start.AddDate(0, 1, 0), entries: map[string][]entry{}}
	m.level = []string{"release", "debug"}[rng.IntN(2)]
	for n := range 1 + rng.IntN(4) {
		m.nodes = append(m.nodes, fmt.Sprintf("im%02d", n+1))
	}
	for _, node := range m.nodes {
		m.work(node)
		m.pass(node)
	}
	m.befall(count)
	for _, node := range m.nodes {
		m.write(node)
	}
	return m.made
}

// work writes the lines of a server that works, more by day than by night.
func (m *month) work(node string) {
	perDay := 60 + m.rng.IntN(240)
	for at := m.start; at.Before(m.end); {
		at = at.Add(time.Duration(m.rng.ExpFloat64() * float64(24*time.Hour) / float64(perDay) / busy(at)))
		m.say(node, at, m.healthy[m.rng.IntN(len(m.healthy))])
	}
}

// busy is how much of the average traffic an hour of the day has.
func busy(at time.Time) float64 {
	return 1 + 0.8*math.Sin(float64(at.Hour()-9)/24*2*math.Pi)
}

// pass writes what passes by, at most some dozen connections a day.
func (m *month) pass(node string) {
	perDay := 1 + m.rng.IntN(30)
	for at := m.start; at.Before(m.end); {
		at = at.Add(time.Duration(m.rng.ExpFloat64() * float64(24*time.Hour) / float64(perDay)))
		m.connect(node, at, m.passing[m.level][m.rng.IntN(len(m.passing[m.level]))])
	}
}

// befall brings faults about, one after the other on all nodes or on one, or each on
// a node of its own at any time.
func (m *month) befall(count int) {
	together := count > 1 && len(m.nodes) >= count && m.rng.IntN(2) == 0
	at := m.start.Add(m.hours(6, 72))
	groups := m.rng.Perm(len(faults))
	for i := range count {
		cause := m.oneOf(faults[groups[i]])
		if cause == "" {
			groups = append(groups[:i], groups[i+1:]...)
			cause = m.oneOf(faults[groups[i]])
		}
		length := m.hours(4, 150)
		switch {
		case together:
			begin := m.start.Add(m.hours(6, 400))
			m.fault(cause, m.nodes[i:i+1], begin, begin.Add(length))
		case m.rng.IntN(2) == 0:
			m.fault(cause, m.nodes, at, at.Add(length))
		default:
			m.fault(cause, m.nodes[:1], at, at.Add(length))
		}
		at = at.Add(length + m.hours(0, 72))
	}
}

// oneOf chooses a fault of a group that was recorded at the level of the month.
func (m *month) oneOf(group []string) string {
	for _, at := range m.rng.Perm(len(group)) {
		if len(m.byCause[group[at]+"/"+m.level]) > 0 {
			return group[at]
		}
	}
	return ""
}

func (m *month) hours(least, most int) time.Duration {
	return time.Duration(least)*time.Hour + time.Duration(m.rng.Int64N(int64(most-least)*int64(time.Hour)))
}

// fault lets some clients try, each again and again and then no more for a while.
func (m *month) fault(cause string, nodes []string, begin, end time.Time) {
	f := Fault{Cause: cause, Nodes: slices.Clone(nodes)}
	clients := m.byCause[cause+"/"+m.level]
	kinds := slices.Sorted(maps.Keys(clients))
	met := map[string]bool{}
	for range 6 + m.rng.IntN(25) {
		kind := kinds[m.rng.IntN(len(kinds))]
		pause := time.Duration(3+m.rng.IntN(600)) * time.Second
		session := m.hours(1, 30) / time.Duration(1+m.rng.IntN(6))
		for at := begin.Add(time.Duration(m.rng.ExpFloat64() * float64(session))); at.Before(end); at = at.Add(session + m.hours(1, 12)) {
			node := nodes[m.rng.IntN(len(nodes))] // to which the balancer leads
			for range 1 + m.rng.IntN(6) {
				if at = at.Add(pause); !at.Before(end) {
					break
				}
				lines := clients[kind][m.rng.IntN(len(clients[kind]))]
				m.connect(node, at, lines)
				met[node] = true
				f.Lines = append(f.Lines, lines...)
				f.Failures++
				if f.First.IsZero() || at.Before(f.First) {
					f.First = at
				}
				if at.After(f.Last) {
					f.Last = at
				}
			}
		}
	}
	f.Nodes = slices.DeleteFunc(f.Nodes, func(node string) bool { return !met[node] })
	m.made.Faults = append(m.made.Faults, f)
}

func (m *month) connect(node string, at time.Time, lines []string) {
	for i, line := range lines {
		m.say(node, at.Add(time.Duration(i)*time.Millisecond), line)
	}
}

// say writes a line, with the present time where it tells one.
func (m *month) say(node string, at time.Time, line string) {
	const key = `"time":"`
	if from := strings.Index(line, key); from >= 0 {
		from += len(key)
		if to := strings.IndexByte(line[from:], '"'); to >= 0 {
			line = line[:from] + at.Format("2006-01-02T15:04:05.000Z07:00") + line[from+to:]
		}
	}
	m.entries[node] = append(m.entries[node], entry{at, line})
}

// write wraps the lines of a node as its platform does.
func (m *month) write(node string) {
	entries := m.entries[node]
	slices.SortStableFunc(entries, func(a, b entry) int { return a.at.Compare(b.at) })
	wrap := wrappers[m.rng.IntN(len(wrappers))]
	var log strings.Builder
	for _, e := range entries {
		if e.at.Before(m.end) {
			log.WriteString(wrap(node, e.at, e.text) + "\n")
		}
	}
	m.made.Logs = append(m.made.Logs, Log{Node: node, Name: "stdout.log", Text: log.String()})
}

var wrappers = []func(node string, at time.Time, text string) string{
	func(_ string, _ time.Time, text string) string { return text },
	func(_ string, at time.Time, text string) string { return at.Format(time.RFC3339Nano) + " " + text },
	func(_ string, at time.Time, text string) string {
		return "wukongim-1  | " + at.Format("2006-01-02T15:04:05.000000000Z") + " " + text
	},
	func(_ string, at time.Time, text string) string {
		return at.Format(time.RFC3339Nano) + " stdout F " + text
	},
	func(node string, at time.Time, text string) string {
		return at.Format("2006-01-02T15:04:05-0700") + " " + node + " wukongim[4242]: " + text
	},
	func(node string, at time.Time, text string) string {
		return at.Format("Jan 02 15:04:05") + " " + node + " wukongim[4242]: " + text
	},
	func(_ string, at time.Time, text string) string {
		data, _ := json.Marshal(map[string]string{"log": text + "\n", "stream": "stdout", "time": at.Format(time.RFC3339Nano)})
		return string(data)
	},
}
