package conf

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func TestFormat(t *testing.T) {
	c := Default()
	for _, layer := range []struct {
		name, text string
		mode       Mode
	}{
		{"/etc/iproute2/bpf_pinning", "0x10 tenants # one\n3 old\n2 reserved\n", Lenient},
		{MainFile, "bpffs /run/bpf\nroot app\n3 none\nmap stats_* per/%{ifname} replace\nmap m none\n", Strict},
		{DropInDir + "/my site.conf", "mount yes\nroot /run/bpf\non-mismatch replace\ndirectory-owner 7\ndirectory-mode 0750\nmap stats_* here\nprogram o:p none\nobject o x\n", Strict},
	} {
		l, err := parse(layer.name, []byte(layer.text), layer.mode, c.top())
		if err != nil {
			t.Fatal(err)
		}
		c.merge(l)
	}
	for _, tt := range []struct {
		name string
		c    *Config
	}{{"default", Default()}, {"merged", c}} {
		got := tt.c.Format()
		golden := "testdata/" + tt.name + ".golden"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: -want +got (go test ./conf -update writes it):\n%s", tt.name, diff)
		}
	}
	again, _, err := Parse("f", c.Format(), Strict)
	if err != nil {
		t.Fatal(err)
	}
	p := plain(c)
	p.Rules = append(p.Rules[:3:3], p.Rules[4]) // the overridden rule is a comment
	if diff := cmp.Diff(p, plain(again)); diff != "" {
		t.Errorf("read again, -want +got:\n%s", diff)
	}
}

// The merged view is the same in JSON, whatever the order of maps in memory.
func TestJSON(t *testing.T) {
	c := parsed(t, testConfig)
	a, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Config
	if err := json.Unmarshal(a, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, &back); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
