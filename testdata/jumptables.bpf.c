// SPDX-License-Identifier: MIT
//
// jumptables: indirect jumps (Linux 6.19) through tables, in a program and in a function that two programs call. LLVM makes such
// code of a switch from version 22 on; here it is written out, as LLVM 22 lays it out: the tables stand in .jumptables, each
// under a symbol of its own with its size, and hold distances in bytes from the beginning of the section with the code.
// Instructions that LLVM 19 does not know are written as numbers.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define GOTOX_R1 ".8byte 0x000000000000010d;"
#else
#define GOTOX_R1 ".8byte 0x0d10000000000000;"
#endif

#define TABLE(name, size) ".pushsection .jumptables, \"\", @progbits; .globl " name "; .type " name ", @object; .size " name ", " size "; " name ":"

struct context {
	__u64 choice;
	__u64 result;
};

// 7, 5 or 3 by choice, else 0
static __attribute__((naked, noinline, used)) __u64 three(__u64 choice)
{
	asm volatile(
		"if r1 > 2 goto 4f;"
		"r1 <<= 3;"
		"r2 = BPF.JT.1.0 ll;"
		"r2 += r1;"
		"r1 = *(u64 *)(r2 + 0);"
		GOTOX_R1
		"1: r0 = 3; exit;"
		"2: r0 = 5; exit;"
		"3: r0 = 7; exit;"
		"4: r0 = 0; exit;"
		TABLE("BPF.JT.1.0", "24") ".8byte 3b; .8byte 2b; .8byte 1b; .popsection");
}

SEC("syscall") int direct(struct context *c)
{
	c->result = three(c->choice);
	return 0;
}

// 10, 20, 30 or 40 by choice, and what three says of the same
SEC("syscall") __attribute__((naked)) int indirect(struct context *c)
{
	asm volatile(
		"r6 = r1;"
		"r1 = *(u64 *)(r6 + 0);"
		"r7 = 0;"
		"if r1 > 3 goto 5f;"
		"r1 <<= 3;"
		"r2 = BPF.JT.0.0 ll;"
		"r2 += r1;"
		"r1 = *(u64 *)(r2 + 0);"
		GOTOX_R1
		"1: r7 = 10; goto 5f;"
		"2: r7 = 20; goto 5f;"
		"3: r7 = 30; goto 5f;"
		"4: r7 = 40;"
		"5: r1 = *(u64 *)(r6 + 0);"
		"call three;"
		"r7 += r0;"
		"*(u64 *)(r6 + 8) = r7;"
		"r0 = 0; exit;"
		TABLE("BPF.JT.0.0", "32") ".8byte 1b; .8byte 2b; .8byte 3b; .8byte 4b; .popsection");
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
