package pin

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// What ip and tc have set up, with their absolute link, is taken as it is; and
// what is missing of it is made and removed again.
func TestKernelAliases(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(root string) []error
		path   string
		opts   DirOptions
		want   []string // what is there while the directory is open; nil: an error
		left   []string // and after RemoveCreated
		where  string   // what was opened
	}{
		{"iproute2's own", func(root string) []error {
			return []error{os.MkdirAll(root+"/tc/globals", 0o700), os.Symlink(root+"/tc/", root+"/xdp")}
		}, "/xdp/globals", DirOptions{}, []string{"/tc", "/tc/globals", "/xdp"}, []string{"/tc", "/tc/globals", "/xdp"}, "/tc/globals"},
		{"a directory below iproute2's link", func(root string) []error {
			return []error{os.Mkdir(root+"/tc", 0o700), os.Symlink(root+"/tc/", root+"/ip")}
		}, "/ip/globals", DirOptions{Create: true}, []string{"/ip", "/tc", "/tc/globals"}, []string{"/ip", "/tc"}, "/tc/globals"},
		{"nothing there", func(string) []error { return nil }, "/xdp/globals", DirOptions{Create: true, Aliases: true},
			[]string{"/tc", "/tc/globals", "/xdp"}, nil, "/tc/globals"},
		{"nothing there, not to be made", func(string) []error { return nil }, "/xdp/globals", DirOptions{Aliases: true}, nil, nil, ""},
		{"tc only", func(root string) []error { return []error{os.MkdirAll(root+"/tc/globals", 0o700)} }, "/ip/globals", DirOptions{Create: true, Aliases: true},
			[]string{"/ip", "/tc", "/tc/globals"}, []string{"/tc", "/tc/globals"}, "/tc/globals"},
		{"tc only, not to be made", func(root string) []error { return []error{os.MkdirAll(root+"/tc/globals", 0o700)} }, "/ip/globals", DirOptions{Aliases: true},
			[]string{"/tc", "/tc/globals"}, []string{"/tc", "/tc/globals"}, "/tc/globals"},
		{"the alias itself", func(string) []error { return nil }, "/xdp", DirOptions{Create: true, Aliases: true}, []string{"/tc", "/xdp"}, nil, "/tc"},
		{"a directory of its own", func(root string) []error { return []error{os.MkdirAll(root+"/xdp/x", 0o700)} }, "/xdp/globals", DirOptions{Create: true, Aliases: true},
			[]string{"/xdp", "/xdp/globals", "/xdp/x"}, []string{"/xdp", "/xdp/x"}, "/xdp/globals"},
		{"without aliases it is a directory", func(string) []error { return nil }, "/xdp/globals", DirOptions{Create: true},
			[]string{"/xdp", "/xdp/globals"}, nil, "/xdp/globals"},
		{"a link to somewhere else", func(root string) []error {
			return []error{os.MkdirAll(root+"/tc", 0o700), os.MkdirAll(root+"/other", 0o700), os.Symlink("other", root+"/xdp")}
		}, "/xdp/globals", DirOptions{Create: true, Aliases: true}, nil, []string{"/other", "/tc", "/xdp"}, ""},
		{"a link to tc of another name", func(root string) []error {
			return []error{os.MkdirAll(root+"/tc", 0o700), os.Symlink("tc", root+"/lwt")}
		}, "/lwt/globals", DirOptions{Create: true, Aliases: true}, nil, []string{"/lwt", "/tc"}, ""},
		{"a link to a tc that is a link", func(root string) []error {
			return []error{os.MkdirAll(root+"/other", 0o700), os.Symlink("other", root+"/tc"), os.Symlink("tc", root+"/xdp")}
		}, "/xdp/globals", DirOptions{Create: true, Aliases: true}, nil, []string{"/other", "/tc", "/xdp"}, ""},
		{"not at the top", func(root string) []error { return []error{os.MkdirAll(root+"/a", 0o700)} }, "/a/xdp/globals", DirOptions{Create: true, Aliases: true},
			[]string{"/a", "/a/xdp", "/a/xdp/globals"}, []string{"/a"}, "/a/xdp/globals"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := bpffs(t)
			ktest.NoFDLeaks(t)
			must(t, tt.before(root)...)
			d, err := OpenDir(sys.Live(), root+tt.path, tt.opts)
			if (err == nil) != (tt.want != nil) {
				t.Fatal(err)
			}
			if err == nil {
				defer d.Close()
				if diff := cmp.Diff(tt.want, tree(t, root)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				st, err := os.Stat(root + tt.where)
				must(t, err)
				here, err := os.Stat(procPath(d.fd))
				must(t, err)
				if !os.SameFile(st, here) {
					t.Errorf("opened is not %s", tt.where)
				}
				must(t, d.RemoveCreated())
			}
			if diff := cmp.Diff(tt.left, tree(t, root)); diff != "" {
				t.Errorf("left, -want +got:\n%s", diff)
			}
		})
	}
}

// The link stays usable by others while it is made twice.
func TestKernelAliasRace(t *testing.T) {
	root := bpffs(t)
	for range 50 {
		results := make(chan error)
		for range 2 {
			go func() {
				d, err := OpenDir(sys.Live(), root+"/xdp/globals", DirOptions{Create: true, Aliases: true})
				if err == nil {
					err = d.Close()
				}
				results <- err
			}()
		}
		if err := errors.Join(<-results, <-results); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"/tc", "/tc/globals", "/xdp"}, tree(t, root)); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		must(t, os.RemoveAll(root+"/tc"), os.Remove(root+"/xdp"))
	}
}
