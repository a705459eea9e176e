package btf

import (
	"sync"
	"weak"
)

// kernelDir is where the kernel shows its BTF and that of its modules.
const kernelDir = "/sys/kernel/btf/"

// shared remembers the specs of the running kernel as long as somebody uses
// them.
var shared struct {
	sync.Mutex
	specs map[string]weak.Pointer[Spec]
}

// sharedSpec returns the spec that somebody still uses, or loads it.
func sharedSpec(name string, load func() (*Spec, error)) (*Spec, error) {
	shared.Lock()
	defer shared.Unlock()
	if s := shared.specs[name].Value(); s != nil {
		return s, nil
	}
	s, err := load()
	if err != nil {
		return nil, err
	}
	if shared.specs == nil {
		shared.specs = make(map[string]weak.Pointer[Spec])
	}
	shared.specs[name] = weak.Make(s)
	return s, nil
}
