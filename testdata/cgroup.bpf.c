// SPDX-License-Identifier: MIT
//
// cgroup: one program for each group of cgroup hooks. All of them allow what they see and count it in .bss.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define ALLOW 1

__u64 egress_packets, ingress_packets, sockets, connects, binds, devices, sysctls, options, operations;

#define COUNT(variable) __sync_fetch_and_add(&variable, 1)

SEC("cgroup_skb/egress")
int egress(struct __sk_buff *skb)
{
	COUNT(egress_packets);
	return ALLOW;
}

SEC("cgroup_skb/ingress")
int ingress(struct __sk_buff *skb)
{
	COUNT(ingress_packets);
	return ALLOW;
}

SEC("cgroup/sock_create")
int sock_create(struct bpf_sock *sk)
{
	COUNT(sockets);
	return ALLOW;
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *address)
{
	COUNT(connects);
	return ALLOW;
}

SEC("cgroup/bind4")
int bind4(struct bpf_sock_addr *address)
{
	COUNT(binds);
	return ALLOW;
}

SEC("cgroup/dev")
int device(struct bpf_cgroup_dev_ctx *ctx)
{
	COUNT(devices);
	return ALLOW;
}

SEC("cgroup/sysctl")
int sysctl(struct bpf_sysctl *ctx)
{
	COUNT(sysctls);
	return ALLOW;
}

SEC("cgroup/getsockopt")
int get_option(struct bpf_sockopt *ctx)
{
	COUNT(options);
	return ALLOW;
}

SEC("sockops")
int operation(struct bpf_sock_ops *ctx)
{
	COUNT(operations);
	return ALLOW;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
