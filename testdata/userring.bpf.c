// SPDX-License-Identifier: MIT
//
// userring: takes records that user space put into a user ring buffer (Linux 6.1), by a callback.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} requests SEC(".maps");

__u64 sum, records;

static long take(struct bpf_dynptr *record, void *context)
{
	__u64 value;

	if (bpf_dynptr_read(&value, sizeof(value), record, 0, 0))
		return 1;
	sum += value;
	records++;
	return 0;
}

SEC("raw_tp/sys_enter")
int drain(void *ctx)
{
	bpf_user_ringbuf_drain(&requests, take, 0, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
