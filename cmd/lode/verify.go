package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

func verifyFlags(f *flag.FlagSet, e *env) {
	f.BoolVar(&e.opts.json, "json", false, "print one JSON object a line for each file")
	typeFlag(f, e)
	legacyFlag(f, e)
	f.BoolVar(&e.opts.fixups, "fixups", false, "give maps without max_entries one entry, ring buffers 4096 bytes")
	f.StringVar(&e.opts.pinRoot, "pin-root", "", "pin as a load would, below this `directory`, and remove it again; without it nothing is pinned")
	f.DurationVar(&e.opts.limit, "limit", time.Minute, "how long the kernel may take for one program")
	f.BoolVar(&e.opts.compare, "compare", false, "compare two files that --json has written, OLD and NEW")
}

// A verified is what became of one file. Its form is shared with other loaders,
// to compare them.
type verified struct {
	Loader    string            `json:"loader"`
	File      string            `json:"file"`
	OpenOK    bool              `json:"open_ok"`
	OpenErrno int               `json:"open_errno"`
	OpenErr   string            `json:"open_err"`
	OpenNS    int64             `json:"open_ns"`
	Maps      int               `json:"maps"`
	LoadOK    bool              `json:"load_ok"`
	LoadErrno int               `json:"load_errno"`
	LoadErr   string            `json:"load_err"`
	LoadNS    int64             `json:"load_ns"`
	Programs  []verifiedProgram `json:"progs"`

	openErr, loadErr error
}

type verifiedProgram struct {
	Name    string `json:"name"`
	Section string `json:"section"`
	Type    string `json:"type"`
	OK      bool   `json:"ok"`
	Errno   int    `json:"errno"`
	NS      int64  `json:"ns"`
	Err     string `json:"err"`

	err                  error
	instructions, states int
}

// verify loads every object as a whole and every program alone, and leaves
// nothing in the kernel.
func verify(e *env) error {
	switch {
	case e.opts.compare && len(e.args) != 2:
		return usage("--compare wants two files, not %d", len(e.args))
	case e.opts.compare:
		return compareVerified(e)
	case len(e.args) == 0:
		return usage("want at least one file")
	case e.opts.limit <= 0:
		return usage("--limit %v leaves no time", e.opts.limit)
	}
	if err := e.checkChoices(); err != nil {
		return err
	}
	v := verifier{env: e, kernel: &timedKernel{Kernel: sys.Live(), limit: e.opts.limit}, reloc: kernelEnv()}
	var all []verified
	failed := 0
	for i, file := range e.args {
		e.progress(i, file)
		x := v.file(file)
		if e.ctx.Err() != nil {
			break // the last result is about the interrupt
		}
		if !x.passed() {
			failed++
		}
		if e.opts.json {
			if err := json.NewEncoder(e.out).Encode(x); err != nil {
				return err
			}
		} else {
			all = append(all, x)
		}
	}
	e.progress(len(e.args), "")
	if !e.opts.json {
		if _, err := fmt.Fprint(e.out, e.verdicts(all)); err != nil {
			return err
		}
	}
	if err := e.ctx.Err(); err != nil {
		return errors.New("interrupted; nothing was left in the kernel")
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d files did not pass", failed, len(e.args))
	}
	return nil
}

// passed reports whether everything about a file is well.
func (v *verified) passed() bool {
	ok := v.OpenOK && v.LoadOK
	for _, p := range v.Programs {
		ok = ok && p.OK
	}
	return ok
}

// A verifier is what all files of one verify share.
type verifier struct {
	*env
	kernel *timedKernel
	reloc  reloc.Env
}

func (v *verifier) file(path string) (x verified) {
	x = verified{Loader: "lode", File: path, Programs: []verifiedProgram{}}
	start := time.Now()
	o, err := openLegacy(path, v.opts.legacy)
	if err == nil {
		err = setType(o, v.opts.typ)
	}
	x.OpenNS = time.Since(start).Nanoseconds()
	if x.OpenOK = err == nil; !x.OpenOK {
		x.openErr, x.OpenErr, x.OpenErrno = err, err.Error(), errno(err)
		return x
	}
	x.Maps = len(o.Maps)
	if v.opts.fixups {
		fixUp(o)
	}
	if v.opts.pinRoot == "" {
		for _, m := range o.Maps {
			m.Pin = lode.Pin{Mode: lode.PinNever}
		}
	}
	start = time.Now()
	err = v.load(o)
	x.LoadNS = time.Since(start).Nanoseconds()
	if x.LoadOK = err == nil; !x.LoadOK {
		x.loadErr, x.LoadErr, x.LoadErrno = err, err.Error(), errno(err)
	}
	for _, p := range o.Programs {
		if v.ctx.Err() != nil {
			break
		}
		x.Programs = append(x.Programs, v.alone(o, p))
	}
	return x
}

// alone loads one program of an object with the maps of all.
func (v *verifier) alone(o *lode.Object, p *lode.Program) verifiedProgram {
	x := verifiedProgram{Name: p.Name, Section: p.Section, Type: p.Type.String()}
	one := o.Clone()
	for _, m := range one.Maps {
		if _, ok := slotKinds[m.Type]; ok {
			m.Slots = nil // the verifier does not look at them, and the kernel takes long to fill them
		}
	}
	v.kernel.log = ""
	start := time.Now()
	err := one.Only(p.Name)
	if err == nil {
		err = v.load(one)
	}
	x.NS = time.Since(start).Nanoseconds()
	if x.OK = err == nil; !x.OK {
		x.err, x.Err, x.Errno = err, err.Error(), errno(err)
		return x // the last log may be that of a feature probe
	}
	x.instructions, x.states = statistics(v.kernel.log)
	return x
}

