// SPDX-License-Identifier: MIT
//
// structops: a TCP congestion control, "lode_fixed", that never grows or shrinks the window. Once as a map that is
// registered by an update (.struct_ops), once as one for a link (.struct_ops.link, Linux 6.4), which is not created unasked.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sock;

struct tcp_sock {
	__u32 snd_cwnd;
};

struct tcp_congestion_ops { // the kernel's has more members, in another order: they are matched by name
	char name[16];
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	void (*init)(struct sock *sk);
	__u32 (*undo_cwnd)(struct sock *sk);
};

#pragma clang attribute pop

__u64 connections;

SEC("struct_ops/init")
void BPF_PROG(init, struct sock *sk)
{
	__sync_fetch_and_add(&connections, 1);
}

SEC("struct_ops/ssthresh")
__u32 BPF_PROG(ssthresh, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC("?struct_ops/undo_cwnd") // loaded with a variable that has it
__u32 BPF_PROG(undo_cwnd, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC("struct_ops/cong_avoid")
void BPF_PROG(cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC(".struct_ops")
struct tcp_congestion_ops fixed = {
	.name = "lode_fixed",
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)cong_avoid,
	.init = (void *)init,
	.undo_cwnd = (void *)undo_cwnd,
};

SEC("?.struct_ops.link")
struct tcp_congestion_ops fixed_link = {
	.name = "lode_fixed_link",
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)cong_avoid,
	.undo_cwnd = (void *)undo_cwnd,
};

char LICENSE[] SEC("license") = "GPL";
