package conf

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Format writes the merged configuration in the form of a configuration file,
// each line with the origin of its value as a comment. It is deterministic, and
// reading it again gives the same values.
func (c *Config) Format() []byte {
	var f formatter
	f.comment("Merged pinning configuration. Files, later ones override earlier ones:")
	for _, name := range c.Files {
		f.comment("  " + showFile(name))
	}
	if len(c.Files) == 0 {
		f.comment("  none")
	}
	for _, finding := range c.Findings {
		f.comment("note: " + finding.String())
	}
	if c.BPFFS.V == "" {
		f.comment("bpffs is looked for: " + DefaultBPFFS + ", /bpf, any other mount")
	} else {
		f.line("bpffs "+c.BPFFS.V, c.BPFFS.Origin)
	}
	f.line("mount "+yesNo(c.Mount.V), c.Mount.Origin)
	f.line("root "+c.showDir(c.Root.V), c.Root.Origin)
	f.line("layout "+string(c.Layout.V), c.Layout.Origin)
	f.line("on-mismatch "+string(c.OnMismatch.V), c.OnMismatch.Origin)
	mode := strconv.FormatUint(uint64(0o10000|c.DirMode.V), 8)[1:] // four digits
	f.line("directory-mode "+mode, c.DirMode.Origin)
	if o := c.DirOwner.V; o.Set {
		f.line("directory-owner "+strconv.FormatUint(uint64(o.UID), 10)+":"+strconv.FormatUint(uint64(o.GID), 10), c.DirOwner.Origin)
	} else {
		f.comment("directories belong to the user who makes them")
	}
	for _, id := range slices.Sorted(maps.Keys(c.Values)) {
		v := c.Values[id]
		f.line(strconv.FormatUint(uint64(id), 10)+" "+c.showDir(v.V), v.Origin)
	}
	seen := map[string]bool{}
	for i := range c.Rules {
		r := &c.Rules[i]
		head := string(r.Kind) + " " + r.pattern()
		if seen[head] { // an earlier file's rule of the same pattern, which never matches
			f.comment("overridden: " + head + " " + c.ruleTail(r) + " # " + r.Origin.String())
			continue
		}
		seen[head] = true
		f.line(head+" "+c.ruleTail(r), r.Origin)
	}
	return f.out
}

func (r *Rule) pattern() string {
	switch {
	case r.Kind == RuleObject:
		return r.Object
	case r.Object != "":
		return r.Object + ":" + r.Name
	}
	return r.Name
}

func (c *Config) ruleTail(r *Rule) string {
	if r.None {
		return "none"
	}
	tail := c.showDir(r.Dir)
	if r.OnMismatch != "" {
		tail += " " + string(r.OnMismatch)
	}
	return tail
}

// showDir writes a directory so that parseDir reads it.
func (c *Config) showDir(dir string) string {
	switch dir {
	case "":
		return c.top()
	case "none": // the word has a meaning in rules
		return c.top() + "/none"
	}
	return dir
}

type formatter struct{ out []byte }

func (f *formatter) comment(text string) {
	f.out = append(append(append(f.out, "# "...), text...), '\n')
}

// originColumn is where the origins stand.
const originColumn = 40

func (f *formatter) line(text string, o Origin) {
	pad := max(1, originColumn-len(text))
	f.out = append(f.out, text+strings.Repeat(" ", pad)+"# "+o.String()+"\n"...)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
