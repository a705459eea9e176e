// SPDX-License-Identifier: MIT
//
// tracing: one program for each way to trace. The kernel calls bpf_fentry_test1 when an fentry program is test-run, and
// security_task_getpgid at getpgid(2) of another process: so a test can trigger all of them. (Of the functions that fmod_ret
// may change, kernels without error injection have only the security hooks.)

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

__u64 entries, exits, modified, probes, return_probes, syscalls, raw, typed;
int entry_argument, exit_argument, exit_result;

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(enter, int a)
{
	entry_argument = a;
	entries++;
	return 0;
}

SEC("fexit/bpf_fentry_test1")
int BPF_PROG(leave, int a, int result)
{
	exit_argument = a;
	exit_result = result;
	exits++;
	return 0;
}

SEC("fmod_ret/security_task_getpgid")
int BPF_PROG(modify, void *task, int result)
{
	modified++;
	return result;
}

SEC("kprobe/bpf_fentry_test1")
int probe(void *registers)
{
	probes++;
	return 0;
}

SEC("kretprobe/bpf_fentry_test1")
int return_probe(void *registers)
{
	return_probes++;
	return 0;
}

SEC("tp/syscalls/sys_enter_getpgid")
int tracepoint(void *record)
{
	__sync_fetch_and_add(&syscalls, 1);
	return 0;
}

SEC("raw_tp/sys_enter")
int raw_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	__sync_fetch_and_add(&raw, 1);
	return 0;
}

SEC("tp_btf/sys_exit")
int typed_tracepoint(__u64 *ctx)
{
	__sync_fetch_and_add(&typed, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
