package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/lode-bpf/lode/link"
	"github.com/lode-bpf/lode/sys"
)

// A listedLink is a link in the kernel.
type listedLink struct {
	ID      uint32 `json:"id"`
	Type    string `json:"type"`
	Attach  string `json:"attach,omitempty"`
	Program uint32 `json:"program"` // 0 for a struct_ops map
	Device  uint32 `json:"ifindex,omitempty"`
	Name    string `json:"name,omitempty"` // tracepoint, iterator, function or file
}

func listLink(i link.Info) listedLink {
	l := listedLink{ID: i.ID, Type: i.Type.String(), Program: i.ProgID, Device: i.IfIndex, Name: i.Name}
	if i.AttachType != 0 {
		l.Attach = i.AttachType.String()
	}
	return l
}

func printLinks(e *env, rows []listedLink) error {
	return printRows(e, rows, []string{"ID", "TYPE", "ATTACH", "PROGRAM", "DEVICE", "NAME"}, func(l listedLink) []string {
		device := ""
		if l.Device != 0 {
			device = cmp.Or(quote(deviceName(l.Device)), fmt.Sprint(l.Device))
		}
		return []string{fmt.Sprint(l.ID), l.Type, l.Attach, fmt.Sprint(l.Program), device, quote(l.Name)}
	})
}

// linkList lists the links of the system.
func linkList(e *env) error {
	if len(e.args) > 0 {
		return usage("want no arguments")
	}
	var rows []listedLink
	for i, err := range link.All(sys.Live()) {
		if err != nil {
			return err
		}
		rows = append(rows, listLink(i))
	}
	return printLinks(e, rows)
}

// withLink does something with the link that the command's one argument names.
func withLink(e *env, do func(*link.Link) error) error {
	which, err := e.one("link")
	if err != nil {
		return err
	}
	l, err := openLink(which)
	if err != nil {
		return err
	}
	return errors.Join(do(l), l.Close())
}

// linkShow says what the kernel knows of one link.
func linkShow(e *env) error {
	return withLink(e, func(l *link.Link) error {
		i, err := l.Info()
		if err != nil {
			return err
		}
		return printLinks(e, []listedLink{listLink(i)})
	})
}

// linkDetach ends an attachment, whoever holds the link.
func linkDetach(e *env) error { return withLink(e, (*link.Link).Detach) }
