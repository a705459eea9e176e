// Package helpers is the table of the helper functions of the kernel: those that a program calls by number. The
// disassembler needs their names and the probes of features their kernel versions; it stands here once for both.
package helpers

//go:generate go run gen.go

// A Helper is a helper function. Its number is its place in Table.
type Helper struct {
	Name  string // without "bpf_"
	Since string // the kernel version that brought it
}

// Number is the number of a helper by its name, without "bpf_".
func Number(name string) (int, bool) {
	for n := range Table {
		if Table[n].Name == name {
			return n, true
		}
	}
	return 0, false
}
