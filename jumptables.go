package lode

import (
	"encoding/binary"
	"errors"
	"fmt"

	bpfmaps "github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/reloc"
	"github.com/lode-bpf/lode/sys"
)

// jumpTables makes the instruction arrays of a program, by name: maps of the
// places where its indirect jumps lead, which the kernel corrects when it
// rewrites the program. They belong to this program alone, which keeps them
// once it is loaded; the descriptors are closed with the loader.
func (l *programLoader) jumpTables(p *Program) (map[string]*bpfmaps.Map, error) {
	tables := map[string]*bpfmaps.Map{}
	for _, t := range p.Code.JumpTables {
		s := insnArray(t)
		m, err := bpfmaps.Create(l.kernel, s, bpfmaps.CreateOptions{})
		if err == nil {
			l.tables = append(l.tables, m)
			err = errors.Join(m.Fill(s), m.Freeze())
		}
		if err != nil {
			return nil, fmt.Errorf("program %q: jump table %q: %w", p.Name, t.Map, err)
		}
		tables[t.Map] = m
	}
	return tables, nil
}

// insnArray is the map of a jump table. Its values are struct
// bpf_insn_array_value of include/uapi/linux/bpf.h, of which the first word,
// orig_off, is given, and the kernel fills in the others.
func insnArray(t reloc.JumpTable) *bpfmaps.Spec {
	s := &bpfmaps.Spec{Name: ".jumptables", Type: sys.MapTypeInsnArray, KeySize: 4, ValueSize: 16, MaxEntries: uint32(len(t.Targets))}
	for i, at := range t.Targets {
		s.Contents = append(s.Contents, bpfmaps.KV{
			Key:   binary.NativeEndian.AppendUint32(nil, uint32(i)),
			Value: append(binary.NativeEndian.AppendUint32(nil, at), make([]byte, 12)...),
		})
	}
	return s
}
