package patterns_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"

	"wklog/patterns"
)

// TestEveryProgramHasARemedyForWhatItCanHave lints the causes, with their places.
func TestEveryProgramHasARemedyForWhatItCanHave(t *testing.T) {
	c, err := patterns.Parse(os.DirFS("catalogue"))
	require.NoError(t, err)
	for _, problem := range patterns.Lint(c, nil) {
		assert.Fail(t, problem.String())
	}
}

func TestLintMissesARemedyAndFindsAForeignCommand(t *testing.T) {
	step := func(of patterns.ComponentID, command string) patterns.Step {
		return patterns.Step{For: []patterns.ComponentID{of}, Text: patterns.Text{En: "a", Zh: "一"}, Command: command}
	}
	kinds := func(fix patterns.Step, lacks map[string]patterns.Text) []string {
		cause := &patterns.Cause{ID: "x", Category: "trust", References: []string{"x"}, Advice: patterns.Advice{
			Title: patterns.Text{En: "a", Zh: "一"}, Explain: patterns.Text{En: "a", Zh: "一"}, Fixes: []patterns.Step{fix}, Verify: []patterns.Step{{Text: patterns.Text{En: "a", Zh: "一"}}},
		}}
		c := &patterns.Catalogue{Causes: []*patterns.Cause{cause}, Components: []*patterns.Component{{ID: "caddy", Title: cause.Title, Proxy: true, Only: patterns.DeployedBySystemd, Lacks: lacks}}}
		list := []string{}
		for _, problem := range patterns.Lint(c, nil) {
			list = append(list, problem.Kind)
		}
		return list
	}
	assert.Empty(t, kinds(step("caddy", "ls"), nil))
	assert.Equal(t, []string{"unknown-component", "no-remedy"}, kinds(step("nginx", "ls"), nil))
	assert.Equal(t, []string{"unknown-component"}, kinds(step("nginx", "ls"), map[string]patterns.Text{"x": {En: "it has no files", Zh: "它不读文件"}}))
	assert.Equal(t, []string{"foreign-command"}, kinds(step("caddy", "nginx -t"), nil))
	assert.Equal(t, []string{"no-reason"}, kinds(step("caddy", "ls"), map[string]patterns.Text{"x": {En: "it has no files"}}))
	assert.Equal(t, []string{"foreign-command"}, kinds(step("caddy", "docker compose ps caddy"), nil))
}

func TestActionHasASourceOfItsOwn(t *testing.T) {
	action := &patterns.Action{ID: "restart", Steps: []patterns.Step{{Text: patterns.Text{En: "a", Zh: "一"}}}}
	cause := &patterns.Cause{References: []string{"mine"}, Advice: patterns.Advice{Fixes: []patterns.Step{{Do: "restart"}, {Do: "restart"}}}}
	c := &patterns.Catalogue{Actions: []*patterns.Action{action}}
	problems := patterns.Lint(c, nil)
	require.Len(t, problems, 1)
	assert.Equal(t, "no-reference", problems[0].Kind)
	action.References = []string{"theirs"}
	assert.Empty(t, patterns.Lint(c, nil))
	assert.Equal(t, []string{"mine", "theirs"}, c.Sources(cause))
}

// TestCommandsOfDeployments analyses a log of each way in which servers are run, and
// compares what is advised with what is written beside the logs.
func TestCommandsOfDeployments(t *testing.T) {
	names, err := filepath.Glob("testdata/deployments/*.log")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(names), 20)
	var out strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		analysis := adviceFor(t, string(data))
		require.NotEmpty(t, analysis.Diagnosis, name)
		lead := analysis.Diagnosis[0]
		fmt.Fprintf(&out, "== %s: %s of %s, run by %s\n", strings.TrimSuffix(filepath.Base(name), ".log"), lead.Cause.ID, lead.Program.Component, cmp.Or(string(lead.Program.Deployment), "?"))
		for _, fact := range analysis.Facts {
			fmt.Fprintf(&out, "   %s/%s = %s (%s)\n", fact.Kind, fact.Name, fact.Value, fact.Component)
		}
		for _, step := range slices.Concat(lead.Advice.Verify[:min(1, len(lead.Advice.Verify))], lead.Advice.Fixes) {
			assertShell(t, step.Command)
			if step.Command == "" {
				fmt.Fprintf(&out, "# %s\n", step.Text.En)
				continue
			}
			left := []string{}
			for _, n := range step.Left {
				left = append(left, n.Name)
			}
			fmt.Fprintf(&out, "$ %s", step.Command)
			if len(left) > 0 {
				fmt.Fprintf(&out, "   [replace %s]", strings.Join(left, ", "))
			}
			out.WriteString("\n")
		}
	}
	const file = "testdata/deployments/commands.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), out.String(), "go test ./patterns -run CommandsOfDeployments -update")
}

