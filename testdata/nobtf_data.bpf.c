// SPDX-License-Identifier: MIT
// build: strip=.BTF strip=.BTF.ext
//
// nobtf_data: data sections and a subprogram without types. It needs none: a loader makes the maps from the sections alone.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 step = 3;
__u64 start = 40;
__u64 sum;

static __noinline int add(__u32 n)
{
	sum += n + start;
	return sum;
}

SEC("socket")
int total(struct __sk_buff *skb)
{
	return add(step);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
