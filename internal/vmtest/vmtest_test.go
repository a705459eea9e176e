package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewest(t *testing.T) {
	names := []string{
		"linux-image-6.1.0-47-cloud-amd64",
		"linux-image-6.1.0-5-cloud-amd64",
		"linux-image-6.12.90+deb12.1-cloud-amd64",
		"linux-image-6.12.117+deb13-cloud-amd64",
		"linux-image-7.0.10+deb13-cloud-amd64",
		"linux-image-7.0.9+deb13-cloud-amd64",
	}
	for series, want := range map[string]string{
		"6.1":    "linux-image-6.1.0-47-cloud-amd64",
		"6.12":   "linux-image-6.12.117+deb13-cloud-amd64",
		"7.0":    "linux-image-7.0.10+deb13-cloud-amd64",
		"newest": "linux-image-7.0.10+deb13-cloud-amd64",
		"6":      "",
		"5.10":   "",
	} {
		if got := newest(names, series); got != want {
			t.Errorf("newest(%s) = %q, want %q", series, got, want)
		}
	}
}

// Kernels of other architectures and flavours are not taken for one's own.
func TestHasKernel(t *testing.T) {
	for name, want := range map[string][]string{
		"linux-image-6.1.0-50-cloud-amd64":          {"amd64"},
		"linux-image-6.12.117+deb13-cloud-arm64":    {"arm64"},
		"linux-image-6.12.117+deb13-s390x":          {"s390x"},
		"linux-image-6.12.117+deb13-amd64":          nil,
		"linux-image-6.1.0-50-s390x-dbg":            nil,
		"linux-image-6.1.0-50-cloud-amd64-unsigned": nil,
		"linux-image-s390x":                         nil,
		"apt-s390x":                                 nil,
	} {
		var got []string
		for _, a := range arches {
			if a.hasKernel(name) {
				got = append(got, a.name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := findArch("mips"); err == nil || !strings.Contains(err.Error(), "amd64, arm64, s390x") {
		t.Errorf("an architecture that is not there: %v", err)
	}
}

func TestCount(t *testing.T) {
	output := `=== RUN   TestKernelA
--- PASS: TestKernelA (0.01s)
=== RUN   TestKernelB
    --- PASS: TestKernelB/inner (0.00s)
    b_test.go:7: got: 1, want 2
--- FAIL: TestKernelB (0.00s)
=== RUN   TestKernelC
    c_test.go:77: needs Linux 6.9 for arenas, this is 5.10
--- SKIP: TestKernelC (0.00s)
`
	var got result
	got.count([]byte(output))
	want := result{Passed: 1, Failed: 1, Skipped: 1, Skips: []string{"TestKernelC: needs Linux 6.9 for arenas, this is 5.10"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCells(t *testing.T) {
	for want, r := range map[string]*result{
		"NO VERDICT":      nil,
		"NO TESTS RAN":    {},
		"ok 3":            {Passed: 3},
		"ok 3, 2 skipped": {Passed: 3, Skipped: 2},
		"ok 3 (75 s)":     {Passed: 3, Seconds: 75.2},
		"FAIL 1 of 4":     {Passed: 3, Failed: 1},
		"FAIL 0 of 1":     {Passed: 1, Error: "signal: killed"},
	} {
		if got := r.String(); got != want {
			t.Errorf("%+v prints %q, want %q", r, got, want)
		}
		if passes := r != nil && r.ok(); passes != strings.HasPrefix(want, "ok") {
			t.Errorf("%s: ok() = %t", want, passes)
		}
	}
}

func TestMachineThatEndsEarlyFails(t *testing.T) {
	tests := []test{{Package: "a"}}
	r := &run{series: "6.1", results: make(map[string]*result)}
	if err := r.read(strings.NewReader("KASLR disabled\r\n" + `{"Package":"a","Passed":1}` + "\r\n")); err != nil {
		t.Fatal(err)
	}
	if r.ok(tests) {
		t.Error("a run without its last line passes")
	}
	if err := r.read(strings.NewReader(`{"Done":true,"Kernel":"6.1.0-50"}` + "\n")); err != nil {
		t.Fatal(err)
	}
	if !r.ok(tests) {
		t.Error("a complete run fails")
	}
	if r.ok(append(tests, test{Package: "b"})) {
		t.Error("a run without a verdict on a package passes")
	}
	if err := r.read(strings.NewReader(`{"Package":"a","Pas`)); err == nil {
		t.Error("half a line was taken")
	}
}

func TestArchive(t *testing.T) {
	var out bytes.Buffer
	a := &archive{w: &out, made: make(map[string]bool)}
	a.add("dir/file", 0o100644, []byte("abc"))
	if a.err != nil {
		t.Fatal(a.err)
	}
	const header = 110 // bytes, by the format
	want := header + len("dir\x00") + 2 + header + len("dir/file\x00") + 1 + len("abc") + 1
	if out.Len() != want || out.Len()%4 != 0 {
		t.Errorf("%d bytes, want %d", out.Len(), want)
	}
	if got := strings.Count(out.String(), "070701"); got != 2 {
		t.Errorf("%d headers, want one for the directory and one for the file", got)
	}
}
