// SPDX-License-Identifier: MIT
//
// weakmaps: map definitions with weak binding and with hidden visibility, beside an ordinary one.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct definition {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
};

struct definition weak_map SEC(".maps") __weak;
struct definition hidden_map SEC(".maps") __hidden;
struct definition plain_map SEC(".maps");

static __noinline int add(void *map)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(map, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

SEC("tc")
int count(struct __sk_buff *skb)
{
	return add(&weak_map) + add(&hidden_map) + add(&plain_map);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
