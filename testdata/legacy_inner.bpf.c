// SPDX-License-Identifier: MIT
//
// legacy_inner: maps of maps in iproute2's format that loaders get wrong: two inner maps with one id, an inner map that is a
// template only (inner_idx -1), a pinned inner map whose outer map is not pinned, and a pinned outer map whose inner is not.

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "bpf_elf.h"

#define MAP(NAME, TYPE, MAX, ...) \
	struct bpf_elf_map SEC("maps") NAME = { .type = TYPE, .size_key = 4, .size_value = 4, .max_elem = MAX, __VA_ARGS__ }

MAP(template, BPF_MAP_TYPE_ARRAY, 1, .id = 1, .inner_idx = -1);
MAP(zero, BPF_MAP_TYPE_ARRAY, 1, .id = 1, .inner_idx = 0);
MAP(three, BPF_MAP_TYPE_ARRAY, 1, .id = 1, .inner_idx = 3);
MAP(array, BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, .inner_id = 1);
MAP(hash, BPF_MAP_TYPE_HASH_OF_MAPS, 4, .inner_id = 1, .pinning = PIN_GLOBAL_NS);

MAP(kept, BPF_MAP_TYPE_ARRAY, 1, .id = 2, .inner_idx = 1, .pinning = PIN_GLOBAL_NS);
MAP(fleeting, BPF_MAP_TYPE_ARRAY_OF_MAPS, 2, .inner_id = 2);

static __noinline int put(void *inner, __u32 n)
{
	__u32 first = 0;

	return inner ? bpf_map_update_elem(inner, &first, &n, BPF_ANY) : -1;
}

SEC("classifier")
int fill(struct __sk_buff *skb)
{
	__u32 i = 0, three = 3, one = 1;
	int failed = 0;

	failed |= put(bpf_map_lookup_elem(&array, &i), 10);
	failed |= put(bpf_map_lookup_elem(&hash, &three), 13);
	failed |= put(bpf_map_lookup_elem(&fleeting, &one), 21);
	return failed ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
