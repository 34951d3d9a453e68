package patterns

import "golang.org/x/sys/cpu"

// teddyStep is how many bytes one step of teddy reads.
const teddyStep = 34

// hasTeddy tells whether the processor can run teddy.
var hasTeddy = cpu.X86.HasAVX2

// teddy looks for places where an anchor may stand in the n bytes at data. It
// returns the index of the first 32 bytes with such places and a bit for each
// of the 32, or hits 0 and the index from which fewer than teddyStep bytes are
// left.
//
//go:noescape
func teddy(data *byte, n int, tables *[6][32]byte) (at int, hits uint32)
