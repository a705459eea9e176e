package lode

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseVersion(t *testing.T) {
	for s, want := range map[string]uint32{
		"6.1.76-1 (2024-02-01)": 6<<16 | 1<<8 | 76,
		"5.10.0-28-amd64":       5<<16 | 10<<8,
		"4.19.325":              4<<16 | 19<<8 | 255,
		"7.1":                   7<<16 | 1<<8,
		"7.1-rc3":               7<<16 | 1<<8,
		"6":                     0,
		"":                      0,
		"x.y":                   0,
		"99999999.1":            0,
	} {
		got, ok := parseVersion(s)
		if ok != (want != 0) || ok && got != want {
			t.Errorf("%q: %#x, %v, want %#x", s, got, ok, want)
		}
	}
}

func TestParseKconfig(t *testing.T) {
	got, err := ParseKconfig([]byte("# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=\"a=b\"\nCONFIG_B=n\nOTHER=1\n\nCONFIG_D=0x10"))
	want := map[string]string{"CONFIG_B": "y", "CONFIG_C": `"a=b"`, "CONFIG_D": "0x10"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v -want +got:\n%s", err, diff)
	}
	for _, bad := range []string{"CONFIG_A\n", "CONFIG_A=\n"} {
		if _, err := ParseKconfig([]byte("CONFIG_OK=y\n" + bad)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v, want an error about line 2", bad, err)
		}
	}
}

func TestSymbolAddress(t *testing.T) {
	for line, want := range map[string]uint64{
		"ffffffff81000000 T start":                 0xffffffff81000000,
		"ffffffffc0000010 t start\t[module]":       0xffffffffc0000010,
		"ffffffff82000000 d start.llvm.1234567890": 0xffffffff82000000,
		"ffffffff82000000 t start.llvm.1234567890": 0,
		"ffffffff81000000 T start_kernel":          0,
		"ffffffff81000000 T":                       0,
		"zz T start":                               0,
	} {
		got, ok := symbolAddress([]byte(line), "start")
		if ok != (want != 0) || ok && got != want {
			t.Errorf("%q: %#x, %v, want %#x", line, got, ok, want)
		}
	}
}
