package maps

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// A typeRow is a map type, the test that makes such a map, and what it sees.
type typeRow struct {
	typ  sys.MapType
	test string
	sees string
}

// typeRows is docs/map-types.md.
var typeRows = []typeRow{
	{sys.MapTypeHash, "TestKernelHash/hash", "insertion, replacement, deletion, a full table"},
	{sys.MapTypeArray, "TestKernelArray", "values, the refusal to delete"},
	{sys.MapTypeProgArray, "TestKernelDescriptorMaps/prog_array", "tail calls of a test run, through full, empty and cleared slots"},
	{sys.MapTypePerfEventArray, "TestKernelPerfBuffer", "samples of a program in order, and the count of lost ones"},
	{sys.MapTypePerCPUHash, "TestKernelPerCPU/percpu_hash", "a value for each CPU"},
	{sys.MapTypePerCPUArray, "TestKernelPerCPU/percpu_array", "a value for each CPU"},
	{sys.MapTypeStackTrace, "TestKernelStackTrace", "the stack of a test run"},
	{sys.MapTypeCgroupArray, "TestKernelDescriptorMaps/cgroup_array", "whether a program finds itself under a cgroup"},
	{sys.MapTypeLRUHash, "TestKernelLRUEviction/lru_hash", "that a full table forgets old keys"},
	{sys.MapTypeLRUPerCPUHash, "TestKernelLRUEviction/lru_percpu_hash", "that a full table forgets old keys"},
	{sys.MapTypeLPMTrie, "TestKernelLPMTrie", "the longest prefix that matches"},
	{sys.MapTypeArrayOfMaps, "TestKernelMapOfMaps/array_of_maps", "values of the inner map, which a program finds, and refused others"},
	{sys.MapTypeHashOfMaps, "TestKernelMapOfMaps/hash_of_maps", "values of the inner map, which a program finds, and refused others"},
	{sys.MapTypeDevMap, "TestKernelDevMap/devmap", "redirects of an XDP program"},
	{sys.MapTypeSockMap, "TestKernelSockMaps/sockmap", "cookies of sockets"},
	{sys.MapTypeCPUMap, "TestKernelCPUMap", "redirects of an XDP program"},
	{sys.MapTypeXSKMap, "TestKernelXSKMap", "redirects of an XDP program"},
	{sys.MapTypeSockHash, "TestKernelSockMaps/sockhash", "cookies of sockets"},
	{sys.MapTypeCgroupStorage, "TestKernelCgroupStorage/cgroup_storage", "the value of a cgroup with a program"},
	{sys.MapTypeReuseportSockArray, "TestKernelReuseport", "cookies of sockets"},
	{sys.MapTypePerCPUCgroupStorage, "TestKernelCgroupStorage/percpu_cgroup_storage", "the value of a cgroup with a program"},
	{sys.MapTypeQueue, "TestKernelQueueStack/queue", "first in, first out"},
	{sys.MapTypeStack, "TestKernelQueueStack/stack", "last in, first out"},
	{sys.MapTypeSKStorage, "TestKernelStorage/sk_storage", "the value of a socket"},
	{sys.MapTypeDevMapHash, "TestKernelDevMap/devmap_hash", "redirects of an XDP program"},
	{sys.MapTypeStructOps, "TestKernelStructOps", "what the kernel keeps and refuses; [program types](program-types.md) have one registered"},
	{sys.MapTypeRingBuf, "TestKernelRingBuf", "samples of a program in order, around the end of the ring"},
	{sys.MapTypeInodeStorage, "TestKernelStorage/inode_storage", "the value of a directory"},
	{sys.MapTypeTaskStorage, "TestKernelStorage/task_storage", "the value of a task"},
	{sys.MapTypeBloomFilter, "TestKernelBloomFilter", "members that are found, others that mostly are not"},
	{sys.MapTypeUserRingBuf, "TestKernelUserRing", "what a program adds up from records"},
	{sys.MapTypeCgrpStorage, "TestKernelStorage/cgrp_storage", "the value of a cgroup"},
	{sys.MapTypeArena, "TestKernelArena", "memory that a program reads"},
	{sys.MapTypeInsnArray, "TestKernelInsnArray", "where the kernel put an instruction"},
	{sys.MapTypeRHash, "TestKernelRHash", "insertion, deletion, a walk"},
}

const typesIntro = `# Map types, kernels, tests

Each type of map, the Linux that brought it, and whether its test passes on the kernels of the test matrix. A test makes such a map and
observes what it does.

"–" is a kernel from before the type, "not there" one whose configuration leaves it out.

This page is made by ` + "`go test ./maps -run TestTypesTable -update`" + ` from the files in maps/testdata/kernels, and those by

    go run ./internal/vmtest -kernels 6.1 -v ./maps | sed -n 's/^ *--- \([A-Z]*\): \([^ ]*\) (.*/\1 \2/p' >maps/testdata/kernels/6.1.txt

`

func typesPage(r *ktest.Results) string {
	var b strings.Builder
	b.WriteString(typesIntro)
	b.WriteString("| type | since | " + strings.Join(r.Kernels, " | ") + " | the test sees |\n")
	b.WriteString("| --- | --- |" + strings.Repeat(" --- |", len(r.Kernels)) + " --- |\n")
	for _, row := range typeRows {
		b.WriteString("| " + row.typ.String() + " | " + row.typ.Since() + " |")
		for _, kernel := range r.Kernels {
			cell := "FAILS"
			switch verdict := r.Verdict(kernel, row.test); {
			case ktest.Before(kernel, row.typ.Since()):
				cell = "–"
			case verdict == "PASS":
				cell = "tested"
			case verdict == "SKIP":
				cell = "not there"
			}
			b.WriteString(" " + cell + " |")
		}
		b.WriteString(" " + row.sees + " |\n")
	}
	return b.String()
}

// TestTypesTable: the page of map types is up to date, has every type that package
// sys knows, and each test that it speaks of passed.
func TestTypesTable(t *testing.T) {
	for typ := range sys.MapTypes() {
		if !slices.ContainsFunc(typeRows, func(r typeRow) bool { return r.typ == typ }) {
			t.Errorf("%v has no row", typ)
		}
	}
	const page = "../docs/map-types.md"
	got := typesPage(ktest.ReadResults(t, "testdata/kernels"))
	if strings.Contains(got, "FAILS") {
		t.Error("a test failed or was not run")
	}
	if *update {
		want(t, os.WriteFile(page, []byte(got), 0o644))
	}
	have, err := os.ReadFile(page)
	want(t, err)
	if diff := cmp.Diff(string(have), got); diff != "" {
		t.Errorf("%s differs; go test ./maps -run TestTypesTable -update rewrites it (-want +got):\n%s", page, diff)
	}
}
