package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// A listedProgram is a program in the kernel.
type listedProgram struct {
	ID           uint32    `json:"id"`
	Name         string    `json:"name"`
	Type         string    `json:"type"`
	Tag          string    `json:"tag"`
	Instructions int       `json:"instructions"` // 0 if they are not shown to this process
	Verified     int       `json:"verified_instructions"`
	Jited        int       `json:"jited_bytes"`
	Loaded       time.Time `json:"loaded_at"` // to the second
	UID          uint32    `json:"uid"`
	GPL          bool      `json:"gpl"`
	BTF          uint32    `json:"btf_id"`
	Maps         []uint32  `json:"maps"`
	RunTime      int64     `json:"run_time_ns"` // these two count while kernel.bpf_stats_enabled is 1
	RunCount     uint64    `json:"run_count"`
}

func listProgram(p *prog.Program) (listedProgram, error) {
	i, err := p.Info()
	return listedProgram{ID: i.ID, Name: i.Name, Type: i.Type.String(), Tag: fmt.Sprintf("%x", i.Tag), Instructions: i.Xlated / insn.Size,
		Verified: i.Verified, Jited: i.Jited, Loaded: started().Add(i.Loaded).Truncate(time.Second), UID: i.UID, GPL: i.GPL, BTF: i.BTFID, Maps: i.MapIDs,
		RunTime: i.RunTime.Nanoseconds(), RunCount: i.RunCount}, err
}

// started is when the machine was started.
var started = sync.OnceValue(func() time.Time {
	b, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return time.Time{}
	}
	var seconds float64
	if _, err := fmt.Sscan(string(b), &seconds); err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(seconds * float64(time.Second)))
})

func printPrograms(e *env, rows []listedProgram) error {
	return printRows(e, rows, []string{"ID", "NAME", "TYPE", "TAG", "INSNS", "JITED", "LOADED", "UID", "MAPS"}, func(p listedProgram) []string {
		return []string{fmt.Sprint(p.ID), quote(p.Name), p.Type, p.Tag, fmt.Sprint(p.Instructions), fmt.Sprint(p.Jited), p.Loaded.Format(time.DateTime), fmt.Sprint(p.UID), strings.Trim(fmt.Sprint(p.Maps), "[]")}
	})
}

// progList lists the programs of the system.
func progList(e *env) error {
	if len(e.args) > 0 {
		return usage("want no arguments")
	}
	var rows []listedProgram
	for p, err := range prog.All(sys.Live()) {
		if err != nil {
			return err
		}
		row, err := listProgram(p)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return printPrograms(e, rows)
}

// progShow says what the kernel knows of one program.
func progShow(e *env) error {
	p, err := e.program()
	if err != nil {
		return err
	}
	defer p.Close()
	row, err := listProgram(p)
	if err != nil {
		return err
	}
	return printPrograms(e, []listedProgram{row})
}

// program opens the program that the command's one argument names.
func (e *env) program() (*prog.Program, error) {
	which, err := e.one("program")
	if err != nil {
		return nil, err
	}
	return openProgram(which)
}

// progDump prints the instructions that the kernel runs.
func progDump(e *env) error {
	p, err := e.program()
	if err != nil {
		return err
	}
	defer p.Close()
	d, err := p.Dump()
	if err != nil {
		return err
	}
	if e.opts.json {
		x := disassembled{Name: d.Name, code: &d.Func}
		x.list(insn.Verifier, d.BTF)
		return e.printJSON(x)
	}
	_, err = fmt.Fprint(e.out, d)
	return err
}

func progRunFlags(f *flag.FlagSet, e *env) {
	commonFlags(f, e)
	f.StringVar(&e.opts.data, "data", "", "packet: the name of a `file`, or hex:0011…")
	f.StringVar(&e.opts.context, "context", "", "context of the program's type: the name of a `file`, or hex:0011…")
	f.IntVar(&e.opts.repeat, "repeat", 1, "how often to run it")
}

// A ran is what a test run left.
type ran struct {
	Return   uint32 `json:"return"`
	NS       int64  `json:"ns"` // of one run, on average
	Data     string `json:"data,omitempty"`
	Context  string `json:"context,omitempty"`
	dataSize int
}

// progRun runs a program on a packet or context, without attaching it.
func progRun(e *env) error {
	var r prog.Run
	var err error
	if r.Data, err = bytesOf("data", e.opts.data); err != nil {
		return err
	}
	if r.Context, err = bytesOf("context", e.opts.context); err != nil {
		return err
	}
	p, err := e.program()
	if err != nil {
		return err
	}
	defer p.Close()
	if len(r.Data) > 0 {
		r.DataOut = make([]byte, len(r.Data)+256) // programs may put headers in front
	}
	r.ContextOut, r.Repeat = make([]byte, len(r.Context)), e.opts.repeat
	if err := p.Run(&r); err != nil {
		return err
	}
	x := ran{Return: r.Return, NS: r.Duration.Nanoseconds(), Data: hex.EncodeToString(r.DataOut), Context: hex.EncodeToString(r.ContextOut), dataSize: len(r.DataOut)}
	if e.opts.json {
		return e.printJSON(x)
	}
	_, err = fmt.Fprintf(e.out, "return %d, %d ns a run\n", x.Return, x.NS)
	if err == nil && x.dataSize > 0 {
		_, err = fmt.Fprintf(e.out, "packet, %d bytes:\n%s", x.dataSize, hex.Dump(r.DataOut))
	}
	return err
}

// bytesOf reads a packet or context.
func bytesOf(flag, s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	digits, ok := strings.CutPrefix(s, "hex:")
	if !ok {
		return os.ReadFile(s)
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil, usage("--%s: %q is not pairs of hexadecimal digits", flag, digits)
	}
	return b, nil
}
