package patterns

import (
	"regexp"
	"sync"
)

// lazily compiles an expression of the code when it is first used: most logs and commands
// need none of them.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// compiled is an expression of a catalogue, compiled once however many analyzers ask.
func compiled(expression string) *regexp.Regexp {
	known, ok := expressions.Load(expression)
	if !ok {
		known, _ = expressions.LoadOrStore(expression, regexp.MustCompile(expression))
	}
	return known.(*regexp.Regexp)
}

var expressions sync.Map // by their text
