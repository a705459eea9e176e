package sys

import "sync/atomic"

// memlockCharged is set once PrepareMemlock has seen a kernel that charges
// RLIMIT_MEMLOCK.
var memlockCharged atomic.Bool
