package patterns_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTableOfVocabulariesIsUpToDate(t *testing.T) {
	table := tableOf(allVocabularies(t))
	if *update {
		require.NoError(t, os.WriteFile(vocabularyTable, []byte(table), 0o644))
	}
	written, err := os.ReadFile(vocabularyTable)
	require.NoError(t, err)
	assert.Equal(t, string(written), table, "go test ./patterns -run TableOfVocabularies -update")
}

const tableHead = `# What each stack says of each fault

Generated from patterns/testdata/vocabulary by the test of patterns; do not edit. A fault
is named by the number of the alert that the other side sent, or by what is wrong. Every
message was tried on wklog, by itself and behind the time and name of a program; a
message counts as provoked where the program itself printed it when the fault was
brought about.

`

func tableOf(all []vocabulary) string {
	var out strings.Builder
	out.WriteString(tableHead)
	out.WriteString("| stack | versions | messages | provoked | recognised | unclassified | noise | faults with words | without |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n")
	var sum tallyOfRows
	for _, v := range all {
		tally := v.tally()
		sum = sum.plus(tally)
		fmt.Fprintf(&out, "| [%s](#%s) | %s | %s | %d | %d |\n", cell(v.Stack), anchorOf(v.Stack), cell(v.Versions), tally, len(v.byFault()), len(faults)-len(v.byFault()))
	}
	fmt.Fprintf(&out, "| all | | %s | | |\n", sum)
	for _, v := range all {
		out.WriteString("\n" + v.section())
	}
	return out.String()
}

// tallyOfRows counts messages.
type tallyOfRows struct{ messages, provoked, recognised, unclassified, silent int }

func (n tallyOfRows) plus(m tallyOfRows) tallyOfRows {
	return tallyOfRows{n.messages + m.messages, n.provoked + m.provoked, n.recognised + m.recognised, n.unclassified + m.unclassified, n.silent + m.silent}
}

func (n tallyOfRows) String() string {
	return fmt.Sprintf("%d | %d | %d | %d | %d", n.messages, n.provoked, n.recognised, n.unclassified, n.silent)
}

func (v *vocabulary) tally() tallyOfRows {
	n := tallyOfRows{messages: len(v.Rows)}
	for _, row := range v.Rows {
		switch {
		case row.Unclassified:
			n.unclassified++
		case row.Silent:
			n.silent++
		default:
			n.recognised++
		}
		if row.Provoked {
			n.provoked++
		}
	}
	return n
}

func (v *vocabulary) byFault() map[string][]vocabularyRow {
	rows := map[string][]vocabularyRow{}
	for _, row := range v.Rows {
		for _, fault := range row.faults() {
			rows[fault] = append(rows[fault], row)
		}
	}
	return rows
}

// section is the part of the table about one stack.
func (v *vocabulary) section() string {
	var out strings.Builder
	fmt.Fprintf(&out, "## %s\n\nVersions %s. From: %s.\n\n", v.Stack, v.Versions, strings.TrimSuffix(v.Source, "."))
	out.WriteString("| fault | recognised as | messages | provoked |\n|---|---|--:|--:|\n")
	rows := v.byFault()
	for _, fault := range faults {
		if len(rows[fault]) == 0 {
			continue
		}
		var known []string
		provoked := 0
		for _, row := range rows[fault] {
			if as := row.verdict(); !slices.Contains(known, as) {
				known = append(known, as)
			}
			if row.Provoked {
				provoked++
			}
		}
		fmt.Fprintf(&out, "| %s | %s | %d | %d |\n", fault, strings.Join(known, ", "), len(rows[fault]), provoked)
	}
	if len(v.None) > 0 {
		out.WriteString("\nNothing of its own:\n\n")
	}
	for _, blank := range v.None {
		fmt.Fprintf(&out, "- %s: %s\n", strings.Join(blank.Faults, ", "), blank.Reason)
	}
	return out.String()
}

func (r *vocabularyRow) verdict() string {
	switch {
	case r.Unclassified:
		return "unclassified: " + cell(r.Reason)
	case r.Silent:
		return "noise: " + cell(r.Reason)
	}
	return r.Pattern
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// anchorOf is that which Markdown's renderers give to a heading.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 127:
			return r
		}
		return -1
	}, strings.ToLower(heading))
}
