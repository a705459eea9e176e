//go:build !race

package insn_test

const raceEnabled = false
