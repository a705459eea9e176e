package reloc

import (
	"cmp"
	"encoding/binary"
	"strconv"

	"github.com/lode-bpf/lode/insn"
)

// jumpEntry is the size of an entry of a jump table: the distance of an
// instruction from the beginning of its section, in bytes.
const jumpEntry = 8

// jumpTable makes an instruction array of a jump table, for this program. The
// table is the data of the reference's symbol, and belongs to one function.
func (b *binder) jumpTable(q *pending, off uint64) error {
	start, size, all := q.Symbol.Value, q.Symbol.Size, uint64(len(b.in.JumpTables.Data))
	if start > all || size > all-start || size == 0 || off-start > size || (start|size|off)%jumpEntry != 0 {
		return b.fail(q, ErrRange, "the jump table does not lie inside its section or is no whole number of entries", "")
	}
	name := q.Symbol.SectionName + "+" + strconv.FormatUint(start, 10)
	first := uint32(q.at - q.i) // instruction of the function
	for _, t := range b.p.JumpTables {
		switch {
		case t.Map != name:
			continue
		case t.Targets[0]-first >= uint32(len(q.fn.Insns)):
			return b.fail(q, ErrMismatch, "the jump table is another function's", "")
		}
		return b.value(q, ChangeJump, name, off-start)
	}
	if b.jumps += int(size / jumpEntry); b.jumps > b.lim.TotalInsns {
		return b.fail(q, ErrLimit, "limit TotalInsns of "+strconv.Itoa(b.lim.TotalInsns)+" exceeded by the entries of jump tables", "")
	}
	targets, err := b.jumpTargets(q, b.in.JumpTables.Data[start:start+size], first)
	if err != nil {
		return err
	}
	b.p.JumpTables = append(b.p.JumpTables, JumpTable{Map: name, Targets: targets})
	return b.value(q, ChangeJump, name, off-start)
}

// jumpTargets counts the entries of a table from the program's start. first is
// where the function of the reference begins in the program.
func (b *binder) jumpTargets(q *pending, data []byte, first uint32) ([]uint32, error) {
	order := cmp.Or(b.in.JumpTables.Order, binary.ByteOrder(binary.LittleEndian))
	targets := make([]uint32, len(data)/jumpEntry)
	for i := range targets {
		v := order.Uint64(data[i*jumpEntry:])
		slot := v/insn.Size - uint64(q.fn.Offset) // wraps before the function
		if v%insn.Size != 0 || slot >= uint64(len(q.fn.Insns)) {
			return nil, b.fail(q, ErrRange, "entry "+strconv.Itoa(i)+" of the jump table leads outside the function", "")
		}
		targets[i] = first + uint32(slot)
	}
	return targets, nil
}
