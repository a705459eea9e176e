// SPDX-License-Identifier: MIT
//
// linked_b: see linked_a.

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

extern struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} shared SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} only_b SEC(".maps");

struct task_struct {
	struct task_struct *parent;
	int pid;
	int tgid;
} __attribute__((preserve_access_index));

extern int CONFIG_HZ __kconfig; // strong here
extern bool CONFIG_BPF_SYSCALL __kconfig __weak;

__u64 counted = 5;
static volatile int mine = 2;
static volatile const int limit = 22;
extern int total;
char buffer_of_b[13];

static __noinline int helper(int n)
{
	return n - mine - limit;
}

__noinline int choose(int n)
{
	return helper(n) + 7;
}

__noinline long in_b(struct task_struct *t, int n)
{
	return BPF_CORE_READ(t, tgid) + helper(n) + total + buffer_of_b[n & 7];
}

static long callback_a(__u32 i, void *ctx)
{
	counted += i;
	return 0;
}

SEC("tc")
int program_b(struct __sk_buff *skb)
{
	__u32 key = 2;
	__u64 *v = bpf_map_lookup_elem(&shared, &key);
	__u32 *w = bpf_map_lookup_elem(&only_b, &key);

	bpf_loop(3, callback_a, 0, 0);
	bpf_printk("b: %d and more", mine);
	return choose(1) + (v ? *v : 0) + (w ? *w : 0) + CONFIG_HZ + CONFIG_BPF_SYSCALL;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
