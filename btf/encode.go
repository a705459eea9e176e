package btf

import "encoding/binary"

func putLE(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }

// Bytes writes the BTF in a byte order. The Builder may be used further.
func (b *Builder) Bytes(order binary.ByteOrder) ([]byte, error) {
	b.init()
	if b.err != nil {
		return nil, b.err
	}
	hdrLen := headerLen
	if len(b.layout) > 0 {
		hdrLen = headerLenNew
	}
	out := make([]byte, hdrLen, hdrLen+len(b.types)+len(b.layout)+len(b.strs.b))
	out = append(out, b.types...)
	out = append(out, b.layout...)
	out = append(out, b.strs.b...)
	binary.LittleEndian.PutUint16(out, magic)
	out[2] = version
	putLE(out[4:], uint32(hdrLen))
	putLE(out[12:], uint32(len(b.types)))
	putLE(out[16:], uint32(len(b.types)+len(b.layout)))
	putLE(out[20:], uint32(len(b.strs.b)))
	if len(b.layout) > 0 {
		putLE(out[24:], uint32(len(b.types)))
		putLE(out[28:], uint32(len(b.layout)))
	}
	if isBig(order) {
		out[0], out[1] = out[1], out[0]
		swapWords(out[4 : hdrLen+len(b.types)])
		for l := out[hdrLen+len(b.types):][:len(b.layout)]; len(l) >= layoutSize; l = l[layoutSize:] {
			l[2], l[3] = l[3], l[2]
		}
	}
	// What was written is read back, so that a wrong id or a size that the
	// format does not allow is found here and not by the kernel.
	if _, err := ParseLimits(out, b.base, Limits{Size: len(out), Name: len(out)}); err != nil {
		return nil, err
	}
	return out, nil
}

// isBig reports whether an order stores the high byte first.
func isBig(order binary.ByteOrder) bool {
	var w [2]byte
	order.PutUint16(w[:], 1)
	return w[1] == 1
}
