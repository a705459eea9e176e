package sys

import "iter"

// A MapType says what kind of map it is.
type MapType uint32

// MapType values (enum bpf_map_type in include/uapi/linux/bpf.h).
const (
	MapTypeUnspec              MapType = 0
	MapTypeHash                MapType = 1
	MapTypeArray               MapType = 2
	MapTypeProgArray           MapType = 3
	MapTypePerfEventArray      MapType = 4
	MapTypePerCPUHash          MapType = 5
	MapTypePerCPUArray         MapType = 6
	MapTypeStackTrace          MapType = 7
	MapTypeCgroupArray         MapType = 8
	MapTypeLRUHash             MapType = 9
	MapTypeLRUPerCPUHash       MapType = 10
	MapTypeLPMTrie             MapType = 11
	MapTypeArrayOfMaps         MapType = 12
	MapTypeHashOfMaps          MapType = 13
	MapTypeDevMap              MapType = 14
	MapTypeSockMap             MapType = 15
	MapTypeCPUMap              MapType = 16
	MapTypeXSKMap              MapType = 17
	MapTypeSockHash            MapType = 18
	MapTypeCgroupStorage       MapType = 19
	MapTypeReuseportSockArray  MapType = 20
	MapTypePerCPUCgroupStorage MapType = 21
	MapTypeQueue               MapType = 22
	MapTypeStack               MapType = 23
	MapTypeSKStorage           MapType = 24
	MapTypeDevMapHash          MapType = 25
	MapTypeStructOps           MapType = 26
	MapTypeRingBuf             MapType = 27
	MapTypeInodeStorage        MapType = 28
	MapTypeTaskStorage         MapType = 29
	MapTypeBloomFilter         MapType = 30
	MapTypeUserRingBuf         MapType = 31
	MapTypeCgrpStorage         MapType = 32
	MapTypeArena               MapType = 33
	MapTypeInsnArray           MapType = 34
	MapTypeRHash               MapType = 35
)

// mapTypes is indexed by number.
var mapTypes = [...]enumRow{
	MapTypeUnspec:              {"unspec", ""},
	MapTypeHash:                {"hash", "3.19"},
	MapTypeArray:               {"array", "3.19"},
	MapTypeProgArray:           {"prog_array", "4.2"},
	MapTypePerfEventArray:      {"perf_event_array", "4.3"},
	MapTypePerCPUHash:          {"percpu_hash", "4.6"},
	MapTypePerCPUArray:         {"percpu_array", "4.6"},
	MapTypeStackTrace:          {"stack_trace", "4.6"},
	MapTypeCgroupArray:         {"cgroup_array", "4.8"},
	MapTypeLRUHash:             {"lru_hash", "4.10"},
	MapTypeLRUPerCPUHash:       {"lru_percpu_hash", "4.10"},
	MapTypeLPMTrie:             {"lpm_trie", "4.11"},
	MapTypeArrayOfMaps:         {"array_of_maps", "4.12"},
	MapTypeHashOfMaps:          {"hash_of_maps", "4.12"},
	MapTypeDevMap:              {"devmap", "4.14"},
	MapTypeSockMap:             {"sockmap", "4.14"},
	MapTypeCPUMap:              {"cpumap", "4.15"},
	MapTypeXSKMap:              {"xskmap", "4.18"},
	MapTypeSockHash:            {"sockhash", "4.18"},
	MapTypeCgroupStorage:       {"cgroup_storage", "4.19"},
	MapTypeReuseportSockArray:  {"reuseport_sockarray", "4.19"},
	MapTypePerCPUCgroupStorage: {"percpu_cgroup_storage", "4.20"},
	MapTypeQueue:               {"queue", "4.20"},
	MapTypeStack:               {"stack", "4.20"},
	MapTypeSKStorage:           {"sk_storage", "5.2"},
	MapTypeDevMapHash:          {"devmap_hash", "5.4"},
	MapTypeStructOps:           {"struct_ops", "5.6"},
	MapTypeRingBuf:             {"ringbuf", "5.8"},
	MapTypeInodeStorage:        {"inode_storage", "5.10"},
	MapTypeTaskStorage:         {"task_storage", "5.11"},
	MapTypeBloomFilter:         {"bloom_filter", "5.16"},
	MapTypeUserRingBuf:         {"user_ringbuf", "6.1"},
	MapTypeCgrpStorage:         {"cgrp_storage", "6.2"},
	MapTypeArena:               {"arena", "6.9"},
	MapTypeInsnArray:           {"insn_array", "6.19"},
	MapTypeRHash:               {"rhash", "7.2"},
}

// String is the name of the map type as in the UAPI, in lower case and without its prefix,
// or "map type(N)" for a number that this package does not know.
func (v MapType) String() string { return enumString("maptype", mapTypes[:], uint32(v)) }

// Since is the kernel version that brought it, such as "5.8"; "" if unknown.
func (v MapType) Since() string { return enumSince(mapTypes[:], uint32(v)) }

// ParseMapType is the inverse of String.
func ParseMapType(s string) (MapType, bool) {
	n, ok := enumParse("maptype", mapTypes[:], s)
	return MapType(n), ok
}

// MapTypes lists the known values in order, without the unspecified one.
func MapTypes() iter.Seq[MapType] { return enumAll[MapType](mapTypes[:], 1) }
