// Package pin gives BPF objects names in bpffs, the file system in which a map,
// program or link lives on without a process that holds it.
//
// A name from an object file becomes a path element only if CheckName takes it;
// a bad one is refused, never rewritten. Names of internal maps, which have
// dots, get a form of their own (EncodeInternal).
//
// A directory is opened once (OpenDir), element by element, without following
// links once the walk is inside the bpffs, and it is the descriptor that is
// checked to be bpffs and through which everything happens: what somebody does
// to the path afterwards does not matter. Directories that had to be made are
// remembered, so that a failed load can remove them again.
//
// Every call goes through a sys.Kernel, which can record it or make it fail.
package pin
