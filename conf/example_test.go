package conf_test

import (
	"fmt"
	"os"

	"github.com/lode-bpf/lode/conf"
)

// A configuration decides where a map goes, and says which line did.
func Example() {
	text := `# for this machine
root  app
3     tenants
map   stats_*  per/%{ifname}
`
	c, _, err := conf.Parse("/etc/libbpf/pinning.conf", []byte(text), conf.Strict)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range []conf.Query{
		{Map: "counts", PinValue: 1},
		{Map: "rules", PinValue: 3},
		{Map: "stats_rx", IfName: "eth0"},
		{Map: "rules", PinValue: 9},
	} {
		d, err := c.Decide(q)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(d.Dir, d.Name, "by", d.Origin)
	}
	// Output:
	// app counts by /etc/libbpf/pinning.conf:2
	// tenants rules by /etc/libbpf/pinning.conf:3
	// per/eth0 stats_rx by /etc/libbpf/pinning.conf:4
	// conf: map "rules": pin value 9 is not configured: a line "9 DIRECTORY" in /etc/libbpf/pinning.conf gives it a meaning
}

// What is wrong in a file is shown with its place; the file counts for nothing.
func ExampleParse() {
	_, _, err := conf.Parse("pinning.conf", []byte("root app\n3 ../../etc\n"), conf.Strict)
	fmt.Println(err)
	// Output: pinning.conf:2:3: the path element ".." is not allowed
}

// iproute2's own file is read as iproute2 reads it, and what is odd is reported.
func ExampleParse_lenient() {
	c, findings, err := conf.Parse("bpf_pinning", []byte("0x10 a\n2 b\n17 c # fine\n"), conf.Lenient)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Values[16].V, c.Values[17].V)
	for _, f := range findings {
		fmt.Println(f)
	}
	// Output:
	// a c
	// bpf_pinning:1:1: the number "0x10" is pin value 16
	// bpf_pinning:2:1: pin value 2 is reserved: the line is ignored
}

// The names of data sections have dots, which bpffs refuses.
func ExampleEncodeInternal() {
	element, err := conf.EncodeInternal("counter.rodata")
	fmt.Println(element, err)
	_, err = conf.EncodeInternal("../rodata")
	fmt.Println(err)
	// Output:
	// counter@rodata <nil>
	// name "../rodata": byte 2 is '/'; letters, digits, '_' and '-' are allowed
}

// The merged configuration prints as a configuration file.
func ExampleConfig_Format() {
	c, _, _ := conf.Parse("my.conf", []byte("mount yes\n7 x\n"), conf.Strict)
	os.Stdout.Write(c.Format())
	// Output:
	// # Merged pinning configuration. Files, later ones override earlier ones:
	// #   my.conf
	// # bpffs is looked for: /sys/fs/bpf, /bpf, any other mount
	// mount yes                               # my.conf:1
	// root /sys/fs/bpf                        # default
	// layout libbpf                           # default
	// on-mismatch refuse                      # default
	// directory-mode 0700                     # default
	// # directories belong to the user who makes them
	// 7 x                                     # my.conf:2
}
