// SPDX-License-Identifier: MIT
//
// newmaps: map types that came after Linux 5.10, with what only they have: map_extra, kptr fields, a spin lock.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct task_struct;

struct locked {
	struct bpf_spin_lock lock; // 5.1
	__u64 n;
};

struct owner {
	struct task_struct __kptr *task; // 5.19
	__u64 since;
};

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER); // 5.16
	__uint(max_entries, 100);
	__uint(map_extra, 3);
	__type(value, __u64);
} bloom_filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE); // 5.11
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} task_storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE); // 5.10
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} inode_storage SEC(".maps");

struct {
	__uint(type, 32 /* BPF_MAP_TYPE_CGRP_STORAGE */); // 6.2
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} cgroup_storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF); // 6.1
	__uint(max_entries, 4096);
} user_ringbuf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct locked);
} locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct owner);
} owners SEC(".maps");

char LICENSE[] SEC("license") = "Dual MIT/GPL";
