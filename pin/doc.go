// Package pin puts objects into bpffs and finds them there: discovery of the
// file system, directories, names, pins.
//
// A pin is a name in a BPF file system that holds a map, program or link: the
// object lives as long as the name, and other processes open it by that name.
// That makes pins a boundary. Names come from object files, directories are
// shared with other programs, and a pin that is opened decides which map a
// program works on. So:
//
//   - A name becomes a path element only if [CheckName] accepts it; it is never
//     rewritten. Names of internal maps, which have dots that bpffs refuses, get
//     the explicit and reversible form of [EncodeInternal].
//   - A directory is opened once ([OpenDir]), without following a symbolic link;
//     that it is on bpffs is asked of the descriptor, and everything else goes
//     through that descriptor. What is swapped behind it has no effect.
//   - Nothing is made outside bpffs. Directories that are made are remembered,
//     and [Dir.RemoveCreated] removes these only, and only if they are empty.
//   - What is found under a name is a map if a map is wanted: a program or link
//     there is a *[KindError] that names both.
//
// Which directory something is pinned in is the business of package conf; this
// package is told.
//
// # Sharing
//
// Two processes may load the same object at once. [Dir.GetOrPin] returns the
// pinned object, or makes one and pins it; when somebody else pins first, his
// is taken and the new one dropped. The kernel decides who is first, so there is
// always one object, and both have it.
//
// # Replacing
//
// [Dir.Replace] exchanges the object under a name with another in one step
// (renameat2 with RENAME_EXCHANGE): whoever opens the name gets the old or the
// new one, never nothing.
//
// All calls go to a sys.Kernel, so that they can be recorded and made to fail, but
// for two: [Mounts] and [Discover] read /proc, and the symbolic links of
// iproute2's layout are made by package os.
package pin
