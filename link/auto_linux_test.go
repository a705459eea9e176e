package link

import (
	"errors"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

func TestKernelAuto(t *testing.T) {
	k := kernelTest(t)
	ktest.Tracefs(t)
	getpgid := sys.SyscallPrefix() + "getpgid"
	for _, tt := range []struct {
		name   string
		typ    sys.ProgType
		attach sys.AttachType
		target Target
	}{
		{"raw_tracepoint/sys_enter", sys.ProgTypeRawTracepoint, 0, Target{Kind: "raw-tracepoint", Name: "sys_enter"}},
		{"tracepoint/raw_syscalls/sys_enter", sys.ProgTypeTracepoint, 0, Target{Kind: "tracepoint", Category: "raw_syscalls", Name: "sys_enter"}},
		{"kprobe/getpgid", sys.ProgTypeKprobe, 0, Target{Kind: "kprobe", Function: getpgid}},
		{"kretprobe/getpgid", sys.ProgTypeKprobe, 0, Target{Kind: "kprobe", Function: getpgid, Return: true}},
		{"ksyscall/getpgid", sys.ProgTypeKprobe, 0, Target{Kind: "ksyscall", Name: "getpgid"}},
		{"kprobe.multi/*getpgid", sys.ProgTypeKprobe, sys.AttachTraceKprobeMulti, Target{Kind: "kprobe-multi", Pattern: "__*_sys_getpg?d"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.target.Kind == "kprobe-multi" {
				need(t, sys.AttachTypeFeature(sys.AttachTraceKprobeMulti))
			}
			c := loadType(t, tt.typ, tt.attach, 0)
			tt.target.AttachType = tt.attach
			l, err := Auto(k, c.fd(), tt.target)
			if errors.Is(err, sys.ENOENT) || errors.Is(err, sys.EPERM) || errors.Is(err, sys.ENODEV) || errors.Is(err, sys.EOPNOTSUPP) {
				t.Skip("not here: ", err)
			}
			fires(t, c, l, err, poke)
		})
	}
}
