// SPDX-License-Identifier: MIT
//
// forward: an enumeration that is only declared, to which clang gives a size of 0 in BTF; the kernel refuses such types.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum later;

struct holder {
	enum later *which;
	int count;
} holder;

SEC("socket")
int forward(struct __sk_buff *skb)
{
	return holder.which ? holder.count : 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
