// SPDX-License-Identifier: MIT
//
// callback: static functions passed to helpers by address: bpf_for_each_map_elem (Linux 5.13), bpf_loop (5.17), a timer (5.15).

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct alarm {
	struct bpf_timer timer;
	__u64 rung;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct alarm);
} alarms SEC(".maps");

static __u64 square(__u64 n)
{
	return n * n;
}

static long fill(__u32 i, void *context)
{
	__u64 value = square(i);

	bpf_map_update_elem(&numbers, &i, &value, BPF_ANY);
	return 0;
}

static long sum(void *map, __u32 *key, __u64 *value, __u64 *total)
{
	*total += *value;
	return 0;
}

static int ring(void *map, __u32 *key, struct alarm *a)
{
	a->rung++;
	return 0;
}

// The sum of the squares below 8 is 140.
SEC("tc")
int loop(struct __sk_buff *skb)
{
	__u64 total = 0;

	bpf_loop(8, fill, 0, 0);
	bpf_for_each_map_elem(&numbers, sum, &total, 0);
	return total;
}

SEC("tc")
int set_alarm(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct alarm *a = bpf_map_lookup_elem(&alarms, &zero);

	if (!a)
		return 1;
	bpf_timer_init(&a->timer, &alarms, 0 /* CLOCK_REALTIME */);
	bpf_timer_set_callback(&a->timer, ring);
	return bpf_timer_start(&a->timer, 1000, 0);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
