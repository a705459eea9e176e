package link

import (
	"encoding/binary"
	"iter"

	"github.com/lode-bpf/lode/sys"
)

// Messages of rtnetlink (include/uapi/linux/rtnetlink.h) and flags of their headers
// (netlink.h).
const (
	rtmNewLink    = 16
	rtmGetLink    = 18
	rtmSetLink    = 19
	rtmNewQdisc   = 36
	rtmDelQdisc   = 37
	rtmGetQdisc   = 38
	rtmNewTFilter = 44
	rtmDelTFilter = 45
	rtmGetTFilter = 46

	nlmReplace = 0x100
	nlmExcl    = 0x200
	nlmCreate  = 0x400
	nlmEcho    = 0x8
	nlmDump    = 0x300

	nlaNested   = 1 << 15
	nlaTypeMask = 1<<14 - 1
)

// A message is a netlink message under construction, or a part of one.
type message []byte

// newMessage is a header with type and flags; the rest of it is filled in when it
// is sent.
func newMessage(typ, flags uint16) message {
	m := make(message, 16)
	binary.NativeEndian.PutUint16(m[4:], typ)
	binary.NativeEndian.PutUint16(m[6:], flags)
	return m
}

func (m message) u32(vs ...uint32) message {
	for _, v := range vs {
		m = binary.NativeEndian.AppendUint32(m, v)
	}
	return m
}

// attr appends an attribute, padded to four bytes.
func (m message) attr(typ uint16, data []byte) message {
	m = binary.NativeEndian.AppendUint16(m, uint16(4+len(data)))
	m = binary.NativeEndian.AppendUint16(m, typ)
	m = append(m, data...)
	for len(m)%4 != 0 {
		m = append(m, 0)
	}
	return m
}

func (m message) attrU32(typ uint16, v uint32) message {
	return m.attr(typ, binary.NativeEndian.AppendUint32(nil, v))
}

func (m message) attrString(typ uint16, s string) message { return m.attr(typ, append([]byte(s), 0)) }

// attributes walks the attributes behind the fixed part of a message; one that does
// not fit ends the walk.
func attributes(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= 4 {
			size := int(binary.NativeEndian.Uint16(b))
			if size < 4 || size > len(b) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(b[2:])&nlaTypeMask, b[4:size]) {
				return
			}
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}

// attribute finds one attribute; nil if it is not there.
func attribute(b []byte, typ uint16) []byte {
	for t, data := range attributes(b) {
		if t == typ {
			return data
		}
	}
	return nil
}

func attributeU32(b []byte, typ uint16) uint32 {
	if d := attribute(b, typ); len(d) >= 4 {
		return binary.NativeEndian.Uint32(d)
	}
	return 0
}

// Fixed parts of messages: struct ifinfomsg behind the header has 16 bytes, struct
// tcmsg 20.
const (
	ifInfoEnd = 16 + 16
	tcEnd     = 16 + 20
)

// fixed cuts the fixed part off an answer; nil if it is too short.
func fixed(b []byte, end int) []byte {
	if len(b) < end {
		return nil
	}
	return b[end:]
}

// send makes a request. fdAt is where a descriptor stands in it, for recordings.
func send(k sys.Kernel, m message, fdAt int) ([][]byte, error) {
	c := &sys.Netlink{Message: m, FDAt: fdAt}
	_, err := k.Call(c)
	return c.Answers, err
}

// linkMessage is a message about one network device.
func linkMessage(typ uint16, ifIndex int) message {
	return newMessage(typ, 0).u32(0, uint32(ifIndex), 0, 0)
}

// InterfaceIndex is the index of a network device of the current namespace.
func InterfaceIndex(k sys.Kernel, name string) (int, error) {
	const ifName = 3
	answers, err := send(k, linkMessage(rtmGetLink, 0).attrString(ifName, name), 0)
	if err != nil {
		return 0, wrap("looking for", "interface "+name, err)
	}
	for _, a := range answers {
		if binary.NativeEndian.Uint16(a[4:]) == rtmNewLink && len(a) >= ifInfoEnd {
			return int(binary.NativeEndian.Uint32(a[20:])), nil
		}
	}
	return 0, wrap("looking for", "interface "+name, sys.ENODEV)
}
