// SPDX-License-Identifier: MIT
//
// core_target: the types that core_matrix and core_ambiguous are relocated against, in the place of a kernel's. Only its
// BTF matters.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct exact { int a; long b; };
struct moved { int b; char pad[96]; int a; };
struct flavoured { long before; int a; long b; };
struct two___flavours { char pad[12]; int a; };
struct renamed { int here; };
struct retyped { struct { int a; } a; };
struct compatible { long first; unsigned a; long b; };
struct bits { long before; unsigned long pad : 30; unsigned long x : 6; int s : 9; unsigned y : 20; };
struct plain_to_bits { int pad; unsigned low : 7; unsigned f : 11; };
struct array { long before; struct { int j; int k; long l; } e[5]; int v[8]; int w[4][6]; };
struct short_array { int first; int v[2]; };
struct flexible { long before; int n; int data[]; };
struct anonymous { long before; struct { union { int after; char c; }; struct { long pad; long l; }; int deep; }; };
struct outer { struct inner *p; struct { long before; struct { int in; }; } nested; };
struct inner { long before; int x; };
struct narrower { unsigned c; unsigned u; int s; void *p; };
struct pointers { void *pad; long (*q)(void); void *a; int *fn; };
struct pruned { int a; int b; };
struct pruned___other { int a; int c; };
struct pruned___third { int a; long b_is_missing; };
union u { char pad[64]; int i; long l; };

typedef struct { long before; int t; } anonymous_t;
typedef long number_t;
typedef struct exact exact_t;
struct fwd { int now_defined; };
typedef int (*callback_t)(int, struct fwd *);

enum same { SAME_ONE = 1, SAME_TWO };
enum renumbered { RENUMBERED_ZERO, RENUMBERED_NEW, RENUMBERED_ONE = 0x70, RENUMBERED_TWO };
enum negative { NEGATIVE = -77777 };
enum shrunk { SHRUNK_KEPT = 1 };
enum flavoured_enum { FLAVOURED = 70 };
enum wide { WIDE = 0x200000000ULL, WIDE_MAX = 0xfffffffffffffff0ULL };
enum grows { GROWS = 0x300000000ULL };

struct match_yes { long more; char name[4]; int a; enum same e; struct exact *p; };
struct match_less { int b; int a; };
struct match_more { int a; };
struct match_size { long a; };
struct match_sign { unsigned a; };
struct match_array { int a[3]; };
struct match_nested { struct { union { long z; int y; }; int x; } in; };
struct match_ptr { struct inner *i; struct fwd *f; };
union match_union { int a; long b; };
union match_union_not { int a; };

struct ambiguous { int a; };
struct ambiguous___2 { long before; int a; };
struct agreeing { int a; int b; };
struct agreeing___2 { int a; long c; int b; };

#define CAT(a, b) a##b
#define NAME(l) CAT(keep_, l)
#define KEEP(t) t *NAME(__LINE__)

KEEP(struct exact);
KEEP(struct moved);
KEEP(struct flavoured);
KEEP(struct two___flavours);
KEEP(struct renamed);
KEEP(struct retyped);
KEEP(struct compatible);
KEEP(struct bits);
KEEP(struct plain_to_bits);
KEEP(struct array);
KEEP(struct short_array);
KEEP(struct flexible);
KEEP(struct anonymous);
KEEP(struct outer);
KEEP(struct inner);
KEEP(struct narrower);
KEEP(struct pointers);
KEEP(struct pruned);
KEEP(struct pruned___other);
KEEP(struct pruned___third);
KEEP(union u);
KEEP(anonymous_t);
KEEP(number_t);
KEEP(exact_t);
KEEP(struct fwd);
KEEP(callback_t);
KEEP(enum same);
KEEP(enum renumbered);
KEEP(enum negative);
KEEP(enum shrunk);
KEEP(enum flavoured_enum);
KEEP(enum wide);
KEEP(enum grows);
KEEP(struct match_yes);
KEEP(struct match_less);
KEEP(struct match_more);
KEEP(struct match_size);
KEEP(struct match_sign);
KEEP(struct match_array);
KEEP(struct match_nested);
KEEP(struct match_ptr);
KEEP(union match_union);
KEEP(union match_union_not);
KEEP(struct ambiguous);
KEEP(struct ambiguous___2);
KEEP(struct agreeing);
KEEP(struct agreeing___2);

SEC("socket") int nothing(void *ctx) { return 0; }

char LICENSE[] SEC("license") = "Dual MIT/GPL";
