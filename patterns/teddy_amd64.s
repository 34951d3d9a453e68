#include "textflag.h"

// PLACES leaves in R a byte for each of the 32 places at SI+AX+at: the groups
// that may stand there. It spoils Y7 to Y10.
#define PLACES(at, R) \
	VMOVDQU at+0(SI)(AX*1), Y7; \
	VMOVDQU at+1(SI)(AX*1), Y8; \
	VMOVDQU at+2(SI)(AX*1), Y9; \
	VPSRLW $4, Y7, Y10; \
	VPAND Y6, Y7, Y7; \
	VPAND Y6, Y10, Y10; \
	VPSHUFB Y7, Y0, Y7; \
	VPSHUFB Y10, Y1, Y10; \
	VPAND Y7, Y10, R; \
	VPSRLW $4, Y8, Y10; \
	VPAND Y6, Y8, Y8; \
	VPAND Y6, Y10, Y10; \
	VPSHUFB Y8, Y2, Y8; \
	VPSHUFB Y10, Y3, Y10; \
	VPAND Y8, R, R; \
	VPAND Y10, R, R; \
	VPSRLW $4, Y9, Y10; \
	VPAND Y6, Y9, Y9; \
	VPAND Y6, Y10, Y10; \
	VPSHUFB Y9, Y4, Y9; \
	VPSHUFB Y10, Y5, Y10; \
	VPAND Y9, R, R; \
	VPAND Y10, R, R

// func teddy(data *byte, n int, tables *[6][32]byte) (at int, hits uint32)
//
// Each byte of the result of a step has a bit set for every group of anchors
// of which the three bytes from there on may be a part: the tables give, for
// the low and the high half of a byte at each of the three places, the groups
// that hold such a byte.
TEXT ·teddy(SB), NOSPLIT, $0-36
	MOVQ data+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ tables+16(FP), DX
	VMOVDQU 0(DX), Y0
	VMOVDQU 32(DX), Y1
	VMOVDQU 64(DX), Y2
	VMOVDQU 96(DX), Y3
	VMOVDQU 128(DX), Y4
	VMOVDQU 160(DX), Y5
	MOVQ $0x0f0f0f0f0f0f0f0f, AX
	MOVQ AX, X6
	VPBROADCASTQ X6, Y6
	XORQ AX, AX

pair:
	LEAQ 66(AX), BX
	CMPQ BX, CX
	JGT single
	PLACES(0, Y12)
	PLACES(32, Y13)
	VPOR Y12, Y13, Y14
	VPTEST Y14, Y14
	JNZ which
	ADDQ $64, AX
	JMP pair

which:
	VPTEST Y12, Y12
	JNZ found
	ADDQ $32, AX
	VMOVDQA Y13, Y12
	JMP found

single:
	LEAQ 34(AX), BX
	CMPQ BX, CX
	JGT none
	PLACES(0, Y12)
	VPTEST Y12, Y12
	JNZ found
	ADDQ $32, AX
	JMP single

found:
	VPXOR Y13, Y13, Y13
	VPCMPEQB Y13, Y12, Y12
	VPMOVMSKB Y12, BX
	NOTL BX
	VZEROUPPER
	MOVQ AX, at+24(FP)
	MOVL BX, hits+32(FP)
	RET

none:
	VZEROUPPER
	MOVQ AX, at+24(FP)
	MOVL $0, hits+32(FP)
	RET
