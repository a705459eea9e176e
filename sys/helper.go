package sys

import (
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/internal/helpers"
)

// A Helper is the number of a kernel function that programs call by number.
type Helper uint32

// String is its name, such as "map_lookup_elem", or "helper(N)".
func (h Helper) String() string {
	if int64(h) < int64(len(helpers.Table)) {
		return helpers.Table[h].Name
	}
	return "helper(" + strconv.FormatUint(uint64(h), 10) + ")"
}

// ParseHelper is the inverse of String; a prefix "bpf_" is accepted.
func ParseHelper(s string) (Helper, bool) {
	n, ok := helpers.Number(strings.TrimPrefix(s, "bpf_"))
	return Helper(n), ok
}

// NumHelpers is the number of helpers that this package knows, the unspecified
// one (0) included.
const NumHelpers = len(helpers.Table)

// Since is the kernel version that brought it; some program types learned to call
// it later. "" if unknown.
func (h Helper) Since() string {
	if int64(h) < int64(len(helpers.Table)) {
		return helpers.Table[h].Since
	}
	return ""
}
