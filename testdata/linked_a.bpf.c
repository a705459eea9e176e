// SPDX-License-Identifier: MIT
//
// linked_a, linked_b: two halves of one object, to be linked statically. Each has static functions, variables and strings
// of the same names as the other; this half defines the map `shared` and the weak function `choose`, which gives way to
// linked_b's, and uses linked_b's variables and functions.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} shared SEC(".maps");

struct task_struct {
	int pid;
	struct task_struct *parent;
} __attribute__((preserve_access_index));

extern int CONFIG_HZ __kconfig __weak;
extern const void schedule __ksym __weak;
extern const void jiffies __ksym __weak;

extern __u64 counted;
extern long in_b(struct task_struct *t, int n);

static volatile int mine = 1;
static volatile const int limit = 11;
int total = 100;
__u64 *buffer_of_a[4];

static __noinline int helper(int n)
{
	return n * mine + limit;
}

__weak __noinline int choose(int n)
{
	mine = n;
	return helper(n) * 2;
}

static long callback_a(__u32 i, void *ctx)
{
	total += i;
	return 0;
}

SEC("tc")
int program_a(struct __sk_buff *skb)
{
	__u32 key = 1;
	__u64 *v = bpf_map_lookup_elem(&shared, &key);
	struct task_struct *t = (void *)bpf_get_current_task();

	if (v)
		*v += counted;
	bpf_loop(2, callback_a, 0, 0);
	bpf_printk("a: %d", total);
	return helper(key) + choose(3) + in_b(t, 4) + CONFIG_HZ + BPF_CORE_READ(t, pid) + (&schedule != &jiffies);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
