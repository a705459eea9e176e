package lode

import (
	"fmt"

	"github.com/lode-bpf/lode/maps"
)

// Variable finds a global variable of the object, in whatever data section it
// is. Setting it changes what the program starts with; in a read-only section
// that is the last chance, and lets the verifier remove code that the value
// rules out.
func (o *Object) Variable(name string) (*maps.Variable, error) {
	for _, m := range o.Maps {
		for i := range m.Vars {
			if m.Vars[i].Name == name {
				return m.Spec.Variable(name)
			}
		}
	}
	return nil, &NoSuchError{What: "variable", Name: name}
}

// SetVariable gives a global variable its initial value. See maps.Variable for
// which Go values fit.
func (o *Object) SetVariable(name string, value any) error {
	v, err := o.Variable(name)
	if err != nil {
		return err
	}
	return v.Set(value)
}

// Variable finds a global variable of the loaded object.
func (c *Collection) Variable(name string) (*maps.Variable, error) {
	for _, m := range c.Maps {
		for v := range m.Variables() {
			if v.Name == name {
				return v, nil
			}
		}
	}
	return nil, fmt.Errorf("the collection has no variable %q", name)
}
