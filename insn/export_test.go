package insn

// Samples are instructions of every form, for tests against other programs.
func Samples() (all [][]Instruction) {
	for f := range Forms() {
		all = append(all, samples(f)...)
	}
	return all
}
