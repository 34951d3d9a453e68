#include "textflag.h"

// PLACE leaves in R a byte for each of the 32 bytes at SI+AX+at: the groups that hold
// such a byte by the tables LOW and HIGH. It spoils Y7.
#define PLACE(at, LOW, HIGH, R) \
	VMOVDQU at(SI)(AX*1), R; \
	VPSRLW $4, R, Y7; \
	VPAND Y6, R, R; \
	VPAND Y6, Y7, Y7; \
	VPSHUFB R, LOW, R; \
	VPSHUFB Y7, HIGH, Y7; \
	VPAND Y7, R, R

// PLACES leaves in R a byte for each of the 32 places at SI+AX+at: the groups
// that may stand there. It spoils Y7 and Y10.
#define PLACES(at, R) \
	PLACE(at+0, Y0, Y1, R); \
	PLACE(at+1, Y2, Y3, Y10); \
	VPAND Y10, R, R; \
	PLACE(at+2, Y4, Y5, Y10); \
	VPAND Y10, R, R; \
	PLACE(at+3, Y8, Y9, Y10); \
	VPAND Y10, R, R

// LINES adds the newlines in the 32 bytes at SI+AX+at to R9. It spoils Y7 and
// BX.
#define LINES(at) \
	VPCMPEQB at(SI)(AX*1), Y11, Y7; \
	VPMOVMSKB Y7, BX; \
	POPCNTL BX, BX; \
	ADDQ BX, R9

// func teddy32(data *byte, n int, tables *[8][32]byte) (at int, hits uint64, newlines int)
//
// Each byte of the result of a step has a bit set for every group of anchors
// of which the four bytes from there on may be a part: the tables give, for
// the low and the high half of a byte at each of the four places, the groups
// that hold such a byte.
TEXT ·teddy32(SB), NOSPLIT, $0-48
	MOVQ data+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ tables+16(FP), DX
	VMOVDQU 0(DX), Y0
	VMOVDQU 32(DX), Y1
	VMOVDQU 64(DX), Y2
	VMOVDQU 96(DX), Y3
	VMOVDQU 128(DX), Y4
	VMOVDQU 160(DX), Y5
	VMOVDQU 192(DX), Y8
	VMOVDQU 224(DX), Y9
	MOVQ $0x0f0f0f0f0f0f0f0f, AX
	VMOVQ AX, X6 // not MOVQ: an SSE instruction waits a hundred cycles for the tables above
	VPBROADCASTQ X6, Y6
	MOVQ $0x0a0a0a0a0a0a0a0a, AX
	VMOVQ AX, X11
	VPBROADCASTQ X11, Y11
	XORQ AX, AX
	XORQ R9, R9

pair:
	LEAQ 67(AX), BX
	CMPQ BX, CX
	JGT single
	PLACES(0, Y12)
	PLACES(32, Y13)
	VPOR Y12, Y13, Y14
	VPTEST Y14, Y14
	JNZ which
	LINES(0)
	LINES(32)
	ADDQ $64, AX
	JMP pair

which:
	VPTEST Y12, Y12
	JNZ found
	LINES(0)
	ADDQ $32, AX
	VMOVDQA Y13, Y12
	JMP found

single:
	LEAQ 35(AX), BX
	CMPQ BX, CX
	JGT none
	PLACES(0, Y12)
	VPTEST Y12, Y12
	JNZ found
	LINES(0)
	ADDQ $32, AX
	JMP single

found:
	VPXOR Y13, Y13, Y13
	VPCMPEQB Y13, Y12, Y12
	VPMOVMSKB Y12, BX
	NOTL BX
	JMP done

none:
	XORL BX, BX

done:
	VZEROUPPER
	MOVQ AX, at+24(FP)
	MOVQ BX, hits+32(FP)
	MOVQ R9, newlines+40(FP)
	RET

// STEP leaves in K2 a bit for each of the 64 places at SI+AX+at where a group
// may stand, and in K1 one for each newline. It spoils Z7 to Z10.
#define STEP(at) \
	VMOVDQU64 at+0(SI)(AX*1), Z7; \
	VMOVDQU64 at+1(SI)(AX*1), Z8; \
	VMOVDQU64 at+2(SI)(AX*1), Z9; \
	VPCMPEQB Z6, Z7, K1; \
	VPERMB Z0, Z7, Z10; \
	VPERMB Z1, Z8, Z8; \
	VPERMB Z2, Z9, Z9; \
	VPTERNLOGD $0x80, Z8, Z10, Z9; \
	VPTESTMB Z9, Z9, K2

// func teddy64(data *byte, n int, tables *[3][64]byte) (at int, hits uint64, newlines int)
//
// The same with 64 places at a step; the tables give the groups for the lowest
// six bits of a byte at each of the three places.
TEXT ·teddy64(SB), NOSPLIT, $0-48
	MOVQ data+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ tables+16(FP), DX
	VMOVDQU64 0(DX), Z0
	VMOVDQU64 64(DX), Z1
	VMOVDQU64 128(DX), Z2
	MOVL $0x0a0a0a0a, AX
	VPBROADCASTD AX, Z6
	XORQ AX, AX
	XORQ R9, R9
	XORQ BX, BX

step:
	LEAQ 66(AX), R10
	CMPQ R10, CX
	JGT end
	STEP(0)
	KORTESTQ K2, K2
	JNZ hit
	KMOVQ K1, R8
	POPCNTQ R8, R8
	ADDQ R8, R9
	ADDQ $64, AX
	JMP step

hit:
	KMOVQ K2, BX

end:
	VZEROUPPER
	MOVQ AX, at+24(FP)
	MOVQ BX, hits+32(FP)
	MOVQ R9, newlines+40(FP)
	RET
