// SPDX-License-Identifier: MIT
//
// exceptions: a program that gives up in a function that it calls, and a function that then takes its place, which nothing calls:
// the program names it in a declaration tag (Linux 6.7). The other program takes the kernel's own.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern void bpf_throw(__u64 cookie) __ksym;

__attribute__((noinline)) int caught(__u64 cookie)
{
	return cookie + 100;
}

__attribute__((noinline)) int checked(int n)
{
	if (n > 60)
		bpf_throw(n);
	return n;
}

SEC("tc") __attribute__((btf_decl_tag("exception_callback:caught"))) int catches(struct __sk_buff *skb)
{
	return checked(skb->len) + 1;
}

SEC("tc") int falls(struct __sk_buff *skb)
{
	return checked(skb->len) + 2;
}

char LICENSE[] SEC("license") = "GPL";
