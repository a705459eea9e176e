package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// modules are loaded in this order, as far as the kernel has them as files: devices and classifiers that tests use, and
// what those need.
var modules = []string{
	"dummy", "veth", "sch_ingress", "cls_bpf", "act_bpf", "crc32c_generic", "libcrc32c",
	"nfnetlink", "nf_defrag_ipv4", "nf_defrag_ipv6", "nf_conntrack",
}

// An archive writes a file system in the format cpio "newc" (Documentation/driver-api/early-userspace/buffer-format.rst):
// for each file a header of hexadecimal numbers, the name and the contents, both padded to four bytes.
type archive struct {
	w    io.Writer
	size int
	made map[string]bool
	big  bool // the machine is big endian
	err  error
}

func (a *archive) write(b []byte) {
	if a.err == nil {
		_, a.err = a.w.Write(b)
		a.size += len(b)
	}
}

func (a *archive) pad() { a.write(make([]byte, -a.size&3)) }

// add writes one file, and first the directories above it.
func (a *archive) add(name string, mode uint32, contents []byte) {
	if dir := filepath.Dir(name); dir != "." && !a.made[dir] {
		a.made[dir] = true
		a.add(dir, 0o40755, nil)
	}
	const inode, uid, gid, links, mtime, major, minor, deviceMajor, deviceMinor, check = 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
	a.write(fmt.Appendf(nil, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", inode, mode, uid, gid, links,
		mtime, len(contents), major, minor, deviceMajor, deviceMinor, len(name)+1, check, name))
	a.pad()
	a.write(contents)
	a.pad()
}

// addFile writes the contents of a file of this machine, executable if it is here. A machine that is big endian gets the
// test objects for it under the names of the others.
func (a *archive) addFile(name, source string) {
	if object, ok := strings.CutSuffix(source, ".bpf.o"); ok && a.big {
		if _, err := os.Stat(object + ".bpfeb.o"); err == nil {
			source = object + ".bpfeb.o"
		}
	}
	info, err := os.Stat(source)
	if err != nil {
		a.err = err
		return
	}
	contents, err := os.ReadFile(source)
	if err != nil {
		a.err = err
		return
	}
	a.add(name, 0o100000|uint32(info.Mode().Perm()), contents)
}

// addFolder writes the files of a folder. What it does not have is left out: not every package has a testdata folder.
func (a *archive) addFolder(name, source string) {
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if err != nil || a.err != nil {
			return err
		}
		if d.Type().IsRegular() {
			a.addFile(name+strings.TrimPrefix(path, source), path)
		}
		return nil
	})
	if a.err == nil && err != nil && !os.IsNotExist(err) {
		a.err = err
	}
}

// writeImage writes the initramfs for one kernel. It is not compressed: to inflate it under emulation takes longer than to
// copy it.
func writeImage(w io.Writer, arch arch, k kernel, root, binaries string, packages []pkg, p plan) error {
	a := &archive{w: w, made: make(map[string]bool), big: arch.big}
	for _, dir := range []string{"proc", "sys", "dev", "tmp", "run", "etc", "root"} {
		a.made[dir] = true
		a.add(dir, 0o40755, nil)
	}
	a.addFile("init", filepath.Join(binaries, "init"))
	for _, t := range p.Tests {
		a.addFile("lode-tests/"+t.Binary, filepath.Join(binaries, t.Binary))
		dir := filepath.Join("lode", t.Package)
		if !a.made[dir] {
			a.made[dir] = true
			a.add(dir, 0o40755, nil)
		}
	}
	a.addFolder("lode/testdata", filepath.Join(root, "testdata"))
	for _, p := range packages {
		if p.Dir != root {
			rel, err := filepath.Rel(root, p.Dir)
			if err != nil {
				return err
			}
			a.addFolder(filepath.Join("lode", rel, "testdata"), filepath.Join(p.Dir, "testdata"))
		}
	}
	libxdp, _ := filepath.Glob("/usr/lib/*/bpf/*.o") // what ktest.LibxdpObjects finds, little endian
	for _, path := range libxdp {
		if a.big {
			break
		}
		a.addFile(strings.TrimPrefix(path, "/"), path)
	}
	if k.config != "" {
		a.addFile("boot/config-"+k.release, k.config) // where a loader looks for it
	}
	if err := addModules(a, k); err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	a.add("plan.json", 0o100644, text)
	a.add("TRAILER!!!", 0, nil)
	return a.err
}

// addModules writes the modules as modules/NN-NAME.ko, uncompressed.
func addModules(a *archive, k kernel) error {
	if k.modules == "" {
		return nil
	}
	files := make(map[string]string)
	err := filepath.WalkDir(k.modules, func(path string, d fs.DirEntry, err error) error {
		name, _, ok := strings.Cut(filepath.Base(path), ".ko")
		if err == nil && ok && d.Type().IsRegular() {
			files[strings.ReplaceAll(name, "-", "_")] = path
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, name := range modules {
		path, ok := files[name]
		if !ok {
			continue // built in, or not in this kernel
		}
		contents, err := readModule(path)
		if err != nil {
			return err
		}
		a.add(fmt.Sprintf("modules/%02d-%s.ko", i, name), 0o100644, contents)
	}
	return nil
}

func readModule(path string) ([]byte, error) {
	for suffix, program := range map[string]string{".xz": "xz", ".zst": "zstd"} {
		if strings.HasSuffix(path, suffix) {
			return output(exec.Command(program, "-dc", path))
		}
	}
	return os.ReadFile(path)
}
