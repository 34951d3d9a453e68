package parser

// Anchors are literals that a [Finder] has to point at besides its own: by them
// CRI, and shippers that took its lines apart, mark the pieces of an entry that was
// written in several lines, and by the last one the journal marks a text that it gives as
// the numbers of its bytes.
var Anchors = []string{" stdout P", " stderr P", `"_p":"P"`, `"logtag":"P"`, `"MESSAGE":[`}

// dockerPiece is the size in bytes at which Docker's json-file driver cuts an
// entry. It does not mark the pieces: only their length shows them.
const dockerPiece = 16 << 10

// longLines finds the lines of at least dockerPiece bytes in a block.
type longLines struct {
	block []byte
	at    int
}

func newLongLines(block []byte) *longLines {
	return &longLines{block: block, at: -1}
}

// next returns the start of the first long line at or after from, which is the
// start of a line; -1 when there is none. from must not decrease.
func (l *longLines) next(from int) int {
	if l.at < from {
		l.at = l.find(from)
	}
	if l.at == len(l.block) {
		return -1
	}
	return l.at
}

// find looks at one line end in dockerPiece bytes.
func (l *longLines) find(start int) int {
	for start+dockerPiece <= len(l.block) {
		end := lastNewline(l.block[start : start+dockerPiece])
		if end < 0 {
			return start
		}
		start += end + 1
	}
	return len(l.block)
}
