// SPDX-License-Identifier: MIT
//
// tc: classifiers for both directions and for an unspecified one, counting packets and bytes per direction.

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct count {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, struct count);
} directions SEC(".maps");

static __noinline int add(__u32 direction, __u32 bytes)
{
	struct count *c = bpf_map_lookup_elem(&directions, &direction);

	if (!c)
		return -1;
	__sync_fetch_and_add(&c->packets, 1);
	__sync_fetch_and_add(&c->bytes, bytes);
	return TC_ACT_UNSPEC;
}

SEC("tc/ingress")
int ingress(struct __sk_buff *skb)
{
	return add(0, skb->len);
}

SEC("tc/egress")
int egress(struct __sk_buff *skb)
{
	return add(1, skb->len);
}

SEC("tc")
int either(struct __sk_buff *skb)
{
	return add(2, skb->len);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