func adviceFor(t *testing.T, log string) *patterns.Analysis {
	t.Helper()
	analysis, err := patterns.Analyze(context.Background(), strings.NewReader(log), nil)
	require.NoError(t, err)
	return analysis
}

func assertShell(t *testing.T, command string) {
	t.Helper()
	_, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(command), "")
	assert.NoError(t, err, command)
}

// TestSettingsAreFollowedByWhatMakesThemCount: what is written into a file is read at the
// next start only, which no reader has to guess.
func TestSettingsAreFollowedByWhatMakesThemCount(t *testing.T) {
	c := loaded(t)
	settings := regexp.MustCompile(`(?m)^ *(?:services:|wssAddr:|wssConfig:|- \{name: WK_)`)
	counts := regexp.MustCompile(`\bup -d\b|\b(?:re)?start wukongim\b|\bkubectl rollout\b|created again|after a restart|has each step`)
	for _, cause := range c.Causes {
		for _, way := range []patterns.Deployment{patterns.DeployedByCompose, patterns.DeployedByDocker, patterns.DeployedBySystemd, patterns.DeployedOnKubernetes} {
			fixes := c.Advice(cause, patterns.Program{Component: patterns.ComponentWuKongIM, Deployment: way, Reporter: patterns.ComponentWuKongIM}).Fixes
			for i, step := range fixes {
				said := func(s patterns.Step) bool { return counts.MatchString(s.Command + "\n" + s.Text.En) }
				assert.True(t, !settings.MatchString(step.Config) || slices.ContainsFunc(fixes[i:], said), "%s, %s: %s", cause.ID, way, step.Text.En)
			}
		}
	}
}

const remediesTable = "../docs/remedies.md"

// TestTableOfRemediesIsUpToDate writes the first fix of each cause for each program.
func TestTableOfRemediesIsUpToDate(t *testing.T) {
	c := loaded(t)
	var out strings.Builder
	out.WriteString("# The first remedy, by cause and program\n\nGenerated from patterns/catalogue by the test of patterns; do not edit. A program is run as\nit mostly is. Where a program cannot have a cause the reason is in its place.\n\n排查每种原因时，对每个程序首先建议的做法。由 patterns/catalogue 生成，请勿手工修改。\n")
	for _, cause := range c.Causes {
		fmt.Fprintf(&out, "\n## %s\n\n%s / %s\n\n| program | first fix | 首先做 |\n|---|---|---|\n", cause.ID, cause.Title.En, cause.Title.Zh)
		for _, component := range c.Components {
			if why, lacks := component.Lacks[cause.ID]; lacks {
				fmt.Fprintf(&out, "| %s | – (%s) | –（%s） |\n", component.Title.En, cell(why.En), cell(why.Zh))
				continue
			}
			p := patterns.Program{Component: component.ID, Reporter: component.ID}
			if component.ID == patterns.ComponentService {
				p.Reporter = patterns.ComponentWuKongIM
			}
			first := c.Advice(cause, p).Fixes[0]
			command := ""
			if first.Command != "" {
				command = " `" + cell(strings.Join(strings.Fields(first.Command), " ")) + "`"
			}
			fmt.Fprintf(&out, "| %s | %s%s | %s |\n", component.Title.En, cell(first.Says(patterns.English)), command, cell(first.Says(patterns.Chinese)))
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(remediesTable, []byte(out.String()), 0o644))
	}
	written, err := os.ReadFile(remediesTable)
	require.NoError(t, err)
	assert.Equal(t, string(written), out.String(), "go test ./patterns -run TableOfRemedies -update")
}
