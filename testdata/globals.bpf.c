// SPDX-License-Identifier: MIT
//
// globals: variables in every kind of data section, named ones too, of every linkage: global, static, hidden, weak; arrays,
// structures, strings.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct point {
	__s32 x, y;
};

const volatile __u8 ro_byte = 0x11;
const volatile __u64 ro_quad = 0x1122334455667788;
const volatile struct point ro_point = { -1, 2 };
const volatile __u32 ro_table SEC(".rodata.table") = 7;
const volatile char ro_name[8] SEC(".rodata.table") = "lode";

__u16 rw_half = 0x2222;
static volatile __u32 rw_static = 33;
__u32 rw_weak __weak = 44;
__hidden __u32 rw_hidden = 55;
struct point rw_points[2] SEC(".data.points") = { { 1, 2 }, { 3, 4 } };
__u64 rw_custom SEC(".data.a_rather_long_section_name") = 66;

__u64 zero_quad;
static volatile __u32 zero_static;
__u32 zero_named SEC(".bss.named");

// The sum of everything; then the writable variables are changed, so that a test can see where the writes went.
SEC("tc")
int sum(struct __sk_buff *skb)
{
	__u64 total = ro_byte + ro_quad + ro_point.x + ro_point.y + ro_table + ro_name[0];

	total += rw_half + rw_static + rw_weak + rw_hidden + rw_points[1].y + rw_custom;
	total += zero_quad + zero_static + zero_named;
	rw_half++;
	rw_static++;
	rw_weak++;
	rw_hidden++;
	rw_points[1].x = skb->len;
	rw_custom++;
	zero_static++;
	zero_named++;
	zero_quad = total;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
