package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// edit changes an object as the flags --type, --only, --set and --map say.
func (e *env) edit(o *lode.Object) error {
	if err := setType(o, e.opts.typ); err != nil {
		return err
	}
	if len(e.opts.only) > 0 {
		if err := o.Only(e.opts.only...); err != nil {
			return err
		}
	}
	for _, s := range e.opts.set {
		if err := setVariable(o, s); err != nil {
			return err
		}
	}
	for _, s := range e.opts.resize {
		if err := resizeMap(o, s); err != nil {
			return err
		}
	}
	return nil
}

// setType gives programs whose section names no type one.
func setType(o *lode.Object, name string) error {
	if name == "" {
		return nil
	}
	t, ok := sys.ParseProgType(name)
	if !ok {
		return usage("--type: there is no program type %q", name)
	}
	for _, p := range o.Programs {
		if p.Type == sys.ProgTypeUnspec {
			p.Type = t
		}
	}
	return nil
}

// checkTypes refuses to load a program without a type, which the kernel would.
func checkTypes(o *lode.Object) error {
	for _, p := range o.Programs {
		if p.AutoLoad && p.Type == sys.ProgTypeUnspec {
			return fmt.Errorf("program %q: its section name %q does not say what type of program it is; give it one with --type, as in --type xdp", p.Name, p.Section)
		}
	}
	return nil
}

// setVariable carries out one --set.
func setVariable(o *lode.Object, arg string) error {
	name, text, ok := strings.Cut(arg, "=")
	if !ok || name == "" {
		return usage("--set wants VARIABLE=VALUE, not %q", arg)
	}
	v, err := o.Variable(name)
	if err != nil {
		return err
	}
	value, err := variableValue(o.BTF, v, text)
	if err != nil {
		return err
	}
	return v.Set(value)
}

// variableValue reads the text of a value as the variable's type wants it.
func variableValue(b *btf.Spec, v *maps.Variable, text string) (any, error) {
	if digits, ok := strings.CutPrefix(text, "hex:"); ok {
		value, err := hex.DecodeString(digits)
		if err != nil {
			return nil, usage("--set %s: %q is not pairs of hexadecimal digits", v.Name, digits)
		}
		return value, nil
	}
	if b == nil || v.Type == 0 {
		return nil, usage("--set %s: its type is not known; give its bytes as hex:0011…", v.Name)
	}
	t, err := b.Resolve(v.Type)
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case btf.KindArray:
		return text, nil
	case btf.KindFloat:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f, nil
		}
		return nil, usage("--set %s: %q is not a number", v.Name, text)
	case btf.KindInt, btf.KindEnum, btf.KindEnum64:
		return integerValue(t, v.Name, text)
	}
	return nil, usage("--set %s: a %v has no text form; give its bytes as hex:0011…", v.Name, t.Kind())
}

// integerValue reads a number, true or false, or the name of an enumerator.
func integerValue(t btf.Type, name, text string) (any, error) {
	if t.Kind() == btf.KindInt && t.Encoding()&btf.IntBool != 0 {
		if x, err := strconv.ParseBool(text); err == nil {
			return x, nil
		}
		return nil, usage("--set %s: %q is neither true nor false", name, text)
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseUint(text, 0, 64); err == nil {
		return n, nil
	}
	for _, x := range t.Enumerators() {
		if x.Name == text {
			if t.Signed() {
				return int64(x.Value), nil
			}
			return x.Value, nil
		}
	}
	return nil, usage("--set %s: %q is not a number", name, text)
}

// resizeMap carries out one --map.
func resizeMap(o *lode.Object, arg string) error {
	left, text, ok := strings.Cut(arg, "=")
	dot := strings.LastIndexByte(left, '.')
	if !ok || dot <= 0 || left[dot:] != ".max_entries" {
		return usage("--map wants NAME.max_entries=N, not %q", arg)
	}
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		return usage("--map %s: %q is not a number of 32 bits", left, text)
	}
	m := o.Map(left[:dot])
	if m == nil {
		return &lode.NoSuchError{What: "map", Name: left[:dot]}
	}
	m.MaxEntries = uint32(n)
	return nil
}
