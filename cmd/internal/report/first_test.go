package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wklog/cmd/internal/messages"
	"wklog/patterns"
)

func TestCheckReadsWhatTheServerIsSetUpBy(t *testing.T) {
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	for _, c := range []struct {
		settings patterns.Settings
		want     string
	}{
		{patterns.Settings{}, "wklog check --compose docker-compose.yml --addr config"},
		{patterns.Settings{In: patterns.DeployedByCompose, File: "im.yml"}, "wklog check --compose im.yml --addr config"},
		{patterns.Settings{In: patterns.DeployedBySystemd, File: "/opt/im/wk.yaml"}, "wklog check --config /opt/im/wk.yaml --addr config"},
		{patterns.Settings{In: patterns.DeployedOnKubernetes}, "kubectl get ing,svc,secret,cm,deploy,sts -o yaml | wklog check --kube -"},
		{patterns.Settings{In: patterns.DeployedOnKubernetes, Namespace: "chat"}, "kubectl -n chat get ing,svc,secret,cm,deploy,sts -o yaml | wklog check --kube -"},
	} {
		assert.Equal(t, c.want, checkBy(c.settings, say))
	}
}

func TestHintIsInTheUsersOwnNames(t *testing.T) {
	say, err := messages.In(patterns.English)
	require.NoError(t, err)
	catalogue, err := patterns.Load()
	require.NoError(t, err)
	d := New(&patterns.Analysis{Catalogue: catalogue, Facts: []patterns.Fact{
		{Kind: patterns.FactContainer, Name: "container", Value: "chat-im", Component: patterns.ComponentWuKongIM},
		{Kind: patterns.FactNamespace, Name: "namespace", Value: "chat"},
	}}, say, time.Time{})
	d.AddHints([]string{"stdout", "stderr"}, false, say)
	require.Len(t, d.Hints, 2)
	assert.Equal(t, "docker logs chat-im 2>&1 | wklog", d.Hints[0].Command)
	assert.Equal(t, "kubectl -n chat logs wukongim-0 --previous | wklog", d.Hints[1].Command)
	assert.Equal(t, []string{"wukongim-0"}, d.Hints[1].Placeholders)
}
