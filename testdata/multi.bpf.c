// SPDX-License-Identifier: MIT
//
// multi: several programs in a section, with subprograms of every linkage: static (verified with its caller), global
// (verified on its own), weak, hidden, in chains, called from several programs, and one that nobody calls.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 calls;

static __noinline int leaf(int n)
{
	calls++;
	return n * 3;
}

static __noinline int middle(int n)
{
	return leaf(n) + leaf(n + 1);
}

__noinline int choose(int length)
{
	return length > 100 ? middle(length) : leaf(length);
}

__weak __noinline int replaceable(int n)
{
	return n + choose(n);
}

__hidden __noinline int inside(int n)
{
	calls += 2;
	return n + 7;
}

__noinline int nobody_calls(int n)
{
	return inside(n) - 1;
}

SEC("tc")
int first(struct __sk_buff *skb)
{
	return choose(skb->len) + inside(1);
}

SEC("tc")
int second(struct __sk_buff *skb)
{
	return replaceable(skb->len) + middle(2);
}

SEC("tc")
int third(struct __sk_buff *skb)
{
	return 3;
}

SEC("xdp")
int fourth(struct xdp_md *ctx)
{
	return inside(ctx->data_end - ctx->data) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
