package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// idFields are the lines of /proc/PID/fdinfo/N that say which object a
// descriptor is. A line of another kind may stand beside it: a link's has the id
// of its program, too, so the first that is found in this order counts.
var idFields = []struct {
	text string
	kind sys.ObjKind
}{{"\nlink_id:", sys.ObjLink}, {"\nmap_id:", sys.ObjMap}, {"\nprog_id:", sys.ObjProg}}

// A kernelObject is a kernel object by its kind and id.
type kernelObject struct {
	kind sys.ObjKind
	id   uint32
}

// holders finds which processes have descriptors of which objects: "PID NAME".
// Processes that this one may not look into are left out.
func holders() (map[kernelObject][]string, error) {
	files, err := filepath.Glob("/proc/[0-9]*/fdinfo/*")
	if err != nil {
		return nil, err
	}
	out := map[kernelObject][]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // closed, ended, or not ours to see
		}
		o, ok := heldObject(b)
		if !ok {
			continue
		}
		process := filepath.Dir(filepath.Dir(f))
		name, _ := os.ReadFile(filepath.Join(process, "comm")) // of a process that has ended: none
		who := fmt.Sprintf("%s %s", filepath.Base(process), quote(strings.TrimSpace(string(name))))
		if !slices.Contains(out[o], who) {
			out[o] = append(out[o], who)
		}
	}
	return out, nil
}

// heldObject reads which object a descriptor is of.
func heldObject(fdinfo []byte) (kernelObject, bool) {
	for _, f := range idFields {
		_, rest, ok := bytes.Cut(fdinfo, []byte(f.text))
		if !ok {
			continue
		}
		line, _, _ := strings.Cut(string(rest), "\n")
		id, err := strconv.ParseUint(strings.TrimSpace(line), 10, 32)
		return kernelObject{f.kind, uint32(id)}, err == nil
	}
	return kernelObject{}, false
}
