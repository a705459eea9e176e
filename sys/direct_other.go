//go:build !linux

package sys

import "unsafe"

// MapLookup copies the value of key to value. Not Linux: ENOSYS.
func MapLookup(fd int, key, value unsafe.Pointer, flags uint64) error { return ENOSYS }

// MapUpdate sets the value of key. Not Linux: ENOSYS.
func MapUpdate(fd int, key, value unsafe.Pointer, flags uint64) error { return ENOSYS }

// MapDelete removes key. Not Linux: ENOSYS.
func MapDelete(fd int, key unsafe.Pointer) error { return ENOSYS }

// MapNextKey copies the key that follows key to next. Not Linux: ENOSYS.
func MapNextKey(fd int, key, next unsafe.Pointer) error { return ENOSYS }

// MapLookupAndDelete takes an element out of a map. Not Linux: ENOSYS.
func MapLookupAndDelete(fd int, key, value unsafe.Pointer, flags uint64) error { return ENOSYS }

// MapBatch is one of the BPF_MAP_*_BATCH commands. Not Linux: ENOSYS.
func MapBatch(cmd Cmd, attr *MapBatchAttr) error { return ENOSYS }
