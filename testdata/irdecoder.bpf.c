// irdecoder: a decoder of infrared pulses as ir-keytable (v4l-utils) has them. Its map is defined by the structure of that
// loader in the section "lirc_mode2/maps"; its global variables are parameters, whose values the loader writes into the
// instructions that take their addresses. No types, as in those objects.
//
// build: strip=.BTF.ext strip=.BTF
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct definition {
	unsigned int type, key_size, value_size, max_entries, map_flags, inner_map_idx, numa_node;
};

struct state {
	unsigned int pulses;
	unsigned int longest;
};

struct definition state SEC("lirc_mode2/maps") = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(int),
	.value_size = sizeof(struct state),
	.max_entries = 1,
};

int pulse_length = 560; // microseconds
int ignored;            // in .bss

#define parameter(name) ((unsigned int)(unsigned long)(&(name)))

static __attribute__((noinline)) int is_long(unsigned int length)
{
	return length > parameter(pulse_length) + parameter(ignored);
}

SEC("lirc_mode2/irdecoder")
int decode(unsigned int *sample)
{
	unsigned int length = *sample & 0xffffff;
	int key = 0;
	struct state *s = bpf_map_lookup_elem(&state, &key);

	if (!s)
		return 0;
	s->pulses++;
	if (is_long(length))
		s->longest = length;
	if (length == parameter(pulse_length))
		bpf_rc_repeat(sample);
	return 0;
}

char _license[] SEC("license") = "GPL";
