package conf

import "strconv"

// DefaultBPFFS is where systems mount bpffs.
const DefaultBPFFS = "/sys/fs/bpf"

// lastReserved is the last pin value that iproute2 has a fixed meaning for: 0
// is not pinned, 1 the directory of the object, 2 the one of all objects.
const lastReserved = 2

// An Origin is the line that a value came from. The zero Origin is the built-in
// default.
type Origin struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// IsSet says whether the value came from a file.
func (o Origin) IsSet() bool { return o.Line != 0 }

// String is "FILE:LINE" or "default".
func (o Origin) String() string {
	if !o.IsSet() {
		return "default"
	}
	return showFile(o.File) + ":" + strconv.Itoa(o.Line)
}

// A Value is a configured value and where it came from.
type Value[T any] struct {
	V      T      `json:"value"`
	Origin Origin `json:"origin"`
}

// over replaces *v by w if a file set that.
func (v *Value[T]) over(w Value[T]) {
	if w.Origin.IsSet() {
		*v = w
	}
}

// A Layout is a rule for the directories of maps that are pinned by name.
type Layout string

const (
	// LayoutLibbpf puts every map directly in the root directory.
	LayoutLibbpf Layout = "libbpf"
	// LayoutIproute2 puts it where ip and tc would: tc/globals, xdp/globals or
	// ip/globals after the type of program, below the mount point.
	LayoutIproute2 Layout = "iproute2"
)

// An OnMismatch says what happens if something is pinned where a map belongs
// that does not match the map's definition.
type OnMismatch string

const (
	// Refuse fails the load.
	Refuse OnMismatch = "refuse"
	// Replace makes a new map and swaps it in atomically once everything else
	// has succeeded; programs that use the old map keep it.
	Replace OnMismatch = "replace"
)

// An Owner is who owns the directories that are made. The zero Owner leaves
// them to the user who makes them.
type Owner struct {
	Set bool   `json:"set"`
	UID uint32 `json:"uid"`
	GID uint32 `json:"gid"`
}

// A RuleKind is what a Rule is about.
type RuleKind string

const (
	RuleMap     RuleKind = "map"     // maps of that name, whether they ask to be pinned or not
	RuleProgram RuleKind = "program" // programs of that name, likewise
	RuleObject  RuleKind = "object"  // what asks to be pinned in objects of that name
)

// A Rule gives maps, programs or objects a directory by the pattern of their
// names.
type Rule struct {
	Kind       RuleKind   `json:"kind"`
	Object     string     `json:"object,omitempty"` // pattern of the object's name; "" is any
	Name       string     `json:"name,omitempty"`   // pattern of the map's or program's name
	None       bool       `json:"none,omitempty"`   // not to be pinned
	Dir        string     `json:"dir"`              // below bpffs, with placeholders
	OnMismatch OnMismatch `json:"on_mismatch,omitempty"`
	Origin     Origin     `json:"origin"`
}

// A Config is the merged configuration. Directories are relative to the top of
// bpffs, elements separated by '/', "" for the top itself; they may hold the
// placeholders %{object}, %{type}, %{progtype} and %{ifname}, which Decide
// expands.
type Config struct {
	BPFFS      Value[string]            `json:"bpffs"` // mount point; "" for the one that pin.Discover finds
	Mount      Value[bool]              `json:"mount"` // mount bpffs if it is not
	Root       Value[string]            `json:"root"`  // directory of maps pinned by name
	Layout     Value[Layout]            `json:"layout"`
	OnMismatch Value[OnMismatch]        `json:"on_mismatch"`
	DirMode    Value[uint32]            `json:"directory_mode"` // permission bits of directories that are made
	DirOwner   Value[Owner]             `json:"directory_owner"`
	Values     map[uint32]Value[string] `json:"values"` // pin value → directory
	Rules      []Rule                   `json:"rules"`  // the first that matches counts

	Files    []string  `json:"files"`    // that were read, later ones override earlier ones
	Findings []Finding `json:"findings"` // in files that were read in Lenient mode
}

// Default is the configuration without any file: maps pinned by name stand
// directly in bpffs, a mismatch is refused, directories have mode 0700.
func Default() *Config {
	return &Config{
		Layout:     Value[Layout]{V: LayoutLibbpf},
		OnMismatch: Value[OnMismatch]{V: Refuse},
		DirMode:    Value[uint32]{V: 0o700},
		Values:     map[uint32]Value[string]{},
	}
}

// merge puts what a later file says over c.
func (c *Config) merge(later *Config) {
	c.BPFFS.over(later.BPFFS)
	c.Mount.over(later.Mount)
	c.Root.over(later.Root)
	c.Layout.over(later.Layout)
	c.OnMismatch.over(later.OnMismatch)
	c.DirMode.over(later.DirMode)
	c.DirOwner.over(later.DirOwner)
	for id, dir := range later.Values {
		c.Values[id] = dir
	}
	c.Rules = append(later.Rules[:len(later.Rules):len(later.Rules)], c.Rules...)
	c.Files = append(c.Files, later.Files...)
	c.Findings = append(c.Findings, later.Findings...)
}

// top is the absolute path that directories are relative to.
func (c *Config) top() string {
	if c.BPFFS.V == "" {
		return DefaultBPFFS
	}
	return c.BPFFS.V
}
