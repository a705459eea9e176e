// SPDX-License-Identifier: MIT
// build: -mcpu=v4 -fno-builtin
//
// arena: memory shared with user space (Linux 6.9): a variable in it (section .addr_space.1) and a page allocated in it.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define BPF_MAP_TYPE_ARENA 33
#define BPF_F_MMAPABLE 1024
#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16); // pages
} arena SEC(".maps");

extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *address, __u32 pages, int node, __u64 flags) __ksym;

__u64 __arena counter = 41;
__u64 __arena *page;

SEC("syscall")
int fill(void *ctx)
{
	counter++;
	page = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
	if (!page)
		return 1;
	page[1] = 0x6c6f6465;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
