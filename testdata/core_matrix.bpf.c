// SPDX-License-Identifier: MIT
// build: -Wno-unused-parameter
//
// core_matrix: CO-RE relocations of every kind, one program for each way in which a target may differ. They are resolved
// against the types of core_target, never against a kernel; the programs are not meant to be loaded.

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define PROGRAM(name) SEC("socket") long name(void *ctx)
#define GET(ptr, field) __builtin_preserve_access_index(({ (ptr)->field; }))
#define LSHIFT(f) __builtin_preserve_field_info(f, BPF_FIELD_LSHIFT_U64)
#define RSHIFT(f) __builtin_preserve_field_info(f, BPF_FIELD_RSHIFT_U64)
#define OFFSET(f) __builtin_preserve_field_info(f, BPF_FIELD_BYTE_OFFSET)
#define SIGNED(f) __builtin_preserve_field_info(f, BPF_FIELD_SIGNED)
#define MATCHES(t) __builtin_preserve_type_info(*(typeof(t) *)0, BPF_TYPE_MATCHES)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct exact { int a; long b; };
struct moved { int a; int b; };
struct flavoured___mine { int a; long b; };
struct two___flavours___here { int a; };
struct renamed { int gone; };
struct missing { int a; };
struct retyped { int a; };             // a structure in the target
struct compatible { int a; char b; };  // an unsigned int, a long
struct bits { unsigned x : 3; unsigned y : 5; int s : 4; };
struct plain_to_bits { unsigned f; };
struct array { int v[4]; int w[2][3]; struct { int k; int l; } e[3]; };
struct short_array { int v[4]; };
struct flexible { int n; int data[]; };
struct anonymous { union { struct { int deep; }; long l; }; int after; };
struct outer { struct { int in; } nested; struct inner *p; };
struct inner { int x; };
struct narrower { unsigned long u; long s; void *p; unsigned char c; };
struct pointers { struct exact *a; int (*fn)(int); char *const *q; };
struct pruned { int a; int b; };
struct unused { int a; };
union u { int i; long l; };

#pragma clang attribute pop

typedef struct { int t; } __attribute__((preserve_access_index)) anonymous_t;
typedef int number_t;
typedef struct exact exact_t;
struct fwd;
typedef int (*callback_t)(int, struct fwd *);

enum same { SAME_ONE = 1, SAME_TWO };
enum renumbered { RENUMBERED_ONE = 1, RENUMBERED_TWO };
enum negative { NEGATIVE = -5 };
enum shrunk { SHRUNK_KEPT = 1, SHRUNK_LOST };
enum flavoured_enum___x { FLAVOURED___x = 7 };
enum wide { WIDE = 0x100000000ULL, WIDE_MAX = 0xffffffffffffffffULL };
enum grows { GROWS = 3 }; // an enum64 in the target
enum gone_enum { GONE_ENUM = 9 };

struct match_yes { int a; struct exact *p; enum same e; char name[4]; };
struct match_less { int a; };          // a part of the target's
struct match_more { int a; int b; };   // the target's is a part of it
struct match_size { int a; };          // the target's a is a long
struct match_sign { int a; };
struct match_array { int a[2]; };
struct match_nested { struct { int x; union { int y; long z; }; } in; };
struct match_ptr { struct fwd *f; struct inner *i; };
union match_union { int a; };
struct match_union_not { int a; };     // a union in the target

