package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/lode-bpf/lode/fuzz/gen"
	"github.com/lode-bpf/lode/fuzz/mutate"
	"github.com/lode-bpf/lode/fuzz/oracle"
)

// runGen writes objects and an index with what was done to each.
func runGen(fs *flag.FlagSet, args []string, out io.Writer) error {
	n := fs.Int("n", 100, "number of files")
	seed := fs.Uint64("seed", 1, "what the files depend on")
	most := fs.Int("rules", 3, "rules that are applied to a file, at most")
	valid := fs.Bool("valid", false, "write valid objects: apply no rule")
	dir := fs.String("o", "", "directory to write to; made if need be")
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	if *dir == "" || *n < 1 || *most < 1 {
		return usageError("-o is needed, and -n and -rules of at least 1")
	}
	if err := os.MkdirAll(*dir, 0o777); err != nil {
		return err
	}
	index, err := os.Create(filepath.Join(*dir, "index.txt"))
	if err != nil {
		return err
	}
	defer index.Close()
	w := bufio.NewWriter(index)
	src := rand.NewPCG(*seed, 0x6d616c67656e)
	for i := range *n {
		obj := gen.New(src.Uint64()).Object(gen.Profile{Plain: src.Uint64()%4 == 0})
		var trace mutate.Trace
		if rules := 1 + src.Uint64()%uint64(*most); !*valid {
			obj, trace = mutate.Apply(obj, src.Uint64(), int(rules))
		}
		name := fmt.Sprintf("%d-%06d.elf", *seed, i)
		if err := os.WriteFile(filepath.Join(*dir, name), obj, 0o666); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n%s", name, trace)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d files and index.txt in %s\n", *n, *dir)
	return index.Close()
}

func runRules(fs *flag.FlagSet, args []string, out io.Writer) error {
	if err := parse(fs, args, 0); err != nil {
		return err
	}
	for _, r := range mutate.Rules() {
		fmt.Fprintf(out, "%-22s %s\n", r.Name, r.Doc)
	}
	return nil
}

// runExplain says what each stage makes of files, and which promises of this
// module they break. It fails if there is one.
func runExplain(fs *flag.FlagSet, args []string, out io.Writer) error {
	if err := parse(fs, args, -1); err != nil {
		return err
	}
	broken := 0
	for _, path := range fs.Args() {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %d bytes\n", path, len(b))
		for _, v := range oracle.Judge(b) {
			fmt.Fprintf(out, "  %-7s %s\n", v.Stage, v)
			if v.Text != "" {
				fmt.Fprintf(out, "          %s\n", v.Text)
			}
		}
		for _, v := range oracle.Check(b) {
			fmt.Fprintf(out, "  broken promise: %v\n", v)
			broken++
		}
	}
	if broken > 0 {
		return fmt.Errorf("%d broken promises, which are errors of this module", broken)
	}
	return nil
}
