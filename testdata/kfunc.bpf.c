// SPDX-License-Identifier: MIT
//
// kfunc: calls of kernel functions by their BTF (Linux 6.2), one by a name with a suffix, and a weak one that no kernel has.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock___v2(void) __ksym;
extern int lode_no_such_function(void) __ksym __weak;

int outcome = -1;

SEC("tc")
int call(struct __sk_buff *skb)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock___v2();
	outcome = 0;
	if (lode_no_such_function)
		outcome = lode_no_such_function();
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
