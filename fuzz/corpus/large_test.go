package corpus

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/fuzz/oracle"
)

// Objects of volume have the verdict that their rule states, and break no
// promise: the oracles bound the memory that is taken for them.
func TestRules(t *testing.T) {
	for _, r := range Rules() {
		t.Run(r.ID, func(t *testing.T) {
			b := r.Make()
			if len(b) == 0 {
				t.Fatal("no object")
			}
			var got []string
			for _, v := range oracle.Judge(b) {
				got = append(got, v.String())
				t.Log(v.Stage, v.Text)
			}
			if diff := cmp.Diff([]string{r.ELF, r.BTF, r.Object}, got); diff != "" {
				t.Errorf("verdicts of %d bytes: -want +got:\n%s", len(b), diff)
			}
			for _, v := range oracle.Check(b) {
				t.Error(v)
			}
		})
	}
}
