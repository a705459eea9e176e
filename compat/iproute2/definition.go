package iproute2

import (
	"encoding/binary"
	"fmt"

	"github.com/lode-bpf/lode/btf"
)

// A Definition is struct bpf_elf_map (iproute2, include/bpf_elf.h): one map in
// the section "maps". All fields are 32 bits wide in the file's byte order;
// shorter structs are a prefix, the rest zero.
type Definition struct {
	Type       uint32 // offset 0
	SizeKey    uint32 // 4
	SizeValue  uint32 // 8: replaced by 4 for maps of maps
	MaxElem    uint32 // 12
	Flags      uint32 // 16
	ID         uint32 // 20: what tail-call sections and InnerID refer to; 0 none
	Pinning    uint32 // 24: 0 none, 1 directory of the object, 2 globals, others by configuration
	InnerID    uint32 // 28: of a map of maps: id of its inner map
	InnerIndex uint32 // 32: of an inner map: its key in the outer ones; NoIndex: not inserted

	NumaNode uint32 // not of iproute2: the kernel's samples have it
}

// NoIndex is the InnerIndex of a map that is a template only.
const NoIndex = ^uint32(0)

// Sizes of struct bpf_elf_map in bytes.
const (
	minSize = 16 // type, key, value, entries: 2015
	maxSize = 36 // since 2017
)

// fields are the members by their place in struct bpf_elf_map.
func (d *Definition) fields() []*uint32 {
	return []*uint32{&d.Type, &d.SizeKey, &d.SizeValue, &d.MaxElem, &d.Flags, &d.ID, &d.Pinning, &d.InnerID, &d.InnerIndex}
}

// decode reads a definition by position.
func decode(b []byte, order binary.ByteOrder) (Definition, string) {
	var d Definition
	switch {
	case len(b) < minSize:
		return d, fmt.Sprintf("%d bytes are too few for a definition, the shortest has %d", len(b), minSize)
	case len(b) > maxSize:
		return d, fmt.Sprintf("%d bytes are more than struct bpf_elf_map has (%d), and the object has no BTF that names the members; compile it with -g", len(b), maxSize)
	case len(b)%4 != 0:
		return d, fmt.Sprintf("%d bytes are not a multiple of 4", len(b))
	}
	for i, f := range d.fields() {
		if 4*i+4 > len(b) {
			break
		}
		*f = order.Uint32(b[4*i:])
	}
	return d, ""
}

// member is what a member name of one of the known structs means; nil in the
// table marks members that must be zero, because no loader can honour them
// from a file.
var memberNames = map[string]func(*Definition) *uint32{
	"type":          func(d *Definition) *uint32 { return &d.Type },
	"size_key":      func(d *Definition) *uint32 { return &d.SizeKey },
	"key_size":      func(d *Definition) *uint32 { return &d.SizeKey },
	"size_value":    func(d *Definition) *uint32 { return &d.SizeValue },
	"value_size":    func(d *Definition) *uint32 { return &d.SizeValue },
	"max_elem":      func(d *Definition) *uint32 { return &d.MaxElem },
	"max_entries":   func(d *Definition) *uint32 { return &d.MaxElem },
	"flags":         func(d *Definition) *uint32 { return &d.Flags },
	"map_flags":     func(d *Definition) *uint32 { return &d.Flags },
	"id":            func(d *Definition) *uint32 { return &d.ID },
	"pinning":       func(d *Definition) *uint32 { return &d.Pinning },
	"inner_id":      func(d *Definition) *uint32 { return &d.InnerID },
	"inner_idx":     func(d *Definition) *uint32 { return &d.InnerIndex },
	"numa_node":     func(d *Definition) *uint32 { return &d.NumaNode },
	"inner_map_idx": nil,
	"inner_map_fd":  nil,
	"namespace":     nil,
}

// decodeNamed reads a definition by the names that BTF gives to its members.
// ok is false if t does not look like a map definition.
func decodeNamed(s *btf.Spec, t btf.Type, b []byte, order binary.ByteOrder) (d Definition, reason string, ok bool) {
	for _, m := range t.Members() {
		if _, known := memberNames[m.Name]; !known {
			return d, "", false
		}
	}
	for _, m := range t.Members() {
		size, err := s.SizeOf(m.Type)
		off := uint64(m.BitOffset) / 8
		if err != nil || m.BitSize != 0 || off > uint64(len(b)) || size > uint64(len(b))-off {
			return d, fmt.Sprintf("member %q of %q does not fit the %d bytes of the definition", m.Name, t.Name(), len(b)), true
		}
		field := b[off : off+size]
		if place := memberNames[m.Name]; place != nil {
			v, fits := number(field, order)
			if !fits {
				return d, fmt.Sprintf("member %q of %q has %d bytes, want a number of 1, 2 or 4", m.Name, t.Name(), size), true
			}
			*place(&d) = v
			continue
		}
		for _, c := range field {
			if c != 0 {
				return d, fmt.Sprintf("member %q of %q is not zero; its meaning depends on another loader", m.Name, t.Name()), true
			}
		}
	}
	return d, "", true
}

func number(b []byte, order binary.ByteOrder) (uint32, bool) {
	switch len(b) {
	case 1:
		return uint32(b[0]), true
	case 2:
		return uint32(order.Uint16(b)), true
	case 4:
		return order.Uint32(b), true
	}
	return 0, false
}
