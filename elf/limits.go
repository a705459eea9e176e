package elf

// Limits bound what a file may ask of its reader. A zero field stands for its
// default.
//
// Two bounds hold whatever the limits: Parse allocates at most 8 bytes for
// each byte of input plus 1 MiB, and in at most 8 pieces.
type Limits struct {
	FileSize int // bytes in the file
	Sections int // entries of the section table; also at most one for each 64 (40) bytes of the file
	Name     int // bytes in the name of a section or symbol, without the final NUL
	Names    int // bytes in all names together, as a multiple of the file size; names may share bytes
	Scan     int // bytes looked at in all tables together, as a multiple of the file size; tables may share bytes
	Findings int // findings that are kept; the last one says how many more there were
	Programs int // functions outside .text in a BPF object
	License  int // bytes in the license section of a BPF object, which is what the kernel copies

	// Compressed admits sections with SHF_COMPRESSED. Their Data is the
	// compressed bytes; package inflate expands them within bounds. Without it
	// only debug sections may be compressed, which nothing here reads. The
	// string, symbol and relocation tables may never be.
	Compressed bool
}

// DefaultLimits are the limits of Parse.
func DefaultLimits() Limits {
	return Limits{
		FileSize: 64 << 20,
		Sections: 65536,
		Name:     4096,
		Names:    4,
		Scan:     16,
		Findings: 1024,
		Programs: 4096,
		License:  128,
	}
}

// filled is l with the defaults in place of zeros.
func (l Limits) filled() Limits {
	d := DefaultLimits()
	for _, f := range [...]struct {
		have *int
		def  int
	}{
		{&l.FileSize, d.FileSize}, {&l.Sections, d.Sections}, {&l.Name, d.Name}, {&l.Names, d.Names},
		{&l.Scan, d.Scan}, {&l.Findings, d.Findings}, {&l.Programs, d.Programs}, {&l.License, d.License},
	} {
		if *f.have == 0 {
			*f.have = f.def
		}
	}
	return l
}
