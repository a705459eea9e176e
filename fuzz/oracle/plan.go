package oracle

import (
	"encoding/json"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/compat/iproute2"
)

// checkPlan takes an object to a plan twice.
func checkPlan(obj []byte, fail func(string, string, ...any)) {
	first := plan(obj, fail)
	if second := plan(obj, fail); first != second {
		fail("determinism", "the same bytes give two results:\n%s\n%s", first, second)
	}
}

// parse reads an object by the standard rules, then by the legacy ones.
func parse(obj []byte) (*lode.Object, error) {
	opts := lode.ParseOptions{Name: "object"}
	o, err := lode.Parse(obj, opts)
	if err == nil {
		return o, nil
	}
	if legacy, e := (iproute2.Options{}).Parse(obj, opts); e == nil {
		return legacy, nil
	}
	return nil, err
}

// plan is the plan for an object as text, or what is wrong with it.
func plan(obj []byte, fail func(string, string, ...any)) string {
	refused := func(err error) string {
		if !plain(err.Error()) {
			fail("text", "%q", err)
		}
		return err.Error()
	}
	o, err := parse(obj)
	if err != nil {
		return refused(err)
	}
	r, err := o.RelocateTarget(nil, o.BTF)
	if err != nil {
		return refused(err)
	}
	if n := r.Relocation; n.In != n.Applied+n.Reported+n.Outside || n.In != len(n.Records) {
		fail("conservation", "%d relocation records, %d listed: %d applied, %d reported, %d outside of every program",
			n.In, len(n.Records), n.Applied, n.Reported, n.Outside)
	}
	p, err := r.Plan(lode.Policy{Persist: true})
	if err != nil {
		return refused(err)
	}
	j, err := json.Marshal(p)
	if err != nil {
		fail("round trip", "the plan does not marshal: %v", err)
	}
	text := p.String()
	if !plain(text) {
		fail("text", "%q", text)
	}
	return text + string(j)
}
