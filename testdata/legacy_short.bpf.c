// SPDX-License-Identifier: MIT
// build: strip=.BTF strip=.BTF.ext
//
// legacy_short: the 20-byte structure of the kernel's samples in "maps", which iproute2 reads as a prefix of its own; no types.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bpf_map_def {
	unsigned int type;
	unsigned int key_size;
	unsigned int value_size;
	unsigned int max_entries;
	unsigned int map_flags;
};

struct bpf_map_def SEC("maps") lengths = {
	.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 64, .map_flags = BPF_F_NO_PREALLOC,
};

struct bpf_map_def SEC("maps") total = {
	.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
};

SEC("prog")
int measure(struct xdp_md *ctx)
{
	__u32 zero = 0, length = ctx->data_end - ctx->data;
	__u64 one = 1, *n = bpf_map_lookup_elem(&total, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
	bpf_map_update_elem(&lengths, &length, &one, BPF_ANY);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
