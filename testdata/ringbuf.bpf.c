// SPDX-License-Identifier: MIT
//
// ringbuf: records for user space through a ring buffer (reserve and submit, discard, copy) and through a perf event array.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct event {
	__u64 number;
	__u32 length;
	__u32 kind;
};

const struct event *event_type __attribute__((unused)); // keeps the type in the BTF

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
} perf_events SEC(".maps");

__u64 number, lost;

// Each run submits one record of 16 bytes, discards one, and copies one of `skb->len` mod 256 bytes.
SEC("tc")
int emit(struct __sk_buff *skb)
{
	static const char bytes[256];
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		lost++;
		return 0;
	}
	e->number = ++number;
	e->length = skb->len;
	e->kind = 1;
	bpf_ringbuf_submit(e, 0);

	e = bpf_ringbuf_reserve(&events, 1000, 0);
	if (e)
		bpf_ringbuf_discard(e, 0);
	if (bpf_ringbuf_output(&events, (void *)bytes, skb->len & 255, 0))
		lost++;
	return 0;
}

SEC("tc")
int emit_perf(struct __sk_buff *skb)
{
	struct event e = { .number = ++number, .length = skb->len, .kind = 2 };

	return bpf_perf_event_output(skb, &perf_events, BPF_F_CURRENT_CPU, &e, sizeof(e)) ? 1 : 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
