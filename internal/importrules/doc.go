// Package importrules holds a test of which package may import which. It has no code of its own.
//
// The rules are the design: data flows one way, from the bytes of a file to the kernel, so each stage may import only
// the stages before it, each can be used alone, and only sys meets the operating system. They are a table in the test;
// a new package gets a row there.
package importrules
