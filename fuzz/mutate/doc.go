// Package mutate breaks ELF objects in ways that have a name.
//
// A fuzzer that flips bits spends its time on files that are refused at the
// first check. A [Rule] knows what the bytes are: it sets sh_size to the length
// of the file plus one, makes two symbols trade their st_shndx, cuts a
// relocation table in the middle of a record, gives a BTF type its own id to
// refer to, and leaves the rest of the file as it was. What it did is a [Step],
// so that a failure comes with its cause.
//
//	out, trace := mutate.Apply(obj, 7, 2)
//	fmt.Println(trace)
//
// The rules look at the object leniently: offsets and counts are cut to what is
// in the file, so a rule applies to what another one has broken. A rule that
// finds nothing to break in an object says so and changes nothing.
//
// With one version of this module, the same object, seed and count give the same
// result on every machine and with every release of Go. The input is never changed.
package mutate
