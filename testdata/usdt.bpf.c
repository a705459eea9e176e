// SPDX-License-Identifier: MIT
// build: -D__TARGET_ARCH_x86
//
// usdt: a program on the USDT probe test:hit, with its first argument. Its maps come from libbpf's usdt.bpf.h, as weak definitions.

#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

__u64 hits;
long argument;

SEC("usdt//opt/lode/probed:test:hit")
int hit(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&hits, 1);
	bpf_usdt_arg(ctx, 0, &argument);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
