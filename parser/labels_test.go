package parser

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLabelsNameTheWriter(t *testing.T) {
	const pods = "/var/log/pods/im_wukongim-0_0a1b2c3d-1111-2222-3333-444455556666/wk/0.log"
	containers := "/var/log/containers/wukongim-0_im_wk-" + strings.Repeat("0a", 32) + ".log"
	for _, c := range []struct{ labels, node, origin string }{
		{`{}`, "", ""},
		{`{"namespace":"im","pod":"wukongim-0","container":"wk","instance":"x","app":"a"}`, "im/wukongim-0", "im/wukongim-0/wk"},
		{`{"pod":"wukongim-0","detected_level":"debug","__stream_shard__":"3","service_name":"s","level":"info"}`, "wukongim-0", "wukongim-0"},
		{`{"k8s.namespace.name":"im","k8s.pod.name":"wukongim-0","k8s.container.name":"wk"}`, "im/wukongim-0", "im/wukongim-0/wk"},
		{`{"job":"wk","address":"a:1","nodeId":"1001","filename":"/wk/debug.log","level":"debug","trace":"t","action":"x"}`, "1001", "1001/wk/wk/debug.log"},
		{`{"container_name":"/wukongim-1","host":"im01","compose_service":"wukongim"}`, "im01", "im01/wukongim-1"},
		{`{"compose_service":"wukongim","container_name":"/wukongim-1"}`, "wukongim-1", "wukongim-1"},
		{`{"host":"b","instance":"a:80","node":"c"}`, "a:80", "a:80"},
		{`{"job":"varlogs","filename":"/wk/error.log"}`, "", "varlogs/wk/error.log"},
		{`{"filename":"` + pods + `"}`, "im/wukongim-0", "im/wukongim-0/wk"},
		{`{"filename":"` + containers + `"}`, "im/wukongim-0", "im/wukongim-0/wk"},
		{`{"_pod_name_":"wukongim-0","_namespace_":"im","_container_name_":"wk","__source__":"10.0.0.1"}`, "im/wukongim-0", "im/wukongim-0/wk"},
	} {
		var l Labels
		l.addObject("", []byte(c.labels), 0)
		assert.Equal(t, c.node, l.Node(), c.labels)
		assert.Equal(t, c.origin, l.Origin(), c.labels)
		var again Labels
		again.addObject("", l.JSON(), 0)
		assert.Equal(t, c.origin, again.Origin(), "printed: %s", l.JSON())
		assert.Equal(t, c.node, again.Node(), "printed: %s", l.JSON())
	}
}

// TestShippersNameTheWriter: what each adds to an entry.
func TestShippersNameTheWriter(t *testing.T) {
	for _, c := range []struct{ line, node, origin, stream string }{
		{`{"labels":{"namespace":"im","pod":"wukongim-0","stream":"stderr","detected_level":"x"},"line":"text","timestamp":"2026-05-04T01:30:00.123456Z"}`,
			"im/wukongim-0", "im/wukongim-0", "stderr"},
		{`{"line":"text","timestamp":"1777858200123456789","date":"2026-05-04T01:30:00.123Z","fields":{"pod":"wukongim-0","id":"1_x"}}`, "wukongim-0", "wukongim-0", ""},
		{`{"@timestamp":"2026-05-04T01:30:00Z","log":"text","stream":"stdout","kubernetes":{"pod_name":"wukongim-0","namespace_name":"im","container_name":"wk","labels":{"app":"x"},"host":"n1"}}`,
			"im/wukongim-0", "im/wukongim-0/wk", "stdout"},
		{`{"@timestamp":"2026-05-04T01:30:00Z","message":"text","kubernetes":{"pod":{"name":"wukongim-0","uid":"u"},"namespace":"im","container":{"name":"wk"}},"host":{"name":"n1"}}`,
			"im/wukongim-0", "im/wukongim-0/wk", ""},
		{`{"message":"text","nodeName":"n1","namespace":"im","podName":"wukongim-0","labels":{"app":"x"},"containerName":"wk"}`, "im/wukongim-0", "im/wukongim-0/wk", ""},
		{`{"pod": "wukongim-0", "container": "wk", "message": "text"}`, "wukongim-0", "wukongim-0/wk", ""},
		{`{"namespace": "im", "pod": "wukongim-0", "container": "wk", "message": "text"}`, "im/wukongim-0", "im/wukongim-0/wk", ""},
		{`{"_msg":"text","_stream":"{host=\"im01\"}","_time":"2026-05-04T01:30:00.123456Z","host":"im01"}`, "im01", "im01", ""},
		{`2026-05-04T09:30:00+08:00 {detected_level="info", host="im01", stream="stdout"} text`, "im01", "im01", "stdout"},
	} {
		e := Unwrap([]byte(c.line))
		assert.Equal(t, "text", string(e.Text), c.line)
		assert.Equal(t, c.node, e.Node, c.line)
		assert.Equal(t, c.origin, e.Origin, c.line)
		assert.Equal(t, c.stream, e.Stream, c.line)
	}
}

