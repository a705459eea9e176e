// Package realobjects holds tests with objects that nobody of this project wrote: those of Debian's package libxdp1, which
// another project's loader is made for. It has no code of its own.
package realobjects
