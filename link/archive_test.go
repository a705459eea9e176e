package link

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// zipFile writes an archive with an executable in it, stored and compressed. The stored one
// begins at a multiple of 8 bytes: some machines have no instructions elsewhere.
func zipFile(t testing.TB, program []byte) string {
	t.Helper()
	archive := zipBytes(t, program, 0)
	if rest := bytes.Index(archive, program) % 8; rest != 0 {
		archive = zipBytes(t, program, 8-rest)
	}
	path := filepath.Join(t.TempDir(), "app.zip")
	if err := os.WriteFile(path, archive, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// zipBytes is such an archive, with some more bytes in front of the stored file.
func zipBytes(t testing.TB, program []byte, more int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range []struct {
		name   string
		method uint16
	}{{"other", zip.Deflate}, {"lib/probed", zip.Store}, {"lib/packed", zip.Deflate}} {
		extra := []byte{0xfe, 0xca, 0, 0} // an extra field: number and length
		if f.method == zip.Store {
			extra[2] = byte(more)
			extra = append(extra, make([]byte, more)...)
		}
		m, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: f.method, Extra: extra})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Write(program); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.SetComment("a comment"), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is found in a file of an archive is told by its place in the archive.
func TestArchive(t *testing.T) {
	m := machines["amd64"]
	program := m.program(m.usdt)
	path := zipFile(t, program)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	base := uint64(bytes.Index(whole, program))
	probes, err := USDTProbes(path + "!/lib/probed")
	want := []USDTProbe{{Provider: "test", Name: "hit", Args: m.args, Offset: base + m.probeAt, Semaphore: base + semAt, addr: codeBase + m.probeAt}}
	if diff := cmp.Diff(want, probes, cmp.AllowUnexported(USDTProbe{})); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if at, err := fileOffset(path+"!/lib/probed", "", 7); err != nil || at != base+7 {
		t.Errorf("an offset in the file: %d, %v; want %d", at, err, base+7)
	}
	for name, exist := range map[string]bool{"!/lib/packed": true, "!/lib/none": false} {
		var e *SymbolError
		if _, err := USDTProbes(path + name); !errors.As(err, &e) || errors.Is(err, os.ErrNotExist) == exist {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := 0; n < len(whole); n += 13 { // cut off or changed: an error or other probes, no panic
		for _, b := range [][]byte{whole[:n], append(append(bytes.Clone(whole[:n]), 0xff, 0xff, 0xff, 0xff), whole[min(n+4, len(whole)):]...)} {
			if err := os.WriteFile(path, b, 0o700); err != nil {
				t.Fatal(err)
			}
			USDTProbes(path + "!/lib/probed")
		}
	}
}

func FuzzArchive(f *testing.F) {
	m := machines["amd64"]
	path := zipFile(f, m.program(m.usdt))
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		USDTProbes(path + "!/lib/probed")
	})
}
