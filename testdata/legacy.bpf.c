// SPDX-License-Identifier: MIT
//
// legacy: definitions of iproute2's struct bpf_elf_map in the section "maps": every pin value, a map of maps by
// id/inner_id/inner_idx, tail calls by sections "ID/KEY", types by a structure ____btf_map_NAME.

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "bpf_elf.h"

#define JUMPS 1
#define INNER 2

struct bpf_elf_map SEC("maps") unpinned = {
	.type = BPF_MAP_TYPE_ARRAY,
	.size_key = sizeof(__u32), .size_value = sizeof(__u64), .max_elem = 1,
	.pinning = PIN_NONE,
};

struct bpf_elf_map SEC("maps") per_object = {
	.type = BPF_MAP_TYPE_HASH,
	.size_key = sizeof(__u32), .size_value = sizeof(__u64), .max_elem = 16,
	.flags = BPF_F_NO_PREALLOC,
	.pinning = PIN_OBJECT_NS,
};

struct bpf_elf_map SEC("maps") global = {
	.type = BPF_MAP_TYPE_PERCPU_ARRAY,
	.size_key = sizeof(__u32), .size_value = sizeof(__u64), .max_elem = 2,
	.pinning = PIN_GLOBAL_NS,
};

struct ____btf_map_global {
	__u32 key;
	__u64 value;
};
struct ____btf_map_global SEC(".maps.global") ____btf_map_global = {};

struct bpf_elf_map SEC("maps") configured = {
	.type = BPF_MAP_TYPE_ARRAY,
	.size_key = sizeof(__u32), .size_value = sizeof(__u64), .max_elem = 1,
	.pinning = 7,
};

struct bpf_elf_map SEC("maps") jumps = {
	.type = BPF_MAP_TYPE_PROG_ARRAY,
	.id = JUMPS,
	.size_key = sizeof(__u32), .size_value = sizeof(__u32), .max_elem = 4,
	.pinning = PIN_OBJECT_NS,
};

struct bpf_elf_map SEC("maps") inner = {
	.type = BPF_MAP_TYPE_ARRAY,
	.id = INNER,
	.size_key = sizeof(__u32), .size_value = sizeof(__u64), .max_elem = 1,
	.inner_idx = 2,
};

struct bpf_elf_map SEC("maps") outer = {
	.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
	.size_key = sizeof(__u32), .size_value = sizeof(__u32), .max_elem = 4,
	.inner_id = INNER,
};

static __noinline int add(void *map, __u64 n)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(map, &zero);

	if (value)
		__sync_fetch_and_add(value, n);
	return 0;
}

SEC("classifier")
int classify(struct __sk_buff *skb)
{
	__u32 zero = 0, two = 2;
	__u64 one = 1, *value = bpf_map_lookup_elem(&unpinned, &zero);
	void *inside = bpf_map_lookup_elem(&outer, &two);

	if (value)
		__sync_fetch_and_add(value, 1);
	if (inside)
		add(inside, skb->len);
	bpf_map_update_elem(&per_object, &zero, &one, BPF_ANY);
	value = bpf_map_lookup_elem(&configured, &zero);
	if (value)
		*value = skb->len;
	bpf_tail_call(skb, &jumps, 0);
	return TC_ACT_UNSPEC;
}

SEC("1/0")
int first(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&global, &zero);

	if (value)
		*value += 1;
	bpf_tail_call(skb, &jumps, 3);
	return TC_ACT_OK;
}

SEC("1/3")
int last(struct __sk_buff *skb)
{
	__u32 one = 1;
	__u64 *value = bpf_map_lookup_elem(&global, &one);

	if (value)
		*value += 1;
	return TC_ACT_OK;
}

SEC("action")
int drop(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
