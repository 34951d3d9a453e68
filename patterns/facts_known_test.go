package patterns

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// odd are characters that a value of a kind may have, the worst of them more often.
var odd = map[FactKind]string{
	FactHost: "a-0.", FactPort: "0123456789", FactPath: "a /.,@+=- _我/", FactFile: "a /.,@+=- _我/", FactPod: "a-0.",
	FactContainer: "a_.@-0", FactService: "a_.@-0", FactNamespace: "a_.@-0", FactUnit: "a_.@-0", FactSecret: "a_.@-0",
}

// values are some of a kind that it takes, among them names of the catalogue's own.
func values(c *Catalogue, kind FactKind, random *rand.Rand) (list []string) {
	for _, name := range c.Names {
		list = append(list, name.Name, "/srv/"+strings.TrimLeft(name.Name, "/."), name.Name+".d")
	}
	for range 200 {
		text := make([]rune, 1+random.IntN(12))
		for i := range text {
			text[i] = pick([]rune(odd[kind]), random)
		}
		list = append(list, string(text), "/"+string(text), "deployment/"+string(text))
	}
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return slices.DeleteFunc(list, func(value string) bool { return !kind.Fits(value) })
}

func pick[T any](list []T, random *rand.Rand) T { return list[random.IntN(len(list))] }

// TestKnownNamesChangeNoCommand fills what doctor, the labels of engines and clusters,
// compose files and configurations of proxies can tell into every command of every program,
// however it is run: the same programs are called with as many words.
func TestKnownNamesChangeNoCommand(t *testing.T) {
	c, err := Load()
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	asked := map[string]FactKind{}
	for _, name := range c.Names {
		for _, fact := range name.Facts {
			kind, of, _ := strings.Cut(strings.TrimSuffix(fact, ":dir"), "/")
			if kind == "domain" {
				kind = string(FactHost)
			}
			asked[kind+"/"+of] = FactKind(kind)
		}
	}
	asked["namespace/namespace"], asked["file/compose"] = FactNamespace, FactFile
	told := map[FactKind][]string{}
	for _, kind := range factKinds {
		told[kind] = values(c, kind, random)
		require.NotEmpty(t, told[kind], kind)
	}
	filled := 0
	for _, cause := range c.Causes {
		for _, component := range c.Components {
			var facts []Fact
			for _, name := range slices.Sorted(maps.Keys(asked)) {
				facts = append(facts, Fact{Kind: asked[name], Name: name[strings.Index(name, "/")+1:], Value: pick(told[asked[name]], random)})
			}
			p := Program{Component: component.ID, Deployment: pick(deployments, random), Reporter: ComponentWuKongIM}
			plain, with := c.Advice(cause, p), c.Advice(cause, p, facts...)
			for i, step := range slices.Concat(with.Fixes, with.Others, with.Verify) {
				before := slices.Concat(plain.Fixes, plain.Others, plain.Verify)[i]
				require.Equal(t, shapeOf(t, before.Command), shapeOf(t, step.Command), "%v\n%s", facts, step.Command)
				if before.Command != step.Command {
					filled++
				}
			}
		}
	}
	assert.Greater(t, filled, 500)
}
