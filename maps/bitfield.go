package maps

import (
	"fmt"
	"reflect"

	"github.com/lode-bpf/lode/btf"
)

// bitAt is where bit i of a member is: in little endian counted from the least
// significant of the structure's first byte, its own least significant first; in big
// endian from the most significant on, its own most significant first.
func (c *codec) bitAt(m btf.Member, i uint32) (at uint64, shift uint64) {
	if c.order.Uint16([]byte{1, 0}) == 1 {
		bit := uint64(m.BitOffset) + uint64(i)
		return bit / 8, bit % 8
	}
	bit := uint64(m.BitOffset) + uint64(m.BitSize-1-i)
	return bit / 8, 7 - bit%8
}

// bitField is the type of a member of some bits, which must be within mem.
func (c *codec) bitField(mem []byte, m btf.Member) (btf.Type, error) {
	end := uint64(m.BitOffset) + uint64(m.BitSize)
	if m.BitSize > 64 || (end+7)/8 > uint64(len(mem)) {
		return btf.Type{}, fmt.Errorf("bit field %q ends after its structure of %d bytes", m.Name, len(mem))
	}
	return c.b.Resolve(m.Type)
}

// bits is the value of a member of the structure in mem, without its sign.
func (c *codec) bits(mem []byte, m btf.Member) (t btf.Type, n uint64, err error) {
	if t, err = c.bitField(mem, m); err != nil {
		return t, 0, err
	}
	for i := range m.BitSize {
		at, shift := c.bitAt(m, i)
		n |= uint64(mem[at]>>shift&1) << i
	}
	return t, n, nil
}

func (c *codec) getBits(mem []byte, m btf.Member, v reflect.Value) error {
	t, n, err := c.bits(mem, m)
	if err != nil {
		return err
	}
	return setInteger(t, v, n, uint(m.BitSize))
}

// putBits changes the member and leaves what is around it.
func (c *codec) putBits(mem []byte, m btf.Member, v reflect.Value) error {
	t, err := c.bitField(mem, m)
	if err != nil {
		return err
	}
	n, err := integer(t, v, uint(m.BitSize))
	if err != nil {
		return err
	}
	for i := range m.BitSize {
		at, shift := c.bitAt(m, i)
		mem[at] = mem[at]&^(1<<shift) | byte(n>>i&1)<<shift
	}
	return nil
}
