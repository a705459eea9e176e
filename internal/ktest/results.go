package ktest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Results are the verdicts of tests on several kernels, as the pages of docs show them.
type Results struct {
	Kernels []string // series, ascending, with the architecture if it is not amd64: "5.10", "6.1-s390x"
	verdict map[string]map[string]string
}

// ReadResults reads a folder with one file a kernel, such as 6.1.txt, whose lines are a verdict and a test's name. They
// are made by
//
//	go run ./internal/vmtest -kernels 6.1 -v ./maps | sed -n 's/^ *--- \([A-Z]*\): \([^ ]*\) (.*/\1 \2/p' >maps/testdata/kernels/6.1.txt
func ReadResults(tb testing.TB, folder string) *Results {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("ktest: no results in %s (%v)", folder, err)
	}
	r := &Results{verdict: map[string]map[string]string{}}
	for _, file := range files {
		kernel := strings.TrimSuffix(filepath.Base(file), ".txt")
		r.Kernels, r.verdict[kernel] = append(r.Kernels, kernel), map[string]string{}
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatalf("ktest: %v", err)
		}
		for line := range strings.Lines(string(text)) {
			verdict, test, ok := strings.Cut(strings.TrimSpace(line), " ")
			if !ok {
				tb.Fatalf("ktest: %s: %q", file, line)
			}
			r.verdict[kernel][test] = verdict
		}
	}
	slices.SortFunc(r.Kernels, func(a, b string) int { return cmp.Or(cmp.Compare(version(a), version(b)), cmp.Compare(a, b)) })
	return r
}

// Verdict is "PASS", "SKIP", "FAIL", or empty for a test that was not run.
func (r *Results) Verdict(kernel, test string) string { return r.verdict[kernel][test] }

// Before reports whether a kernel is older than the one that brought something; it is not if that is unknown.
func Before(kernel, since string) bool { return since != "" && version(kernel) < version(since) }

// version makes versions comparable: 6.12 is 6012.
func version(s string) int {
	var major, minor int
	fmt.Sscanf(s, "%d.%d", &major, &minor)
	return major*1000 + minor
}
