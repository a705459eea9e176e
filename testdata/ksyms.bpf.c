// SPDX-License-Identifier: MIT
//
// ksyms: addresses of kernel symbols by name (untyped), a per-CPU variable of the kernel by its BTF (typed; needs a kernel
// with CONFIG_KALLSYMS_ALL, so its program is not loaded unasked), and weak ones that no kernel has.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern const void schedule __ksym;
extern const void lode_no_such_symbol __ksym __weak;
extern const int bpf_prog_active __ksym;
extern const int lode_no_such_variable __ksym __weak;

__u64 address;
__u64 missing_address = 1;
__u64 missing_variable = 1;
__s64 active = -1;

SEC("tc")
int untyped(struct __sk_buff *skb)
{
	address = (__u64)&schedule;
	missing_address = (__u64)&lode_no_such_symbol;
	missing_variable = (__u64)&lode_no_such_variable;
	return 0;
}

SEC("?raw_tp/sys_enter")
int typed(void *ctx)
{
	const int *here = bpf_per_cpu_ptr(&bpf_prog_active, 0);

	if (here)
		active = *here;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
