package lode

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/link"
	bpfmaps "github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/pin"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// CreateMaps does the plan's steps about maps: it loads the object's types,
// reuses pinned maps, creates the others, fills and freezes the new ones and
// links maps of maps. Nothing is pinned yet, so nobody else sees what is new.
//
// Before: nothing. After: every map of the plan has a descriptor in the
// Collection, which the caller owns and closes. On failure, and when ctx ends
// in the middle, everything made here is closed again.
//
// A nil k is the running kernel. Programs may be loaded later or never, maps filled or replaced in between.
func CreateMaps(ctx context.Context, k sys.Kernel, p *Plan) (*Collection, error) {
	if k == nil {
		k = sys.Live()
	}
	k = sys.WithFeatures(k, sys.FeaturesOf(k)) // so that each is asked for once
	if order := p.object.File.ByteOrder(); order.Uint16([]byte{1, 0}) != nativeOrder.Uint16([]byte{1, 0}) {
		return nil, &ByteOrderError{Object: p.Object}
	}
	c := &Collection{
		Maps: map[string]*bpfmaps.Map{}, Programs: map[string]*prog.Program{}, Links: map[string]*link.Link{},
		kernel: k, live: NewLiveEnv(k), fresh: map[string]bool{}, given: map[string]bool{}, swap: map[string]bool{},
	}
	if err := sys.PrepareMemlock(k); err != nil {
		return nil, wrap(err, "create maps")
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		err := ctx.Err()
		if err == nil {
			err = c.mapStep(p, i)
		}
		if err != nil {
			return nil, errors.Join(wrap(err, s.doing()), c.Undo())
		}
	}
	return c, nil
}

// A ByteOrderError is an object for machines of the other byte order. It can be
// looked at, relocated and planned here, but not loaded.
type ByteOrderError struct{ Object string }

func (e *ByteOrderError) Error() string {
	return fmt.Sprintf("object %q is for the other byte order than this machine's; compile it with -target bpf", e.Object)
}

// mapStep does one step of CreateMaps; steps of other phases are left alone.
func (c *Collection) mapStep(p *Plan, i int) error {
	s := &p.Steps[i]
	switch s.Op {
	case OpLoadBTF:
		return c.loadBTF(p, s)
	case OpUseMap:
		return c.useMap(p.object.Map(s.Map), s)
	case OpReuseMap, OpShareMap, OpCreateMap:
		return c.makeMap(p, p.object.Map(s.Map), s)
	case OpFillMap:
		return c.fillMap(p.object.Map(s.Map), s)
	case OpFreezeMap:
		if !c.fresh[s.Map] {
			return nil
		}
		c.did(s, "frozen", 0)
		return c.Maps[s.Map].Freeze()
	case OpSetSlot:
		if c.fresh[s.Map] && (i == 0 || !p.Steps[i-1].sameSlots(s)) {
			return c.setSlots(p.Steps[i:])
		}
	}
	return nil
}

// sameSlots says whether two steps set slots of one map.
func (s *Step) sameSlots(t *Step) bool {
	return s.Op == OpSetSlot && t.Op == OpSetSlot && s.Map == t.Map
}

// setSlots does the steps at the beginning of the list that set slots of one map.
func (c *Collection) setSlots(steps []Step) error {
	var keys []uint32
	var fds []int
	for i := range steps {
		s := &steps[i]
		if !s.sameSlots(&steps[0]) {
			break
		}
		keys, fds = append(keys, s.Key), append(fds, c.Maps[s.Target].FD())
		c.did(s, "set", 0)
	}
	return c.Maps[steps[0].Map].SetSlots(keys, fds)
}

//go:noinline
func (c *Collection) did(s *Step, result string, id uint32) {
	c.Done = append(c.Done, Done{Step: *s, Result: result, ID: id})
}

// loadBTF gives the object's types to the kernel: as they are, then without
// what the kernel lacks. Maps and programs do without types if it takes none.
func (c *Collection) loadBTF(p *Plan, s *Step) error {
	o := p.object
	blob, err := o.BTF.Loadable(btf.LoadableOptions{ELF: o.File})
	if err != nil {
		return err
	}
	if c.btf, err = sendBTF(c.kernel, blob); err == nil {
		c.did(s, "loaded", 0)
		return nil
	}
	missing, probed := missingBTF(sys.FeaturesOf(c.kernel))
	if probed == nil && missing != 0 {
		if blob, err = o.BTF.Loadable(btf.LoadableOptions{ELF: o.File, Missing: missing}); err != nil {
			return err
		}
		if c.btf, err = sendBTF(c.kernel, blob); err == nil {
			c.did(s, "loaded without "+missing.String(), 0)
			return nil
		}
	}
	if o.needsBTF() {
		if fault := o.structOpsFault(); fault != nil {
			return fault // the kernel lacks more than what it has just said
		}
		return err
	}
	c.did(s, "not loaded: "+err.Error(), 0)
	return nil
}

