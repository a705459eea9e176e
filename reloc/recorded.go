package reloc

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lode-bpf/lode/btf"
)

// Recorded is an Env that knows what was recorded of a kernel, and nothing
// else: a question that was not asked at the time of recording is an error, an
// answer "there is none" was recorded as such. It is plain data, may be made by
// hand, and is safe for concurrent use while nobody changes it.
type Recorded struct {
	KernelBTF     *btf.Spec
	KernelErr     string // why there is none
	ModuleBTFs    []Module
	HasModules    bool // the list of modules was recorded
	Addresses     map[string][]uint64
	Options       map[string]Option
	KernelVersion uint32
	Architecture  string
	Features      map[string]bool
}

// An Option is the value of a kernel configuration option, if it is set.
type Option struct {
	Value string
	Set   bool
}

// A NotRecordedError says that a Recorded lacks the answer to a question.
type NotRecordedError struct {
	What string // "kernel BTF", "modules", "symbol", "option", "feature"
	Name string
}

func (e *NotRecordedError) Error() string {
	if e.Name == "" {
		return "the recorded environment has no " + e.What
	}
	return fmt.Sprintf("the recorded environment does not say anything of %s %q", e.What, e.Name)
}

// Is reports whether target is ErrNoEnv.
func (e *NotRecordedError) Is(target error) bool { return target == ErrNoEnv }

// A noTypesError is why a recorded kernel had no BTF, in its own words.
type noTypesError struct{ text string }

func (e *noTypesError) Error() string { return e.text }

// Is matches what is said of a kernel without BTF, and of an environment without an
// answer.
func (e *noTypesError) Is(target error) bool { return target == btf.ErrNoBTF || target == ErrNoEnv }

// Kernel is the BTF of vmlinux.
func (r *Recorded) Kernel() (*btf.Spec, error) {
	switch {
	case r.KernelBTF != nil:
		return r.KernelBTF, nil
	case r.KernelErr != "":
		return nil, &noTypesError{r.KernelErr}
	}
	return nil, &NotRecordedError{What: "kernel BTF"}
}

// Modules is the BTF of the modules that were loaded.
func (r *Recorded) Modules() ([]Module, error) {
	if !r.HasModules {
		return nil, &NotRecordedError{What: "modules"}
	}
	return r.ModuleBTFs, nil
}

// Symbol is every address of a kernel symbol.
func (r *Recorded) Symbol(name string) ([]uint64, error) {
	a, ok := r.Addresses[name]
	if !ok {
		return nil, &NotRecordedError{What: "symbol", Name: name}
	}
	return a, nil
}

// Config is the value of a configuration option.
func (r *Recorded) Config(name string) (string, bool, error) {
	o, ok := r.Options[name]
	if !ok {
		return "", false, &NotRecordedError{What: "option", Name: name}
	}
	return o.Value, o.Set, nil
}

// Version is the kernel's version.
func (r *Recorded) Version() uint32 { return r.KernelVersion }

// Arch is the kernel's architecture.
func (r *Recorded) Arch() string { return r.Architecture }

// Feature is whether the kernel has a feature.
func (r *Recorded) Feature(name string) (bool, error) {
	f, ok := r.Features[name]
	if !ok {
		return false, &NotRecordedError{What: "feature", Name: name}
	}
	return f, nil
}

// A Recorder is an Env that passes every question on to another and keeps the
// answers. It is for one goroutine.
type Recorder struct {
	env Env
	rec Recorded
}

// NewRecorder begins a recording of env. Relocating an object with it and then again
// with what was Recorded gives the same bytes.
func NewRecorder(env Env) *Recorder {
	return &Recorder{env: env, rec: Recorded{
		Addresses: map[string][]uint64{}, Options: map[string]Option{}, Features: map[string]bool{},
		KernelVersion: env.Version(), Architecture: env.Arch(),
	}}
}

// Recorded is what was asked so far. It shares memory with the recorder.
func (r *Recorder) Recorded() *Recorded { return &r.rec }

