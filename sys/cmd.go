package sys

import "iter"

// A Cmd is a command of bpf(2).
type Cmd uint32

// Cmd values (enum bpf_cmd in include/uapi/linux/bpf.h).
const (
	CmdMapCreate               Cmd = 0
	CmdMapLookupElem           Cmd = 1
	CmdMapUpdateElem           Cmd = 2
	CmdMapDeleteElem           Cmd = 3
	CmdMapGetNextKey           Cmd = 4
	CmdProgLoad                Cmd = 5
	CmdObjPin                  Cmd = 6
	CmdObjGet                  Cmd = 7
	CmdProgAttach              Cmd = 8
	CmdProgDetach              Cmd = 9
	CmdProgTestRun             Cmd = 10
	CmdProgGetNextID           Cmd = 11
	CmdMapGetNextID            Cmd = 12
	CmdProgGetFDByID           Cmd = 13
	CmdMapGetFDByID            Cmd = 14
	CmdObjGetInfoByFD          Cmd = 15
	CmdProgQuery               Cmd = 16
	CmdRawTracepointOpen       Cmd = 17
	CmdBTFLoad                 Cmd = 18
	CmdBTFGetFDByID            Cmd = 19
	CmdTaskFDQuery             Cmd = 20
	CmdMapLookupAndDeleteElem  Cmd = 21
	CmdMapFreeze               Cmd = 22
	CmdBTFGetNextID            Cmd = 23
	CmdMapLookupBatch          Cmd = 24
	CmdMapLookupAndDeleteBatch Cmd = 25
	CmdMapUpdateBatch          Cmd = 26
	CmdMapDeleteBatch          Cmd = 27
	CmdLinkCreate              Cmd = 28
	CmdLinkUpdate              Cmd = 29
	CmdLinkGetFDByID           Cmd = 30
	CmdLinkGetNextID           Cmd = 31
	CmdEnableStats             Cmd = 32
	CmdIterCreate              Cmd = 33
	CmdLinkDetach              Cmd = 34
	CmdProgBindMap             Cmd = 35
	CmdTokenCreate             Cmd = 36
	CmdProgStreamReadByFD      Cmd = 37
	CmdProgAssocStructOps      Cmd = 38
)

// cmds is indexed by number.
var cmds = [...]enumRow{
	CmdMapCreate:               {"map_create", "3.18"},
	CmdMapLookupElem:           {"map_lookup_elem", "3.18"},
	CmdMapUpdateElem:           {"map_update_elem", "3.18"},
	CmdMapDeleteElem:           {"map_delete_elem", "3.18"},
	CmdMapGetNextKey:           {"map_get_next_key", "3.18"},
	CmdProgLoad:                {"prog_load", "3.18"},
	CmdObjPin:                  {"obj_pin", "4.4"},
	CmdObjGet:                  {"obj_get", "4.4"},
	CmdProgAttach:              {"prog_attach", "4.10"},
	CmdProgDetach:              {"prog_detach", "4.10"},
	CmdProgTestRun:             {"prog_test_run", "4.12"},
	CmdProgGetNextID:           {"prog_get_next_id", "4.13"},
	CmdMapGetNextID:            {"map_get_next_id", "4.13"},
	CmdProgGetFDByID:           {"prog_get_fd_by_id", "4.13"},
	CmdMapGetFDByID:            {"map_get_fd_by_id", "4.13"},
	CmdObjGetInfoByFD:          {"obj_get_info_by_fd", "4.13"},
	CmdProgQuery:               {"prog_query", "4.15"},
	CmdRawTracepointOpen:       {"raw_tracepoint_open", "4.17"},
	CmdBTFLoad:                 {"btf_load", "4.18"},
	CmdBTFGetFDByID:            {"btf_get_fd_by_id", "4.18"},
	CmdTaskFDQuery:             {"task_fd_query", "4.18"},
	CmdMapLookupAndDeleteElem:  {"map_lookup_and_delete_elem", "4.20"},
	CmdMapFreeze:               {"map_freeze", "5.2"},
	CmdBTFGetNextID:            {"btf_get_next_id", "5.4"},
	CmdMapLookupBatch:          {"map_lookup_batch", "5.6"},
	CmdMapLookupAndDeleteBatch: {"map_lookup_and_delete_batch", "5.6"},
	CmdMapUpdateBatch:          {"map_update_batch", "5.6"},
	CmdMapDeleteBatch:          {"map_delete_batch", "5.6"},
	CmdLinkCreate:              {"link_create", "5.7"},
	CmdLinkUpdate:              {"link_update", "5.7"},
	CmdLinkGetFDByID:           {"link_get_fd_by_id", "5.8"},
	CmdLinkGetNextID:           {"link_get_next_id", "5.8"},
	CmdEnableStats:             {"enable_stats", "5.8"},
	CmdIterCreate:              {"iter_create", "5.8"},
	CmdLinkDetach:              {"link_detach", "5.9"},
	CmdProgBindMap:             {"prog_bind_map", "5.10"},
	CmdTokenCreate:             {"token_create", "6.9"},
	CmdProgStreamReadByFD:      {"prog_stream_read_by_fd", "6.17"},
	CmdProgAssocStructOps:      {"prog_assoc_struct_ops", "7.0"},
}

// String is the name of the command as in the UAPI, in lower case and without its prefix,
// or "command(N)" for a number that this package does not know.
func (v Cmd) String() string { return enumString("cmd", cmds[:], uint32(v)) }

// Since is the kernel version that brought it, such as "5.8"; "" if unknown.
func (v Cmd) Since() string { return enumSince(cmds[:], uint32(v)) }

// ParseCmd is the inverse of String.
func ParseCmd(s string) (Cmd, bool) {
	n, ok := enumParse("cmd", cmds[:], s)
	return Cmd(n), ok
}

// Cmds lists the known values in order.
func Cmds() iter.Seq[Cmd] { return enumAll[Cmd](cmds[:], 0) }
