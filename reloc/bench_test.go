package reloc

import (
	"fmt"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// largeStructs are structures that tracing programs read.
var largeStructs = []string{
	"task_struct", "mm_struct", "file", "inode", "dentry", "super_block", "sock", "sk_buff", "net_device", "tcp_sock", "inet_sock",
	"cred", "signal_struct", "css_set", "cgroup", "kernfs_node", "bio", "request", "vm_area_struct", "nsproxy", "path", "qstr", "net",
	"sock_common", "user_namespace", "pid", "linux_binprm", "iov_iter", "kiocb", "address_space", "page", "rq", "request_queue", "gendisk", "module",
}

// coreProgram makes one program with n CO-RE records for fields of the kernel's
// structures, unique of them different.
func coreProgram(tb testing.TB, kernel *btf.Spec, n, unique int) Input {
	tb.Helper()
	var b btf.Builder
	u32 := b.AddInt("unsigned int", 4, 0)
	ptr := b.AddPtr(0)
	type field struct {
		root   btf.TypeID
		access string
		off    int32
	}
	var fields []field
	for _, name := range largeStructs {
		t, ok := kernel.Find(name, btf.KindStruct)
		if !ok {
			continue
		}
		var ms []btf.Member
		seen := map[string]bool{}
		for _, m := range t.Members() {
			typ, err := kernel.Resolve(m.Type)
			if err != nil || m.Name == "" || seen[m.Name] || m.BitSize != 0 || len(ms) == unique/len(largeStructs)+1 {
				continue
			}
			seen[m.Name] = true
			switch typ.Kind() {
			case btf.KindInt:
				ms = append(ms, member(m.Name, u32, 64*uint32(len(ms))))
			case btf.KindPtr:
				ms = append(ms, member(m.Name, ptr, 64*uint32(len(ms))))
			}
		}
		root := b.AddStruct(name, 8*uint32(len(ms)), ms...)
		for i := range ms {
			fields = append(fields, field{root, fmt.Sprintf("0:%d", i), 8 * int32(i)})
		}
	}
	fields = fields[:min(unique, len(fields))]
	f := code("main", 0)
	for i := range n {
		x := fields[i*7919%len(fields)]
		f.Insns = append(f.Insns, insn.Instruction{Op: 0x07, Regs: insn.Regs(1, 0), Imm: x.off})
		f.CORE = append(f.CORE, insn.CORE{Index: i, TypeID: uint32(x.root), AccessOff: b.AddString(x.access), Record: i})
	}
	f.Insns = append(f.Insns, exit)
	raw, err := b.Bytes(nativeOrder())
	if err != nil {
		tb.Fatal(err)
	}
	s, err := btf.Parse(raw, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return Input{BTF: s, Target: kernel, Programs: []*insn.Func{f}}
}

func kernelBTF(tb testing.TB) *btf.Spec {
	tb.Helper()
	s, err := btf.Kernel()
	if err != nil {
		tb.Skip("needs the kernel's BTF:", err)
	}
	return s
}

// BenchmarkCORE decides and applies relocations against the running kernel's
// types, whose name index exists.
func BenchmarkCORE(b *testing.B) {
	kernel := kernelBTF(b)
	for _, n := range []struct{ records, unique int }{{276, 100}, {1512, 150}, {1512, 700}} {
		b.Run(fmt.Sprintf("%d records %d fields", n.records, n.unique), func(b *testing.B) {
			in := coreProgram(b, kernel, n.records, n.unique)
			programs, _ := Link(&in)
			b.ReportAllocs()
			for b.Loop() {
				x := newIndex(&in)
				ds, _ := x.core()
				p := *programs[0]
				p.Insns = append([]insn.Instruction(nil), p.Insns...)
				p.Changes = nil
				x.apply([]*Program{&p}, ds)
				if p.Err != nil {
					b.Fatal(p.Err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n.records), "ns/record")
		})
	}
}

// CO-RE costs at most 100 allocations, however many records there are.
func TestCOREAllocations(t *testing.T) {
	in := coreProgram(t, kernelBTF(t), 1512, 150)
	if _, err := Relocate(in); err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(5, func() {
		if r, _ := Relocate(in); r.Programs[0].Err != nil || r.Applied != 1512 {
			t.Fatal(r.Programs[0].Err, r.Accounting)
		}
	})
	if n > 100 {
		t.Errorf("%v allocations", n)
	}
	t.Logf("%v allocations", n)
}

// BenchmarkLink links a program of 256 functions.
func BenchmarkLink(b *testing.B) {
	const n, size = 255, 400
	var subs []*insn.Func
	main := code("main", 0)
	for i := range n {
		f := code(fmt.Sprint("f", i), 1000+size*i)
		for range size {
			f.Insns = append(f.Insns, mov0)
		}
		subs = append(subs, f)
		main.Insns = append(main.Insns, call(int32(1000+size*i-len(main.Insns)-1)))
	}
	main.Insns = append(main.Insns, exit)
	in := Input{Programs: []*insn.Func{main}, Subs: subs}
	b.ReportAllocs()
	total := 0
	for b.Loop() {
		p, _ := Link(&in)
		if p[0].Err != nil {
			b.Fatal(p[0].Err)
		}
		total += len(p[0].Insns)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(total), "ns/insn")
}

// BenchmarkRelocate does everything for an ordinary object.
func BenchmarkRelocate(b *testing.B) {
	o := open(b, "counter")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Relocate(o.Input); err != nil {
			b.Fatal(err)
		}
	}
}
