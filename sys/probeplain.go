package sys

// probePlain asks for a feature that is not a type of something. It is a switch, not
// a column of the table, so that programs that never ask do not link the probes.
func probePlain(k Kernel, f Feature) error {
	switch f {
	case FeatureProgName:
		return probeProgName(k)
	case FeatureGlobalData:
		return probeGlobalData(k)
	case FeatureBTF:
		return done(loadBTF(k, btfInt()))
	case FeatureBTFFunc:
		return done(loadBTF(k, btfFunc()))
	case FeatureBTFGlobalFunc:
		return done(loadBTF(k, btfGlobalFunc()))
	case FeatureBTFDatasec:
		return done(loadBTF(k, btfDatasec()))
	case FeatureBTFFloat:
		return done(loadBTF(k, btfFloat()))
	case FeatureBTFDeclTag:
		return done(loadBTF(k, btfDeclTag()))
	case FeatureBTFTypeTag:
		return done(loadBTF(k, btfTypeTag()))
	case FeatureBTFEnum64:
		return done(loadBTF(k, btfEnum64()))
	case FeatureBTFQmarkDatasec:
		return done(loadBTF(k, btfQmarkDatasec()))
	case FeatureBTFLayout:
		return done(loadBTF(k, btfLayout()))
	case FeatureArrayMmap:
		return probeArrayMmap(k)
	case FeatureExpAttachType:
		return probeExpAttachType(k)
	case FeatureProbeReadKern:
		return probeProbeReadKern(k)
	case FeatureProgBindMap:
		return probeProgBindMap(k)
	case FeatureModuleBTF:
		return probeModuleBTF(k)
	case FeaturePerfLink:
		return probePerfLink(k)
	case FeatureBPFCookie:
		return probeCookie(k)
	case FeatureMemcgAccount:
		return probeMemcgAccount(k)
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
	case FeatureISAv2:
		return socketFilter(isaV2()).try(k)
	case FeatureISAv3:
		return socketFilter(isaV3()).try(k)
	case FeatureISAv4:
		return socketFilter(isaV4()).try(k)
	case FeatureBoundedLoops:
		return socketFilter(boundedLoop()).try(k)
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
