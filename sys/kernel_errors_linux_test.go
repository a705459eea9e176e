package sys

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
)

func TestKernelBadArguments(t *testing.T) {
	k := kernelTest(t)
	m := hash(t, k, 4)
	closed, err := newArray(k, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := closed.Int()
	closed.Close()
	key := SlicePtr([]uint32{1})
	for _, tt := range []struct {
		name string
		err  error
		want Errno
	}{
		{"closed descriptor", MapLookupElem(k, &MapElemAttr{MapFD: int32(n), Key: key, Value: key}), EBADF},
		{"descriptor -1", MapFreeze(k, closed.Int()), EBADF},
		{"not a map", MapLookupElem(k, &MapElemAttr{MapFD: 0, Key: key, Value: key}), EINVAL},
		{"no memory behind the key", MapLookupElem(k, &MapElemAttr{MapFD: m.Num(), Value: key}), EFAULT},
		{"unknown map type", onlyErr(MapCreate(k, &MapCreateAttr{MapType: 4000, KeySize: 4, ValueSize: 4, MaxEntries: 1})), EINVAL},
		{"no entries", onlyErr(MapCreate(k, &MapCreateAttr{MapType: MapTypeHash, KeySize: 4, ValueSize: 4})), EINVAL},
		{"too many entries", onlyErr(MapCreate(k, &MapCreateAttr{MapType: MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1<<32 - 1})), E2BIG},
		{"bad name", onlyErr(MapCreate(k, &MapCreateAttr{MapType: MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1, MapName: NewObjName("a/b")})), EINVAL},
		{"program that falls off its end", (&trial{typ: ProgTypeXDP, code: code(nil).mov(0, 0)}).try(k), EINVAL},
		{"program that reads nothing", (&trial{typ: ProgTypeXDP, code: code(nil).exit()}).try(k), EACCES},
		{"no BTF at all", onlyErr(BTFLoad(k, &BTFLoadAttr{BTF: StringPtr("x"), Size: 1})), EINVAL},
		{"unknown command", onlyErr(k.BPF(4000, &MapElemAttr{})), EINVAL},
		{"pin of nothing", ObjPin(k, &ObjAttr{Pathname: StringPtr("/x"), BPFFD: -1}), EINVAL},
		{"pin outside of bpffs", ObjPin(k, &ObjAttr{Pathname: StringPtr(t.TempDir() + "/x"), BPFFD: m.Num()}), EPERM},
	} {
		if ErrnoOf(tt.err) != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.err, tt.want)
		}
		var e *Error
		if !errors.As(tt.err, &e) || e.Op == "" {
			t.Errorf("%s: %T", tt.name, tt.err)
		}
	}
}

func onlyErr[T any](_ T, err error) error { return err }

// All descriptors in use: a typed error that names the limit, and nothing leaks.
func TestKernelDescriptorLimit(t *testing.T) {
	k := kernelTest(t)
	m := hash(t, k, 4)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var old unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &old); err != nil {
		t.Fatal(err)
	}
	limit := unix.Rlimit{Cur: uint64(len(open)) + 8, Max: old.Max}
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	defer unix.Prlimit(0, unix.RLIMIT_NOFILE, &old, nil)
	var fds []*FD
	defer func() {
		for _, fd := range fds {
			fd.Close()
		}
	}()
	for range 64 {
		fd, errDup := m.Dup()
		if errDup != nil {
			err = errDup
			break
		}
		fds = append(fds, fd)
	}
	if !errors.Is(err, EMFILE) && !errors.Is(err, EINVAL) {
		t.Fatalf("dup at the limit: %v", err)
	}
	_, err = newArray(k, 0)
	if !errors.Is(err, EMFILE) || !strings.Contains(err.Error(), "may open "+strconv.FormatUint(limit.Cur, 10)+" descriptors") {
		t.Errorf("map: %v", err)
	}
	if err := probe(k, MapTypeFeature(MapTypeHash)); !errors.Is(err, EMFILE) {
		t.Errorf("a probe that cannot ask says %v", err)
	}
	if _, err := k.OpenAt(AT_FDCWD, "/", OpenHow{Flags: O_PATH}); !errors.Is(err, EMFILE) {
		t.Errorf("open: %v", err)
	}
}

// withoutCaps runs f on a thread of its own that lacks some capabilities. The
// thread ends with it.
func withoutCaps(t *testing.T, drop []capability, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the runtime ends the thread
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		if err := unix.Capget(&hdr, &data[0]); err != nil {
			done <- err
			return
		}
		for _, c := range drop {
			data[c/32].Effective &^= 1 << (c % 32)
		}
		err := unix.Capset(&hdr, &data[0])
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skip("capabilities cannot be dropped: ", err)
	}
}

