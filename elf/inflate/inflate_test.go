package inflate_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/elf/inflate"
)

// deflated is a compression header and the compressed bytes.
func deflated(class elf.Class, order binary.AppendByteOrder, method uint32, size uint64, data []byte) []byte {
	b := order.AppendUint32(nil, method)
	if class == elf.ELFCLASS64 {
		b = order.AppendUint32(b, 0)
		b = order.AppendUint64(b, size)
		b = order.AppendUint64(b, 1)
	} else {
		b = order.AppendUint32(b, uint32(size))
		b = order.AppendUint32(b, 1)
	}
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(data)
	w.Close()
	return append(b, z.Bytes()...)
}

func open(t *testing.T, class elf.Class, order binary.ByteOrder, data []byte) (*elf.File, elf.Section) {
	t.Helper()
	b := &elf.Builder{Class: class, ByteOrder: order, Type: elf.ET_REL, Machine: elf.EM_BPF}
	n := b.AddSection(elf.SectionDef{Name: ".debug_info", Type: elf.SHT_PROGBITS, Flags: elf.SHF_COMPRESSED, Data: data})
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	return f, f.Section(n)
}

func TestData(t *testing.T) {
	text := bytes.Repeat([]byte("so much to say "), 100)
	zeros := make([]byte, 1<<20)
	garbage := deflated(elf.ELFCLASS64, binary.LittleEndian, 1, 1500, text)
	garbage[40] ^= 0xff
	broken := deflated(elf.ELFCLASS64, binary.LittleEndian, 1, 1500, text)
	broken[24] = 0
	for _, c := range []struct {
		name  string
		class elf.Class
		order interface {
			binary.ByteOrder
			binary.AppendByteOrder
		}
		method uint32
		size   uint64
		data   []byte // compressed by the test
		raw    []byte // instead
		lim    inflate.Limits
		err    error
	}{
		{name: "64-bit", size: 1500, data: text, method: 1},
		{name: "64-bit big-endian", size: 1500, data: text, method: 1, order: binary.BigEndian},
		{name: "32-bit", size: 1500, data: text, method: 1, class: elf.ELFCLASS32},
		{name: "32-bit big-endian", size: 1500, data: text, method: 1, class: elf.ELFCLASS32, order: binary.BigEndian},
		{name: "S10 bomb", size: 1 << 20, data: zeros, method: 1, err: elf.ErrLimit},
		{name: "S10 bomb that is asked for", size: 1 << 20, data: zeros, method: 1, lim: inflate.Limits{Ratio: 4096}},
		{name: "more than the size limit", size: 1500, data: text, method: 1, lim: inflate.Limits{Size: 1000}, err: elf.ErrLimit},
		{name: "S11 ch_size 1<<60", size: 1 << 60, data: text, method: 1, err: elf.ErrLimit},
		{name: "S12 unknown method", size: 1500, data: text, method: 77, err: elf.ErrUnsupported},
		{name: "S12 zstd", size: 1500, data: text, method: 2, err: elf.ErrUnsupported},
		{name: "S12 garbage", raw: garbage, err: elf.ErrRange},
		{name: "S12 no zlib header", raw: broken, err: elf.ErrRange},
		{name: "S12 ch_size too small", size: 1499, data: text, method: 1, err: elf.ErrRange},
		{name: "S12 ch_size too large", size: 1501, data: text, method: 1, err: elf.ErrTruncated},
		{name: "S12 no room for the header", raw: make([]byte, 23), err: elf.ErrTruncated},
		{name: "S12 empty", raw: []byte{}, err: elf.ErrTruncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.class == 0 {
				c.class = elf.ELFCLASS64
			}
			if c.order == nil {
				c.order = binary.LittleEndian
			}
			if c.raw == nil {
				c.raw = deflated(c.class, c.order, c.method, c.size, c.data)
			}
			f, s := open(t, c.class, c.order, c.raw)
			got, err := inflate.Data(f, s, c.lim)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if c.err == nil && !bytes.Equal(got, c.data) {
				t.Errorf("%d bytes differ from the %d that were compressed", len(got), len(c.data))
			}
		})
	}
}

func ExampleData() {
	b := &elf.Builder{Type: elf.ET_REL, Machine: elf.EM_BPF}
	n := b.AddSection(elf.SectionDef{Name: ".debug_str", Type: elf.SHT_PROGBITS, Flags: elf.SHF_COMPRESSED,
		Data: deflated(elf.ELFCLASS64, binary.LittleEndian, inflate.ELFCOMPRESS_ZLIB, 5, []byte("hello"))})
	out, _ := b.Bytes()
	f, err := elf.Parse(out)
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := inflate.Data(f, f.Section(n), inflate.Limits{})
	fmt.Printf("%s %v\n", data, err)
	// Output: hello <nil>
}
