package sys

import (
	"reflect"
	"testing"
	"unsafe"
)

// everyAttr has one of each generated struct.
var everyAttr = []Attr{
	&MapCreateAttr{}, &MapElemAttr{}, &MapBatchAttr{}, &ProgLoadAttr{}, &ObjAttr{}, &ProgAttachAttr{}, &ProgTestRunAttr{},
	&GetIDAttr{}, &ObjInfoAttr{}, &ProgQueryAttr{}, &RawTracepointOpenAttr{}, &BTFLoadAttr{}, &TaskFDQueryAttr{},
	&LinkCreateAttr{}, &LinkCreateMapAttr{}, &LinkCreateIterAttr{}, &LinkCreatePerfEventAttr{}, &LinkCreateKprobeMultiAttr{},
	&LinkCreateTracingAttr{}, &LinkCreateNetfilterAttr{}, &LinkCreateTCXAttr{}, &LinkCreateNetkitAttr{}, &LinkCreateCgroupAttr{},
	&LinkCreateUprobeMultiAttr{}, &LinkCreateTracingMultiAttr{}, &LinkUpdateAttr{}, &LinkDetachAttr{}, &EnableStatsAttr{},
	&IterCreateAttr{}, &ProgBindMapAttr{}, &TokenCreateAttr{}, &ProgStreamReadAttr{}, &ProgAssocStructOpsAttr{}, &CommonAttr{},
	&MapInfo{}, &ProgInfo{}, &BTFInfo{}, &TokenInfo{}, &LinkInfo{}, &RawTracepointLinkInfo{}, &TracingLinkInfo{}, &CgroupLinkInfo{},
	&IterLinkInfo{}, &IterCgroupLinkInfo{}, &IterTaskLinkInfo{}, &NetnsLinkInfo{}, &XDPLinkInfo{}, &StructOpsLinkInfo{},
	&NetfilterLinkInfo{}, &KprobeMultiLinkInfo{}, &UprobeMultiLinkInfo{}, &PerfUprobeLinkInfo{}, &PerfKprobeLinkInfo{},
	&PerfTracepointLinkInfo{}, &PerfEventLinkInfo{}, &TCXLinkInfo{}, &NetkitLinkInfo{}, &SockMapLinkInfo{}, &TracingMultiLinkInfo{},
}

// The Go compiler must put each field where the kernel has it, on every architecture.
func TestLayoutIsTheCompilers(t *testing.T) {
	if want := len(attrLayouts) + len(infoLayouts); len(everyAttr) != want {
		t.Errorf("this test knows %d structs, the tables have %d", len(everyAttr), want)
	}
	for _, a := range everyAttr {
		_, l := a.raw()
		typ := reflect.TypeOf(a).Elem()
		if typ.Name() != l.name || typ.Size() != l.size {
			t.Errorf("%s has %d bytes, its layout %s has %d", typ.Name(), typ.Size(), l.name, l.size)
		}
		next := 0
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Name == "_" {
				continue
			}
			want := l.fields[next]
			next++
			if f.Offset != uintptr(want.off) || f.Type.Size() != uintptr(want.size) {
				t.Errorf("%s.%s is at %d+%d, the kernel's %s at %d+%d", typ.Name(), f.Name, f.Offset, f.Type.Size(), want.name, want.off, want.size)
			}
			if want.kind.pointer() != (f.Type == reflect.TypeOf(Pointer{})) {
				t.Errorf("%s.%s: pointer or not?", typ.Name(), f.Name)
			}
		}
		if next != len(l.fields) {
			t.Errorf("%s has %d fields, its layout %d", typ.Name(), next, len(l.fields))
		}
	}
}

func TestPointer(t *testing.T) {
	if got := unsafe.Sizeof(Pointer{}); got != 8 {
		t.Errorf("a Pointer has %d bytes", got)
	}
	for _, p := range []Pointer{BytesPtr(nil), BytesPtr([]byte{}), BytesPtr(make([]byte, 4)[:0]), SlicePtr([]uint32(nil)), {}} {
		if !p.IsNil() {
			t.Errorf("%v is not nil", p)
		}
	}
	b := []byte{1, 2, 3}
	if p := BytesPtr(b); p.Unsafe() != unsafe.Pointer(&b[0]) || string(p.bytes(3)) != "\x01\x02\x03" {
		t.Error("BytesPtr does not point to the bytes")
	}
	if got := StringPtr("bpf").string(); got != "bpf" {
		t.Errorf("StringPtr: %q", got)
	}
	if got := StringPtr("").string(); got != "" {
		t.Errorf("StringPtr of nothing: %q", got)
	}
}

func TestObjName(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"counts", "counts"}, {"exactly_fifteen", "exactly_fifteen"}, {"sixteen_or_more_x", "sixteen_or_more"},
	} {
		if got := NewObjName(tt.in).String(); got != tt.want {
			t.Errorf("NewObjName(%q) is %q, want %q", tt.in, got, tt.want)
		}
	}
}
