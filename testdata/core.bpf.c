// SPDX-License-Identifier: MIT
//
// core: every kind of CO-RE relocation, against types that this file describes only as far as it uses them. `walk` reads
// the running task; `ask` puts what it learns of the kernel's types into .bss, and can be test-run.

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next, *prev;
};

struct mm_struct___old { // no kernel from 5.10 on has this field, its flavour says that nobody should expect it to
	void *lode_no_such_field;
};

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct list_head tasks;
	char comm[16];
	unsigned int __state;
	unsigned no_cgroup_migration : 1; // a bit-field on every kernel
};

struct task_struct___before_5_14 { // the field's name before Linux 5.14
	long state;
};

struct lode_no_such_struct {
	int x;
};

#pragma clang attribute pop

enum bpf_map_type___kernel {
	BPF_MAP_TYPE_ARRAY___kernel = 99, // the kernel's value is 2
	BPF_MAP_TYPE_LODE_NO_SUCH = 98,
};

typedef int (*initcall_t)(void);

struct {
	int pid, parent;
	char comm[16];
	__u64 state;
	__u32 no_cgroup_migration;
} task;

struct {
	__u32 pid_offset, pid_size, pid_signed, pid_exists;
	__u32 comm_offset, comm_size;
	__u32 bit_left, bit_right;
	__u32 state_exists, old_state_exists, missing_field_exists;
	__u32 task_exists, task_size, task_matches, missing_struct_exists, missing_struct_size;
	__u32 local_type_id, kernel_type_id;
	__u32 array_exists, array_value, missing_enumerator_exists;
	__u32 typedef_exists;
} types;

SEC("raw_tp/sys_enter")
int walk(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();

	task.pid = BPF_CORE_READ(t, pid);
	task.parent = BPF_CORE_READ(t, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&task.comm, t, comm);
	task.no_cgroup_migration = BPF_CORE_READ_BITFIELD_PROBED(t, no_cgroup_migration);
	if (bpf_core_field_exists(t->__state)) {
		task.state = BPF_CORE_READ(t, __state);
	} else {
		struct task_struct___before_5_14 *old = (void *)t;

		task.state = BPF_CORE_READ(old, state);
	}
	return 0;
}

SEC("tc")
int ask(struct __sk_buff *skb)
{
	struct task_struct *t = 0;
	struct mm_struct___old *mm = 0;
	struct task_struct___before_5_14 *old = 0;

	types.pid_offset = __builtin_preserve_field_info(t->pid, BPF_FIELD_BYTE_OFFSET);
	types.pid_size = bpf_core_field_size(t->pid);
	types.pid_signed = __builtin_preserve_field_info(t->pid, BPF_FIELD_SIGNED);
	types.pid_exists = bpf_core_field_exists(t->pid);
	types.comm_offset = __builtin_preserve_field_info(t->comm[3], BPF_FIELD_BYTE_OFFSET);
	types.comm_size = bpf_core_field_size(t->comm);
	types.bit_left = __builtin_preserve_field_info(t->no_cgroup_migration, BPF_FIELD_LSHIFT_U64);
	types.bit_right = __builtin_preserve_field_info(t->no_cgroup_migration, BPF_FIELD_RSHIFT_U64);
	types.state_exists = bpf_core_field_exists(t->__state);
	types.old_state_exists = bpf_core_field_exists(old->state);
	types.missing_field_exists = bpf_core_field_exists(mm->lode_no_such_field);
	types.task_exists = bpf_core_type_exists(struct task_struct);
	types.task_size = bpf_core_type_size(struct task_struct);
	types.task_matches = __builtin_preserve_type_info(*(struct list_head *)0, 2 /* type matches */);
	types.missing_struct_exists = bpf_core_type_exists(struct lode_no_such_struct);
	types.missing_struct_size = bpf_core_type_size(struct lode_no_such_struct);
	types.local_type_id = bpf_core_type_id_local(struct task_struct);
	types.kernel_type_id = bpf_core_type_id_kernel(struct task_struct);
	types.array_exists = bpf_core_enum_value_exists(enum bpf_map_type___kernel, BPF_MAP_TYPE_ARRAY___kernel);
	types.array_value = bpf_core_enum_value(enum bpf_map_type___kernel, BPF_MAP_TYPE_ARRAY___kernel);
	types.missing_enumerator_exists =
		bpf_core_enum_value_exists(enum bpf_map_type___kernel, BPF_MAP_TYPE_LODE_NO_SUCH);
	types.typedef_exists = bpf_core_type_exists(initcall_t);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
