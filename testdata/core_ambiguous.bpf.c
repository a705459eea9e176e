// SPDX-License-Identifier: MIT
//
// core_ambiguous: CO-RE relocations for which core_target has two types that disagree. `never` does not refer to them.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ambiguous { int a; };
struct agreeing { int a; int b; int c; };
struct exact { int a; };
#pragma clang attribute pop

SEC("socket") int never(struct exact *p) { return p->a; }
SEC("socket") int offset(struct ambiguous *p) { return p->a; }
SEC("socket") int size(void *ctx) { return bpf_core_type_size(struct ambiguous); }
SEC("socket") int id(void *ctx) { return bpf_core_type_id_kernel(struct ambiguous); }
SEC("socket") int agrees(struct agreeing *p) { return p->a; }
SEC("socket") int disagrees(struct agreeing *p) { return p->b; }
SEC("socket") int exists(struct ambiguous *p) { return bpf_core_type_exists(struct ambiguous); }

char LICENSE[] SEC("license") = "Dual MIT/GPL";
