/* SPDX-License-Identifier: MIT */
/* Map definitions as iproute2's own loader reads them from the section "maps". All fields are in host byte order. */
#include <linux/types.h>

struct bpf_elf_map {
	__u32 type;
	__u32 size_key;
	__u32 size_value;
	__u32 max_elem;
	__u32 flags;
	__u32 id;        /* handle within the object: of tail-call sections "ID/KEY", and for inner_id */
	__u32 pinning;   /* 0: none, 1: per object, 2: global, others: as configured */
	__u32 inner_id;  /* of a map of maps: id of the map that goes in */
	__u32 inner_idx; /* of an inner map: the key under which it is put; -1: none */
};

#define PIN_NONE 0
#define PIN_OBJECT_NS 1
#define PIN_GLOBAL_NS 2
