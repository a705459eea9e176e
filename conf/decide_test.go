package conf

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

const testConfig = `root app
3 tenants
4 %{ifname}/x
map stats_* per/%{ifname} replace
map old:m old/%{type}-%{progtype}
map scratch_* none
map .rodata ro
program fw_* fw
object probe_* probes/%{object}
object mute none
`

func parsed(t *testing.T, text string) *Config {
	t.Helper()
	c, _, err := Parse("f", []byte(text), Strict)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDecide(t *testing.T) {
	iproute2 := "layout iproute2\nroot app\n3 tenants\n"
	for _, tt := range []struct {
		name   string
		config string
		q      Query
		want   Decision // without Reason
	}{
		{"default, not asked", "", Query{Map: "m"}, Decision{}},
		{"default, by name", "", Query{Map: "m", PinValue: 1}, Decision{Pin: true, Name: "m", OnMismatch: Refuse}},
		{"root", testConfig, Query{Map: "m", PinValue: 1}, Decision{Pin: true, Dir: "app", Name: "m", OnMismatch: Refuse, Origin: at(1)}},
		{"configured value", testConfig, Query{Map: "m", PinValue: 3}, Decision{Pin: true, Dir: "tenants", Name: "m", OnMismatch: Refuse, Origin: at(2)}},
		{"configured value with the device", testConfig, Query{Map: "m", PinValue: 4, IfName: "eth0"}, Decision{Pin: true, Dir: "eth0/x", Name: "m", OnMismatch: Refuse, Origin: at(3)}},
		{"map rule", testConfig, Query{Map: "stats_a", PinValue: 1, IfName: "eth0"}, Decision{Pin: true, Dir: "per/eth0", Name: "stats_a", OnMismatch: Replace, Origin: at(4)}},
		{"map rule, not asked", testConfig, Query{Map: "stats_a", IfName: "eth0"}, Decision{Pin: true, Dir: "per/eth0", Name: "stats_a", OnMismatch: Replace, Origin: at(4)}},
		{"map rule, legacy", testConfig, Query{Map: "stats_a", PinValue: 2, Legacy: true, IfName: "eth0"}, Decision{Pin: true, Dir: "per/eth0", Name: "stats_a", OnMismatch: Replace, Origin: at(4)}},
		{"map rule of an object", testConfig, Query{Object: "old", Map: "m", Type: "hash", ProgType: "xdp"}, Decision{Pin: true, Dir: "old/hash-xdp", Name: "m", OnMismatch: Refuse, Origin: at(5)}},
		{"map rule of another object", testConfig, Query{Object: "older", Map: "m", PinValue: 1}, Decision{Pin: true, Dir: "app", Name: "m", OnMismatch: Refuse, Origin: at(1)}},
		{"map rule none", testConfig, Query{Map: "scratch_1", PinValue: 1}, Decision{Origin: at(6)}},
		{"internal map", testConfig, Query{Object: "counter", Map: ".rodata"}, Decision{Pin: true, Dir: "ro", Name: "counter@rodata", OnMismatch: Refuse, Origin: at(7)}},
		{"internal map with its object's name", "", Query{Object: "x", Map: "counter.data", PinValue: 1}, Decision{Pin: true, Name: "counter@data", OnMismatch: Refuse}},
		{"program rule", testConfig, Query{Program: "fw_in"}, Decision{Pin: true, Dir: "fw", Name: "fw_in", OnMismatch: Refuse, Origin: at(8)}},
		{"program, no rule", testConfig, Query{Program: "stats_a"}, Decision{}},
		{"program that is asked for", testConfig, Query{Program: "p", PinValue: 1}, Decision{Pin: true, Dir: "app", Name: "p", OnMismatch: Refuse, Origin: at(1)}},
		{"object rule", testConfig, Query{Object: "probe_a", Map: "m", PinValue: 1}, Decision{Pin: true, Dir: "probes/probe_a", Name: "m", OnMismatch: Refuse, Origin: at(9)}},
		{"object rule, not asked", testConfig, Query{Object: "probe_a", Map: "m"}, Decision{}},
		{"object rule none", testConfig, Query{Object: "mute", Map: "m", PinValue: 3}, Decision{Origin: at(10)}},
		{"map rule before object rule", testConfig, Query{Object: "mute", Map: "stats_x", PinValue: 1, IfName: "lo"}, Decision{Pin: true, Dir: "per/lo", Name: "stats_x", OnMismatch: Replace, Origin: at(4)}},

		{"legacy none", "", Query{Map: "m", Legacy: true}, Decision{}},
		{"legacy object, tc", "", Query{Map: "m", Legacy: true, PinValue: 1, ProgType: "sched_cls", ObjectSHA1: sha1}, Decision{Pin: true, Dir: "tc/" + sha1, Name: "m", OnMismatch: Refuse, IPRoute2: true}},
		{"legacy global, act", "", Query{Map: "m", Legacy: true, PinValue: 2, ProgType: "sched_act"}, Decision{Pin: true, Dir: "tc/globals", Name: "m", OnMismatch: Refuse, IPRoute2: true}},
		{"legacy global, xdp", "", Query{Map: "m", Legacy: true, PinValue: 2, ProgType: "xdp"}, Decision{Pin: true, Dir: "xdp/globals", Name: "m", OnMismatch: Refuse, IPRoute2: true}},
		{"legacy global, lwt", "", Query{Map: "m", Legacy: true, PinValue: 2, ProgType: "lwt_seg6local"}, Decision{Pin: true, Dir: "ip/globals", Name: "m", OnMismatch: Refuse, IPRoute2: true}},
		{"legacy, root does not matter", testConfig, Query{Map: "m", Legacy: true, PinValue: 2, ProgType: "xdp"}, Decision{Pin: true, Dir: "xdp/globals", Name: "m", OnMismatch: Refuse, IPRoute2: true}},
		{"legacy custom", iproute2, Query{Map: "m", Legacy: true, PinValue: 3, ProgType: "xdp"}, Decision{Pin: true, Dir: "tenants", Name: "m", OnMismatch: Refuse, IPRoute2: true, Origin: at(3)}},
		{"legacy unknown is not pinned", iproute2, Query{Map: "m", Legacy: true, PinValue: 9, ProgType: "xdp"}, Decision{}},

		{"iproute2 layout, xdp", iproute2, Query{Map: "m", PinValue: 1, ProgType: "xdp"}, Decision{Pin: true, Dir: "xdp/globals", Name: "m", OnMismatch: Refuse, IPRoute2: true, Origin: at(1)}},
		{"iproute2 layout, another type", iproute2, Query{Map: "m", PinValue: 1, ProgType: "kprobe"}, Decision{Pin: true, Dir: "app", Name: "m", OnMismatch: Refuse, Origin: at(2)}},
		{"iproute2 layout, program", iproute2, Query{Program: "p", PinValue: 1, ProgType: "xdp"}, Decision{Pin: true, Dir: "app", Name: "p", OnMismatch: Refuse, Origin: at(2)}},
		{"iproute2 layout, custom value", iproute2, Query{Map: "m", PinValue: 3, ProgType: "xdp"}, Decision{Pin: true, Dir: "tenants", Name: "m", OnMismatch: Refuse, Origin: at(3)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parsed(t, tt.config).Decide(tt.q)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Decision{}, "Reason")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Reason == "" {
				t.Error("no reason")
			}
		})
	}
}

func TestDecideErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		q    Query
		want string
	}{
		{"value that is not configured", Query{Map: "m", PinValue: 9}, `conf: map "m": pin value 9 is not configured: a line "9 DIRECTORY" in /etc/libbpf/pinning.conf gives it a meaning`},
		{"reserved value", Query{Map: "m", PinValue: 2}, `conf: map "m": pin value 2 has no meaning in a BTF map definition: 0 is not pinned, 1 is pinned by name, 3 and above can be configured`},
		{"path in the name", Query{Map: "../victim", PinValue: 1}, `conf: map "../victim": name "../victim": byte 2 is '/'; letters, digits, '_' and '-' are allowed (f:1)`},
		{"slash in the name", Query{Map: "a/b", PinValue: 1}, `conf: map "a/b": name "a/b": byte 1 is '/'; letters, digits, '_' and '-' are allowed (f:1)`},
		{"reserved character", Query{Map: "obj@data", PinValue: 1}, `conf: map "obj@data": name "obj@data": byte 3 is '@', which is reserved for the names of internal maps (f:1)`},
		{"reserved character in an internal name", Query{Map: "a@b.data", PinValue: 1}, `conf: map "a@b.data": name "a@b.data": byte 1 is '@', which is reserved for the names of internal maps (f:1)`},
		{"empty name", Query{PinValue: 1}, `conf: map "": name "": it is empty (f:1)`},
		{"program with a dot", Query{Program: "a.b", PinValue: 1}, `conf: program "a.b": name "a.b": byte 1 is '.', which bpffs refuses (f:1)`},
		{"object's name", Query{Object: "..", Map: ".data", PinValue: 1}, `conf: map ".data": name "..": byte 0 is '.', which bpffs refuses (f:1)`},
		{"device without a name", Query{Map: "stats_a"}, `conf: map "stats_a": %{ifname} has no value: no network device was given (f:4)`},
		{"device with a dot", Query{Map: "stats_a", IfName: "eth0.100"}, `conf: map "stats_a": name "eth0.100": byte 4 is '.', which bpffs refuses (f:4)`},
		{"device that leads elsewhere", Query{Map: "stats_a", IfName: "../tc"}, `conf: map "stats_a": name "../tc": byte 0 is '.', which bpffs refuses (f:4)`},
		{"object that leads elsewhere", Query{Object: "probe_/../x", Map: "m", PinValue: 1}, `conf: map "m": name "probe_/../x": byte 6 is '/'; letters, digits, '_' and '-' are allowed (f:9)`},
		{"legacy without type", Query{Map: "m", Legacy: true, PinValue: 2}, `conf: map "m": iproute2 has no directory for programs of type ""; say which type of program the map is for (sched_cls, xdp, lwt_in, ...)`},
		{"legacy without hash", Query{Map: "m", Legacy: true, PinValue: 1, ProgType: "xdp"}, `conf: map "m": it is pinned in the directory of its object, whose SHA-1 is not known`},
		{"legacy with a bad hash", Query{Map: "m", Legacy: true, PinValue: 1, ProgType: "xdp", ObjectSHA1: strings.ToUpper(sha1)}, `conf: map "m": it is pinned in the directory of its object, whose SHA-1 is not known`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := parsed(t, testConfig).Decide(tt.q)
			var decision *DecisionError
			if !errors.As(err, &decision) || d != (Decision{}) {
				t.Fatalf("%+v, %v, want a *DecisionError and nothing else", d, err)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	var value *ValueError
	if _, err := Default().Decide(Query{Map: "m", PinValue: 7}); !errors.As(err, &value) || value.Value != 7 {
		t.Errorf("%v is no *ValueError of 7", err)
	}
	var name *NameError
	if _, err := Default().Decide(Query{Map: "a/b", PinValue: 1}); !errors.As(err, &name) || name.Byte != '/' {
		t.Errorf("%v is no *NameError of a slash", err)
	}
}

// The same query has the same answer, and asking it changes nothing.
func TestDecideIsPure(t *testing.T) {
	c := parsed(t, testConfig)
	before := string(c.Format())
	q := Query{Object: "probe_a", Map: "m", PinValue: 1}
	a, _ := c.Decide(q)
	b, _ := c.Decide(q)
	if a != b || string(c.Format()) != before {
		t.Error("the second answer differs, or the configuration")
	}
}
