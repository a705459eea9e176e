// SPDX-License-Identifier: MIT
//
// freplace: a program that takes the place of the global function `choose` of the object `multi`.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("freplace/choose")
int choose(int length)
{
	return length + 1000;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
