package search

import "golang.org/x/sys/cpu"

// vectorWidth is how many places the processor compares in one step: 64 with
// AVX-512, 32 with AVX2, 0 where literals are looked for one after the other.
var vectorWidth = func() int {
	switch {
	case cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI && cpu.X86.HasPOPCNT:
		return 64
	case cpu.X86.HasAVX2 && cpu.X86.HasPOPCNT:
		return 32
	}
	return 0
}()

// teddy32 looks for places where a literal may stand in the n bytes at data. It
// returns the index of the first step with such places, a bit for each of its
// places, and the newlines before that index; or hits 0 and the index from
// which fewer bytes are left than a step reads.
//
//go:noescape
func teddy32(data *byte, n int, tables *[2 * halvesSize][32]byte) (at int, hits uint64, newlines int)

// teddy64 is teddy32 with 64 places a step.
//
//go:noescape
func teddy64(data *byte, n int, tables *[printSize][64]byte) (at int, hits uint64, newlines int)