// load loads an object and takes it back.
func (v *verifier) load(o *lode.Object) error {
	if err := checkTypes(o); err != nil {
		return err
	}
	policy, err := v.policy()
	if err != nil {
		return err
	}
	c, err := o.Load(v.ctx, lode.LoadOptions{Policy: policy, Env: v.reloc, Kernel: v.kernel})
	if sys.ErrnoOf(err) == sys.ETIMEDOUT {
		return &limitError{err, v.opts.limit}
	}
	if err != nil {
		return err
	}
	return c.Undo()
}

// A limitError is a program that the verifier took too long for.
type limitError struct {
	err   error
	limit time.Duration
}

func (e *limitError) Error() string {
	return fmt.Sprintf("the verifier took longer than %v and was stopped; see --limit", e.limit)
}
func (e *limitError) Unwrap() error { return e.err }

// unsized are the maps that grow with what they belong to: their definitions have
// no max_entries.
var unsized = map[sys.MapType]bool{
	sys.MapTypeSKStorage: true, sys.MapTypeInodeStorage: true, sys.MapTypeTaskStorage: true, sys.MapTypeCgrpStorage: true,
	sys.MapTypeCgroupStorage: true, sys.MapTypePerCPUCgroupStorage: true,
}

// fixUp gives maps a size that have none, for the user of the object to set.
func fixUp(o *lode.Object) {
	for _, m := range o.Maps {
		switch {
		case m.MaxEntries != 0 || m.Internal || unsized[m.Type]:
		case m.Type == sys.MapTypeRingBuf || m.Type == sys.MapTypeUserRingBuf:
			m.MaxEntries = 4096
		default:
			m.MaxEntries = 1
		}
	}
}

// errno is the number of the system's error, EINVAL for a fault that lode has
// found without asking.
func errno(err error) int {
	if n := sys.ErrnoOf(err); n != 0 {
		return int(n)
	}
	if errors.Is(err, context.Canceled) {
		return int(sys.EINTR)
	}
	return int(sys.EINVAL)
}

// statistics reads the verifier's last lines.
func statistics(log string) (instructions, states int) {
	if i := strings.LastIndex(log, "processed "); i >= 0 {
		var limit, perInsn int
		if _, err := fmt.Sscanf(log[i:], "processed %d insns (limit %d) max_states_per_insn %d total_states %d", &instructions, &limit, &perInsn, &states); err != nil {
			return 0, 0
		}
	}
	return instructions, states
}

// verdicts is the table that a person reads.
func (e *env) verdicts(all []verified) string {
	var b strings.Builder
	rows := [][]string{{"FILE", "PROGRAM", "TYPE", "VERDICT", "INSNS", "STATES", "TIME"}}
	var why []reason
	row := func(file, program, typ string, err error, insns, states int, ns int64) {
		file = cmp.Or(quote(file), `""`)
		r := []string{file, program, typ, "ok", "", "", time.Duration(ns).Round(time.Microsecond).String()}
		if err != nil {
			r[3] = "failed"
			why = addReason(why, file, program, oneLine(err))
		}
		if insns > 0 {
			r[4], r[5] = fmt.Sprint(insns), fmt.Sprint(states)
		}
		rows = append(rows, r)
	}
	for _, x := range all {
		if x.openErr != nil {
			row(x.File, "(open)", "", x.openErr, 0, 0, x.OpenNS)
			continue
		}
		row(x.File, "(all)", "", x.loadErr, 0, 0, x.LoadNS)
		for _, p := range x.Programs {
			row(x.File, quote(p.Name), p.Type, p.err, p.instructions, p.states, p.NS)
		}
	}
	e.table(&b, rows)
	if len(why) > 0 {
		b.WriteString("\n" + e.paint(bold, "WHY") + "\n")
	}
	for _, r := range why {
		fmt.Fprintf(&b, "%s: %s: %s\n", r.file, strings.Join(r.programs, ", "), r.text)
	}
	return b.String()
}

// A reason is why programs of a file failed.
type reason struct {
	file     string
	programs []string
	text     string
}

// addReason notes why a program failed, beside others of its file with the same
// reason.
func addReason(all []reason, file, program, text string) []reason {
	for i := len(all) - 1; i >= 0 && all[i].file == file; i-- {
		if all[i].text == text {
			all[i].programs = append(all[i].programs, program)
			return all
		}
	}
	return append(all, reason{file, []string{program}, text})
}

// oneLine is the essence of an error.
func oneLine(err error) string {
	var v *prog.VerifierError
	var late *limitError
	if errors.As(err, &late) || !errors.As(err, &v) || v.Reason == "" && v.Explanation == "" {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return text
	}
	text, _, _ := strings.Cut(v.Reason, "\n")
	if v.Explanation != "" {
		text = v.Explanation // says more than the number of the instruction
	}
	text = strings.ToValidUTF8(text, "?")
	if v.Source != nil && v.Explanation == "" {
		text += fmt.Sprintf(" (%s:%d)", quote(v.Source.File), v.Source.Line)
	}
	return text
}