func sendBTF(k sys.Kernel, blob []byte) (*sys.FD, error) {
	return sys.BTFLoad(k, &sys.BTFLoadAttr{BTF: sys.BytesPtr(blob), Size: uint32(len(blob))})
}

// useMap takes a map of the caller's after checking that it fits.
func (c *Collection) useMap(m *Map, s *Step) error {
	info, err := m.Use.Describe()
	if err != nil {
		return err
	}
	if err := bpfmaps.Compatible(&m.Spec, info, c.env()); err != nil {
		return err
	}
	c.Maps[m.Name], c.given[m.Name] = m.Use, true
	c.did(s, "used", info.ID)
	return nil
}

func (c *Collection) env() bpfmaps.Env {
	if c.cpus == 0 {
		c.cpus, _ = sys.PossibleCPUs() // 0 is taken as 1
	}
	return bpfmaps.Env{CPUs: c.cpus}
}

// makeMap reuses the map at its pin or creates it, as the step says.
func (c *Collection) makeMap(p *Plan, m *Map, s *Step) error {
	if s.Op != OpCreateMap {
		reused, err := c.reuse(p, m, s)
		if reused || err != nil {
			return err
		}
	}
	made, err := c.create(p, m)
	if err != nil {
		return err
	}
	info, err := made.Info()
	if err != nil {
		return errors.Join(err, made.Close())
	}
	c.Maps[m.Name], c.fresh[m.Name] = made, true
	c.did(s, "created", info.ID)
	return nil
}

// reuse takes the map at the step's path. It reports false if a new one has to
// be made: nothing is pinned there, or what is does not match and the policy
// replaces it.
func (c *Collection) reuse(p *Plan, m *Map, s *Step) (bool, error) {
	fd, err := c.getPin(s)
	var outside *pin.NotBPFFSError
	switch {
	case errors.As(err, &outside):
		return false, err // it could not be pinned there
	case errors.Is(err, fs.ErrNotExist) && s.Op == OpShareMap:
		return false, nil
	case err != nil:
		return false, err
	}
	have, err := bpfmaps.FromFD(c.kernel, fd)
	if err != nil {
		return false, errors.Join(err, fd.Close())
	}
	have.SetName(m.Name)
	info, err := have.Describe()
	if err == nil {
		err = bpfmaps.Compatible(&m.Spec, info, c.env())
	}
	var mismatch *bpfmaps.MismatchError
	if errors.As(err, &mismatch) && p.onMismatch(m.Name) == conf.Replace {
		c.swap[m.Name] = true
		c.did(s, "will be replaced: "+mismatch.Error(), info.ID)
		return false, have.Close()
	}
	if err != nil {
		return false, errors.Join(wrap(err, s.Path), have.Close())
	}
	have.UseTypes(&m.Spec) // so that its variables can be found
	c.Maps[m.Name] = have
	c.did(s, "reused", info.ID)
	return true, nil
}

// getPin opens what is pinned at a path without making any directory.
func (c *Collection) getPin(s *Step) (*sys.FD, error) {
	dir, name := splitPath(s.Path)
	d, err := pin.OpenDir(c.kernel, dir, pin.DirOptions{Aliases: s.aliases})
	if err != nil {
		return nil, err
	}
	fd, err := d.Get(name, sys.ObjMap)
	return fd, errors.Join(err, d.Close())
}

// create makes a new map.
func (c *Collection) create(p *Plan, m *Map) (*bpfmaps.Map, error) {
	opts := bpfmaps.CreateOptions{BTFFD: c.btfFD(), Env: c.env()}
	if m.Internal {
		opts.Name = bpfmaps.KernelName(p.object.Name, m.Name)
	}
	spec := m.Spec
	if m.InnerMap != "" {
		inner := c.Maps[m.InnerMap]
		if inner == nil {
			return nil, fmt.Errorf("its template %q does not exist", m.InnerMap)
		}
		opts.InnerFD = inner.FD()
	}
	if spec.Type == sys.MapTypeStructOps {
		return c.createStructOps(p, m, opts)
	}
	made, err := bpfmaps.Create(c.kernel, &spec, opts)
	if err != nil {
		return nil, err
	}
	for _, f := range made.Findings() {
		c.did(&Step{Op: OpCreateMap, Map: m.Name}, f.Text, 0)
	}
	return made, nil
}

func (c *Collection) btfFD() int {
	if c.btf == nil {
		return 0
	}
	return c.btf.Int()
}

func (c *Collection) fillMap(m *Map, s *Step) error {
	if !c.fresh[s.Map] {
		return nil
	}
	c.did(s, "filled", 0)
	return c.Maps[s.Map].Fill(&m.Spec)
}
