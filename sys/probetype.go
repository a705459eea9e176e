package sys

import "strings"

// probeMapType creates the smallest map of a type.
func probeMapType(k Kernel, t MapType) error {
	a := &MapCreateAttr{MapType: t, KeySize: 4, ValueSize: 4, MaxEntries: 1}
	switch t {
	case MapTypeStackTrace:
		a.ValueSize = 8
	case MapTypeLPMTrie:
		a.KeySize, a.MapFlags = 8, BPF_F_NO_PREALLOC
	case MapTypeQueue, MapTypeStack, MapTypeBloomFilter:
		a.KeySize = 0
	case MapTypeCgroupStorage, MapTypePerCPUCgroupStorage:
		a.KeySize, a.MaxEntries = 16, 0
	case MapTypeRingBuf, MapTypeUserRingBuf:
		a.KeySize, a.ValueSize, a.MaxEntries = 0, 0, uint32(pageSize())
	case MapTypeArena:
		a.KeySize, a.ValueSize, a.MapFlags = 0, 0, BPF_F_MMAPABLE
	case MapTypeInsnArray:
		a.ValueSize = 16
	case MapTypeRHash:
		a.MapFlags = BPF_F_NO_PREALLOC
	case MapTypeStructOps:
		// An id that is no struct_ops type: a kernel that knows the map type gets
		// as far as looking for it.
		a.BTFVmlinuxValueTypeID = 1
		return wantErrno(done(MapCreate(k, a)), ENOTSUPP, ENOENT)
	case MapTypeArrayOfMaps, MapTypeHashOfMaps:
		inner, err := newArray(k, 0)
		if err != nil {
			return err
		}
		defer inner.Close()
		a.InnerMapFD = inner.Num()
	case MapTypeSKStorage, MapTypeInodeStorage, MapTypeTaskStorage, MapTypeCgrpStorage:
		b, err := loadBTF(k, btfInt())
		if err != nil {
			return err
		}
		defer b.Close()
		a.MaxEntries, a.MapFlags = 0, BPF_F_NO_PREALLOC
		a.BTFFD, a.BTFKeyTypeID, a.BTFValueTypeID = b.Num(), 1, 1
	}
	return done(MapCreate(k, a))
}

// progTrial is the smallest program of a type.
func progTrial(t ProgType) *trial {
	p := &trial{typ: t, code: ret(0)}
	switch t {
	case ProgTypeCgroupSockAddr:
		p.attach = AttachCgroupInet4Connect
	case ProgTypeCgroupSockOpt:
		p.attach = AttachCgroupGetSockOpt
	case ProgTypeSKLookup:
		p.attach = AttachSKLookup
	case ProgTypeTracing:
		p.attach, p.btfID = AttachTraceFentry, 1
	case ProgTypeLSM:
		p.attach, p.btfID = AttachLSMMac, 1
	case ProgTypeExt, ProgTypeStructOps:
		p.btfID = 1
	case ProgTypeSyscall:
		p.flags = BPF_F_SLEEPABLE
	case ProgTypeNetfilter:
		p.attach, p.code = AttachNetfilter, ret(1)
	}
	return p
}

// targetComplaint is what the verifier says about a program that is refused for its
// target only: type 1 of the kernel's BTF is an integer. "" for types without.
func targetComplaint(t ProgType) string {
	switch t {
	case ProgTypeTracing, ProgTypeLSM, ProgTypeStructOps:
		return "attach_btf_id 1 is not a"
	case ProgTypeExt:
		return "Cannot replace kernel functions"
	}
	return ""
}

// probeProgType loads the smallest program of a type.
func probeProgType(k Kernel, t ProgType) error { return tryTarget(k, progTrial(t)) }

// tryTarget loads a program; being refused for its target counts as success.
func tryTarget(k Kernel, p *trial) error {
	complaint := targetComplaint(p.typ)
	if complaint == "" {
		return p.try(k)
	}
	p.log = make([]byte, 4096)
	err := p.try(k)
	if err != nil && (strings.Contains(p.logText(), complaint) || ErrnoOf(err) == ENOTSUPP) {
		return nil
	}
	return err
}

// An UnaskableError says that no probe can tell: a program of the type cannot be
// loaded without a target in the kernel.
type UnaskableError struct{ Feature Feature }

func (e *UnaskableError) Error() string {
	return "sys: only a program with a target can tell whether the kernel has " + e.Feature.String()
}

// probeHelper loads a program that calls a helper with whatever is in the
// registers. The verifier refuses the arguments of a helper that it lets the
// program call, and the call itself otherwise.
func probeHelper(k Kernel, t ProgType, h Helper) error {
	p := progTrial(t)
	if p.btfID != 0 {
		return &UnaskableError{HelperFeature(t, h)}
	}
	p.code = code(nil).call(h).exit()
	p.log = make([]byte, 4096)
	err := p.try(k)
	if err == nil {
		return nil
	}
	switch ErrnoOf(err) {
	case EINVAL, EACCES:
		if log := p.logText(); log != "" && !refusedCall(log) {
			return nil
		}
	}
	return err
}

// refusedCall says whether a log refuses a helper, not its arguments.
func refusedCall(log string) bool {
	for _, s := range []string{"invalid func ", "unknown func ", "cannot use helper", "cannot call helper"} {
		if strings.Contains(log, s) {
			return true
		}
	}
	return false
}
