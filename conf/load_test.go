package conf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// system makes a directory that takes the place of /, with files in it.
func system(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(root, name), text)
	}
	return root
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, root string) (*Config, error) {
	t.Helper()
	return Load(Options{Root: root, NoEnv: true})
}

func TestLoadNothing(t *testing.T) {
	got, err := load(t, t.TempDir())
	if diff := cmp.Diff(Default(), got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestLoadPrecedence(t *testing.T) {
	root := system(t, map[string]string{
		Iproute2Files[0]:                       "3 from-etc\n4 four\nend\n",
		Iproute2Files[1]:                       "3 from-usr\n",
		MainFile:                               "root main\n3 from-main\nmap a* main\nmap b main\n",
		DropInDir + "/20-later.conf":           "root later\nmap a* later\n",
		DropInDir + "/10-earlier.conf":         "root earlier\nmount yes\nmap abc earlier\n",
		DropInDir + "/README":                  "not a configuration\n",
		DropInDir + "/.hidden.conf":            "not one either\n",
		DropInDir + "/30-directory.txt/x.conf": "nor this\n",
	})
	c, err := load(t, root)
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(root, name) }
	want := []string{in(Iproute2Files[0]), in(MainFile), in(DropInDir + "/10-earlier.conf"), in(DropInDir + "/20-later.conf")}
	if diff := cmp.Diff(want, c.Files); diff != "" {
		t.Errorf("files, -want +got:\n%s", diff)
	}
	if c.Root != (Value[string]{"later", Origin{want[3], 1}}) || c.Mount != (Value[bool]{true, Origin{want[2], 2}}) {
		t.Errorf("root %+v, mount %+v", c.Root, c.Mount)
	}
	if c.Values[3] != (Value[string]{"from-main", Origin{want[1], 2}}) || c.Values[4] != (Value[string]{"four", Origin{want[0], 2}}) {
		t.Errorf("values %+v", c.Values)
	}
	if len(c.Findings) != 1 || c.Findings[0].File != want[0] || c.Findings[0].Line != 3 {
		t.Errorf("findings %+v", c.Findings)
	}
	for _, tt := range []struct{ name, dir string }{{"abc", "later"}, {"b", "main"}} {
		d, err := c.Decide(Query{Map: tt.name})
		if err != nil || d.Dir != tt.dir {
			t.Errorf("%q goes to %q, %v, want %q", tt.name, d.Dir, err, tt.dir)
		}
	}
}

// The database in /usr counts if there is none in /etc.
func TestLoadIproute2(t *testing.T) {
	for _, name := range Iproute2Files {
		c, err := load(t, system(t, map[string]string{name: "3 x\n"}))
		if err != nil || c.Values[3].V != "x" {
			t.Errorf("%s: %v, %+v", name, err, c)
		}
	}
}

// Where bpffs is holds for the files that follow.
func TestLoadBPFFS(t *testing.T) {
	c, err := load(t, system(t, map[string]string{MainFile: "bpffs /run/bpf\n", DropInDir + "/a.conf": "root /run/bpf/a\n"}))
	if err != nil || c.Root.V != "a" {
		t.Errorf("%v, %+v", err, c)
	}
}

func TestLoadExplicit(t *testing.T) {
	root := system(t, map[string]string{Iproute2Files[0]: "3 x\n", MainFile: "root main\n", "/one.conf": "root one\n", "/two.conf": "root two\n", "/db": "0x10 y\n"})
	t.Setenv(EnvVar, filepath.Join(root, "two.conf"))
	for _, tt := range []struct {
		name string
		opts Options
		want string
	}{
		{"path", Options{Root: root, Path: filepath.Join(root, "one.conf")}, "one"},
		{"environment", Options{Root: root}, "two"},
		{"no environment", Options{Root: root, NoEnv: true}, "main"},
	} {
		c, err := Load(tt.opts)
		if err != nil || c.Root.V != tt.want || len(c.Values) > 0 != (tt.want == "main") {
			t.Errorf("%s: %v, %+v", tt.name, err, c)
		}
	}
	if c, err := Load(Options{Path: filepath.Join(root, "db"), Mode: Lenient}); err != nil || c.Values[16].V != "y" {
		t.Errorf("lenient: %v, %+v", err, c)
	}
	for _, opts := range []Options{{Path: filepath.Join(root, "none")}, {Path: root + "\x00"}} {
		c, err := Load(opts)
		var file *FileError
		if !errors.As(err, &file) || c != nil {
			t.Errorf("%+v: %v, %v", opts, c, err)
		}
	}
	if _, err := Load(Options{Path: filepath.Join(root, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an explicit file that is missing: %v", err)
	}
}

// One bad file makes the whole load of the configuration fail.
func TestLoadRefusesWhole(t *testing.T) {
	for _, name := range []string{MainFile, DropInDir + "/x.conf"} {
		root := system(t, map[string]string{MainFile: "root a\n", name: "root a\n3 ..\n"})
		c, err := load(t, root)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != 2 || syntax.File != filepath.Join(root, name) || c != nil {
			t.Errorf("%s: %v, %+v", name, err, c)
		}
	}
}

// What is no file of the administrator's is not read, and nothing waits for it.
func TestLoadRefusesFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs permission bits")
	}
	chmod := func(mode fs.FileMode) func(*testing.T, string) {
		return func(t *testing.T, name string) {
			write(t, name, "root a\n")
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name string
		make func(*testing.T, string)
		want string
	}{
		{"symbolic link", func(t *testing.T, name string) {
			write(t, name+".real", "root a\n")
			if err := os.Symlink(name+".real", name); err != nil {
				t.Fatal(err)
			}
		}, "it is a symbolic link, which is not followed"},
		{"dangling link", func(t *testing.T, name string) {
			if err := os.Symlink("nowhere", name); err != nil {
				t.Fatal(err)
			}
		}, "it is a symbolic link, which is not followed"},
		{"directory", func(t *testing.T, name string) {
			if err := os.Mkdir(name, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "it is not a regular file but a directory"},
		{"group can write", chmod(0o664), "users other than its owner can write it (mode 664)"},
		{"everybody can write", chmod(0o646), "users other than its owner can write it (mode 646)"},
		{"too large", func(t *testing.T, name string) {
			write(t, name, "#"+strings.Repeat("\n", MaxFileSize))
		}, "it has more than 65536 bytes"},
		{"a gigabyte of nothing", func(t *testing.T, name string) {
			write(t, name, "")
			if err := os.Truncate(name, 1<<30); err != nil {
				t.Skip("needs sparse files:", err)
			}
		}, "it has more than 65536 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "pinning.conf")
			tt.make(t, name)
			_, err := Load(Options{Path: name})
			var file *FileError
			if !errors.As(err, &file) || file.Reason != tt.want || file.File != name {
				t.Errorf("%v, want %s", err, tt.want)
			}
			if errors.Is(err, ErrLimit) != strings.HasPrefix(tt.want, "it has more") {
				t.Errorf("ErrLimit: %v", errors.Is(err, ErrLimit))
			}
		})
	}
}

func TestLoadRefusesDevices(t *testing.T) {
	for _, name := range []string{"/dev/zero", "/dev/null"} {
		if _, err := os.Stat(name); err != nil {
			t.Skip("needs " + name)
		}
		var file *FileError
		if _, err := Load(Options{Path: name}); !errors.As(err, &file) || file.Reason != "it is not a regular file but a device" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadRefusesDropInDirectory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs permission bits")
	}
	root := system(t, map[string]string{DropInDir + "/x.conf": "root a\n"})
	dir := filepath.Join(root, DropInDir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := load(t, root); err == nil || !strings.Contains(err.Error(), "can write it (mode 777)") {
		t.Errorf("everybody can write the directory: %v", err)
	}
	root = system(t, map[string]string{DropInDir: "root a\n"})
	if _, err := load(t, root); err == nil || !strings.Contains(err.Error(), "not a directory but a special file") {
		t.Errorf("a file in place of the directory: %v", err)
	}
	many := map[string]string{}
	for i := range MaxFiles + 1 {
		many[DropInDir+"/"+strconv.Itoa(i)+".conf"] = ""
	}
	if _, err := load(t, system(t, many)); !errors.Is(err, ErrLimit) {
		t.Errorf("%d files: %v", len(many), err)
	}
}
