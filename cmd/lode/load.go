package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/sys"
)

// load carries a plan out and prints what exists then.
func load(e *env) error { return e.load(false) }

// replace is load for what is pinned already: maps that do not match their
// definition give way to new ones.
func replace(e *env) error { return e.load(true) }

func (e *env) load(replace bool) error {
	policy, err := e.policy()
	if err != nil {
		return err
	}
	policy.Persist = !e.opts.noPin
	if replace {
		replaceMismatches(policy.Config)
	}
	if e.opts.dryRun {
		return e.printPlan(policy, true)
	}
	o, err := e.open()
	if err != nil {
		return err
	}
	if err := checkTypes(o); err != nil {
		return err
	}
	if err := mountBPFFS(&policy); err != nil {
		return err
	}
	c, err := o.Load(e.ctx, lode.LoadOptions{Policy: policy, Env: kernelEnv()})
	if err != nil {
		return loadError(err, e.args[0])
	}
	defer c.Close()
	l := describe(c)
	if e.opts.json {
		err = e.printJSON(l)
	} else {
		err = printLoaded(e, l)
	}
	if err == nil && e.opts.noPin && len(c.Links) > 0 {
		fmt.Fprintln(e.errOut, "attached until this command is interrupted")
		<-e.ctx.Done()
	}
	return err
}

// replaceMismatches makes the policy of a configuration that maps which do not
// match are replaced.
func replaceMismatches(c *conf.Config) {
	if c.OnMismatch.V == conf.Refuse {
		c.OnMismatch.V = conf.Replace
	}
	for i := range c.Rules {
		if c.Rules[i].OnMismatch == conf.Refuse {
			c.Rules[i].OnMismatch = conf.Replace
		}
	}
}

// mountBPFFS finds the bpffs to pin in, and mounts one where there is none, as
// tc, ip and bpftool do. Without the privilege for that, the load will say what
// it lacks.
func mountBPFFS(policy *lode.Policy) error {
	if policy.PinRoot != "" && !strings.HasPrefix(policy.PinRoot, pin.DefaultMount+"/") {
		return nil
	}
	at, err := pin.Discover(sys.Live(), true)
	if err != nil && !errors.Is(err, sys.EPERM) {
		return err
	}
	policy.BPFFS = at
	return nil
}

// A loaded is what exists after a load.
type loaded struct {
	Maps     []loadedMap     `json:"maps"`
	Programs []loadedProgram `json:"programs"`
	Links    []loadedLink    `json:"links,omitempty"`
}

type loadedMap struct {
	Name       string `json:"name"`
	ID         uint32 `json:"id"`
	Type       string `json:"type"`
	KeySize    uint32 `json:"key_size"`
	ValueSize  uint32 `json:"value_size"`
	MaxEntries uint32 `json:"max_entries"`
	Source     string `json:"source"` // "created", "reused", "replaced"
	Pin        string `json:"pin,omitempty"`

	slots bool // programs are in it
}

type loadedLink struct {
	Name string `json:"name"` // of the program or struct_ops map
	Pin  string `json:"pin"`
}

type loadedProgram struct {
	Name         string `json:"name"`
	ID           uint32 `json:"id"`
	Type         string `json:"type"`
	Tag          string `json:"tag"`
	Instructions int    `json:"instructions"` // as the kernel runs them, before compilation
	Pin          string `json:"pin,omitempty"`

	tail bool // called by another program of the object
}

// describe lists what a collection holds, in the order of the plan.
func describe(c *lode.Collection) loaded {
	var l loaded
	pins := map[string]string{}
	how := map[string]string{}
	tails, slots := map[string]bool{}, map[string]bool{}
	for _, d := range c.Done {
		switch d.Op {
		case lode.OpSetTailCall:
			tails[d.Target], slots[d.Map] = true, true
		case lode.OpPinLink:
			l.Links = append(l.Links, loadedLink{d.Map + d.Program, d.Path})
		case lode.OpPinMap, lode.OpPinProgram:
			pins[d.Map+"/"+d.Program] = d.Path
			if d.Result == "replaced" {
				how[d.Map] = "replaced"
			}
		case lode.OpReuseMap, lode.OpShareMap:
			if d.Result == "reused" {
				pins[d.Map+"/"] = d.Path
			}
		}
	}
	for _, d := range c.Done {
		switch {
		case d.Map != "" && (d.Result == "created" || d.Result == "reused"):
			m := c.Map(d.Map)
			row := loadedMap{Name: d.Map, ID: d.ID, Type: m.Type().String(), KeySize: uint32(m.KeySize()), ValueSize: uint32(m.ValueSize()),
				MaxEntries: m.MaxEntries(), Source: d.Result, Pin: pins[d.Map+"/"], slots: slots[d.Map]}
			if how[d.Map] != "" {
				row.Source = how[d.Map]
			}
			l.Maps = append(l.Maps, row)
		case d.Op == lode.OpLoadProgram:
			row := loadedProgram{Name: d.Program, ID: d.ID, Pin: pins["/"+d.Program], tail: tails[d.Program]}
			if info, err := c.Program(d.Program).Info(); err == nil {
				row.Type, row.Tag, row.Instructions = info.Type.String(), fmt.Sprintf("%x", info.Tag), info.Xlated/insn.Size
			}
			l.Programs = append(l.Programs, row)
		}
	}
	return l
}

