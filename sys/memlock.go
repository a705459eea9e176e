package sys

import (
	"errors"
	"sync/atomic"
)

// memlockCharged is set once PrepareMemlock has seen a kernel that charges
// RLIMIT_MEMLOCK.
var memlockCharged atomic.Bool

// PrepareMemlock lifts RLIMIT_MEMLOCK if, and only if, the kernel charges maps and
// programs to it: kernels before 5.11, which FeatureMemcgAccount tells apart.
// Loaders call it once before their first map.
func PrepareMemlock(k Kernel) error {
	err := Probe(k, FeatureMemcgAccount)
	var absent *NotSupported
	if err == nil || !errors.As(err, &absent) && !errors.Is(err, EPERM) {
		return nil
	}
	if absent == nil && permissionExplains(CmdProgLoad, &ProgLoadAttr{ProgType: ProgTypeSocketFilter}) {
		return nil // the process may not load programs at all: the load will say so
	}
	memlockCharged.Store(true)
	return k.RaiseMemlock()
}
