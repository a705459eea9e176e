// SPDX-License-Identifier: MIT
//
// kconfig: externs that take their values from the kernel's configuration, one of every type, and the virtual ones. The
// program copies them to .bss, where a test reads them after a test run.

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool LINUX_HAS_SYSCALL_WRAPPER __kconfig __weak;
extern bool LINUX_HAS_BPF_COOKIE __kconfig __weak;
extern bool CONFIG_BPF_SYSCALL __kconfig;
extern enum libbpf_tristate CONFIG_NET __kconfig;
extern char CONFIG_BPF_JIT __kconfig;
extern int CONFIG_HZ __kconfig;
extern unsigned long CONFIG_LOG_BUF_SHIFT __kconfig;
extern char CONFIG_DEFAULT_HOSTNAME[16] __kconfig;
extern int CONFIG_LODE_NO_SUCH_OPTION __kconfig __weak;
extern bool CONFIG_LODE_NO_SUCH_SWITCH __kconfig __weak;

struct {
	__u32 version;
	__u32 hz;
	__u64 log_buf_shift;
	__u8 bpf_syscall;
	__u8 bpf_jit;
	__u8 net;
	__u8 no_switch;
	__u32 no_option;
	char hostname[16];
} seen;

SEC("tc")
int look(struct __sk_buff *skb)
{
	seen.version = LINUX_KERNEL_VERSION;
	seen.hz = CONFIG_HZ;
	seen.log_buf_shift = CONFIG_LOG_BUF_SHIFT;
	seen.bpf_syscall = CONFIG_BPF_SYSCALL;
	seen.bpf_jit = CONFIG_BPF_JIT;
	seen.net = CONFIG_NET;
	seen.no_switch = CONFIG_LODE_NO_SUCH_SWITCH;
	seen.no_option = CONFIG_LODE_NO_SUCH_OPTION;
	for (int i = 0; i < 16; i++)
		seen.hostname[i] = CONFIG_DEFAULT_HOSTNAME[i];
	return LINUX_HAS_SYSCALL_WRAPPER + 2 * LINUX_HAS_BPF_COOKIE;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
