package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// TestKernelObjects looks at what a load made, and changes it.
func TestKernelObjects(t *testing.T) {
	ktest.BTF(t, "CO-RE")
	counter := ktest.LoadablePath(t, "counter")
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	must := func(args ...string) string {
		t.Helper()
		status, out, errOut := cli(args...)
		if status != 0 {
			t.Fatalf("lode %q: status %d\n%s", args, status, errOut)
		}
		return out
	}
	has := func(out string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("lacks %q:\n%s", w, out)
			}
		}
	}
	must("load", "--attach", "--pin-root", root, object(t, "core.bpf.o"))
	must("load", "--pin-root", root, counter)
	has(must("pins", root), root, "  core-links  ", "    walk  ", "raw_tracepoint", "    count  ", "xdp", "  packets  ", "hash", "0:0")
	m, err := openMap(root + "/packets")
	if err != nil {
		t.Fatal(err)
	}
	has(must("pins", "--holders", root), "HELD BY", "  "+strconv.Itoa(os.Getpid())+" ")
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	var pinned []listedPin
	if err := json.Unmarshal([]byte(must("pins", "--json", root)), &pinned); err != nil {
		t.Fatal(err)
	}
	if len(pinned) != 13 || pinned[0].Kind != "directory" || pinned[len(pinned)-1].Kind != "map" {
		t.Errorf("%+v", pinned)
	}
	count, packets, walk := root+"/counter-programs/count", root+"/packets", root+"/core-links/walk"
	var one []listedProgram
	if err := json.Unmarshal([]byte(must("prog", "show", "--json", count)), &one); err != nil {
		t.Fatal(err)
	}
	if len(one) != 1 || one[0].Name != "count" || one[0].Type != "xdp" {
		t.Errorf("%+v", one)
	}
	has(must("prog", "list"), "xdp", " count ")
	has(must("prog", "dump", count), "sizes_seen[class & 3]++", "exit")
	has(must("prog", "dump", "--json", count), `"text"`)
	has(must("map", "list"), "packets", "percpu_array")
	has(must("map", "show", packets), "hash")
	must("map", "update", packets, "7", "hex:"+strings.Repeat("01", 16))
	has(must("map", "dump", packets), "\"key\": 7", "72340172838076673")
	must("map", "delete", packets, "7")
	if diff := cmp.Diff("[\n]", strings.TrimSpace(must("map", "dump", packets))); diff != "" {
		t.Error(diff)
	}
	if status, _, errOut := cli("map", "delete", packets, "7"); status != 1 || !strings.Contains(errOut, "packets") {
		t.Errorf("a key that is not there: status %d, %s", status, errOut)
	}
	has(must("prog", "run", count, "--data", "hex:"+strings.Repeat("00", 64)), "return 2", "packet, 64 bytes")
	has(must("prog", "run", "--json", count, "--data", "hex:"+strings.Repeat("00", 64), "--repeat", "3"), `"return": 2`)
	has(must("map", "dump", packets), "\"packets\": 4")
	has(must("link", "list"), "raw_tracepoint", "sys_enter")
	has(must("link", "show", walk), "raw_tracepoint", "sys_enter")
	if status, _, errOut := cli("link", "show", packets); status != 1 || !strings.Contains(errOut, "is a map") {
		t.Errorf("a map is no link: status %d, %s", status, errOut)
	}
	must("unload", root)
}

// TestKernelSlots puts a program into a slot of a program array.
func TestKernelSlots(t *testing.T) {
	counter := ktest.LoadablePath(t, "counter")
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	if status, _, errOut := cli("load", "--pin-root", root, counter); status != 0 {
		t.Fatalf("status %d: %s", status, errOut)
	}
	var count []listedProgram
	_, out, _ := cli("prog", "show", "--json", root+"/counter-programs/count")
	if err := json.Unmarshal([]byte(out), &count); err != nil {
		t.Fatal(err)
	}
	for _, n := range count[0].Maps {
		id := strconv.Itoa(int(n))
		if _, out, _ := cli("map", "show", id); !strings.Contains(out, "prog_array") {
			continue
		}
		for _, args := range [][]string{{"map", "update", id, "1", root + "/counter-programs/count_ipv4"}, {"map", "delete", id, "1"}} {
			if status, _, errOut := cli(args...); status != 0 {
				t.Errorf("lode %q: status %d, %s", args, status, errOut)
			}
		}
		return
	}
	t.Errorf("the program uses no program array:\n%s", out)
}

// TestKernelTypesByID asks the kernel for types by their id.
func TestKernelTypesByID(t *testing.T) {
	ktest.Root(t)
	ktest.Kernel(t, 5, 11, "ids of the kernel's own types")
	for id, err := range sys.IDs(sys.Live(), sys.ObjBTF) {
		if err != nil {
			t.Fatal(err)
		}
		if status, out, errOut := cli("btf", "dump", "--format", "raw", strconv.Itoa(int(id))); status != 0 || !strings.Contains(out, "INT") {
			t.Errorf("status %d, %s", status, errOut)
		}
		return // the oldest are the kernel's
	}
}

func TestHeldObject(t *testing.T) {
	for text, want := range map[string]kernelObject{
		"pos:\t0\nflags:\t02000002\nmap_type:\t1\nmap_id:\t17\n":                         {sys.ObjMap, 17},
		"pos:\t0\nprog_type:\t6\nprog_id:\t5\n":                                          {sys.ObjProg, 5},
		"pos:\t0\nlink_type:\traw_tracepoint\nlink_id:\t9\nprog_tag:\tab\nprog_id:\t5\n": {sys.ObjLink, 9},
	} {
		if got, ok := heldObject([]byte(text)); !ok || got != want {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	if got, ok := heldObject([]byte("pos:\t0\n")); ok {
		t.Errorf("%v", got)
	}
}

func TestParseBytes(t *testing.T) {
	for _, c := range []struct {
		text string
		size int
		want []byte
	}{
		{"text:eth0", 6, []byte("eth0\x00\x00")},
		{"hex:00ff", 2, []byte{0, 255}},
		{"0xff", 1, []byte{255}},
		{"-1", 8, []byte{255, 255, 255, 255, 255, 255, 255, 255}},
		{"0xffffffff", 4, []byte{255, 255, 255, 255}},
		{"-1", 2, []byte{255, 255}},
	} {
		got, err := parseBytes("key", c.text, c.size)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.text, diff)
		}
	}
	for text, size := range map[string]int{"256": 1, "-129": 1, "1": 3, "hex:0": 1, "hex:00": 2, "text:abc": 2, "x": 4} {
		if b, err := parseBytes("key", text, size); err == nil {
			t.Errorf("%q as %d bytes is %v", text, size, b)
		}
	}
}
