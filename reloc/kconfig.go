package reloc

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/insn"
)

// kconfigRef makes a reference to a kconfig variable the address of its bytes.
func (b *binder) kconfigRef(q *pending, i int, e *Extern) error {
	if err := b.kerrs[i]; err != nil {
		b.kused[i] = true
		r := b.refError(q.fn, q.i, q.rec, ErrUnresolved, e.Name, "", "")
		if k, ok := err.(*kconfigError); ok {
			r.Kind, r.Detail, r.Hint, r.Err = k.kind, k.detail, k.hint, k.cause
		}
		return r
	}
	off, err := b.offset(q)
	if err != nil {
		return err
	}
	if off > uint64(e.Size) || b.p.Insns[q.at].Op != insn.OpLdImm64 {
		return b.fail(q, ErrRange, "reference behind the end of a kconfig variable", "")
	}
	return b.value(q, ChangeKconfig, KconfigMap, uint64(e.Offset)+off)
}

// A kconfigError says why a kconfig variable has no value.
type kconfigError struct {
	kind         error
	detail, hint string
	cause        error
}

func (e *kconfigError) Error() string { return e.detail }

// fillKconfig computes the value of the map KconfigMap.
func (b *binder) fillKconfig() {
	size := b.in.Kconfig.Size
	if size == 0 || size > maxKconfig {
		return
	}
	b.kconfig = make([]byte, size)
	b.kerrs, b.kused = map[int]error{}, map[int]bool{}
	for i := range b.in.Externs {
		e := &b.in.Externs[i]
		if e.Kind != ExternKconfig {
			continue
		}
		if reason := e.unfit(size); reason != "" {
			b.kerrs[i] = &kconfigError{kind: ErrUnsupported, detail: reason, hint: "declare it bool, char, enum libbpf_tristate, an integer or an array of char"}
			continue
		}
		if err := b.kconfigValue(e, b.kconfig[e.Offset:e.Offset+e.Size]); err != nil {
			b.kerrs[i] = err
		}
	}
}

// unfit says why a kconfig variable cannot have a value.
func (e *Extern) unfit(size uint32) string {
	ok := false
	switch e.Kconfig {
	case KconfigBool, KconfigChar:
		ok = e.Size == 1
	case KconfigTristate:
		ok = e.Size == 4 || e.Size == 8
	case KconfigInt:
		ok = e.Size == 2 || e.Size == 4 || e.Size == 8
	case KconfigChars:
		ok = e.Size > 0
	}
	switch {
	case !ok:
		return "its type is none that a kconfig variable can have"
	case e.Offset > size || e.Size > size-e.Offset:
		return "it lies outside the kconfig map"
	}
	return ""
}

// maxKconfig bounds the value of the map KconfigMap: the kernel refuses
// anything that is nearly as large.
const maxKconfig = 1 << 24

// findUnused lists kconfig variables that have no value and that no program
// asked for.
func (b *binder) findUnused() {
	for i := range b.in.Externs {
		if err := b.kerrs[i]; err != nil && !b.kused[i] {
			b.findings = append(b.findings, Finding{Text: fmt.Sprintf("kconfig %q has no value: %v", b.in.Externs[i].Name, err)})
		}
	}
}

// kconfigValue writes the value of one variable.
func (b *binder) kconfigValue(e *Extern, dst []byte) error {
	if b.in.Env == nil {
		return &kconfigError{kind: ErrNoEnv, detail: "nothing is known of the kernel's configuration", hint: "give an environment: the running kernel or a recorded one"}
	}
	order := b.in.BTF.ByteOrder()
	if !strings.HasPrefix(e.Name, "CONFIG_") {
		return b.virtual(e, dst, order)
	}
	text, ok, err := b.in.Env.Config(e.Name)
	switch {
	case err != nil && e.Weak:
		b.findings = append(b.findings, Finding{Text: fmt.Sprintf("weak %q reads as 0: the kernel's configuration cannot be read: %v", e.Name, err)})
		return nil
	case err != nil:
		return &kconfigError{kind: ErrNoEnv, detail: "cannot read the kernel's configuration", cause: err, hint: "declare it __weak, or give its value"}
	case !ok && e.Weak:
		return nil
	case !ok:
		return &kconfigError{kind: ErrUnresolved, detail: "the kernel's configuration does not have it", hint: "declare it __weak: then it reads as 0"}
	}
	if e.Kconfig == KconfigChars && len(text)-2 >= len(dst) {
		b.findings = append(b.findings, Finding{Text: fmt.Sprintf("kconfig %q is cut to %d bytes: %s", e.Name, len(dst)-1, quote(text))})
	}
	if reason := parseKconfig(e, text, dst, order); reason != "" {
		return &kconfigError{kind: ErrMismatch, detail: fmt.Sprintf("value %q %s", text, reason), hint: "declare it with the type of its value"}
	}
	return nil
}

