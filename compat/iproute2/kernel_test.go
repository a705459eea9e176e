package iproute2

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

func load(t *testing.T, bpffs string) *lode.Collection {
	t.Helper()
	ktest.JIT(t, "tail calls of a program that has functions")
	c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "legacy"), lode.LoadOptions{
		ParseOptions: lode.ParseOptions{Fallback: Fallback},
		Policy:       lode.Policy{BPFFS: bpffs, Config: config(t)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// config gives pin value 7 a directory, as a line of iproute2's bpf_pinning.
func config(t *testing.T) *conf.Config {
	t.Helper()
	c, _, err := conf.Parse("bpf_pinning", []byte("7 shared/sevens\n"), conf.Lenient)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func value(t *testing.T, m *maps.Map, key uint32) uint64 {
	t.Helper()
	v, err := m.Lookup(binary.NativeEndian.AppendUint32(nil, key))
	if err != nil {
		t.Fatal(err)
	}
	var n uint64
	for i := 0; i+8 <= len(v); i += 8 {
		n += binary.NativeEndian.Uint64(v[i:])
	}
	return n
}

// TestKernelLegacy loads an object with legacy definitions twice: the pins are
// where iproute2 puts them, tail calls and inner maps work, and the second load
// shares what the first pinned.
func TestKernelLegacy(t *testing.T) {
	bpffs := ktest.BPFFS(t)
	ktest.NoFDLeaks(t)
	first := load(t, bpffs)
	hash := fmt.Sprintf("%x", sha1.Sum(ktest.Object(t, "legacy")))
	for name, dir := range map[string]string{"per_object": "tc/" + hash, "jumps": "tc/" + hash, "global": "tc/globals", "configured": "shared/sevens"} {
		if _, err := os.Lstat(filepath.Join(bpffs, dir, name)); err != nil {
			t.Errorf("map %q: %v", name, err)
		}
	}
	packet := make([]byte, 64)
	run := func(c *lode.Collection) {
		t.Helper()
		if _, _, err := c.Program("classify").Test(packet); err != nil {
			t.Fatal(err)
		}
	}
	run(first)
	if n := value(t, first.Map("unpinned"), 0); n != 1 {
		t.Errorf("unpinned[0] is %d, want 1", n)
	}
	if n := value(t, first.Map("inner"), 0); n == 0 {
		t.Error("the program did not reach the inner map through the outer one")
	}
	if a, b := value(t, first.Map("global"), 0), value(t, first.Map("global"), 1); a != 1 || b != 1 {
		t.Errorf("tail calls ran %d and %d times, want once each", a, b)
	}
	second := load(t, bpffs)
	for _, name := range []string{"per_object", "jumps", "global", "configured"} {
		if second.Created(name) {
			t.Errorf("the second load made a new map %q", name)
		}
	}
	run(second)
	if n := value(t, first.Map("global"), 1); n != 2 {
		t.Errorf("after both loads global[1] is %d, want 2", n)
	}
	if n := value(t, second.Map("unpinned"), 0); n != 1 {
		t.Errorf("the second load's own unpinned[0] is %d, want 1", n)
	}
}

// TestKernelStock shares a map that is pinned by name with the stock ip
// command, whichever of the two comes first.
func TestKernelStock(t *testing.T) {
	ip := ktest.Tool(t, "ip", "iproute2")
	for _, order := range []string{"ip first", "lode first"} {
		t.Run(order, func(t *testing.T) {
			bpffs := ktest.BPFFS(t)
			ktest.NetNS(t)
			ktest.Veth(t, "lode0", "lode1")
			t.Setenv("TC_BPF_MNT", bpffs)
			stock := func() {
				t.Helper()
				cmd := exec.Command(ip, "link", "set", "dev", "lode0", "xdp", "obj", ktest.ObjectPath(t, "conflict"), "sec", "xdp")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %v\n%s", cmd, err, out)
				}
			}
			if order == "ip first" {
				stock()
			}
			cfg := conf.Default()
			cfg.Layout.V = conf.LayoutIproute2
			c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "conflict"), lode.LoadOptions{Policy: lode.Policy{BPFFS: bpffs, Config: cfg}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if order == "ip first" && c.Created("packets") {
				t.Error("the map that ip pinned was not shared")
			}
			if order == "lode first" {
				stock()
			}
			ours, err := c.Map("packets").Info()
			if err != nil {
				t.Fatal(err)
			}
			if id := usedMaps(t); !id[ours.ID] {
				t.Errorf("the program that ip attached does not use the map with id %d but %v", ours.ID, id)
			}
		})
	}
}

// usedMaps lists the ids of the maps that programs called "count" use.
func usedMaps(t *testing.T) map[uint32]bool {
	t.Helper()
	ids := map[uint32]bool{}
	for id, err := range sys.IDs(sys.Live(), sys.ObjProg) {
		if err != nil {
			t.Fatal(err)
		}
		fd, err := sys.GetFDByID(sys.Live(), sys.ObjProg, id, 0)
		if err != nil {
			continue // gone in between
		}
		list := make([]uint32, 64)
		info := sys.ProgInfo{NrMapIDs: uint32(len(list)), MapIDs: sys.SlicePtr(list)}
		err = sys.ObjGetInfoByFD(sys.Live(), fd.Int(), &info)
		fd.Close()
		if err != nil || info.Name.String() != "count" {
			continue
		}
		for _, m := range list[:min(int(info.NrMapIDs), len(list))] {
			ids[m] = true
		}
	}
	return ids
}

// TestKernelInner fills maps of maps that other loaders get wrong, anew and when
// only one side is pinned from before.
func TestKernelInner(t *testing.T) {
	bpffs := ktest.BPFFS(t)
	ktest.NoFDLeaks(t)
	path := ktest.ObjectPath(t, "legacy_inner")
	var outer uint32
	for round := range 2 {
		c, err := lode.Load(context.Background(), path, lode.LoadOptions{
			ParseOptions: lode.ParseOptions{Fallback: Fallback}, Policy: lode.Policy{BPFFS: bpffs},
		})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		verdict, _, err := c.Program("fill").Test(make([]byte, 64))
		if err != nil || verdict != 0 {
			t.Fatalf("round %d: verdict %d, want 0: an inner map was missing (%v)", round, verdict, err)
		}
		for name, want := range map[string]uint32{"zero": 10, "three": 13, "kept": 21, "template": 0} {
			v, err := c.Map(name).Lookup(make([]byte, 4))
			if err != nil || binary.NativeEndian.Uint32(v) != want {
				t.Errorf("round %d: map %q holds %v, want %d (%v): the program used another inner map", round, name, v, want, err)
			}
		}
		info, err := c.Map("hash").Info()
		if err != nil {
			t.Fatal(err)
		}
		if created := round == 0; c.Created("hash") != created || c.Created("kept") != created || !c.Created("fleeting") {
			t.Errorf("round %d: made: hash %v, kept %v, fleeting %v", round, c.Created("hash"), c.Created("kept"), c.Created("fleeting"))
		}
		if round == 1 && info.ID != outer {
			t.Error("the pinned outer map was replaced")
		}
		outer = info.ID
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKernelMixed loads the object with structures of three sizes and sees each
// map written.
func TestKernelMixed(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "legacy_mixed"), lode.LoadOptions{ParseOptions: lode.ParseOptions{Fallback: Fallback}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, _, err := c.Program("touch").Test(make([]byte, 64)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"full", "sample"} {
		if n := value(t, c.Map(name), 0); n != 1 {
			t.Errorf("map %q holds %d, want 1", name, n)
		}
	}
}

// TestKernelNoSection asks for a section that is not there: no map is made and
// nothing pinned.
func TestKernelNoSection(t *testing.T) {
	bpffs := ktest.BPFFS(t)
	ktest.NoFDLeaks(t)
	_, err := lode.Load(context.Background(), ktest.ObjectPath(t, "legacy"), lode.LoadOptions{
		ParseOptions: lode.ParseOptions{Fallback: func(b []byte, o lode.ParseOptions, _ error) (*lode.Object, error) {
			return Options{Section: "nothing"}.Parse(b, o)
		}},
		Policy: lode.Policy{BPFFS: bpffs, Config: config(t)},
	})
	var none *NoSectionError
	if !errors.As(err, &none) {
		t.Fatalf("got %v, want a *NoSectionError", err)
	}
	if _, err := os.Lstat(filepath.Join(bpffs, "tc")); err == nil {
		t.Error("a directory was made for maps of a program that is not there")
	}
}

// TestKernelStockRefuses has the stock tc command refuse the legacy object that
// this package loads.
func TestKernelStockRefuses(t *testing.T) {
	tc := ktest.Tool(t, "tc", "iproute2")
	bpffs := ktest.BPFFS(t)
	ktest.NetNS(t)
	t.Setenv("TC_BPF_MNT", bpffs)
	out, err := exec.Command(tc, "qdisc", "add", "dev", "lo", "clsact").CombinedOutput()
	if err != nil {
		t.Skipf("needs the clsact qdisc (CONFIG_NET_SCH_INGRESS): %v %s", err, out)
	}
	cmd := exec.Command(tc, "filter", "add", "dev", "lo", "ingress", "bpf", "obj", ktest.ObjectPath(t, "legacy"), "sec", "classifier")
	version, err := exec.Command(tc, "-V").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	// libbpf dropped the format in 1.0; a tc without libbpf has its own loader.
	if out, err := cmd.CombinedOutput(); err == nil && strings.Contains(string(version), "libbpf 1.") {
		t.Errorf("%s loads the object: this package is no longer needed for it\n%s", version, out)
	}
	load(t, bpffs)
}
