package link

import (
	"os"
	"strings"
)

// A PathError says that a program or library was not found where these are looked
// for.
type PathError struct {
	Name  string
	Tried []string
}

func (e *PathError) Error() string {
	return "no file " + e.Name + " in " + strings.Join(e.Tried, ", ")
}

// Is makes it an os.ErrNotExist.
func (e *PathError) Is(target error) bool { return target == os.ErrNotExist }

// FindFile makes a bare file name a path, as section names such as
// "uprobe/libc.so.6:malloc" need it: a name with ".so" in it is a library and looked
// for in LD_LIBRARY_PATH and the usual folders of libraries, any other a program and
// looked for in PATH and the usual folders of programs. A name with a '/' is
// returned as it is.
func FindFile(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	list := os.Getenv("PATH") + ":/usr/bin:/usr/sbin"
	if strings.Contains(name, ".so") {
		list = os.Getenv("LD_LIBRARY_PATH") + ":/lib64:/usr/lib64:/lib:/usr/lib"
		for _, triplet := range []string{"x86_64", "aarch64", "s390x", "i386", "riscv64"} {
			list += ":/usr/lib/" + triplet + "-linux-gnu"
		}
	}
	var tried []string
	for _, dir := range strings.Split(list, ":") {
		if dir == "" {
			continue
		}
		path := dir + "/" + name
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
			return path, nil
		}
		tried = append(tried, dir)
	}
	return "", &PathError{name, tried}
}
