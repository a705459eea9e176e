package lode

import (
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/sys"
)

// A Plan is the whole of a load as a value: what will be created, reused,
// filled, loaded and pinned, in order, and why. Making one needs neither
// privileges nor a kernel; what only a kernel can tell is "unknown" until
// Observe has looked. The same object, environment and policy make the same
// plan, byte for byte.
//
// The functions that carry a plan out (CreateMaps, LoadPrograms, PinAll, Attach)
// do its Steps and nothing else. The fields are for reading; to change a plan,
// change the object or the policy and plan again.
type Plan struct {
	Object   string           `json:"object"`
	License  string           `json:"license"`
	Maps     []PlannedMap     `json:"maps"`
	Programs []PlannedProgram `json:"programs"`
	Steps    []Step           `json:"steps"`
	Needs    []Need           `json:"needs"`
	Warnings []string         `json:"warnings"`

	object *Object // a copy of what was planned
	policy Policy
}

// A PlannedMap is a map of a plan.
type PlannedMap struct {
	Name       string      `json:"name"`
	KernelName string      `json:"kernel_name,omitempty"`
	Type       string      `json:"type"`
	KeySize    uint32      `json:"key_size"`
	ValueSize  uint32      `json:"value_size"`
	MaxEntries uint32      `json:"max_entries"`
	Flags      uint32      `json:"flags"`
	Extra      uint64      `json:"extra,omitempty"`
	Bytes      uint64      `json:"bytes"` // room for all keys and values, without the kernel's own
	Source     Source      `json:"source"`
	Pin        *PlannedPin `json:"pin,omitempty"`
}

// Source says where a map comes from.
type Source string

const (
	SourceCreate  Source = "create"            // a new map
	SourceShare   Source = "share"             // the one at its pin if there is one by then, else a new one
	SourcePin     Source = "pin"               // the one at its pin, which must exist
	SourceGiven   Source = "given"             // a map that the caller holds
	SourceNothing Source = "not to be created" // disabled; programs that need it fail
)

// A PlannedPin is a path in bpffs and the reason for it.
type PlannedPin struct {
	Path string `json:"path"`
	// Decided is what decided the path: "FILE:LINE" of the configuration,
	// "definition", "policy" or "object".
	Decided    string          `json:"decided"`
	OnMismatch conf.OnMismatch `json:"on_mismatch,omitempty"`
	// Now is what stands there: "unknown", "absent", or the kind and id of
	// what is pinned, as Observe found it.
	Now string `json:"now"`

	aliases bool // iproute2's links at the top of the bpffs count
}

// A PlannedProgram is a program of a plan.
type PlannedProgram struct {
	Name         string              `json:"name"`
	Section      string              `json:"section"`
	Type         string              `json:"type"`
	AttachType   string              `json:"attach_type,omitempty"`
	Target       string              `json:"target,omitempty"`
	Load         bool                `json:"load"`
	Instructions int                 `json:"instructions"`
	Maps         []string            `json:"maps,omitempty"`
	Pin          *PlannedPin         `json:"pin,omitempty"`
	Relocations  []PlannedRelocation `json:"relocations,omitempty"`
	// Error is why the program cannot be loaded as it stands.
	Error string `json:"error,omitempty"`
}

// A PlannedRelocation is one instruction that relocation has changed, or the
// reason why it could not.
type PlannedRelocation struct {
	Index  int    `json:"index"` // slot in the linked program
	What   string `json:"what"`
	Result string `json:"result"`
}

// Op is the kind of a Step.
type Op string

// The operations of a load, in the order in which a plan has them.
const (
	OpLoadBTF     Op = "load-btf"      // the object's types
	OpUseMap      Op = "use-map"       // a map given by the caller
	OpReuseMap    Op = "reuse-map"     // the map pinned at Path
	OpShareMap    Op = "share-map"     // the map pinned at Path, or else a new one
	OpCreateMap   Op = "create-map"    // a new map
	OpFillMap     Op = "fill-map"      // initial contents; only if new. An arena gets its address, too
	OpFreezeMap   Op = "freeze-map"    // no more changes from user space; only if new
	OpSetSlot     Op = "set-slot"      // Map[Key] = map Target; only if new
	OpLoadProgram Op = "load-program"  //
	OpSetTailCall Op = "set-tail-call" // Map[Key] = program Target; only if new
	OpRegister    Op = "register"      // fill a struct_ops map with its programs
	OpRefillSlot  Op = "refill-slot"   // Map[Key] = Target, into a reused map
	OpPinMap      Op = "pin-map"       // at Path; only if new
	OpPinProgram  Op = "pin-program"   // at Path
	OpAttach      Op = "attach"        // Program to Target
	OpPinLink     Op = "pin-link"      // of Program or of struct_ops map Map, at Path
)

// A Step is one operation of a plan. Names stand for what has no descriptor
// yet.
type Step struct {
	Op      Op     `json:"op"`
	Map     string `json:"map,omitempty"`
	Program string `json:"program,omitempty"`
	Key     uint32 `json:"key,omitempty"`
	Target  string `json:"target,omitempty"` // name of the map or program put into a slot, or what is attached to
	Path    string `json:"path,omitempty"`
	Note    string `json:"note,omitempty"`

	aliases bool // of Path: see PlannedPin
}

// A Need is something a kernel or a process must have for the plan to succeed.
type Need struct {
	Kind  string `json:"kind"`            // "capability" or "feature"
	Name  string `json:"name"`            //
	Since string `json:"since,omitempty"` // kernel version that brought a feature
	For   string `json:"for"`             // the first thing that needs it
	Here  string `json:"here"`            // "yes", "no" or "unknown"

	feature sys.Feature // 0 for a capability
}
