//go:build !amd64

package search

// vectorWidth is how many places the processor compares in one step: literals
// are looked for one after the other.
var vectorWidth = 0

func teddy32(*byte, int, *[2 * halvesSize][32]byte) (int, uint64, int) { return 0, 0, 0 }

func teddy64(*byte, int, *[printSize][64]byte) (int, uint64, int) { return 0, 0, 0 }
