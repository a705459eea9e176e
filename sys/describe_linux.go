package sys

import (
	"bytes"
	"strconv"
)

// describeFD says what a descriptor is, from its fdinfo, and the shape of a map.
func describeFD(fd int) (string, mapShape) {
	info := readProc("/proc/self/fdinfo/" + strconv.Itoa(fd))
	number := func(name string) (int, bool) {
		_, rest, ok := bytes.Cut(info, []byte("\n"+name+":"))
		if !ok {
			return 0, false
		}
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 0, 32)
		return int(n), err == nil
	}
	if typ, ok := number("map_type"); ok {
		key, _ := number("key_size")
		value, _ := number("value_size")
		return "map", shape(MapType(typ), key, value)
	}
	if bytes.Contains(info, []byte("\nlink_type:")) {
		return "link", mapShape{}
	}
	if bytes.Contains(info, []byte("\nprog_type:")) {
		return "prog", mapShape{}
	}
	return "object", mapShape{}
}