func TestExtjsonOfSternKeepsARecordInJSON(t *testing.T) {
	e := Unwrap([]byte(`{"pod": "wukongim-0", "container": "wk", "message": {"level":"info","msg":"text"}}`))
	assert.Equal(t, `{"level":"info","msg":"text"}`, string(e.Text))
	assert.Equal(t, "wukongim-0", e.Node)
}

// TestRecordThatVictoriaLogsTookApartIsPutTogether: the forms are those of a server
// (v1.52.1) that was given the lines by Loki's push, as they are, and with msg as the
// field of the message.
func TestRecordThatVictoriaLogsTookApartIsPutTogether(t *testing.T) {
	const stream = `"_stream":"{container=\"wukongim\",namespace=\"im\",pod=\"wukongim-0\"}","_stream_id":"00","_time":"2026-11-29T02:00:43.147322088Z","container":"wukongim",`
	const fields = `"error":"remote error: tls: unknown certificate","fd":"153","id":"1","level":"debug",`
	const after = `"namespace":"im","pod":"wukongim-0","time":"2026-04-22T10:11:12.123456789+08:00"}`
	want := Parse(Unwrap([]byte(closeLine)))
	for name, line := range map[string]string{
		"by Loki's push": `{"_msg":"missing _msg field; see https://docs.victoriametrics.com/victorialogs/keyconcepts/#message-field",` + stream + fields + `"msg":"【ReactorSub-1】close connn",` + after,
		"as it was":      `{"_msg":` + quoted(closeLine) + `,` + stream + after,
		"by its message": `{"_msg":"【ReactorSub-1】close connn",` + stream + fields + after,
	} {
		got := Parse(Unwrap([]byte(line)))
		assert.Equal(t, KindClose, got.Kind, name)
		assert.Equal(t, "im/wukongim-0/wukongim", got.Origin, name)
		assert.Equal(t, want.Level, got.Level, name)
		assert.Equal(t, want.Logger, got.Logger, name)
		assert.Equal(t, want.Message, got.Message, name)
		assert.Equal(t, want.Error, got.Error, name)
		assert.Equal(t, want.Fields, got.Fields, name)
		assert.Equal(t, want.Stamp, got.Stamp, name)
		assert.True(t, got.OwnTime, name)
	}
	raw := Unwrap([]byte(`{"_msg":` + quoted(rawLine) + `,` + stream + `"detected_level":"unknown","level":"info","namespace":"im"}`))
	assert.Equal(t, rawLine, string(raw.Text), "a level alone makes no record")
	assert.Equal(t, 9, raw.Stamp.Fraction)
	const text = "2026/05/04 01:30:00 http: TLS handshake error from 203.0.113.9:1: EOF"
	levelled := Unwrap([]byte(`{"_msg":"` + text + `",` + stream + `"level":"info","namespace":"im"}`))
	assert.Equal(t, text, string(levelled.Text), "a level alone makes no record")
	caddy := Parse(Unwrap([]byte(`{"_msg":"missing _msg field; see x",` + stream + `"level":"error","logger":"http","ts":"1777858200.5","msg":"x"}`)))
	assert.True(t, caddy.OwnTime, "a number is one again")
	inLabels := Parse(Unwrap([]byte(`{"_msg":"missing _msg field; see x","_stream":"{level=\"debug\",nodeId=\"1\"}","_time":"2026-05-04T01:30:00Z","level":"debug","nodeId":"1","msg":"close connn","error":"EOF"}`)))
	assert.Equal(t, "debug", inLabels.Level)
	assert.Equal(t, KindClose, inLabels.Kind)
	assert.Empty(t, inLabels.Fields, "a label is no field of the record")
	for _, line := range []string{
		`{"_msg":"x","_time":"never"}`, `{"_msg":"x","_time":"2026-05-04T01:30:00Z"`, `{"_time":"2026-05-04T01:30:00Z","msg":"\"_msg\""}`, `{"_msg":3,"_time":"2026-05-04T01:30:00Z"}`,
	} {
		assert.Equal(t, line, string(Unwrap([]byte(line)).Text), line)
	}
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(b)
}

func TestLogThatStandsNewestFirstBeginsWithItsFirstTime(t *testing.T) {
	const log = "2026-05-04T01:31:00.000000001Z b\n2026-05-04T01:30:00.000000001Z a\n"
	stats, err := Read(t.Context(), strings.NewReader(log), Options{}, func(*Record) error { return nil })
	assert.NoError(t, err)
	assert.True(t, stats.First.Before(stats.Last), "%v to %v", stats.First, stats.Last)
	f := NewFeed(Options{}, func(*Record) error { return nil })
	assert.NoError(t, f.Write([]byte(log), Arrival{}))
	assert.True(t, f.Stats().First.Before(f.Stats().Last))
}
