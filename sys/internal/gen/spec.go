package gen

// A Part is one generated file.
type Part struct {
	File    string
	Structs []Struct
}

// A Struct says which C struct a Go struct comes from and what is known of its
// members that BTF does not say.
type Struct struct {
	Go     string            // name of the Go struct
	Doc    string            // what its doc comment says after the name
	Type   string            // C struct or union
	Member string            // member of that union: its name, or the name of its first member if it has none
	Choose []string          // members to take of inner unions; otherwise the first
	Bare   bool              // leave out unions of which nothing is chosen
	Full   bool              // pad to the size of Type
	Rename map[string]string // Go names that are not the C name in camel case
	Kind   map[string]Kind   // kinds that are not in the table below
	Out    []string          // members that the kernel writes; "*": all but pointers
}

// A Kind says what a member means, for printing and replaying calls.
type Kind struct {
	Name string // constant of package sys
	Len  string // member that holds the number of elements behind a pointer
	Elem int    // size of such an element in bytes
}

func kind(name string) Kind                    { return Kind{Name: name} }
func ptrIn(length string, elem int) Kind       { return Kind{"kindIn", length, elem} }
func ptrOut(length string, elem int) Kind      { return Kind{"kindOut", length, elem} }
func ptrOutIDs(k, length string) Kind          { return Kind{"kindOut" + k, length, 4} }
func ptrVolatile(length string, elem int) Kind { return Kind{"kindOpaque", length, elem} }

// kinds are the meanings of members by their C name, whatever struct they are in.
var kinds = map[string]Kind{
	"map_type": kind("kindMapType"), "prog_type": kind("kindProgType"),
	"attach_type": kind("kindAttachType"), "expected_attach_type": kind("kindAttachType"),

	"inner_map_fd": kind("kindFD"), "btf_fd": kind("kindFD"), "value_type_btf_obj_fd": kind("kindFD"),
	"map_token_fd": kind("kindFD"), "map_fd": kind("kindFD"), "prog_btf_fd": kind("kindFD"),
	"attach_prog_fd": kind("kindFD"), "prog_token_fd": kind("kindFD"), "bpf_fd": kind("kindFD"),
	"path_fd": kind("kindDirFD"), "attach_bpf_fd": kind("kindFD"), "replace_bpf_fd": kind("kindFD"),
	"prog_fd": kind("kindFD"), "fd_by_id_token_fd": kind("kindFD"), "btf_token_fd": kind("kindFD"),
	"link_fd": kind("kindFD"), "new_prog_fd": kind("kindFD"), "old_prog_fd": kind("kindFD"),
	"bpffs_fd": kind("kindDirFD"), "target_fd": kind("kindTarget"), "relative_fd": kind("kindRelative"),

	"map_flags": kind("kindHex"), "map_extra": kind("kindHex"), "flags": kind("kindHex"), "elem_flags": kind("kindHex"),
	"prog_flags": kind("kindHex"), "kern_version": kind("kindHex"), "file_flags": kind("kindHex"),
	"attach_flags": kind("kindHex"), "query_flags": kind("kindHex"), "open_flags": kind("kindHex"), "btf_flags": kind("kindHex"),
	"cookie": kind("kindHex"), "bpf_cookie": kind("kindHex"),
	"allowed_cmds": kind("kindHex"), "allowed_maps": kind("kindHex"), "allowed_progs": kind("kindHex"), "allowed_attachs": kind("kindHex"),

	"map_name": kind("kindName"), "prog_name": kind("kindName"), "name": kind("kindName"), "tag": kind("kindTag"),

	"key": kind("kindKey"), "value": kind("kindValue"),
	"in_batch": kind("kindOpaque"), "out_batch": kind("kindOpaque"), "keys": kind("kindBatchKeys"), "values": kind("kindBatchValues"),

	"insns": kind("kindInsns"), "license": kind("kindString"), "pathname": kind("kindString"),
	"log_buf": kind("kindOpaque"), "btf_log_buf": kind("kindOpaque"), "stream_buf": kind("kindOpaque"),
	"log_size": kind("kindVolatile"), "log_true_size": kind("kindVolatile"), "btf_log_size": kind("kindVolatile"), "btf_log_true_size": kind("kindVolatile"),
	"func_info": {"kindIn", "func_info_cnt", 8}, "line_info": {"kindIn", "line_info_cnt", 16},
	"core_relos": ptrIn("core_relo_cnt", 16), "fd_array": kind("kindFDArray"),
	"signature": ptrIn("signature_size", 1), "excl_prog_hash": ptrIn("excl_prog_hash_size", 1),
	"btf": ptrIn("btf_size", 1),

	"prog_ids": ptrOutIDs("ProgIDs", "prog_cnt"), "prog_attach_flags": ptrOut("prog_cnt", 4),
	"link_ids": ptrOutIDs("LinkIDs", "prog_cnt"), "link_attach_flags": ptrOut("prog_cnt", 4),
	"revision": kind("kindVolatile"), "duration": kind("kindVolatile"),
	"prog_id": kind("kindProgID"), "map_id": kind("kindMapID"), "btf_id": kind("kindBTFID"),
}

// link is an attribute struct of BPF_LINK_CREATE.
func link(name, doc, choose string, kinds map[string]Kind) Struct {
	s := Struct{Go: name, Doc: doc, Type: "bpf_attr", Member: "link_create", Kind: kinds}
	if choose != "" {
		s.Choose = []string{choose}
	} else {
		s.Bare = true
	}
	s.Rename = map[string]string{"target_fd": "Target"}
	return s
}

// info is an information struct about links of one type.
func info(name, doc string, kinds map[string]Kind, choose ...string) Struct {
	all := map[string]Kind{"type": kind("kindLinkType"), "id": kind("kindLinkID")}
	for k, v := range kinds {
		all[k] = v
	}
	return Struct{Go: name, Doc: doc, Type: "bpf_link_info", Choose: choose, Bare: true, Kind: all, Out: []string{"*"}}
}