// The hint of EPERM names the capability that is missing, and that one only.
func TestKernelMissingCapability(t *testing.T) {
	k := kernelTest(t)
	b, err := os.ReadFile("/proc/sys/kernel/unprivileged_bpf_disabled")
	if err == nil && strings.TrimSpace(string(b)) == "0" {
		t.Log("unprivileged bpf is allowed here")
	}
	all := []capability{capSysAdmin, capBPF, capNetAdmin, capPerfmon}
	lru := &MapCreateAttr{MapType: MapTypeLRUHash, KeySize: 4, ValueSize: 4, MaxEntries: 4}
	for _, tt := range []struct {
		name string
		drop []capability
		call func() error
		want string
	}{
		{"map", all, func() error { return done(MapCreate(k, lru)) }, "lacks CAP_BPF"},
		{"map of devices", []capability{capSysAdmin, capNetAdmin}, func() error {
			return done(MapCreate(k, &MapCreateAttr{MapType: MapTypeDevMap, KeySize: 4, ValueSize: 4, MaxEntries: 4}))
		}, "lacks CAP_NET_ADMIN"},
		{"xdp", []capability{capSysAdmin, capNetAdmin}, func() error { return (&trial{typ: ProgTypeXDP, code: ret(2)}).try(k) }, "lacks CAP_NET_ADMIN"},
		{"xdp without anything", all, func() error { return (&trial{typ: ProgTypeXDP, code: ret(2)}).try(k) }, "lacks CAP_BPF and CAP_NET_ADMIN"},
		{"tracepoint", []capability{capSysAdmin, capPerfmon}, func() error { return (&trial{typ: ProgTypeTracepoint, code: ret(0)}).try(k) }, "lacks CAP_PERFMON"},
		{"by id", []capability{capSysAdmin}, func() error { return done(GetFDByID(k, ObjMap, 1, 0)) }, "lacks CAP_SYS_ADMIN"},
		{"next id", []capability{capSysAdmin}, func() error { return onlyErr(GetNextID(k, ObjProg, 0)) }, "lacks CAP_SYS_ADMIN"},
		{"stats", []capability{capSysAdmin}, func() error { return done(EnableStats(k, 0)) }, "lacks CAP_SYS_ADMIN"},
		{"query", []capability{capSysAdmin, capNetAdmin}, func() error { return ProgQuery(k, &ProgQueryAttr{AttachType: AttachCgroupDevice}) }, "lacks CAP_NET_ADMIN"},
	} {
		withoutCaps(t, tt.drop, func() {
			err := tt.call()
			if !errors.Is(err, fs.ErrPermission) || !strings.HasSuffix(err.Error(), "the process "+tt.want) {
				t.Errorf("%s: %v\nwant a hint that the process %s", tt.name, err, tt.want)
			}
		})
	}
	withoutCaps(t, all[1:], func() { // CAP_SYS_ADMIN alone is enough
		if err := done(MapCreate(k, lru)); err != nil {
			t.Error(err)
		}
	})
	withoutCaps(t, all, func() {
		if err := probe(k, MapTypeFeature(MapTypeLRUHash)); !errors.Is(err, EPERM) {
			t.Errorf("a probe that may not ask says %v", err)
		}
	})
}

// The limit is raised where the kernel charges it, and nowhere else.
func TestKernelMemlock(t *testing.T) {
	k := kernelTest(t)
	ktest.Memlock(t, 64<<10)
	var before, after unix.Rlimit
	unix.Prlimit(0, unix.RLIMIT_MEMLOCK, nil, &before)
	count := &Fault{Kernel: k}
	if err := PrepareMemlock(count); err != nil {
		t.Fatal(err)
	}
	unix.Prlimit(0, unix.RLIMIT_MEMLOCK, nil, &after)
	charged, err := LiveFeatures().Has(FeatureMemcgAccount)
	if err != nil {
		t.Fatal(err)
	}
	if charged && after != before {
		t.Errorf("the kernel does not charge the limit, but it was raised from %v to %v", before, after)
	}
	if !charged && after.Cur != unix.RLIM_INFINITY {
		t.Errorf("the kernel charges the limit, but it is %v", after)
	}
	if err := k.RaiseMemlock(); err != nil {
		t.Error(err)
	}
}
