// Package gen turns the kernel's own description of bpf(2), its BTF, into the
// attribute and information structs of package sys.
//
// union bpf_attr is one C union whose members are the argument structs of the
// commands, most of them anonymous. [Structs] lists which Go struct each of
// them becomes; [Describe] finds it in a BTF blob and flattens it to fields
// with absolute offsets; [Emit] prints Go source. Every hole is printed as an
// explicit padding field, so that a struct has the kernel's layout on each
// architecture, whatever Go's alignment of 64-bit integers is there.
//
// The blob that the committed tables come from is sys/testdata/uapi.btf.
package gen