func printLoaded(e *env, l loaded) error {
	maps := [][]string{{"MAP", "ID", "TYPE", "KEY", "VALUE", "ENTRIES", "", "PIN"}}
	for _, m := range l.Maps {
		maps = append(maps, []string{quote(m.Name), fmt.Sprint(m.ID), m.Type, fmt.Sprint(m.KeySize), fmt.Sprint(m.ValueSize), fmt.Sprint(m.MaxEntries), m.Source, m.Pin})
	}
	programs := [][]string{{"PROGRAM", "ID", "TYPE", "TAG", "INSNS", "PIN"}}
	for _, p := range l.Programs {
		programs = append(programs, []string{quote(p.Name), fmt.Sprint(p.ID), p.Type, p.Tag, fmt.Sprint(p.Instructions), p.Pin})
	}
	var b strings.Builder
	if len(l.Maps) > 0 {
		e.table(&b, maps)
		b.WriteByte('\n')
	}
	if len(l.Programs) > 0 {
		e.table(&b, programs)
		b.WriteByte('\n')
	}
	if len(l.Links) > 0 {
		links := [][]string{{"LINK", "PIN"}}
		for _, k := range l.Links {
			links = append(links, []string{quote(k.Name), k.Pin})
		}
		e.table(&b, links)
		b.WriteByte('\n')
	}
	b.WriteString(nextSteps(l))
	_, err := e.out.Write([]byte(b.String()))
	return err
}

// nextSteps says what can be done with what was loaded.
func nextSteps(l loaded) string {
	var b strings.Builder
	line := func(what, how string) { fmt.Fprintf(&b, "  %-22s %s\n", what, how) }
	for _, m := range l.Maps {
		if m.Pin != "" && !m.slots {
			line("read a map:", "lode map dump "+m.Pin)
			break
		}
	}
	for _, p := range l.Programs {
		if p.Pin != "" && p.Type == "xdp" && !p.tail {
			line("attach to a device:", "lode prog attach --pin "+path.Join(path.Dir(path.Dir(p.Pin)), "DEVICE")+" "+p.Pin+" xdp DEVICE")
			break
		}
	}
	if dir := pinDir(l); dir != "" {
		line("remove all of it:", "lode unload "+dir)
	}
	if b.Len() == 0 {
		return "nothing is pinned: what was loaded ends with this command\n"
	}
	return "next:\n" + b.String()
}

// pinDir is the directory that the load pinned in; without maps, those of programs
// and what belongs to them.
func pinDir(l loaded) string {
	for _, m := range l.Maps {
		if i := strings.LastIndexByte(m.Pin, '/'); i > 0 && !strings.HasSuffix(m.Pin[:i], lode.TailCallsSuffix) {
			return m.Pin[:i]
		}
	}
	var dirs []string
	add := func(pin string) {
		if dir := path.Dir(pin); pin != "" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, k := range l.Links {
		add(k.Pin)
	}
	for _, p := range l.Programs {
		add(p.Pin)
	}
	for _, m := range l.Maps {
		add(m.Pin)
	}
	return strings.Join(dirs, " ")
}

// loadError says what can be done without privileges.
func loadError(err error, file string) error {
	var e *sys.Error
	if errors.As(err, &e) && e.Errno == sys.EPERM && strings.Contains(e.Hint, "lacks") {
		return &privilegeError{err, file}
	}
	return err
}

// A privilegeError is a load that the process may not do.
type privilegeError struct {
	err  error
	file string
}

func (e *privilegeError) Error() string { return e.err.Error() }
func (e *privilegeError) Unwrap() error { return e.err }

// hintFor is what to try after an error.
func hintFor(err error) string {
	var p *privilegeError
	if errors.As(err, &p) {
		return fmt.Sprintf("Without privileges, see what a load would do: lode plan %s", p.file)
	}
	return ""
}
