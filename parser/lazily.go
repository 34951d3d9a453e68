package parser

import (
	"regexp"
	"sync"
)

// lazily compiles an expression when it is first used: most are for the lines of
// programs of which a log holds nothing, and together they took a tenth of each start.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
