package lode_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

func open(t testing.TB, name string) *lode.Object {
	t.Helper()
	o, err := lode.Open(ktest.ObjectPath(t, name), lode.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// loadable is the object counter, as every kernel takes it.
func loadable(t testing.TB) *lode.Object {
	t.Helper()
	o, err := lode.Open(ktest.LoadablePath(t, "counter"), lode.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// relocated relocates against the running kernel.
func relocated(t testing.TB, o *lode.Object) *lode.Object {
	t.Helper()
	r, err := o.Relocate(lode.NewLiveEnv(sys.Live()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func planned(t testing.TB, o *lode.Object, p lode.Policy) *lode.Plan {
	t.Helper()
	plan, err := o.Plan(p)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// run is one test run of a program, and its return value.
func run(t testing.TB, c *lode.Collection, program string, packet []byte) uint32 {
	t.Helper()
	v, _, err := c.Program(program).Test(packet)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// frame is an Ethernet frame of the given EtherType.
func frame(ethertype uint16) []byte {
	b := make([]byte, 64)
	binary.BigEndian.PutUint16(b[12:], ethertype)
	return b
}

// packetsOf reads the count of an EtherType from the map "packets".
func packetsOf(t testing.TB, m *maps.Map, ethertype uint32) uint64 {
	t.Helper()
	v, err := m.Lookup(binary.NativeEndian.AppendUint32(nil, ethertype))
	if err != nil {
		t.Fatal(err)
	}
	return binary.NativeEndian.Uint64(v)
}

// TestKernelMapsBeforeRelocation creates the maps first and relocates after.
func TestKernelMapsBeforeRelocation(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	o := loadable(t)
	o.Map("packets").Pin.Mode = lode.PinNever
	c, err := lode.CreateMaps(context.Background(), nil, planned(t, o, lode.Policy{}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.LoadPrograms(context.Background(), planned(t, o, lode.Policy{})); err == nil {
		t.Error("programs were loaded that had not been relocated")
	}
	if err := c.LoadPrograms(context.Background(), planned(t, relocated(t, o), lode.Policy{})); err != nil {
		t.Fatal(err)
	}
	run(t, c, "count", frame(0x88b5))
	if n := packetsOf(t, c.Map("packets"), 0x88b5); n != 1 {
		t.Errorf("the program counted %d packets, want 1", n)
	}
}

// TestKernelUseMap gives a map of the caller's instead of the object's.
func TestKernelUseMap(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	own, err := maps.Create(sys.Live(), &maps.Spec{Name: "own", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 16, MaxEntries: 1024}, maps.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	o := loadable(t)
	if err := o.UseMap("packets", own); err != nil {
		t.Fatal(err)
	}
	c, err := o.Load(context.Background(), lode.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, "count", frame(0x88b6))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if n := packetsOf(t, own, 0x88b6); n != 1 {
		t.Errorf("the caller's map, which is still open, has %d packets, want 1", n)
	}
	o.Map("packets").Use = nil
	small, err := maps.Create(sys.Live(), &maps.Spec{Name: "small", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 16}, maps.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	o.Map("packets").Use = small
	_, err = o.Load(context.Background(), lode.LoadOptions{})
	var mismatch *maps.MismatchError
	if !errors.As(err, &mismatch) || len(mismatch.Rows) != 2 {
		t.Errorf("a map that does not fit: %v, want a mismatch of value size and entries", err)
	}
}

// TestKernelInject replaces a definition by one of the caller's own, of another
// type, name and size: the code's references follow.
func TestKernelInject(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	o := loadable(t)
	if err := o.ReplaceMap("packets", &lode.Map{Spec: maps.Spec{Name: "recent", Type: sys.MapTypeLRUHash, KeySize: 4, ValueSize: 16, MaxEntries: 64}}); err != nil {
		t.Fatal(err)
	}
	if err := o.SetVariable("large_from", 32); err != nil {
		t.Fatal(err)
	}
	c, err := o.Load(context.Background(), lode.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run(t, c, "count", frame(0x88b5))
	if n := packetsOf(t, c.Map("recent"), 0x88b5); n != 1 {
		t.Errorf("the injected map has %d packets, want 1", n)
	}
	v, err := c.Map("large").Lookup(make([]byte, 4))
	if err != nil || binary.NativeEndian.Uint64(v) != 1 {
		t.Errorf("a packet of 64 bytes is not large although large_from was set to 32: %v %v", v, err)
	}
}

// TestKernelReuse shares a pinned map between two loads and keeps its contents;
// one of another definition is refused, or replaced if the policy says so.
func TestKernelReuse(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	first, err := counter(t, root, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	run(t, first, "count", frame(0x88b5))
	second, err := counter(t, root, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Created("packets") {
		t.Error("the second load did not reuse the pinned map")
	}
	run(t, second, "count", frame(0x88b5))
	if n := packetsOf(t, first.Map("packets"), 0x88b5); n != 2 {
		t.Errorf("both loads together counted %d packets, want 2", n)
	}
	larger := loadable(t)
	larger.Map("packets").MaxEntries = 4096
	opts := lode.LoadOptions{Policy: lode.Policy{PinRoot: root}}
	_, err = larger.Load(context.Background(), opts)
	var mismatch *maps.MismatchError
	if !errors.As(err, &mismatch) || len(mismatch.Rows) != 1 || mismatch.Rows[0].Definition != "4096" {
		t.Fatalf("another definition: %v, want a mismatch of the entries", err)
	}
	opts.Config = conf.Default()
	opts.Config.OnMismatch.V = conf.Replace
	third, err := larger.Load(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	pinned, err := maps.FromPin(sys.Live(), filepath.Join(root, "packets"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pinned.Close()
	if pinned.MaxEntries() != 4096 {
		t.Errorf("the pinned map has %d entries, want the replacement's 4096", pinned.MaxEntries())
	}
	if err := third.Undo(); err != nil {
		t.Fatal(err)
	}
	back, err := maps.FromPin(sys.Live(), filepath.Join(root, "packets"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if n := packetsOf(t, back, 0x88b5); n != 2 {
		t.Errorf("after Undo the old map is not back with its contents: %d packets, want 2", n)
	}
}

// TestByteOrder plans an object for the other byte order and refuses to load it.
func TestByteOrder(t *testing.T) {
	other := map[bool]string{true: "counter.bpfeb.o", false: "counter.bpf.o"}[binary.NativeEndian.Uint16([]byte{1, 0}) == 1]
	o, err := lode.Open("testdata/"+other, lode.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := o.Relocate(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lode.CreateMaps(context.Background(), nil, planned(t, r, lode.Policy{}))
	var wrong *lode.ByteOrderError
	if !errors.As(err, &wrong) {
		t.Errorf("loading: %v, want a *ByteOrderError", err)
	}
}

// TestKernelCancelled ends a load in the middle of each step.
func TestKernelCancelled(t *testing.T) {
	bpffs := ktest.BPFFS(t)
	ktest.NoFDLeaks(t)
	empty := tree(t, bpffs)
	for n := 1; n <= 90; n += 7 {
		ctx, cancel := context.WithCancel(context.Background())
		k := &sys.Fault{Kernel: sys.Live(), OnCall: func(i int, _ string) {
			if i == n {
				cancel()
			}
		}}
		c, err := lode.Load(ctx, ktest.LoadablePath(t, "counter"), lode.LoadOptions{Policy: lode.Policy{PinRoot: bpffs + "/app", Persist: true}, Kernel: k})
		if err == nil {
			err = c.Undo()
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at call %d: %v", n, err)
		}
		if got := tree(t, bpffs); len(got) != len(empty) {
			t.Errorf("cancelled at call %d: left %q (%v)", n, got, err)
		}
		cancel()
	}
}

// TestKernelUSDT loads a program that was written with libbpf's usdt.bpf.h: weak
// maps, a kconfig variable behind a typedef, CO-RE.
func TestKernelUSDT(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	c, err := open(t, "usdt").Load(context.Background(), lode.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, name := range []string{"__bpf_usdt_specs", "__bpf_usdt_ip_to_spec_id", ".kconfig"} {
		if c.Map(name) == nil {
			t.Errorf("the map %q was not created", name)
		}
	}
}

// TestKernelArena runs a program that allocates in an arena, which has to have an
// address before that, with initial data or without. It gets the first page that
// nobody has: the second one where the variables stand in the first, which they do
// on kernels whose instructions do not reach the last.
func TestKernelArena(t *testing.T) {
	ktest.Kernel(t, 6, 9, "arenas")
	ktest.Root(t)
	reach, err := sys.LiveFeatures().Has(sys.FeatureLDIMM64FullRangeOff)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []bool{true, false} {
		t.Run(fmt.Sprintf("data %v", data), func(t *testing.T) {
			ktest.NoFDLeaks(t)
			o := relocated(t, open(t, "arena"))
			if !data {
				o.Map("arena").Data = nil
			}
			p := planned(t, o, lode.Policy{})
			c, err := lode.CreateMaps(context.Background(), sys.Live(), p)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.LoadPrograms(context.Background(), p); err != nil {
				t.Fatal(err)
			}
			var run prog.Run
			if err := c.Program("fill").Run(&run); err != nil || run.Return != 0 {
				t.Fatalf("returned %d: %v", run.Return, err)
			}
			b, err := c.Map("arena").Memory()
			if err != nil {
				t.Fatal(err)
			}
			page := 0
			if data && !reach {
				page = 1
			}
			if got := binary.NativeEndian.Uint64(b[page*os.Getpagesize()+8:]); got != 0x6c6f6465 {
				t.Errorf("the second word of page %d is %#x", page, got)
			}
			if want := uint64(15 * os.Getpagesize()); reach != (o.Map("arena").DataAt == want) {
				t.Errorf("the variables stand at %#x; the kernel reaches %#x: %v", o.Map("arena").DataAt, want, reach)
			}
			if !data {
				return
			}
			var n uint64
			v, err := c.Variable("counter")
			if err == nil {
				err = v.Get(&n)
			}
			if err != nil || n != 42 {
				t.Errorf("the program made %d of 41 (%v)", n, err)
			}
		})
	}
}

// TestKernelObserve fills in what a plan could not know without a kernel.
func TestKernelObserve(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	o := loadable(t)
	if err := o.AddMap(&lode.Map{Spec: maps.Spec{Name: "bloom", Type: sys.MapTypeBloomFilter, ValueSize: 4, MaxEntries: 16}}); err != nil {
		t.Fatal(err)
	}
	p := planned(t, relocated(t, o), lode.Policy{PinRoot: root})
	if now := p.Map("packets").Pin.Now; now != "unknown" {
		t.Errorf("before Observe: %q", now)
	}
	if err := p.Observe(sys.Live()); err != nil {
		t.Fatal(err)
	}
	if now := p.Map("packets").Pin.Now; now != "absent" {
		t.Errorf("nothing is pinned, but Observe says %q", now)
	}
	major, minor := ktest.Version()
	for _, n := range p.Needs {
		want := "yes"
		if n.Name == "map type bloom_filter" && (major < 5 || major == 5 && minor < 16) {
			want = "no"
		}
		if n.Here != want {
			t.Errorf("need %s: %q, want %q", n.Name, n.Here, want)
		}
	}
	c, err := counter(t, root, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := p.Observe(sys.Live()); err != nil {
		t.Fatal(err)
	}
	if now := p.Map("packets").Pin.Now; !strings.Contains(now, "packets") || !strings.Contains(now, "id ") {
		t.Errorf("a map is pinned, but Observe says %q", now)
	}
}

// TestKernelUsePin uses a pinned map by its path, which must be there and match.
func TestKernelUsePin(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	o := loadable(t)
	o.Map("packets").UsePin = filepath.Join(root, "packets")
	if _, err := o.Load(context.Background(), lode.LoadOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing is pinned: %v", err)
	}
	first, err := counter(t, root, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	c, err := o.Load(context.Background(), lode.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run(t, c, "count", frame(0x88b5))
	if n := packetsOf(t, first.Map("packets"), 0x88b5); n != 1 {
		t.Errorf("the pinned map counts %d packets, want 1", n)
	}
}
