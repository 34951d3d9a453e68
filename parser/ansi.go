package parser

import "bytes"

// stripANSI removes terminal escape sequences (ECMA-48 CSI, as for colours).
// It returns b itself if there are none.
func stripANSI(b []byte) []byte {
	i := bytes.IndexByte(b, 0x1b)
	if i < 0 {
		return b
	}
	out := append(make([]byte, 0, len(b)), b[:i]...)
	for i < len(b) {
		if n := ansiLen(b[i:]); n > 0 {
			i += n
			continue
		}
		out = append(out, b[i])
		i++
	}
	return out
}

// ansiLen returns the length of the escape sequence at the start of b, 0 if
// there is none.
func ansiLen(b []byte) int {
	if len(b) < 3 || b[0] != 0x1b || b[1] != '[' {
		return 0
	}
	for i := 2; i < len(b); i++ {
		if b[i] >= 0x40 && b[i] <= 0x7e {
			return i + 1
		}
		if b[i] < 0x20 || b[i] > 0x7e {
			return 0
		}
	}
	return 0
}

// skipANSI returns the index behind all escape sequences at b[i:].
func skipANSI(b []byte, i int) int {
	for i < len(b) {
		n := ansiLen(b[i:])
		if n == 0 {
			break
		}
		i += n
	}
	return i
}
