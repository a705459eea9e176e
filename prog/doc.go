// Package prog is about programs: what an object file defines, how the kernel
// is given a program, and what it tells about one.
package prog
