package conf

import (
	"errors"
	"strconv"
	"strings"
)

func (p *parser) setBPFFS(words []word) error {
	w := words[1]
	if err := p.once(words[0], "bpffs", "bpffs"); err != nil {
		return err
	}
	if bad := checkMountPoint(w.s); bad != nil {
		return p.dirErrorAt(w, bad)
	}
	p.top = w.s
	p.c.BPFFS = Value[string]{w.s, p.origin()}
	return nil
}

// CheckMountPoint accepts absolute paths, other than "/", without empty, "." and
// ".." elements.
func CheckMountPoint(s string) error {
	if bad := checkMountPoint(s); bad != nil {
		return errors.New(bad.reason)
	}
	return nil
}

func checkMountPoint(s string) *dirError {
	if len(s) < 2 || s[0] != '/' {
		return &dirError{0, "the mount point " + quoteShort(s) + " is not an absolute path below /"}
	}
	pos := 1
	for _, e := range strings.Split(s[1:], "/") {
		if e == "" || e == "." || e == ".." {
			return &dirError{pos, "the mount point has the path element " + strconv.Quote(e)}
		}
		pos += len(e) + 1
	}
	return nil
}

func (p *parser) setMount(words []word) error {
	if err := p.once(words[0], "mount", "mount"); err != nil {
		return err
	}
	w := words[1]
	if w.s != "yes" && w.s != "no" {
		return p.errorAt(w.col, quoteShort(w.s)+" is neither yes nor no")
	}
	p.c.Mount = Value[bool]{w.s == "yes", p.origin()}
	return nil
}

func (p *parser) setRoot(words []word) error {
	if err := p.once(words[0], "root", "root"); err != nil {
		return err
	}
	dir, bad := parseDir(words[1].s, p.top)
	if bad != nil {
		return p.dirErrorAt(words[1], bad)
	}
	p.c.Root = Value[string]{dir, p.origin()}
	return nil
}

func (p *parser) setLayout(words []word) error {
	if err := p.once(words[0], "layout", "layout"); err != nil {
		return err
	}
	switch l := Layout(words[1].s); l {
	case LayoutLibbpf, LayoutIproute2:
		p.c.Layout = Value[Layout]{l, p.origin()}
		return nil
	}
	return p.errorAt(words[1].col, quoteShort(words[1].s)+" is neither libbpf nor iproute2")
}

func (p *parser) setOnMismatch(words []word) error {
	if err := p.once(words[0], "on-mismatch", "on-mismatch"); err != nil {
		return err
	}
	m, err := p.onMismatch(words[1])
	if err != nil {
		return err
	}
	p.c.OnMismatch = Value[OnMismatch]{m, p.origin()}
	return nil
}

func (p *parser) onMismatch(w word) (OnMismatch, error) {
	switch m := OnMismatch(w.s); m {
	case Refuse, Replace:
		return m, nil
	}
	return "", p.errorAt(w.col, quoteShort(w.s)+" is neither refuse nor replace")
}

// setDirMode reads permission bits in octal. Modes that lock the owner out, or
// let everybody rename what is pinned, are refused.
func (p *parser) setDirMode(words []word) error {
	if err := p.once(words[0], "directory-mode", "directory-mode"); err != nil {
		return err
	}
	w := words[1]
	n, err := strconv.ParseUint(w.s, 8, 12)
	switch {
	case err != nil || len(w.s) < 3 || len(w.s) > 4:
		return p.errorAt(w.col, "mode "+quoteShort(w.s)+" is not three or four octal digits")
	case n&^0o1777 != 0:
		return p.errorAt(w.col, "mode "+w.s+" has the set-user-id or set-group-id bit")
	case n&0o700 != 0o700:
		return p.errorAt(w.col, "mode "+w.s+" does not let the owner use the directory")
	case n&0o002 != 0 && n&0o1000 == 0:
		return p.errorAt(w.col, "mode "+w.s+" lets everybody remove what is pinned; add the sticky bit (1"+w.s[len(w.s)-3:]+") or take the right to write away")
	}
	p.c.DirMode = Value[uint32]{uint32(n), p.origin()}
	return nil
}

// setDirOwner reads "UID" or "UID:GID", in decimal. Without a GID the group has
// the number of the user.
func (p *parser) setDirOwner(words []word) error {
	if err := p.once(words[0], "directory-owner", "directory-owner"); err != nil {
		return err
	}
	w := words[1]
	uid, gid, both := strings.Cut(w.s, ":")
	o := Owner{Set: true}
	var ok bool
	if o.UID, ok = parseUserID(uid); !ok {
		return p.errorAt(w.col, "user "+quoteShort(uid)+" is not a decimal number below 4294967295")
	}
	o.GID = o.UID
	if both {
		if o.GID, ok = parseUserID(gid); !ok {
			return p.errorAt(w.col+len(uid)+1, "group "+quoteShort(gid)+" is not a decimal number below 4294967295")
		}
	}
	p.c.DirOwner = Value[Owner]{o, p.origin()}
	return nil
}

// parseUserID: 2³²−1 means "unchanged" in chown(2) and is nobody's number.
func parseUserID(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n != 1<<32-1 && (s[0] != '0' || len(s) == 1)
}

// addRule reads "map|program|object PATTERN DIRECTORY|none [ON-MISMATCH]".
func (p *parser) addRule(words []word) error {
	r := Rule{Kind: RuleKind(words[0].s), Origin: p.origin()}
	object, name, both := strings.Cut(words[1].s, ":")
	switch {
	case r.Kind == RuleObject:
		object, name = words[1].s, ""
	case !both:
		object, name = "", object
	}
	if object != "" || both {
		if bad := checkPattern(object); bad != nil {
			return p.dirErrorAt(words[1], bad)
		}
	}
	if r.Kind != RuleObject {
		if bad := checkPattern(name); bad != nil {
			return p.errorAt(words[1].col+len(words[1].s)-len(name)+bad.pos, bad.reason)
		}
	}
	r.Object, r.Name = object, name
	if err := p.once(words[1], words[0].s+" "+words[1].s, "the rule for "+quoteShort(words[1].s)); err != nil {
		return err
	}
	if words[2].s == "none" {
		r.None = true
	} else {
		dir, bad := parseDir(words[2].s, p.top)
		if bad != nil {
			return p.dirErrorAt(words[2], bad)
		}
		r.Dir = dir
	}
	if len(words) == 4 {
		if r.None {
			return p.errorAt(words[3].col, "nothing can mismatch: the rule says none")
		}
		m, err := p.onMismatch(words[3])
		if err != nil {
			return err
		}
		r.OnMismatch = m
	}
	p.c.Rules = append(p.c.Rules, r)
	return nil
}
