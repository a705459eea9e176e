package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

func featuresFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.BoolVar(&e.opts.diff, "diff", false, "compare two files with what this command has printed, OLD and NEW")
}

// features prints what this kernel offers, or how two kernels differ.
func features(e *env) error {
	if e.opts.diff {
		return featuresDiff(e)
	}
	if len(e.args) > 0 {
		return usage("want no arguments without --diff")
	}
	f := sys.LiveFeatures()
	unknown := f.ProbeAll()
	text, err := f.MarshalText()
	if err != nil {
		return err
	}
	if len(text) == 0 && unknown != nil {
		why, _, _ := strings.Cut(unknown.Error(), "\n")
		return fmt.Errorf("nothing can be told of this kernel: %s", why)
	}
	if unknown != nil {
		why, _, more := strings.Cut(unknown.Error(), "\n")
		if more {
			why += fmt.Sprintf(" (and %d more)", strings.Count(unknown.Error(), "\n"))
		}
		fmt.Fprintf(e.errOut, "not everything can be told: %s\n", why)
	}
	if !e.opts.json {
		_, err = e.out.Write(text)
		return err
	}
	return e.printJSON(featureLines(text))
}

// featuresDiff lists features that one of two recordings has and the other has
// not, or does not know.
func featuresDiff(e *env) error {
	if len(e.args) != 2 {
		return usage("--diff wants two files, not %d", len(e.args))
	}
	var read [2]map[string]bool
	for i, path := range e.args {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := new(sys.Features).UnmarshalText(b); err != nil {
			return fmt.Errorf("%s is not a list of features, as lode features prints it: %w", path, err)
		}
		read[i] = featureLines(b)
	}
	rows := []difference{}
	all := maps.Clone(read[0])
	maps.Copy(all, read[1])
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, is := presence(read[0], name), presence(read[1], name)
		if was != is {
			rows = append(rows, difference{name, was, is})
		}
	}
	return printRows(e, rows, []string{"FEATURE", "OLD", "NEW"}, func(d difference) []string {
		return []string{d.What, d.Old, d.New}
	})
}

// featureLines takes a list apart that has been found to be one.
func featureLines(text []byte) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); len(line) > 1 && (line[0] == '+' || line[0] == '-') {
			all[line[1:]] = line[0] == '+'
		}
	}
	return all
}

func presence(all map[string]bool, name string) string {
	has, known := all[name]
	if !known {
		return "unknown"
	}
	return yesNo(has)
}
