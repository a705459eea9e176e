package lode_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/compat/iproute2"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// Everything that a file says, without privileges or a kernel.
func Example() {
	o, err := lode.Open("testdata/counter.bpf.o", lode.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range o.Programs {
		fmt.Printf("program %s: %v, %d instructions\n", p.Name, p.Type, len(p.Func.Insns))
	}
	for _, m := range o.Maps[:3] {
		fmt.Printf("map %s: %v\n", m.Name, m.Type)
	}
	// Output:
	// program count_ipv4: xdp, 11 instructions
	// program count_other: xdp, 2 instructions
	// program count: xdp, 64 instructions
	// map small: array
	// map large: array
	// map sizes: array_of_maps
}

// One call: the system's pinning configuration, reuse of what is pinned, the
// fallback for iproute2's old map format.
func ExampleLoad() {
	coll, err := lode.Load(context.Background(), "counter.bpf.o", lode.LoadOptions{
		ParseOptions: lode.ParseOptions{Fallback: iproute2.Fallback},
	})
	if err != nil {
		log.Fatal(err) // nothing is left behind
	}
	defer coll.Close()
	for _, d := range coll.Done {
		fmt.Println(d.Step, d.Result)
	}
}

// The steps that Load takes, one by one. Between any two of them a program may
// look at, change or inject anything.
func ExampleCreateMaps() {
	ctx, kernel := context.Background(), sys.Live()
	obj, err := lode.Open("counter.bpf.o", lode.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	rel, err := obj.Relocate(lode.NewLiveEnv(kernel))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := rel.Plan(lode.Policy{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(plan) // what will be done, and why
	coll, err := lode.CreateMaps(ctx, kernel, plan)
	if err != nil {
		log.Fatal(err)
	}
	defer coll.Close()
	// The maps exist, no program runs yet: fill them here.
	if err := coll.LoadPrograms(ctx, plan); err != nil {
		log.Fatal(err)
	}
	if err := coll.PinAll(ctx, plan); err != nil {
		log.Fatal(err)
	}
}

// A section whose meaning the loader does not know is claimed, and its symbols
// are given definitions: the code's references to them are bound as any others.
// This is how package compat/iproute2 works.
func ExampleObject_AddMap() {
	o, err := lode.Open("testdata/legacy_short.bpf.o", lode.ParseOptions{Claim: []string{"maps"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range o.Claimed("maps") {
		u32 := func(i int) uint32 { return binary.LittleEndian.Uint32(s.Data[4*i:]) }
		err := o.AddMap(&lode.Map{Spec: maps.Spec{
			Name: s.Name, Section: s.Section, SectionIndex: s.SectionIndex, Offset: s.Offset, Size: s.Size,
			Type: sys.MapType(u32(0)), KeySize: u32(1), ValueSize: u32(2), MaxEntries: u32(3), Flags: u32(4),
		}})
		if err != nil {
			log.Fatal(err)
		}
	}
	o.Program("measure").Type = sys.ProgTypeXDP // its section name does not say
	r, err := o.Relocate(nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range r.Program("measure").Code.Maps {
		fmt.Printf("instruction %d refers to %s, a map of type %v\n", m.Index, m.Map, r.Map(m.Map).Type)
	}
	// Output:
	// instruction 10 refers to total, a map of type array
	// instruction 19 refers to lengths, a map of type hash
}

// A definition of the file is replaced by another one, and a global variable
// gets its initial value.
func ExampleObject_ReplaceMap() {
	o, err := lode.Open("testdata/counter.bpf.o", lode.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(
		o.ReplaceMap("packets", &lode.Map{Spec: maps.Spec{Name: "recent", Type: sys.MapTypeLRUHash, KeySize: 4, ValueSize: 16, MaxEntries: 64}}),
		o.SetVariable("large_from", 1500),
		o.Only("count_ipv4"),
	)
	if err != nil {
		log.Fatal(err)
	}
	r, err := o.Relocate(nil)
	if err != nil {
		log.Fatal(err)
	}
	p, err := r.Plan(lode.Policy{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Map("recent").Type, p.Programs[0].Maps)
	// Output: lru_hash [recent]
}

// A configuration gives each network device its own directory; the plan says
// which line decided.
func ExamplePolicy() {
	config, _, err := conf.Parse("pinning.conf", []byte("map packets devices/%{ifname}\n"), conf.Strict)
	if err != nil {
		log.Fatal(err)
	}
	o, err := lode.Open("testdata/counter.bpf.o", lode.ParseOptions{})
	if err != nil {
		log.Fatal(err)
	}
	p, err := o.Plan(lode.Policy{Config: config, IfName: "eth0"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Map("packets").Pin)
	// Output: /sys/fs/bpf/devices/eth0/packets (decided by pinning.conf:1, map rule; now unknown; on mismatch refuse)
}

// Two objects share a map: the second uses the first one's.
func ExampleObject_UseMap() {
	ctx := context.Background()
	first, err := lode.Load(ctx, "counter.bpf.o", lode.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()
	second, err := lode.Load(ctx, "reader.bpf.o", lode.LoadOptions{Edit: func(o *lode.Object) error {
		return o.UseMap("packets", first.Map("packets"))
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()
}

// A pinned map gives way to one of a new definition, after its entries have been
// carried over: between CreateMaps and PinAll both exist, and the pin still
// leads to the old one.
func ExampleCollection_PinAll() {
	if err := migrate("counter.bpf.o", "/sys/fs/bpf/app"); err != nil {
		log.Fatal(err)
	}
}

func migrate(file, dir string) error {
	ctx, kernel := context.Background(), sys.Live()
	o, err := lode.Open(file, lode.ParseOptions{})
	if err != nil {
		return err
	}
	o.Map("packets").MaxEntries = 4096 // the new definition
	r, err := o.Relocate(lode.NewLiveEnv(kernel))
	if err != nil {
		return err
	}
	config := conf.Default()
	config.OnMismatch.V = conf.Replace
	plan, err := r.Plan(lode.Policy{PinRoot: dir, Config: config})
	if err != nil {
		return err
	}
	coll, err := lode.CreateMaps(ctx, kernel, plan)
	if err != nil {
		return err
	}
	defer coll.Close()
	if coll.Created("packets") { // another definition is pinned, or none
		old, err := maps.FromPin(kernel, dir+"/packets", 0)
		if err != nil {
			return err
		}
		defer old.Close()
		entries := old.Entries()
		for key, value := range entries.All() {
			if err := coll.Map("packets").Update(key, value, sys.BPF_ANY); err != nil {
				return err
			}
		}
		if err := entries.Err(); err != nil {
			return err
		}
	}
	if err := coll.LoadPrograms(ctx, plan); err != nil {
		return err
	}
	return coll.PinAll(ctx, plan) // the new map takes the old one's place
}