PROGRAM(exact) { struct exact *p = ctx; return p->a + p->b + bpf_core_field_exists(p->b) + bpf_core_field_size(p->b); }
PROGRAM(moved) { struct moved *p = ctx; return p->a + p->b + OFFSET(p->b); }
PROGRAM(flavoured) { struct flavoured___mine *p = ctx; return p->a + p->b + bpf_core_type_exists(struct flavoured___mine); }
PROGRAM(flavours) { struct two___flavours___here *p = ctx; return p->a; }
PROGRAM(renamed) { struct renamed *p = ctx; return bpf_core_field_exists(p->gone) ? p->gone : -1; }
PROGRAM(renamed_unguarded) { struct renamed *p = ctx; return p->gone + bpf_core_field_size(p->gone); }
PROGRAM(missing) { struct missing *p = ctx; return bpf_core_type_exists(struct missing) ? p->a : bpf_core_type_size(struct missing); }
PROGRAM(retyped) { struct retyped *p = ctx; return bpf_core_field_exists(p->a); }
PROGRAM(compatible) { struct compatible *p = ctx; return OFFSET(p->a) + OFFSET(p->b) + bpf_core_field_size(p->b) + SIGNED(p->a); }
PROGRAM(bits) { struct bits *b = ctx; return BPF_CORE_READ_BITFIELD(b, y) + SIGNED(b->s) + LSHIFT(b->s) + RSHIFT(b->s); }
PROGRAM(bits_moved) { struct bits *p = ctx; return OFFSET(p->x) + bpf_core_field_size(p->x) + LSHIFT(p->x) + RSHIFT(p->x); }
PROGRAM(plain_to_bits) { struct plain_to_bits *b = ctx; return BPF_CORE_READ_BITFIELD(b, f); }
PROGRAM(array) { struct array *p = ctx; return p->v[3] + p->w[1][2] + p->e[2].l + bpf_core_field_size(p->v) + bpf_core_field_size(p->w[1]); }
PROGRAM(short_array) { struct short_array *p = ctx; return bpf_core_field_exists(p->v[3]) + bpf_core_field_exists(p->v[1]) + p->v[1]; }
PROGRAM(flexible) { struct flexible *p = ctx; return p->data[7] + p->n; }
PROGRAM(anonymous) { struct anonymous *p = ctx; return p->deep + p->l + p->after; }
PROGRAM(nested) { struct outer *p = ctx; return p->nested.in + p->p->x; }
PROGRAM(narrower) { struct narrower *p = ctx; return p->u + p->c + (long)p->p; }
PROGRAM(narrower_signed) { struct narrower *p = ctx; return p->s; }
PROGRAM(pointers) { struct pointers *p = ctx; return OFFSET(p->a) + OFFSET(p->fn) + OFFSET(p->q); }
PROGRAM(element) { struct exact *p = ctx; return GET(&p[2], b); }
PROGRAM(pruned) { struct pruned *p = ctx; return p->b + p->a; }
PROGRAM(in_union) { union u *p = ctx; return p->l + p->i; }
PROGRAM(typedefs)
{
	anonymous_t *p = ctx;
	return p->t + bpf_core_type_exists(number_t) + bpf_core_type_size(number_t) + bpf_core_type_exists(exact_t) + bpf_core_type_exists(callback_t);
}
PROGRAM(types)
{
	return bpf_core_type_id_local(struct exact) + bpf_core_type_id_kernel(struct exact) + bpf_core_type_size(struct exact) +
	       bpf_core_type_exists(union u) + bpf_core_type_exists(enum same) + bpf_core_type_exists(enum gone_enum);
}
PROGRAM(type_ids) { return bpf_core_type_id_kernel(struct missing) + bpf_core_type_id_local(struct missing); }
PROGRAM(enums)
{
	return bpf_core_enum_value(enum same, SAME_TWO) + bpf_core_enum_value(enum renumbered, RENUMBERED_TWO) +
	       bpf_core_enum_value(enum negative, NEGATIVE) + bpf_core_enum_value(enum flavoured_enum___x, FLAVOURED___x);
}
PROGRAM(enums64)
{
	return bpf_core_enum_value(enum wide, WIDE) + bpf_core_enum_value(enum wide, WIDE_MAX) + bpf_core_enum_value(enum grows, GROWS);
}
PROGRAM(enums_missing)
{
	return bpf_core_enum_value_exists(enum shrunk, SHRUNK_KEPT) + bpf_core_enum_value_exists(enum shrunk, SHRUNK_LOST) +
	       bpf_core_enum_value_exists(enum gone_enum, GONE_ENUM);
}
PROGRAM(enum_lost) { return bpf_core_enum_value(enum shrunk, SHRUNK_LOST); }
PROGRAM(matches)
{
	return MATCHES(struct match_yes) + MATCHES(struct match_less) + MATCHES(struct match_nested) + MATCHES(struct match_ptr) +
	       MATCHES(union match_union) + MATCHES(enum same) + MATCHES(callback_t) + MATCHES(number_t);
}
PROGRAM(matches_not)
{
	return MATCHES(struct match_more) + MATCHES(struct match_size) + MATCHES(struct match_sign) + MATCHES(struct match_array) +
	       MATCHES(struct match_union_not) + MATCHES(enum shrunk) + MATCHES(struct missing);
}

static __attribute__((noinline)) long in_sub(struct moved *p) { return p->b; }
PROGRAM(with_sub) { return in_sub(ctx); }

char LICENSE[] SEC("license") = "Dual MIT/GPL";