// Kernel implements Env.
func (r *Recorder) Kernel() (*btf.Spec, error) {
	s, err := r.env.Kernel()
	r.rec.KernelBTF = s
	if err != nil {
		r.rec.KernelErr = err.Error()
	}
	return s, err
}

// Modules implements Env. It records vmlinux, too, which modules build on.
func (r *Recorder) Modules() ([]Module, error) {
	if _, err := r.Kernel(); err != nil {
		return nil, err
	}
	m, err := r.env.Modules()
	if err == nil {
		r.rec.ModuleBTFs, r.rec.HasModules = m, true
	}
	return m, err
}

// Symbol implements Env.
func (r *Recorder) Symbol(name string) ([]uint64, error) {
	a, err := r.env.Symbol(name)
	if err == nil {
		r.rec.Addresses[name] = a
	}
	return a, err
}

// Config implements Env.
func (r *Recorder) Config(name string) (string, bool, error) {
	v, ok, err := r.env.Config(name)
	if err == nil {
		r.rec.Options[name] = Option{v, ok}
	}
	return v, ok, err
}

// Version implements Env.
func (r *Recorder) Version() uint32 { return r.rec.KernelVersion }

// Arch implements Env.
func (r *Recorder) Arch() string { return r.rec.Architecture }

// Feature implements Env.
func (r *Recorder) Feature(name string) (bool, error) {
	f, err := r.env.Feature(name)
	if err == nil {
		r.rec.Features[name] = f
	}
	return f, err
}

// The file of a Recorded, in little endian whatever the machine:
//
//	 0  8 bytes  "lodeenv\n"
//	 8  u32      version of the format: 1
//	12  u32      length of the index
//	16           index: JSON, see recordIndex
//	             zero bytes to a multiple of 8
//	             BTF of vmlinux, then of each module, as the index says; each
//	             begins at a multiple of 8
//
// Unknown members of the index are ignored.
const (
	recordMagic   = "lodeenv\n"
	recordVersion = 1
	recordHeader  = 16
)

// Limits of a recorded environment: the BTF of a kernel with all its modules
// is about 30 MiB.
const (
	maxRecord      = 256 << 20 // bytes
	maxRecordIndex = 16 << 20
	maxModules     = 8192
)

type recordIndex struct {
	Version  uint32              `json:"version"` // major<<16 | minor<<8 | patch
	Arch     string              `json:"arch"`
	Kernel   *recordBlob         `json:"kernel,omitempty"`
	Error    string              `json:"kernel_error,omitempty"`
	Modules  *[]recordBlob       `json:"modules,omitempty"` // null: not recorded
	Symbols  map[string][]uint64 `json:"symbols,omitempty"`
	Options  map[string]*string  `json:"options,omitempty"` // null: not set
	Features map[string]bool     `json:"features,omitempty"`
}

