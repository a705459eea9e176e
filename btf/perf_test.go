package btf

import (
	"encoding/binary"
	"runtime"
	"sync"
	"testing"
	"time"
)

// Reading the kernel's BTF costs a handful of allocations, and questions
// about it none.
func TestKernelAllocations(t *testing.T) {
	b := vmlinux(t)
	s := parsed(t, b)
	if n := testing.AllocsPerRun(3, func() { parsed(t, b) }); n > 16 {
		t.Errorf("Parse: %v allocations, want at most 16", n)
	}
	if n := allocated(func() { parsed(t, b) }); n > 2<<20 {
		t.Errorf("Parse: %d bytes allocated, want at most 2 MiB", n)
	}
	task, ok := s.Find("task_struct", KindStruct)
	if !ok {
		t.Fatal("no task_struct")
	}
	for name, f := range map[string]func(){
		"Find":         func() { s.Find("task_struct", KindStruct) },
		"Find nothing": func() { s.Find("no_such_type") },
		"Candidates": func() {
			for c := range s.Candidates("task_struct") {
				_ = c.Kind()
			}
		},
		"members of task_struct": func() {
			for _, m := range task.Members() {
				if size, err := s.SizeOf(m.Type); err != nil || m.Name == "no" && size == 0 {
					t.Error(err)
				}
			}
		},
	} {
		if n := testing.AllocsPerRun(10, f); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

// What stays in memory for the kernel's BTF, beside the BTF itself.
func TestKernelMemory(t *testing.T) {
	b := vmlinux(t)
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	s := parsed(t, b)
	s.Find("task_struct")
	if n := int64(heap() - before); n > 1200<<10 {
		t.Errorf("%d bytes are held, want at most 1.2 MB", n)
	}
	runtime.KeepAlive(s)
	runtime.KeepAlive(b)
}

// Two split BTFs share a base whose index nobody has built yet.
func TestConcurrentSplit(t *testing.T) {
	var b Builder
	for i := range 2000 {
		b.AddStruct("s"+string(rune('a'+i%26))+string(rune('a'+i/26%26)), 4)
	}
	raw, err := b.Bytes(binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	base := parsed(t, raw)
	var splits []*Spec
	for range 2 {
		sb := NewBuilder(base)
		sb.AddPtr(1)
		sb.AddStruct("own", 8, Member{Name: "a", Type: sb.NextID() - 1})
		raw, err := sb.Bytes(binary.LittleEndian)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(raw, base)
		if err != nil {
			t.Fatal(err)
		}
		splits = append(splits, s)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := splits[i%2]
			for range 50 {
				if t1, ok := s.Find("saa", KindStruct); !ok || t1.ID() != 1 {
					t.Errorf("Find(saa) = %d, %v", t1.ID(), ok)
				}
				own, ok := s.Find("own")
				if size, err := s.SizeOf(own.ID()); !ok || err != nil || size != 8 {
					t.Errorf("own: %v, %d, %v", ok, size, err)
				}
				touch(s)
			}
		}()
	}
	wg.Wait()
}

func BenchmarkParse(b *testing.B) {
	v := vmlinux(b)
	s := parsed(b, v)
	b.SetBytes(int64(len(v)))
	b.ReportAllocs()
	// The physical limit is a bare loop from type to type. The best of each
	// says most on a machine that does other things besides.
	parse, skip := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		if _, err := Parse(v, nil); err != nil {
			b.Fatal(err)
		}
		parse = min(parse, time.Since(start))
		start = time.Now()
		skipTypes(s.types)
		skip = min(skip, time.Since(start))
	}
	b.ReportMetric(float64(parse)/float64(skip), "times-a-bare-loop")
	b.ReportMetric(float64(parse), "best-ns")
}

// BenchmarkIndex is the first lookup by name.
func BenchmarkIndex(b *testing.B) {
	s := parsed(b, vmlinux(b))
	b.ReportAllocs()
	for b.Loop() {
		s.buildIndex()
	}
}

func BenchmarkFind(b *testing.B) {
	s := parsed(b, vmlinux(b))
	b.ReportAllocs()
	for b.Loop() {
		s.Find("task_struct", KindStruct)
	}
}

func BenchmarkCandidates(b *testing.B) {
	s := parsed(b, vmlinux(b))
	b.ReportAllocs()
	for b.Loop() {
		for c := range s.Candidates("task_struct") {
			_ = c
		}
	}
}

// BenchmarkMembers reads all members of task_struct, with their sizes.
func BenchmarkMembers(b *testing.B) {
	s := parsed(b, vmlinux(b))
	task, _ := s.Find("task_struct", KindStruct)
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range task.Members() {
			_, _ = s.SizeOf(m.Type)
		}
	}
}

// BenchmarkSkip is the bare loop that only steps from type to type.
func BenchmarkSkip(b *testing.B) {
	s := parsed(b, vmlinux(b))
	for b.Loop() {
		skipTypes(s.types)
	}
}

func skipTypes(b []byte) (n int) {
	for off := 0; off < len(b); n++ {
		info := le32(b[off+4:])
		k := &kinds[info>>24&0x1f]
		off += typeSize + int(k.extra) + int(k.elem)*int(info&0xffff)
	}
	return n
}

func BenchmarkFormatC(b *testing.B) {
	s := parsed(b, vmlinux(b))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.FormatC(discard{}, COptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoadable(b *testing.B) {
	s := parsed(b, vmlinux(b))
	b.SetBytes(int64(len(s.raw)))
	for b.Loop() {
		if _, err := s.Loadable(LoadableOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
