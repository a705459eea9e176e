package lode

import (
	stderrors "errors"

	"github.com/lode-bpf/lode/btf"
	"github.com/pkg/errors"
)

// wrap adds what was being done to an error, once, where it leaves the
// package. The typed error below stays reachable by errors.Is and errors.As.
func wrap(err error, doing string) error {
	if doing == "" {
		return err
	}
	return errors.WithMessage(err, doing)
}

func isNoBTF(err error) bool { return stderrors.Is(err, btf.ErrNoBTF) }
