// SPDX-License-Identifier: MIT
//
// coremissing: `guarded` asks first whether the kernel has the field and so loads everywhere; `unguarded` reads it without
// asking, so the verifier refuses it, and the error must name the field.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct task_struct {
	int pid;
	int lode_no_such_field;
} __attribute__((preserve_access_index));

int value;

SEC("raw_tp/sys_enter")
int guarded(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(t->lode_no_such_field))
		value = BPF_CORE_READ(t, lode_no_such_field);
	else
		value = BPF_CORE_READ(t, pid);
	return 0;
}

SEC("?raw_tp/sys_enter")
int unguarded(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	value = BPF_CORE_READ(t, lode_no_such_field);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
