package sys

import "strconv"

// A Helper is the number of a kernel function that programs call by number.
type Helper uint32

// String is its name, such as "map_lookup_elem", or "helper(N)".
func (h Helper) String() string {
	if int64(h) < int64(len(helperNames)) {
		return helperNames[h]
	}
	return "helper(" + strconv.FormatUint(uint64(h), 10) + ")"
}

// ParseHelper is the inverse of String; a prefix "bpf_" is accepted.
func ParseHelper(s string) (Helper, bool) {
	if len(s) > 4 && s[:4] == "bpf_" {
		s = s[4:]
	}
	for i, n := range helperNames {
		if n == s {
			return Helper(i), true
		}
	}
	return 0, false
}

// NumHelpers is the number of helpers that this package knows, the unspecified
// one (0) included.
const NumHelpers = len(helperNames)

// helperSince says which kernel version brought the helpers up to a number:
// numbers are given out in order.
var helperSince = [...]struct {
	last  Helper
	since string
}{
	{3, "3.19"}, {11, "4.1"}, {16, "4.2"}, {22, "4.3"}, {25, "4.4"}, {26, "4.5"}, {30, "4.6"}, {36, "4.8"}, {41, "4.9"},
	{44, "4.10"}, {45, "4.11"}, {47, "4.12"}, {50, "4.13"}, {53, "4.14"}, {57, "4.15"}, {59, "4.16"}, {64, "4.17"},
	{80, "4.18"}, {83, "4.19"}, {90, "4.20"}, {92, "5.0"}, {98, "5.1"}, {108, "5.2"}, {110, "5.3"}, {115, "5.5"},
	{118, "5.6"}, {124, "5.7"}, {135, "5.8"}, {141, "5.9"}, {155, "5.10"}, {162, "5.11"}, {163, "5.12"}, {165, "5.13"},
	{168, "5.14"}, {175, "5.15"}, {179, "5.16"}, {185, "5.17"}, {193, "5.18"}, {203, "5.19"}, {207, "6.0"}, {209, "6.1"}, {211, "6.2"},
}

// Since is the kernel version that brought it; some program types learned to call
// it later. "" if unknown.
func (h Helper) Since() string {
	for _, r := range helperSince {
		if h <= r.last {
			return r.since
		}
	}
	return ""
}
