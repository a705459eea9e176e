package lode

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// sizes are how many types each module has.
func sizes(t *testing.T, modules []reloc.Module, base *btf.Spec) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, m := range modules {
		if m.Err != nil {
			t.Errorf("%s: %v", m.Name, m.Err)
			continue
		}
		if m.BTF.Base() != base {
			t.Errorf("%s is not on the kernel's types", m.Name)
		}
		out[m.Name] = m.BTF.NumTypes()
	}
	return out
}

// The system call tells the same types as /sys/kernel/btf, and where that is
// hidden, an environment uses them.
func TestKernelTypesByID(t *testing.T) {
	ktest.NoFDLeaks(t)
	ktest.Root(t)
	ktest.Kernel(t, 5, 11, "ids of the kernel's types")
	k := sys.Live()
	want, err := btf.Kernel()
	if errors.Is(err, btf.ErrNoBTF) {
		t.Skip("the running kernel has no BTF (CONFIG_DEBUG_INFO_BTF)")
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := kernelByID(k)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Error("the kernel's types by id differ from those of /sys/kernel/btf/vmlinux")
	}
	shown, err := NewLiveEnv(k).Modules()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d modules have BTF", len(shown))
	modules, err := modulesByID(k, want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sizes(t, shown, want), sizes(t, modules, want)); diff != "" {
		t.Errorf("modules by id: -shown +got:\n%s", diff)
	}

	done := make(chan struct{})
	go func() { // on a thread of its own, which ends with the mount that hides the folder
		defer close(done)
		runtime.LockOSThread()
		if err := hide("/sys/kernel/btf"); err != nil {
			t.Error(err)
			return
		}
		modules, err := NewLiveEnv(k).Modules()
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(sizes(t, shown, want), sizes(t, modules, want)); diff != "" {
			t.Errorf("modules with the folder hidden: -shown +got:\n%s", diff)
		}
	}()
	<-done
	if _, err := moduleBTF(k, "no_such_module"); !errors.Is(err, btf.ErrNoBTF) {
		t.Errorf("a module that is not there: %v", err)
	}
}

// hide mounts an empty folder over one, for this thread.
func hide(dir string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return err
	}
	return unix.Mount("none", dir, "tmpfs", 0, "")
}
