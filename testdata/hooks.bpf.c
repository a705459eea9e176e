// SPDX-License-Identifier: MIT
//
// hooks: programs that attach to a function of the kernel's choosing: lsm (needs "bpf" in the kernel's list of security
// modules), iter over tasks, a program of type syscall (Linux 5.14).

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct seq_file;
struct file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
} __attribute__((preserve_access_index));

struct task_struct {
	int tgid;
	int pid;
} __attribute__((preserve_access_index));

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

__u64 files;

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file)
{
	__sync_fetch_and_add(&files, 1);
	return 0;
}

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	static const char format[] = "%d %d\n";
	struct task_struct *task = ctx->task;
	__u64 arguments[2];

	if (!task)
		return 0;
	arguments[0] = task->tgid;
	arguments[1] = task->pid;
	bpf_seq_printf(ctx->meta->seq, format, sizeof(format), arguments, sizeof(arguments));
	return 0;
}

struct request {
	__u64 a, b, sum;
};

SEC("?syscall")
int add(struct request *r)
{
	r->sum = r->a + r->b;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
