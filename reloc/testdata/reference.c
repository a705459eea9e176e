// SPDX-License-Identifier: MIT
//
// reference OBJECT [BTF]: what Debian's libbpf makes of an object.
//
// The program has a syscall() of its own, so that every bpf(2) call of libbpf ends here: nothing reaches the kernel, and
// every map is created and every program loaded. It prints
//
//   prog NAME HEX FUNCS LINES
//                      a program as the kernel would get it, in the machine's byte order, and its func_info and line_info;
//                      NAME may be cut short
//   map FD NAME        a map and the descriptor that stands for it
//   version MAJOR MINOR
//                      of libbpf
//   jump FD INSN       the next place that a jump table, a map that libbpf makes for a program, leads to
//
// among programs by which libbpf probes the kernel.
//
// With BTF, a file with raw BTF, CO-RE relocations are against that instead of the running kernel's types.

#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/libbpf.h>

static int quiet = 1; // probes of libbpf before the object is loaded

static int pretend(void)
{
	int fd = memfd_create("reference", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, 64 << 20))
		return -1;
	return fd;
}

// The offset of each record and the word at byte `at`: the type of a function, the line and column of a line.
static void print_info(unsigned long long records, unsigned n, unsigned size, unsigned at)
{
	const unsigned char *b = (void *)(unsigned long)records;

	for (unsigned i = 0; i < n; i++)
		printf(",%u:%u", *(const unsigned *)(b + i * size), *(const unsigned *)(b + i * size + at));
}

static void print_program(const union bpf_attr *attr, unsigned long size)
{
	const unsigned char *b = (void *)(unsigned long)attr->insns;

	printf("prog %.16s ", attr->prog_name);
	for (unsigned i = 0; i < attr->insn_cnt * 8; i++)
		printf("%02x", b[i]);
	int info = size >= offsetof(union bpf_attr, line_info_cnt) + sizeof(attr->line_info_cnt); // else it was not given
	printf(" f");
	print_info(attr->func_info, info ? attr->func_info_cnt : 0, attr->func_info_rec_size, 4);
	printf(" l");
	print_info(attr->line_info, info ? attr->line_info_cnt : 0, attr->line_info_rec_size, 12);
	printf("\n");
}

long syscall(long number, ...)
{
	va_list ap;
	va_start(ap, number);
	long a = va_arg(ap, long), b = va_arg(ap, long), c = va_arg(ap, long);
	long d = va_arg(ap, long), e = va_arg(ap, long), f = va_arg(ap, long);
	va_end(ap);

	if (number != SYS_bpf) {
		long r;
		register long r10 __asm__("r10") = d;
		register long r8 __asm__("r8") = e;
		register long r9 __asm__("r9") = f;

		__asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
		if (r < 0 && r > -4096) {
			errno = -r;
			return -1;
		}
		return r;
	}
	const union bpf_attr *attr = (void *)b;

	static int jumps[1024]; // descriptors of jump tables
	int fd;

	switch (a) {
	case BPF_MAP_CREATE:
		fd = pretend();
		if (fd >= 0 && fd < 1024)
			jumps[fd] = attr->map_type == 34; // BPF_MAP_TYPE_INSN_ARRAY
		return fd;
	case BPF_BTF_LOAD:
		return pretend();
	case BPF_PROG_LOAD:
		if (!quiet && attr->insn_cnt > 0)
			print_program(attr, c);
		return pretend();
	case BPF_MAP_UPDATE_ELEM:
		if (attr->map_fd < 1024 && jumps[attr->map_fd])
			printf("jump %u %u\n", attr->map_fd, *(unsigned *)(unsigned long)attr->value);
		return 0;
	case BPF_MAP_FREEZE:
	case BPF_PROG_BIND_MAP:
		return 0;
	}
	errno = ENOENT;
	return -1;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);

	if (argc > 2)
		opts.btf_custom_path = argv[2];
	struct bpf_object *o = bpf_object__open_file(argv[1], &opts);
	if (!o) {
		fprintf(stderr, "open: %s\n", strerror(errno));
		return 1;
	}
	printf("version %u %u\n", libbpf_major_version(), libbpf_minor_version());
	struct bpf_program *p;
	bpf_object__for_each_program(p, o) {
		enum bpf_attach_type at = bpf_program__expected_attach_type(p);

		if (bpf_program__type(p) == BPF_PROG_TYPE_UNSPEC)
			bpf_program__set_type(p, BPF_PROG_TYPE_SOCKET_FILTER);
		if (at == BPF_TRACE_FENTRY || at == BPF_TRACE_FEXIT) // what it attaches to need not exist here
			bpf_program__set_attach_target(p, 0, "schedule");
	}
	struct bpf_map *m;
	bpf_object__for_each_map(m, o)
		bpf_map__set_pin_path(m, NULL);
	quiet = 0;
	int err = bpf_object__load(o);
	if (err) {
		fprintf(stderr, "load: %s\n", strerror(-err));
		return 1;
	}
	bpf_object__for_each_map(m, o)
		printf("map %d %s\n", bpf_map__fd(m), bpf_map__name(m));
	return 0;
}
