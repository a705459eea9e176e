package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/kconfig"
	"github.com/lode-bpf/lode/reloc"
)

func envRecordFlags(f *flag.FlagSet, e *env) { legacyFlag(f, e) }

// envRecord writes what relocation may want to know of this kernel.
func envRecord(e *env) error {
	if len(e.args) == 0 {
		return usage("want the file to write, and maybe objects to record for")
	}
	r := reloc.NewRecorder(kernelEnv())
	if _, err := r.Modules(); err != nil {
		return err
	}
	for _, name := range []string{reloc.FeatureBPFCookie, reloc.FeatureSyscallWrapper} {
		if _, err := r.Feature(name); err != nil {
			fmt.Fprintf(e.errOut, "not recorded: %v\n", err)
		}
	}
	if err := recordConfig(r.Recorded()); err != nil {
		fmt.Fprintf(e.errOut, "not recorded: %v\n", err)
	}
	for _, path := range e.args[1:] {
		o, err := openLegacy(path, e.opts.legacy)
		if err != nil {
			return err
		}
		if _, err := o.Relocate(r); err != nil {
			return err
		}
	}
	b, err := r.Recorded().Append(nil)
	if err != nil {
		return err
	}
	if e.args[0] == "-" {
		_, err = e.out.Write(b)
		return err
	}
	if err := os.WriteFile(e.args[0], b, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.out, "%s: %d bytes\n", e.args[0], len(b))
	return err
}

// recordConfig keeps every option of the kernel's configuration, also those that
// it says are not set.
func recordConfig(r *reloc.Recorded) error {
	text, err := kconfig.Read()
	if err != nil {
		return err
	}
	options, err := lode.ParseKconfig(text)
	if err != nil {
		return err
	}
	if r.Options == nil {
		r.Options = map[string]reloc.Option{}
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutSuffix(strings.TrimSpace(line), " is not set"); ok {
			r.Options[strings.TrimPrefix(name, "# ")] = reloc.Option{}
		}
	}
	for name, value := range options {
		r.Options[name] = reloc.Option{Value: value, Set: true}
	}
	return nil
}

// A shownEnv is a recorded kernel as it is printed.
type shownEnv struct {
	Version   string          `json:"version"`
	Arch      string          `json:"arch"`
	Types     int             `json:"btf_types"`
	NoTypes   string          `json:"no_btf,omitempty"` // why there are none
	Modules   []string        `json:"modules"`
	Options   int             `json:"options"`
	Addresses []string        `json:"addresses"` // symbols whose addresses are known
	Features  map[string]bool `json:"features"`
}

// envShow prints what a recorded kernel knows.
func envShow(e *env) error {
	if len(e.args) != 1 {
		return usage("want one file, not %d", len(e.args))
	}
	r, err := readEnv(e.args[0])
	if err != nil {
		return err
	}
	v := r.KernelVersion
	x := shownEnv{Version: fmt.Sprintf("%d.%d.%d", v>>16, v>>8&255, v&255), Arch: r.Architecture, NoTypes: r.KernelErr,
		Modules: []string{}, Options: len(r.Options), Addresses: slices.Sorted(maps.Keys(r.Addresses)), Features: r.Features}
	if r.KernelBTF != nil {
		x.Types = r.KernelBTF.NumTypes() - 1
	}
	for _, m := range r.ModuleBTFs {
		x.Modules = append(x.Modules, m.Name)
	}
	if e.opts.json {
		return e.printJSON(x)
	}
	rows := [][]string{{"KERNEL", x.Version + " " + quote(x.Arch)}, {"BTF", fmt.Sprintf("%d types", x.Types)}, {"MODULES", fmt.Sprint(len(x.Modules))},
		{"OPTIONS", fmt.Sprint(x.Options)}, {"ADDRESSES", fmt.Sprint(len(x.Addresses))}}
	if x.NoTypes != "" {
		rows[1][1] = "none: " + quote(x.NoTypes)
	}
	for _, name := range slices.Sorted(maps.Keys(x.Features)) {
		rows = append(rows, []string{"FEATURE", fmt.Sprintf("%s %s", quote(name), yesNo(x.Features[name]))})
	}
	var b strings.Builder
	e.table(&b, rows)
	lines(&b, "MODULES", quoteAll(x.Modules))
	lines(&b, "ADDRESSES", quoteAll(x.Addresses))
	_, err = fmt.Fprint(e.out, b.String())
	return err
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func quoteAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quote(n)
	}
	return out
}