// A recordBlob is a piece of BTF: Size bytes at Offset of the file.
type recordBlob struct {
	Name   string `json:"name,omitempty"`
	Offset int64  `json:"offset,omitempty"` // counted from the first piece
	Size   int64  `json:"size,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Append appends the file to dst.
func (r *Recorded) Append(dst []byte) ([]byte, error) {
	idx := recordIndex{Version: r.KernelVersion, Arch: r.Architecture, Error: r.KernelErr, Symbols: r.Addresses, Features: r.Features}
	var blobs [][]byte
	size := int64(0)
	add := func(b *recordBlob, s *btf.Spec) {
		raw := s.Bytes()
		b.Offset, b.Size = size, int64(len(raw))
		size += (b.Size + 7) &^ 7
		blobs = append(blobs, raw)
	}
	if r.KernelBTF != nil {
		idx.Kernel = &recordBlob{}
		add(idx.Kernel, r.KernelBTF)
	}
	if r.HasModules {
		list := make([]recordBlob, len(r.ModuleBTFs))
		for i, m := range r.ModuleBTFs {
			list[i].Name = m.Name
			switch {
			case m.BTF != nil:
				add(&list[i], m.BTF)
			case m.Err != nil:
				list[i].Error = m.Err.Error()
			default:
				list[i].Error = "no BTF"
			}
		}
		idx.Modules = &list
	}
	idx.Options = make(map[string]*string, len(r.Options))
	for name, o := range r.Options {
		idx.Options[name] = nil
		if o.Set {
			idx.Options[name] = &o.Value
		}
	}
	text, err := json.Marshal(&idx)
	if err != nil {
		return dst, err
	}
	if len(text) > maxRecordIndex || size > maxRecord {
		return dst, specError(ErrLimit, "the recorded environment is too large for its format")
	}
	dst = append(dst, recordMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, recordVersion)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
	dst = append(dst, text...)
	dst = appendZeros(dst, -len(text)&7)
	for _, b := range blobs {
		dst = append(dst, b...)
		dst = appendZeros(dst, -len(b)&7)
	}
	return dst, nil
}

func appendZeros(dst []byte, n int) []byte { return append(dst, make([]byte, n)...) }

// ReadRecorded reads such a file. The result refers to b, which must not be
// changed.
func ReadRecorded(b []byte) (*Recorded, error) {
	fail := func(detail string) (*Recorded, error) {
		return nil, specError(ErrFormat, "recorded environment: "+detail)
	}
	switch {
	case len(b) > maxRecord:
		return nil, specError(ErrLimit, "recorded environment: more than 256 MiB")
	case len(b) < recordHeader || string(b[:8]) != recordMagic:
		return fail("not such a file")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != recordVersion {
		return fail(fmt.Sprintf("version %d of the format, 1 is known", v))
	}
	n := uint64(binary.LittleEndian.Uint32(b[12:]))
	if n > uint64(len(b)-recordHeader) || n > maxRecordIndex {
		return fail("the index ends behind the file, or is too long")
	}
	var idx recordIndex
	if err := json.Unmarshal(b[recordHeader:recordHeader+n], &idx); err != nil {
		return fail("index: " + err.Error())
	}
	start := min(recordHeader+(n+7)&^7, uint64(len(b)))
	r := &Recorded{
		KernelErr: idx.Error, KernelVersion: idx.Version, Architecture: idx.Arch,
		Addresses: idx.Symbols, Features: idx.Features, Options: make(map[string]Option, len(idx.Options)),
	}
	for name, v := range idx.Options {
		r.Options[name] = Option{}
		if v != nil {
			r.Options[name] = Option{*v, true}
		}
	}
	if err := r.readBTF(&idx, b[start:]); err != nil {
		return fail(err.Error())
	}
	return r, nil
}

// readBTF reads the pieces of BTF. A module that cannot be read keeps its error:
// so it was on that kernel.
func (r *Recorded) readBTF(idx *recordIndex, b []byte) error {
	blob := func(x *recordBlob, base *btf.Spec) (*btf.Spec, error) {
		if x.Offset < 0 || x.Size < 0 || x.Offset > int64(len(b)) || x.Size > int64(len(b))-x.Offset {
			return nil, specError(ErrFormat, fmt.Sprintf("BTF of %s lies outside the file", orVmlinux(x.Name)))
		}
		end := x.Offset + x.Size
		return btf.Parse(b[x.Offset:end:end], base)
	}
	var err error
	if idx.Kernel != nil {
		if r.KernelBTF, err = blob(idx.Kernel, nil); err != nil {
			return err
		}
	}
	if idx.Modules == nil {
		return nil
	}
	if len(*idx.Modules) > maxModules {
		return specError(ErrLimit, fmt.Sprintf("%d modules", len(*idx.Modules)))
	}
	r.HasModules = true
	total := int64(0)
	for _, x := range slices.Clone(*idx.Modules) {
		m := Module{Name: x.Name}
		if x.Error != "" {
			m.Err = specError(ErrFormat, x.Error)
		} else if total += x.Size; total > int64(len(b)) {
			return specError(ErrFormat, "pieces of BTF overlap")
		} else {
			m.BTF, m.Err = blob(&x, r.KernelBTF)
		}
		r.ModuleBTFs = append(r.ModuleBTFs, m)
	}
	return nil
}
