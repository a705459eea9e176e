package kconfig

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	const text = "# comment\nCONFIG_BPF=y\nCONFIG_HZ=250\n"
	dir := t.TempDir()
	plain, packed := filepath.Join(dir, "config"), filepath.Join(dir, "config.gz")
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string][]byte{plain: []byte(text), packed: z.Bytes()} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("%s: %q (%v)", filepath.Base(path), got, err)
		}
	}
}

// TestReadFileRefuses a file that is not compressed although its name says so,
// one that is cut, one that unpacks to more than a configuration can be, and one
// that is not there.
func TestReadFileRefuses(t *testing.T) {
	dir := t.TempDir()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	zeroes := make([]byte, 1<<20)
	for range 17 {
		if _, err := w.Write(zeroes); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"plain.gz": []byte("CONFIG_BPF=y\n"), "cut.gz": z.Bytes()[:z.Len()/2], "bomb.gz": z.Bytes()} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error that names the file", name, err)
		}
	}
	if _, err := ReadFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
