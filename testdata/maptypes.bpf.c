// SPDX-License-Identifier: MIT
//
// maptypes: definitions of many map types, with every attribute of a definition, and no programs.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define BPF_F_NUMA_NODE_ (1U << 2)

struct value {
	__u32 a;
	__u64 b;
};

#define MAP(name, map_type, entries, key_type, value_type, ...) \
	struct {                                                \
		__uint(type, map_type);                         \
		__uint(max_entries, entries);                   \
		__type(key, key_type);                          \
		__type(value, value_type);                      \
		__VA_ARGS__                                     \
	} name SEC(".maps")

struct prefix {
	__u32 length;
	__u8 address[16];
};

MAP(hash, BPF_MAP_TYPE_HASH, 16, __u64, struct value, );
MAP(hash_no_prealloc, BPF_MAP_TYPE_HASH, 16, __u64, struct value, __uint(map_flags, BPF_F_NO_PREALLOC););
MAP(hash_numa, BPF_MAP_TYPE_HASH, 16, __u64, struct value, __uint(map_flags, BPF_F_NUMA_NODE_); __uint(numa_node, 0););
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 16, __u64, struct value, );
MAP(lru_hash, BPF_MAP_TYPE_LRU_HASH, 1024, __u64, struct value, );
MAP(lru_percpu_hash, BPF_MAP_TYPE_LRU_PERCPU_HASH, 1024, __u64, struct value, );
MAP(array, BPF_MAP_TYPE_ARRAY, 4, __u32, struct value, );
MAP(array_mmapable, BPF_MAP_TYPE_ARRAY, 4, __u32, struct value, __uint(map_flags, BPF_F_MMAPABLE););
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 4, __u32, struct value, );
MAP(lpm_trie, BPF_MAP_TYPE_LPM_TRIE, 16, struct prefix, __u32, __uint(map_flags, BPF_F_NO_PREALLOC););
MAP(pinned, BPF_MAP_TYPE_HASH, 16, __u64, struct value, __uint(pinning, LIBBPF_PIN_BY_NAME););
MAP(sock_storage, BPF_MAP_TYPE_SK_STORAGE, 0, int, struct value, __uint(map_flags, BPF_F_NO_PREALLOC););

// Types whose keys or values have no BTF are defined by sizes.
#define SIZED(name, map_type, entries, key, value)         \
	struct {                                           \
		__uint(type, map_type);                    \
		__uint(max_entries, entries);              \
		__uint(key_size, key);                     \
		__uint(value_size, value);                 \
	} name SEC(".maps")

SIZED(sized_hash, BPF_MAP_TYPE_HASH, 16, 5, 7);
SIZED(stack_trace, BPF_MAP_TYPE_STACK_TRACE, 16, 4, 127 * 8);
SIZED(perf_events, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 0, 4, 4);
SIZED(programs, BPF_MAP_TYPE_PROG_ARRAY, 8, 4, 4);
SIZED(cgroups, BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 4);
SIZED(devices, BPF_MAP_TYPE_DEVMAP, 16, 4, 8);
SIZED(devices_hash, BPF_MAP_TYPE_DEVMAP_HASH, 16, 4, 4);
SIZED(cpus, BPF_MAP_TYPE_CPUMAP, 1, 4, 8);
SIZED(xdp_sockets, BPF_MAP_TYPE_XSKMAP, 4, 4, 4);
SIZED(sockets, BPF_MAP_TYPE_SOCKMAP, 4, 4, 8);
SIZED(sockets_hash, BPF_MAP_TYPE_SOCKHASH, 4, 4, 8);
SIZED(reuseport_sockets, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 4, 8);
SIZED(queue, BPF_MAP_TYPE_QUEUE, 8, 0, 4);
SIZED(stack, BPF_MAP_TYPE_STACK, 8, 0, 4);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ringbuf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__uint(max_entries, 2);
			__type(key, __u64);
			__type(value, __u32);
		});
} hash_of_maps SEC(".maps");

char LICENSE[] SEC("license") = "Dual MIT/GPL";
