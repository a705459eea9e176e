package link

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/lode-bpf/lode/sys"
)

// The kernel describes its kinds of perf events in sysfs: the number of a kind, and
// which bits of the event's configuration mean what.

const pmuRoot = "/sys/bus/event_source/devices/"

func readSys(k sys.Kernel, path string) (string, error) {
	f := &sys.ReadFile{Path: path}
	if _, err := k.Call(f); err != nil {
		return "", err
	}
	return string(bytes.TrimSpace(f.Data)), nil
}

// pmuType is the number of a kind: "kprobe" or "uprobe".
func pmuType(k sys.Kernel, name string) (uint32, error) {
	s, err := readSys(k, pmuRoot+name+"/type")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

// pmuBit is the position of the lowest bit of a field, described as "config:0" or
// "config:32-63".
func pmuBit(k sys.Kernel, name, field string) (uint, error) {
	s, err := readSys(k, pmuRoot+name+"/format/"+field)
	if err != nil {
		return 0, err
	}
	s, _ = strings.CutPrefix(s, "config:")
	first, _, _ := strings.Cut(s, "-")
	n, err := strconv.ParseUint(first, 10, 6)
	return uint(n), err
}

// probeEvent opens an event of a probe.
func probeEvent(k sys.Kernel, pmu, name string, offset uint64, ret bool, config uint64, pid int) (*sys.FD, error) {
	typ, err := pmuType(k, pmu)
	if err != nil {
		return nil, err
	}
	if ret {
		bit, err := pmuBit(k, pmu, "retprobe")
		if err != nil {
			return nil, err
		}
		config |= 1 << bit
	}
	e := &sys.PerfEventOpen{Type: typ, Config: config, Name: name, Config2: offset, SamplePeriod: 1, PID: pid}
	if pid > 0 {
		e.CPU = -1
	}
	return openEvent(k, e)
}