// virtual writes the value of a variable that is not of the configuration.
func (b *binder) virtual(e *Extern, dst []byte, order binary.ByteOrder) error {
	var v uint64
	switch e.Name {
	case "LINUX_KERNEL_VERSION":
		v = uint64(b.in.Env.Version())
		if v == 0 {
			return &kconfigError{kind: ErrUnresolved, detail: "the kernel's version is not known"}
		}
	case "LINUX_HAS_BPF_COOKIE", "LINUX_HAS_SYSCALL_WRAPPER":
		name := FeatureBPFCookie
		if e.Name == "LINUX_HAS_SYSCALL_WRAPPER" {
			name = FeatureSyscallWrapper
		}
		has, err := b.in.Env.Feature(name)
		if err != nil {
			return &kconfigError{kind: ErrNoEnv, detail: "cannot tell whether the kernel has it", cause: err}
		}
		if has {
			v = 1
		}
	default:
		if e.Weak {
			return nil
		}
		return &kconfigError{kind: ErrUnresolved, detail: "no such value: names begin with CONFIG_ or are LINUX_KERNEL_VERSION, LINUX_HAS_BPF_COOKIE or LINUX_HAS_SYSCALL_WRAPPER"}
	}
	if reason := kconfigNumber(e, strconv.FormatUint(v, 10), dst, order); reason != "" {
		return &kconfigError{kind: ErrMismatch, detail: "its type cannot hold " + strconv.FormatUint(v, 10)}
	}
	return nil
}

// parseKconfig writes a value as the configuration file has it, and says what
// is wrong with it.
func parseKconfig(e *Extern, text string, dst []byte, order binary.ByteOrder) string {
	switch {
	case text == "":
		return "is empty"
	case text == "y" || text == "n" || text == "m":
		return kconfigTristate(e, text[0], dst, order)
	case text[0] == '"':
		return kconfigString(e, text, dst)
	case e.Kconfig != KconfigInt && e.Kconfig != KconfigChar:
		return "is a number, which the variable's type does not take"
	}
	return kconfigNumber(e, text, dst, order)
}

func kconfigTristate(e *Extern, c byte, dst []byte, order binary.ByteOrder) string {
	switch {
	case e.Kconfig == KconfigChar:
		dst[0] = c
	case e.Kconfig == KconfigBool && c != 'm':
		if c == 'y' {
			dst[0] = 1
		}
	case e.Kconfig == KconfigTristate:
		v := map[byte]uint64{'n': 0, 'y': 1, 'm': 2}[c]
		putUint(dst, v, order)
	default:
		return "does not fit the variable's type"
	}
	return ""
}

func kconfigString(e *Extern, text string, dst []byte) string {
	if e.Kconfig != KconfigChars {
		return "is text, which the variable's type does not take"
	}
	if len(text) < 2 || text[len(text)-1] != '"' {
		return "has no closing quote"
	}
	// Text that is too long is cut, and ends with a NUL in any case.
	copy(dst[:len(dst)-1], text[1:len(text)-1])
	return ""
}

// kconfigNumber writes a number of the variable's size and sign.
func kconfigNumber(e *Extern, text string, dst []byte, order binary.ByteOrder) string {
	switch e.Kconfig {
	case KconfigBool:
		if text != "0" && text != "1" {
			return "is neither 0 nor 1"
		}
	case KconfigInt, KconfigChar:
	default:
		return "is a number, which the variable's type does not take"
	}
	bits := 8 * len(dst)
	digits, neg := strings.CutPrefix(text, "-")
	if strings.ContainsAny(digits, "_oO") || len(digits) > 1 && (digits[1] == 'b' || digits[1] == 'B') {
		return "is no number" // of C
	}
	v, err := strconv.ParseUint(digits, 0, 64)
	if err != nil {
		return "is no number of 64 bits"
	}
	limit := uint64(1)<<(bits-1)<<1 - 1 // of unsigned ones
	if e.Signed {
		limit >>= 1
		if neg {
			limit++
		}
	}
	if neg && !e.Signed && v != 0 || v > limit {
		return fmt.Sprintf("does not fit into %d bits", bits)
	}
	if neg {
		v = -v
	}
	putUint(dst, v, order)
	return ""
}

// putUint writes the low bytes of v.
func putUint(dst []byte, v uint64, order binary.ByteOrder) {
	var b [8]byte
	order.PutUint64(b[:], v)
	if order.Uint16([]byte{1, 0}) == 1 {
		copy(dst, b[:])
		return
	}
	copy(dst, b[8-len(dst):])
}
