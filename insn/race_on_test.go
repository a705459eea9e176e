//go:build race

package insn_test

const raceEnabled = true
