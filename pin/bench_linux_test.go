package pin

import (
	"testing"

	"github.com/lode-bpf/lode/sys"
)

// A directory two below the top of bpffs, which exists.
func BenchmarkKernelOpenDir(b *testing.B) {
	root := bpffs(b)
	openDir(b, root+"/a/b", DirOptions{Create: true})
	b.ReportAllocs()
	for b.Loop() {
		d, err := OpenDir(sys.Live(), root+"/a/b", DirOptions{})
		must(b, err, d.Close())
	}
}

func BenchmarkKernelGet(b *testing.B) {
	d := openDir(b, bpffs(b), DirOptions{})
	must(b, d.Pin("m", makeMap(b).Int()))
	b.ReportAllocs()
	for b.Loop() {
		fd, err := d.Get("m", sys.ObjMap)
		must(b, err, fd.Close())
	}
}

// Get in a directory of another user, where the file is held while it is opened.
func BenchmarkKernelGetHeld(b *testing.B) {
	d := openDir(b, bpffs(b), DirOptions{})
	must(b, d.Pin("m", makeMap(b).Int()))
	d.stat.UID = 12345
	b.ReportAllocs()
	for b.Loop() {
		fd, err := d.Get("m", sys.ObjMap)
		must(b, err, fd.Close())
	}
}

func BenchmarkKernelPinRemove(b *testing.B) {
	d := openDir(b, bpffs(b), DirOptions{})
	m := makeMap(b)
	b.ReportAllocs()
	for b.Loop() {
		must(b, d.Pin("m", m.Int()), d.Remove("m"))
	}
}

func BenchmarkKernelReplace(b *testing.B) {
	d := openDir(b, bpffs(b), DirOptions{})
	m := makeMap(b)
	must(b, d.Pin("m", m.Int()))
	b.ReportAllocs()
	for b.Loop() {
		old, err := d.Replace("m", m.Int(), sys.ObjMap)
		must(b, err, old.Close())
	}
}

// 100 maps in 10 directories.
func BenchmarkKernelWalk(b *testing.B) {
	root := bpffs(b)
	m := makeMap(b)
	for i := range 10 {
		d := openDir(b, root+"/d"+string(rune('0'+i)), DirOptions{Create: true})
		for j := range 10 {
			must(b, d.Pin("m"+string(rune('0'+j)), m.Int()))
		}
	}
	d := openDir(b, root, DirOptions{})
	b.ReportAllocs()
	for b.Loop() {
		must(b, d.Walk(func(string, Entry, error) error { return nil }))
	}
}
