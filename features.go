package lode

import (
	"encoding/binary"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/sys"
)

var nativeOrder = binary.NativeEndian

// btfFeatures pairs what btf can do without with how to find out.
var btfFeatures = [...]struct {
	feature sys.Feature
	btf     btf.Features
}{
	{sys.FeatureBTFFunc, btf.FeatureFunc},
	{sys.FeatureBTFDatasec, btf.FeatureDatasec},
	{sys.FeatureBTFGlobalFunc, btf.FeatureGlobalFunc},
	{sys.FeatureBTFFloat, btf.FeatureFloat},
	{sys.FeatureBTFDeclTag, btf.FeatureDeclTag},
	{sys.FeatureBTFTypeTag, btf.FeatureTypeTag},
	{sys.FeatureBTFEnum64, btf.FeatureEnum64},
	{sys.FeatureBTFQmarkDatasec, btf.FeatureQmarkDatasec},
	{sys.FeatureBTFLayout, btf.FeatureLayout},
}

// missingBTF is what of BTF a kernel does not know.
func missingBTF(set *sys.Features) (btf.Features, error) {
	var missing btf.Features
	for _, f := range btfFeatures {
		has, err := set.Has(f.feature)
		if err != nil {
			return 0, err
		}
		if !has {
			missing |= f.btf
		}
	}
	return missing, nil
}
