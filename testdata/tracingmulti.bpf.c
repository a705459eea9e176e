// SPDX-License-Identifier: MIT
//
// tracingmulti: one program at the entry of several kernel functions (Linux 7.2). The pattern fits what a machine calls the
// system calls getpgid and setpgid.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 entries;

SEC("fentry.multi/__*_sys_?etpgid")
int enter(void *ctx)
{
	entries++;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
