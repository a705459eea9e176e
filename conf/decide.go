package conf

import (
	"errors"
	"strings"
)

// A Query is what is known of a map or program when its path is decided. Either
// Map or Program is set.
type Query struct {
	Object  string // name of the object: its file without directory and extension
	Map     string // name of the map in the object; internal maps have a dot: ".rodata"
	Program string // name of the program

	Type     string // the map's type: "hash", "array"
	ProgType string // type of the program, or of the one that uses the map: "xdp", "sched_cls"; may be ""
	IfName   string // network device that the load is for; may be ""

	// PinValue is the number in the definition: 0 not pinned, 1 by name. A
	// program that the caller wants pinned has 1.
	PinValue uint32
	// Legacy says that the definition is iproute2's struct bpf_elf_map, where 1
	// is the directory of the object and 2 the one of all objects.
	Legacy bool
	// ObjectSHA1 is the SHA-1 of the object file in 40 hexadecimal digits, which
	// is the name of the object's directory. Only value 1 of a legacy
	// definition needs it.
	ObjectSHA1 string
}

func (q *Query) what() (kind RuleKind, name string) {
	if q.Program != "" {
		return RuleProgram, q.Program
	}
	return RuleMap, q.Map
}

// kindType is the type of what the query is about.
func (q *Query) kindType() string {
	if q.Program != "" {
		return q.ProgType
	}
	return q.Type
}

// A Decision says where a map or program is pinned, and why there.
type Decision struct {
	Pin        bool       `json:"pin"`
	Dir        string     `json:"dir,omitempty"`  // below bpffs, elements separated by '/'; "" is the top
	Name       string     `json:"name,omitempty"` // the last element; EncodeInternal's form for internal maps
	OnMismatch OnMismatch `json:"on_mismatch,omitempty"`
	// IPRoute2 says that Dir is in iproute2's hierarchy, where "xdp" and "ip"
	// are links to "tc".
	IPRoute2 bool   `json:"iproute2,omitempty"`
	Origin   Origin `json:"origin"` // the line that decided it
	Reason   string `json:"reason"` // the same in words
}

// iproute2Dirs are the directories of the types of program that iproute2 loads.
var iproute2Dirs = map[string]string{
	"sched_cls": "tc", "sched_act": "tc",
	"xdp":    "xdp",
	"lwt_in": "ip", "lwt_out": "ip", "lwt_xmit": "ip", "lwt_seg6local": "ip",
}

// Decide says where something is pinned. In this order:
//
//   - the first rule about the map or program by its name;
//   - nowhere, if its definition does not ask for it (value 0);
//   - the first rule about its object;
//   - a legacy definition: where iproute2 puts it, which for a value that is not
//     configured is nowhere;
//   - value 1: the root directory, or iproute2's globals in that layout;
//   - any other value: the configured directory, or else a *ValueError.
//
// The name of an internal map, which has a dot, gets the form of
// [EncodeInternal]; one that is a mere section name gets the object's name in
// front, so that the sections of two objects do not meet. Errors are of type
// *DecisionError.
func (c *Config) Decide(q Query) (Decision, error) {
	d, err := c.place(&q)
	if err == nil && d.Pin {
		d.Dir, err = expandDir(d.Dir, &q)
	}
	if err == nil && d.Pin {
		d.Name, err = q.pinName()
	}
	if err != nil {
		kind, name := q.what()
		return Decision{}, &DecisionError{Kind: string(kind), Name: name, Origin: d.Origin, Err: err}
	}
	if d.Pin && d.OnMismatch == "" {
		d.OnMismatch = c.OnMismatch.V
	}
	return d, nil
}

// place finds the directory, with its placeholders.
func (c *Config) place(q *Query) (Decision, error) {
	if r := c.rule(q); r != nil {
		if r.None {
			return Decision{Origin: r.Origin, Reason: string(r.Kind) + " rule: not to be pinned"}, nil
		}
		return Decision{Pin: true, Dir: r.Dir, OnMismatch: r.OnMismatch, Origin: r.Origin, Reason: string(r.Kind) + " rule"}, nil
	}
	switch {
	case q.PinValue == 0:
		return Decision{Reason: "it does not ask to be pinned"}, nil
	case q.Legacy:
		return c.placeLegacy(q)
	case q.PinValue == 1:
		return c.placeByName(q), nil
	}
	if v, ok := c.Values[q.PinValue]; ok {
		return Decision{Pin: true, Dir: v.V, Origin: v.Origin, Reason: "configured pin value"}, nil
	}
	return Decision{}, &ValueError{Value: q.PinValue}
}

// placeByName is the place of BTF definitions with LIBBPF_PIN_BY_NAME, and of
// programs. In iproute2's layout only its types of program have a directory.
func (c *Config) placeByName(q *Query) Decision {
	if c.Layout.V == LayoutIproute2 && q.Program == "" {
		if sub := iproute2Dirs[q.ProgType]; sub != "" {
			return Decision{Pin: true, Dir: sub + "/globals", IPRoute2: true, Origin: c.Layout.Origin,
				Reason: "pinned by name, in iproute2's layout"}
		}
	}
	return Decision{Pin: true, Dir: c.Root.V, Origin: c.Root.Origin, Reason: "pinned by name"}
}

// placeLegacy is the place of iproute2's definitions.
func (c *Config) placeLegacy(q *Query) (Decision, error) {
	if q.PinValue > lastReserved {
		v, ok := c.Values[q.PinValue]
		if !ok {
			return Decision{Reason: (&ValueError{Value: q.PinValue}).Error() + "; not pinned, as in iproute2"}, nil
		}
		return Decision{Pin: true, Dir: v.V, IPRoute2: true, Origin: v.Origin, Reason: "configured pin value"}, nil
	}
	sub := iproute2Dirs[q.ProgType]
	if sub == "" {
		return Decision{}, errors.New("iproute2 has no directory for programs of type \"" + q.ProgType +
			"\"; say which type of program the map is for (sched_cls, xdp, lwt_in, ...)")
	}
	if q.PinValue == 1 {
		if len(q.ObjectSHA1) != 40 || strings.Trim(q.ObjectSHA1, "0123456789abcdef") != "" {
			return Decision{}, errors.New("it is pinned in the directory of its object, whose SHA-1 is not known")
		}
		return Decision{Pin: true, Dir: sub + "/" + q.ObjectSHA1, IPRoute2: true, Reason: "iproute2's directory of the object"}, nil
	}
	return Decision{Pin: true, Dir: sub + "/globals", IPRoute2: true, Reason: "iproute2's directory of all objects"}, nil
}

// pinName is the last element of the path.
func (q *Query) pinName() (string, error) {
	_, name := q.what()
	if q.Program != "" || !strings.Contains(name, ".") {
		return name, CheckName(name)
	}
	element, err := EncodeInternal(name)
	if err != nil {
		return "", err
	}
	if name[0] == '.' {
		if err := CheckName(q.Object); err != nil {
			return "", err
		}
		element, err = EncodeInternal(q.Object + name)
	}
	return element, err
}
