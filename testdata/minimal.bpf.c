// SPDX-License-Identifier: MIT
//
// minimal: the smallest useful object, a socket filter that keeps every packet whole. No maps, no data, no relocations.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("socket")
int keep(struct __sk_buff *skb)
{
	return skb->len;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
