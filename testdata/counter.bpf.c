// SPDX-License-Identifier: MIT
//
// counter: an XDP program that counts what arrives at a network device, with one of everything that an ordinary object has.
//
//   packets      hash, pinned by name: count per EtherType, and per IPv4 protocol from IPV4_PROTOCOL on
//   all_packets  per-CPU array of one: count of everything
//   sizes        array of two maps, filled from the file: small (< large_from bytes) and large packets
//   stages       program array, filled from the file: count_ipv4 and count_other, which `count` calls as its tail
//   .rodata      large_from, title      .data  next_report, reports      .bss  last_size, sizes_seen

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define IPV4_PROTOCOL 0x10000 // key of IPv4 protocol 0 in the map packets; EtherTypes are below

struct count {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct count);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct count);
} all_packets SEC(".maps");

struct size_class {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
};

struct size_class small SEC(".maps");
struct size_class large SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct size_class);
} sizes SEC(".maps") = {
	.values = { [0] = &small, [1] = &large },
};

int count_ipv4(struct xdp_md *ctx);
int count_other(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, int(struct xdp_md *));
} stages SEC(".maps") = {
	.values = { [0] = &count_ipv4, [1] = &count_other },
};

const volatile __u32 large_from = 512;
const volatile char title[] = "packets by EtherType";

__u64 next_report = 1000;
__u64 reports = 1;

__u64 last_size;
__u64 sizes_seen[4];

// account adds one packet under a key. Both entry programs call it, so its instructions belong to each of them.
static __noinline int account(__u32 key, __u32 size)
{
	struct count first = { .packets = 1, .bytes = size };
	struct count *c = bpf_map_lookup_elem(&packets, &key);

	if (!c)
		return bpf_map_update_elem(&packets, &key, &first, BPF_NOEXIST);
	__sync_fetch_and_add(&c->packets, 1);
	__sync_fetch_and_add(&c->bytes, size);
	return 0;
}

// classify counts the packet in the inner map for its size.
static __noinline int classify(__u32 size)
{
	__u32 class = size >= large_from, zero = 0;
	void *inner = bpf_map_lookup_elem(&sizes, &class);
	__u64 *n;

	if (!inner)
		return 0;
	n = bpf_map_lookup_elem(inner, &zero);
	if (n)
		__sync_fetch_and_add(n, 1);
	sizes_seen[class & 3]++;
	return class;
}

SEC("xdp")
int count(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	__u32 size = end - data, zero = 0, protocol;
	struct count *all = bpf_map_lookup_elem(&all_packets, &zero);

	if (all) {
		all->packets++;
		all->bytes += size;
		if (all->packets == next_report) {
			bpf_printk("%s: %llu", (const char *)title, all->packets);
			next_report += 1000;
			reports++;
		}
	}
	if (data + sizeof(*eth) > end)
		return XDP_PASS;
	last_size = size;
	protocol = bpf_ntohs(eth->h_proto);
	account(protocol, size);
	classify(size);
	bpf_tail_call(ctx, &stages, protocol == ETH_P_IP ? 0 : 1);
	return XDP_PASS;
}

SEC("xdp")
int count_ipv4(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 *protocol = data + sizeof(struct ethhdr) + 9;

	if ((void *)(protocol + 1) > end)
		return XDP_PASS;
	account(IPV4_PROTOCOL + *protocol, end - data);
	return XDP_PASS;
}

SEC("xdp")
int count_other(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
