// SPDX-License-Identifier: MIT
//
// rejected: `unchecked` uses the result of a map lookup without asking whether there is one, which the verifier refuses;
// `fine` is loaded beside it.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

SEC("tc")
int fine(struct __sk_buff *skb)
{
	return 0;
}

SEC("tc")
int unchecked(struct __sk_buff *skb)
{
	__u32 key = skb->len;
	__u64 *value = bpf_map_lookup_elem(&table, &key);

	*value += 1; /* the map may have no such key */
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
