#!/bin/bash -eu
# Untested template: nobody has built this in OSS-Fuzz.
module=github.com/lode-bpf/lode
compile_native_go_fuzzer_v2 $module/elf FuzzELF FuzzELF
compile_native_go_fuzzer_v2 $module/btf FuzzBTF FuzzBTF
compile_native_go_fuzzer_v2 $module/btf FuzzBTFExt FuzzBTFExt
compile_native_go_fuzzer_v2 $module/insn FuzzInsn FuzzInsn
compile_native_go_fuzzer_v2 $module/reloc FuzzLink FuzzLink
compile_native_go_fuzzer_v2 $module FuzzPlan FuzzPlan
compile_native_go_fuzzer_v2 $module/fuzz FuzzGen FuzzGen
# f.Add has no effect in libFuzzer: whole objects are seeds as raw files.
for target in FuzzELF FuzzLink FuzzPlan; do
	zip -q -j "$OUT/${target}_seed_corpus.zip" fuzz/corpus/files/*.elf testdata/*.o
done
