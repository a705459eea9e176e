package lode_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
)

func TestKernelLoadCounter(t *testing.T) {
	root := ktest.BPFFS(t)
	ktest.NoFDLeaks(t)
	c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "counter"), lode.LoadOptions{Policy: lode.Policy{PinRoot: filepath.Join(root, "app"), PinPrograms: true}})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range c.Done {
		t.Log(d.Step, d.Result, d.ID)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
