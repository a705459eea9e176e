package prog

import (
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// AppendFuncInfo appends one struct bpf_func_info, for Code.FuncInfo: the
// function that begins at a slot of the whole program has that type.
func AppendFuncInfo(dst []byte, index int, id btf.TypeID) []byte {
	dst = nativeEndian.AppendUint32(dst, uint32(index))
	return nativeEndian.AppendUint32(dst, uint32(id))
}

// AppendLineInfo appends struct bpf_line_info of each line, for Code.LineInfo.
// Indexes count slots from the start of the whole program.
func AppendLineInfo(dst []byte, lines []insn.Line) []byte {
	for _, l := range lines {
		for _, v := range [...]uint32{uint32(l.Index), l.FileOff, l.LineOff, l.LineCol} {
			dst = nativeEndian.AppendUint32(dst, v)
		}
	}
	return dst
}
