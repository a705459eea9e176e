package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"text/tabwriter"
	"time"
)

// A plan is what the machine finds in /plan.json: what to run.
type plan struct {
	Tests   []test
	Run     string        // -test.run
	Verbose bool          // report the output of tests that pass, too
	Timeout time.Duration // for one test binary
}

// A test is one test binary.
type test struct {
	Package string // import path below the module's, "." for its root
	Binary  string // name in /lode-tests
}

// A result is a line of JSON on the machine's second serial port: one for each test binary, and a last one with Done.
type result struct {
	Package                 string
	Passed, Skipped, Failed int
	Seconds                 float64
	Error                   string // why the binary's exit status was not 0
	Output                  string // its end, if it failed or if asked for
	Skips                   []string
	Done                    bool
	Kernel                  string // with Done: the release of the running kernel
}

func (r *result) ok() bool { return r.Error == "" && r.Failed == 0 && r.Passed+r.Skipped > 0 }

// String is a cell of the table. It says how long a package took if that is long: what takes a second elsewhere takes about
// 18 under emulation.
func (r *result) String() string {
	if r == nil {
		return "NO VERDICT"
	}
	if r.Seconds >= 10 {
		return fmt.Sprintf("%s (%.0f s)", r.verdict(), r.Seconds)
	}
	return r.verdict()
}

func (r *result) verdict() string {
	switch {
	case r.Error == "" && r.Failed == 0 && r.Passed+r.Skipped == 0:
		return "NO TESTS RAN"
	case !r.ok():
		return fmt.Sprintf("FAIL %d of %d", r.Failed, r.Passed+r.Skipped+r.Failed)
	case r.Skipped > 0:
		return fmt.Sprintf("ok %d, %d skipped", r.Passed, r.Skipped)
	}
	return fmt.Sprintf("ok %d", r.Passed)
}

// testEnd is how testing prints the end of a test that is not a subtest.
var testEnd = regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\S+)`)

// count takes the number of tests by outcome, and the reasons of those that were skipped, from the output of a test binary.
func (r *result) count(output []byte) {
	for _, m := range testEnd.FindAllSubmatchIndex(output, -1) {
		switch string(output[m[2]:m[3]]) {
		case "PASS":
			r.Passed++
		case "FAIL":
			r.Failed++
		case "SKIP":
			r.Skipped++
			name := string(output[m[4]:m[5]])
			r.Skips = append(r.Skips, name+": "+reason(output[:m[0]], name))
		}
	}
}

// reason returns the last indented line that a test printed after it began: what t.Skip was given.
func reason(before []byte, name string) string {
	if i := bytes.LastIndex(before, []byte("=== RUN   "+name+"\n")); i >= 0 {
		before = before[i:]
	}
	lines := strings.Split(strings.TrimRight(string(before), "\n"), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if _, text, ok := strings.Cut(last, ".go:"); ok { // FILE.go:LINE: TEXT
		if _, text, ok = strings.Cut(text, ": "); ok {
			return text
		}
	}
	return "no reason given"
}

// A run is what one machine reported.
type run struct {
	series  string // as asked for: "6.1", "newest"
	release string // of the kernel that ran
	results map[string]*result
	done    bool
	err     error
	console string // the end of the console
	seconds float64
}

func (r *run) ok(tests []test) bool {
	if r.err != nil || !r.done {
		return false
	}
	for _, t := range tests {
		if one := r.results[t.Package]; one == nil || !one.ok() {
			return false
		}
	}
	return true
}

// details prints what went wrong in a run, and with verbose everything else.
func (r *run) details(w io.Writer, tests []test, verbose bool) {
	for _, t := range tests {
		one := r.results[t.Package]
		if one == nil || !one.ok() || verbose {
			fmt.Fprintf(w, "\n## %s on %s: %v\n", t.Package, r.name(), one)
		}
		if one == nil {
			continue
		}
		if one.Error != "" {
			fmt.Fprintf(w, "%s\n", one.Error)
		}
		fmt.Fprint(w, one.Output)
	}
	if r.err != nil || !r.done {
		fmt.Fprintf(w, "\n## the machine with %s gave no verdict: %v; the end of its console:\n%s\n", r.name(), r.err, r.console)
	}
}

func (r *run) name() string {
	if r.release == "" {
		return "Linux " + r.series
	}
	return "Linux " + r.release
}

// table prints one line a package and one column a kernel.
func table(w io.Writer, tests []test, runs []*run) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "\npackage")
	for _, r := range runs {
		fmt.Fprintf(tw, "\t%s", strings.TrimPrefix(r.name(), "Linux "))
	}
	fmt.Fprintln(tw)
	for _, t := range tests {
		fmt.Fprint(tw, t.Package)
		for _, r := range runs {
			fmt.Fprintf(tw, "\t%v", r.results[t.Package])
		}
		fmt.Fprintln(tw)
	}
	fmt.Fprint(tw, "seconds")
	for _, r := range runs {
		fmt.Fprintf(tw, "\t%.0f", r.seconds)
	}
	fmt.Fprintln(tw)
	tw.Flush()
}

// skips prints every reason for skipping, once for all the tests and kernels that it kept from running.
func skips(w io.Writer, runs []*run) {
	where := make(map[string][]string)
	for _, r := range runs {
		for _, one := range r.results {
			for _, s := range one.Skips {
				key := one.Package + " " + s
				where[key] = append(where[key], r.series)
			}
		}
	}
	if len(where) == 0 {
		return
	}
	lines := make([]string, 0, len(where))
	for skip, series := range where {
		lines = append(lines, fmt.Sprintf("  %s (on %s)", skip, strings.Join(series, ", ")))
	}
	sort.Strings(lines)
	fmt.Fprintf(w, "\nskipped:\n%s\n", strings.Join(lines, "\n"))
}
