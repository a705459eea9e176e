package btf_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
)

// What FormatC prints for the kernel and for every object is accepted by
// clang, and every structure has the size and every member the offset that
// the BTF states.
func TestFormatCCompiles(t *testing.T) {
	clang := ktest.Tool(t, "clang-19", "clang-19")
	args := []string{"-target", "bpf", "-Wall", "-Wno-unused", "-Wno-pragma-clang-attribute", "-Werror", "-fsyntax-only", "-ferror-limit=10"}
	for _, path := range withKernel(objects(t)) {
		if strings.Contains(path, "bpfeb") {
			continue // the same types in another byte order
		}
		s := openBTF(t, path)
		if s == nil {
			continue
		}
		var src bytes.Buffer
		if err := s.FormatC(&src, btf.COptions{}); err != nil {
			t.Fatal(err)
		}
		writeAsserts(&src, s)
		file := filepath.Join(t.TempDir(), filepath.Base(path)+".c")
		if err := os.WriteFile(file, src.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	if out, err := exec.Command(clang, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// writeAsserts writes what must hold for the first type of each name.
func writeAsserts(w *bytes.Buffer, s *btf.Spec) {
	tags := map[btf.Kind]string{btf.KindStruct: "struct", btf.KindUnion: "union", btf.KindEnum: "enum", btf.KindEnum64: "enum"}
	seen := make(map[string]bool)
	for t := range s.Types() {
		tag := tags[t.Kind()]
		if tag == "" || t.Name() == "" || seen[t.Name()] {
			continue
		}
		seen[t.Name()] = true
		fmt.Fprintf(w, "_Static_assert(sizeof(%s %s) == %d, \"\");\n", tag, t.Name(), t.Size())
		for _, m := range t.Members() {
			if m.BitSize == 0 && m.Name != "" {
				fmt.Fprintf(w, "_Static_assert(__builtin_offsetof(%s %s, %s) == %d, \"\");\n", tag, t.Name(), m.Name, m.BitOffset/8)
			}
		}
	}
}

// difficult has what makes C declarations difficult.
func difficult(b *btf.Builder) {
	i := b.AddInt("int", 4, btf.IntSigned)                                                                    // 1
	char := b.AddInt("char", 1, btf.IntSigned)                                                                // 2
	long := b.AddInt("unsigned long", 8, 0)                                                                   // 3
	b.AddStruct("late", 8, btf.Member{Name: "next", Type: b.NextID() + 2})                                    // 4: before what it needs
	b.AddTypedef("late_t", 4)                                                                                 // 5
	b.AddPtr(5)                                                                                               // 6
	b.AddStruct("gap", 24, btf.Member{Name: "c", Type: char}, btf.Member{Name: "x", Type: i, BitOffset: 128}) // 7
	b.AddStruct("packed", 13, btf.Member{Name: "c", Type: char}, btf.Member{Name: "x", Type: i, BitOffset: 8}, btf.Member{Name: "y", Type: long, BitOffset: 40})
	b.AddStruct("bits", 8, btf.Member{Name: "a", Type: i, BitSize: 3}, btf.Member{Name: "b", Type: i, BitOffset: 5, BitSize: 7},
		btf.Member{Name: "c", Type: i, BitOffset: 32, BitSize: 1}, btf.Member{Name: "d", Type: char, BitOffset: 48}) // 9
	anon := b.AddStruct("", 8, btf.Member{Name: "p", Type: i}, btf.Member{Name: "q", Type: i, BitOffset: 32}) // 10
	un := b.AddUnion("", 8, btf.Member{Name: "all", Type: long}, btf.Member{Type: anon})                      // 11
	fn := b.AddPtr(b.AddFuncProto(i, btf.Param{Name: "p", Type: 6}, btf.Param{}))                             // 12, 13
	arr := b.AddArray(fn, i, 3)                                                                               // 14
	ptrArr := b.AddPtr(b.AddArray(i, i, 4))                                                                   // 15, 16
	b.AddStruct("deep", 48, btf.Member{Type: un}, btf.Member{Name: "fns", Type: arr, BitOffset: 64}, btf.Member{Name: "pa", Type: ptrArr, BitOffset: 256},
		btf.Member{Name: "cp", Type: 20, BitOffset: 320}) // 17
	b.AddVolatile(b.AddPtr(b.AddConst(char))) // 18, 19, 20
	b.AddEnum("tiny", 1, false, btf.Enumerator{Name: "T0"}, btf.Enumerator{Name: "T1", Value: 1})
	b.AddEnum("huge", 8, true, btf.Enumerator{Name: "MIN", Value: 1 << 63}, btf.Enumerator{Name: "MAX", Value: 1<<63 - 1})
	b.AddEnum("again", 4, false, btf.Enumerator{Name: "T0", Value: 7})
	b.AddStruct("gap", 4, btf.Member{Name: "other", Type: i})
	b.AddTypedef("T0", i)
	b.AddFwd("gap", false)
	b.AddPtr(b.AddFwd("unknown", true))
	b.AddStruct("int", 4, btf.Member{Name: "while", Type: b.AddInt("u32 (rust)", 4, 0)})
	b.AddEnum("", 4, false, btf.Enumerator{Name: "LONELY", Value: 3})
	b.AddInt("__int128", 16, btf.IntSigned)
	b.AddTypedef("tagged", b.AddPtr(b.AddTypeTag("user", char)))
	long16 := btf.Member{Type: b.AddStruct("", 16, btf.Member{Name: "first", Type: char})} // padded, as is what follows
	twin := btf.Member{Type: b.AddUnion("", 16, btf.Member{Name: "second", Type: char}), BitOffset: 128}
	b.AddStruct("padded", 48, long16, twin)
	index := b.AddUnion("index", 8, btf.Member{Name: "head_tail", Type: long}, btf.Member{Type: anon})
	b.AddStruct("embeds", 24, btf.Member{Name: "before", Type: i}, btf.Member{Type: index, BitOffset: 64}, // -fms-extensions
		btf.Member{Name: "clock", Type: b.AddPtr(b.AddFuncProto(long, btf.Param{})), BitOffset: 128}) // of unknown parameters
	hollow := b.AddUnion("hollow", 0)
	b.AddStruct("holder", 4, btf.Member{Name: "h", Type: hollow}, btf.Member{Name: "x", Type: i}, btf.Member{Name: "end", Type: hollow, BitOffset: 32},
		btf.Member{Type: b.AddUnion("", 0), BitOffset: 32})
}

// The difficult declarations compile.
func TestFormatCDifficult(t *testing.T) {
	clang := ktest.Tool(t, "clang-19", "clang-19")
	out, err := exec.Command(clang, "-target", "bpf", "-fsyntax-only", "-Werror", "-Wno-pragma-clang-attribute", "-xc", filepath.Join("testdata", "difficult.h")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestFormatCGolden(t *testing.T) {
	var b btf.Builder
	difficult(&b)
	s := build(t, &b, binary.LittleEndian, nil)
	var got bytes.Buffer
	if err := s.FormatC(&got, btf.COptions{Guard: "types.h"}); err != nil {
		t.Fatal(err)
	}
	golden(t, "difficult.h", got.Bytes())
}

func TestFormatGoGolden(t *testing.T) {
	var b btf.Builder
	difficult(&b)
	s := build(t, &b, binary.LittleEndian, nil)
	var got bytes.Buffer
	if err := s.FormatGo(&got, btf.GoOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "difficult.go.txt", got.Bytes())
}

// Only what was asked for is printed, and what it needs.
func TestFormatCTypes(t *testing.T) {
	var b btf.Builder
	difficult(&b)
	s := build(t, &b, binary.LittleEndian, nil)
	var got bytes.Buffer
	if err := s.FormatC(&got, btf.COptions{Types: []btf.TypeID{4}, NoPreserveAccessIndex: true}); err != nil {
		t.Fatal(err)
	}
	const want = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

struct late;

typedef struct late late_t;

struct late {
	late_t *next;
};

#endif /* __VMLINUX_H__ */
`
	if got.String() != want {
		t.Errorf("got:\n%s", &got)
	}
}
