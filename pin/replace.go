package pin

import (
	"errors"
	"strconv"

	"github.com/lode-bpf/lode/sys"
)

// swapPrefix begins the names that exist for the moment of a Replace. No C
// identifier has a '-'.
const swapPrefix = "lode-swap-"

// maxSwaps bounds how many of these names are tried. Others than the first are
// needed only beside other processes, or after some that were killed.
const maxSwaps = 64

// Replace puts an object in the place of one of the same kind in one step: at
// every moment the name leads to one of the two. It returns the old one, which
// the caller closes; Restore puts it back. If there is nothing of that kind under
// the name the error is that of Get, and nothing has changed.
func (d *Dir) Replace(name string, fd int, kind sys.ObjKind) (old *sys.FD, err error) {
	if err := CheckElement(name); err != nil {
		return nil, d.errorOf("replace", name, err)
	}
	if old, err = d.Get(name, kind); err != nil {
		return nil, err
	}
	if err := d.swap(name, fd); err != nil {
		return nil, errors.Join(err, old.Close())
	}
	return old, nil
}

// Restore puts an object back under its name. The name gets the mode and owner of
// a new one.
func (d *Dir) Restore(name string, old *sys.FD) error { return d.swap(name, old.Int()) }

// swap pins an object under a spare name, exchanges the two names, and removes
// what was there.
func (d *Dir) swap(name string, fd int) error {
	n := d.fd.Int()
	before, err := d.k.FstatAt(n, name, sys.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return d.errorOf("replace", name, err)
	}
	spare, err := d.pinSpare(fd)
	if err != nil {
		return d.errorOf("replace", name, err)
	}
	exchange := func() error { return d.k.RenameAt(n, spare, n, name, sys.RENAME_EXCHANGE) }
	remove := func() error { return d.k.UnlinkAt(n, spare, 0) }
	err = exchange()
	if isErrno(err, sys.EINVAL) { // bpffs cannot exchange before Linux 5.16; this is as atomic
		if err = d.k.RenameAt(n, spare, n, name, 0); err == nil {
			return nil
		}
	}
	if err != nil {
		return errors.Join(d.errorOf("replace", name, err), remove())
	}
	out, err := d.k.FstatAt(n, spare, sys.AT_SYMLINK_NOFOLLOW)
	if err == nil && out.Ino != before.Ino {
		err = ErrRaced // what came out is not what was there before
	}
	if err == nil {
		err = remove()
	}
	if err != nil {
		return errors.Join(d.errorOf("replace", name, err), exchange(), remove())
	}
	return nil
}

// pinSpare pins an object under a name that nobody uses.
func (d *Dir) pinSpare(fd int) (string, error) {
	for i := 0; i < maxSwaps; i++ {
		spare := swapPrefix + strconv.Itoa(i)
		err := d.Pin(spare, fd)
		if !errors.Is(err, ErrExists) {
			return spare, err
		}
	}
	return "", errors.New("the names " + swapPrefix + "0 to " + swapPrefix + strconv.Itoa(maxSwaps-1) +
		" are all taken; remove those that interrupted processes have left")
}
