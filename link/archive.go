package link

import (
	"encoding/binary"
	"os"
	"strings"
)

// splitMember takes a path such as "app.zip!/lib/libx.so" apart: processes execute a
// file that an archive has stored in one piece, and a probe stands in the archive.
func splitMember(path string) (file, member string) {
	file, member, _ = strings.Cut(path, "!/")
	return file, member
}

// Records of zip archives (PKWARE's APPNOTE.TXT, 4.3): sizes of their fixed parts and
// signatures.
const (
	zipEndSize, zipEndMagic         = 22, 0x06054b50
	zipCentralSize, zipCentralMagic = 46, 0x02014b50
	zipLocalSize, zipLocalMagic     = 30, 0x04034b50
	zipMaxComment                   = 1<<16 - 1
)

// findMember makes a stored file of a zip archive the part of the file that x reads.
func (x *executable) findMember(name string) error {
	e := binary.LittleEndian
	start := uint64(0)
	if x.size > zipEndSize+zipMaxComment {
		start = x.size - zipEndSize - zipMaxComment
	}
	end, err := x.at(start, x.size-start)
	if err != nil {
		return err
	}
	for { // the record is the last thing, but for a comment
		if len(end) < zipEndSize {
			return x.bad("not a zip archive")
		}
		record := end[len(end)-zipEndSize:]
		if e.Uint32(record) == zipEndMagic {
			end = record
			break
		}
		end = end[:len(end)-1]
	}
	central, err := x.at(uint64(e.Uint32(end[16:])), uint64(e.Uint32(end[12:])))
	if err != nil {
		return err
	}
	for len(central) >= zipCentralSize && e.Uint32(central) == zipCentralMagic {
		nameEnd := zipCentralSize + int(e.Uint16(central[28:]))
		next := nameEnd + int(e.Uint16(central[30:])) + int(e.Uint16(central[32:]))
		if next > len(central) {
			break
		}
		if string(central[zipCentralSize:nameEnd]) == name {
			return x.enter(central)
		}
		central = central[next:]
	}
	return &SymbolError{Path: x.path, Reason: "no such file in the archive", Err: os.ErrNotExist}
}

// enter narrows x to a member, given by its record of the central directory.
func (x *executable) enter(central []byte) error {
	e := binary.LittleEndian
	const encrypted = 1
	if e.Uint16(central[8:])&encrypted != 0 || e.Uint16(central[10:]) != 0 {
		return x.bad("compressed or encrypted in the archive: processes do not execute it there")
	}
	at, size := uint64(e.Uint32(central[42:])), uint64(e.Uint32(central[24:]))
	local, err := x.at(at, zipLocalSize)
	if err != nil {
		return err
	}
	at += zipLocalSize + uint64(e.Uint16(local[26:])) + uint64(e.Uint16(local[28:]))
	if e.Uint32(local) != zipLocalMagic || at > x.size || size > x.size-at {
		return x.bad("the archive is damaged")
	}
	x.base, x.size = at, size
	return nil
}
