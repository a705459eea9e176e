// SPDX-License-Identifier: MIT
//
// legacy_mixed: structures of different sizes in one section "maps", told apart by their symbols' sizes and by the names that
// BTF gives to their members: iproute2's of 36 bytes, libbpf's of 20, and the kernel samples' of 28, in which other members
// stand where iproute2 has id and pinning.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "bpf_elf.h"

struct short_def {
	unsigned int type, key_size, value_size, max_entries, map_flags;
};

struct samples_def {
	unsigned int type, key_size, value_size, max_entries, map_flags, inner_map_idx, numa_node;
};

struct bpf_elf_map SEC("maps") full = {
	.type = BPF_MAP_TYPE_HASH, .size_key = 4, .size_value = 8, .max_elem = 16, .flags = BPF_F_NO_PREALLOC, .pinning = PIN_NONE,
};

struct short_def SEC("maps") brief = {
	.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2,
};

struct samples_def SEC("maps") sample = {
	.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 3, .map_flags = BPF_F_NUMA_NODE, .numa_node = 0,
};

SEC("xdp")
int touch(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 one = 1;

	bpf_map_update_elem(&full, &key, &one, BPF_ANY);
	bpf_map_update_elem(&brief, &key, &key, BPF_ANY);
	bpf_map_update_elem(&sample, &key, &one, BPF_ANY);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
