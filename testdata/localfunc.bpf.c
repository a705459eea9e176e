// SPDX-License-Identifier: MIT
//
// localfunc: a static function that stands in the section of the programs that call it. The assembler itself resolves the
// calls, so there are no relocations for them; the function is no program.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 factor = 5;

static __attribute__((noinline, section("tc"))) int scale(int n)
{
	return n * factor;
}

SEC("tc")
int before(struct __sk_buff *skb)
{
	return scale(skb->len);
}

SEC("tc")
int after(struct __sk_buff *skb)
{
	return scale(skb->len) + 1;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
