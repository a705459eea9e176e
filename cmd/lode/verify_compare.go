package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
)

// readVerified reads what verify --json has written: verdicts by what they are
// about.
func readVerified(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	verdict := func(ok bool, errno int) string {
		if ok {
			return "ok"
		}
		return fmt.Sprintf("failed with errno %d", errno)
	}
	out := map[string]string{}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	for n := 1; s.Scan(); n++ {
		var x verified
		if err := json.Unmarshal(s.Bytes(), &x); err != nil {
			return nil, fmt.Errorf("%s:%d: not what lode verify --json writes: %w", path, n, err)
		}
		file := quote(x.File)
		out[file+": open"] = verdict(x.OpenOK, x.OpenErrno)
		if !x.OpenOK {
			continue
		}
		out[file+": load"] = verdict(x.LoadOK, x.LoadErrno)
		for _, p := range x.Programs {
			out[fmt.Sprintf("%s: program %q", file, p.Name)] = verdict(p.OK, p.Errno)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// compareVerified prints what differs between two results of verify.
func compareVerified(e *env) error {
	before, err := readVerified(e.args[0])
	if err != nil {
		return err
	}
	after, err := readVerified(e.args[1])
	if err != nil {
		return err
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	var differences []difference
	for _, what := range slices.Sorted(maps.Keys(all)) {
		if before[what] != after[what] {
			differences = append(differences, difference{what, before[what], after[what]})
		}
	}
	if e.opts.json {
		if err := e.printJSON(differences); err != nil {
			return err
		}
	}
	for _, d := range differences {
		if e.opts.json {
			break
		}
		if _, err := fmt.Fprintf(e.out, "%s: %s, then %s\n", d.What, orAbsent(d.Old), orAbsent(d.New)); err != nil {
			return err
		}
	}
	if len(differences) > 0 {
		return fmt.Errorf("%d of %d verdicts differ", len(differences), len(all))
	}
	return nil
}

// A difference is a verdict that two results do not share.
type difference struct {
	What string `json:"what"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

func orAbsent(s string) string {
	if s == "" {
		return "absent"
	}
	return s
}
