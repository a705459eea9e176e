package main

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// mapDump prints the entries of a map.
func mapDump(e *env) error {
	which, err := e.one("map")
	if err != nil {
		return err
	}
	m, err := openMap(which)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.LoadTypes(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if e.opts.json {
		if err = m.WriteJSON(e.out); err == nil {
			_, err = fmt.Fprintln(e.out)
		}
		return err
	}
	return m.Dump(e.out)
}

// A listedMap is a map in the kernel.
type listedMap struct {
	ID         uint32 `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	KeySize    uint32 `json:"key_size"`
	ValueSize  uint32 `json:"value_size"`
	MaxEntries uint32 `json:"max_entries"`
	Flags      uint32 `json:"flags"`
	BTF        uint32 `json:"btf_id"`
}

func listMap(m *maps.Map) (listedMap, error) {
	i, err := m.Info()
	return listedMap{i.ID, i.Name, i.Type.String(), i.KeySize, i.ValueSize, i.MaxEntries, i.Flags, i.BTFID}, err
}

func printMaps(e *env, rows []listedMap) error {
	return printRows(e, rows, []string{"ID", "NAME", "TYPE", "KEY", "VALUE", "ENTRIES", "FLAGS", "BTF"}, func(m listedMap) []string {
		return []string{fmt.Sprint(m.ID), quote(m.Name), m.Type, fmt.Sprint(m.KeySize), fmt.Sprint(m.ValueSize), fmt.Sprint(m.MaxEntries), fmt.Sprintf("%#x", m.Flags), fmt.Sprint(m.BTF)}
	})
}

// mapList lists the maps of the system.
func mapList(e *env) error {
	if len(e.args) > 0 {
		return usage("want no arguments")
	}
	var rows []listedMap
	for id, err := range sys.IDs(sys.Live(), sys.ObjMap) {
		if err != nil {
			return err
		}
		m, err := maps.FromID(sys.Live(), id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone by now
		}
		if err != nil {
			return err
		}
		row, err := listMap(m)
		if err := errors.Join(err, m.Close()); err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return printMaps(e, rows)
}

// mapShow says what the kernel knows of one map.
func mapShow(e *env) error {
	which, err := e.one("map")
	if err != nil {
		return err
	}
	m, err := openMap(which)
	if err != nil {
		return err
	}
	defer m.Close()
	row, err := listMap(m)
	if err != nil {
		return err
	}
	return printMaps(e, []listedMap{row})
}

// mapUpdate sets the value of a key.
func mapUpdate(e *env) error {
	if len(e.args) != 3 {
		return usage("want a map, a key and a value")
	}
	m, err := openMap(e.args[0])
	if err != nil {
		return err
	}
	defer m.Close()
	key, err := parseBytes("key", e.args[1], m.KeySize())
	if err != nil {
		return err
	}
	if kind, ok := slotKinds[m.Type()]; ok {
		fd, err := openObject(e.args[2], kind)
		if err != nil {
			return err
		}
		defer fd.Close()
		return m.Update(key, binary.NativeEndian.AppendUint32(nil, uint32(fd.Int())), 0)
	}
	value, err := parseBytes("value", e.args[2], m.ValueSize())
	if err != nil {
		return err
	}
	if n := m.CPUs(); n > 0 {
		values := make([][]byte, n)
		for i := range values {
			values[i] = value
		}
		return m.UpdatePerCPU(key, values, 0)
	}
	return m.Update(key, value, 0)
}

// slotKinds are the maps whose values are other objects.
var slotKinds = map[sys.MapType]sys.ObjKind{
	sys.MapTypeProgArray: sys.ObjProg, sys.MapTypeArrayOfMaps: sys.ObjMap, sys.MapTypeHashOfMaps: sys.ObjMap,
}

// mapDelete removes a key.
func mapDelete(e *env) error {
	if len(e.args) != 2 {
		return usage("want a map and a key")
	}
	m, err := openMap(e.args[0])
	if err != nil {
		return err
	}
	defer m.Close()
	key, err := parseBytes("key", e.args[1], m.KeySize())
	if err != nil {
		return err
	}
	return m.Delete(key)
}

// parseBytes reads a key or value: a number in the machine's byte order, bytes
// as hex:0011, or text with zeros behind it as text:eth0.
func parseBytes(what, s string, size int) ([]byte, error) {
	if digits, ok := strings.CutPrefix(s, "hex:"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) != size {
			return nil, usage("the %s wants %d pairs of hexadecimal digits, not %q", what, size, digits)
		}
		return b, nil
	}
	if text, ok := strings.CutPrefix(s, "text:"); ok {
		if len(text) > size {
			return nil, usage("the %s has room for %d bytes, not for %q", what, size, text)
		}
		return append([]byte(text), make([]byte, size-len(text))...), nil
	}
	if size != 1 && size != 2 && size != 4 && size != 8 {
		return nil, usage("the %s has %d bytes; give them as hex:0011… or text:…", what, size)
	}
	n, err := strconv.ParseUint(s, 0, 8*size)
	if err != nil {
		signed, serr := strconv.ParseInt(s, 0, 8*size)
		if serr != nil {
			return nil, usage("the %s %q is not a number of %d bytes; bytes are written hex:0011…, text text:…", what, s, size)
		}
		n = uint64(signed)
	}
	switch size {
	case 1:
		return []byte{byte(n)}, nil
	case 2:
		return binary.NativeEndian.AppendUint16(nil, uint16(n)), nil
	case 4:
		return binary.NativeEndian.AppendUint32(nil, uint32(n)), nil
	}
	return binary.NativeEndian.AppendUint64(nil, n), nil
}
