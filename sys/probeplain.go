package sys

// probePlain asks for a feature that is not a type of something. Functions stand in a
// switch, not in a column of the table, so that programs that never ask do not link
// the probes.
func probePlain(k Kernel, f Feature) error {
	for i := range btfTrials {
		if btfTrials[i].feature == f {
			return done(loadBTF(k, &btfTrials[i].btf))
		}
	}
	for i := range codeTrials {
		if t := &codeTrials[i]; t.feature == f {
			return (&trial{typ: t.typ, code: assemble(t.code)}).try(k)
		}
	}
	switch f {
	case FeatureProgName:
		return probeProgName(k)
	case FeatureGlobalData:
		return probeGlobalData(k)
	case FeatureArrayMmap:
		return probeArrayMmap(k)
	case FeatureExpAttachType:
		return probeExpAttachType(k)
	case FeatureProgBindMap:
		return probeProgBindMap(k)
	case FeatureModuleBTF:
		return probeModuleBTF(k)
	case FeaturePerfLink:
		return probePerfLink(k)
	case FeatureSyscallWrapper:
		return probeSyscallWrapper(k)
	case FeatureUprobeMultiLink:
		return probeUprobeMulti(k)
	case FeatureArgCtxTag:
		return probeArgCtxTag(k)
	case FeatureLDIMM64FullRangeOff:
		return probeFullRangeOff(k)
	case FeatureUprobeSyscall:
		return probeUprobeSyscall(k)
	case FeatureCommonAttrs:
		return probeCommonAttrs(k)
	case FeatureLargeInsns:
		return probeLargeInsns(k)
	case FeatureMapBatch:
		return probeMapBatch(k)
	case FeaturePathFD:
		return probePathFD(k)
	case FeatureToken:
		return probeToken(k)
	case FeaturePerCPUFlags:
		return probePerCPUFlags(k)
	}
	return &NotSupported{Feature: f.String()}
}
