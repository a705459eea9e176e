// Package btf reads, prints and writes BTF, the type information of the
// kernel and of BPF object files.
package btf
