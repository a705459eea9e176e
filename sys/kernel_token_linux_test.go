package sys

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
)

// A process in a user namespace gets rights from a bpffs that a privileged process
// has configured for it.
func TestKernelToken(t *testing.T) {
	ktest.NoFDLeaks(t)
	ktest.Delegated(t, func(t *testing.T, bpffs int) {
		k := Live()
		lru := &MapCreateAttr{MapType: MapTypeLRUHash, KeySize: 4, ValueSize: 4, MaxEntries: 8}
		err := done(MapCreate(k, lru))
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "user namespace") || !strings.Contains(err.Error(), "token") {
			t.Errorf("without a token: %v", err)
		}
		token, err := OpenToken(k, "/proc/self/fd/"+strconv.Itoa(bpffs))
		own(t, token, err)
		lru.MapFlags, lru.MapTokenFD = BPF_F_TOKEN_FD, token.Num()
		m, err := MapCreate(k, lru)
		own(t, m, err)
		b, err := BTFLoad(k, &BTFLoadAttr{BTF: BytesPtr(btfInt().bytes()), Size: uint32(len(btfInt().bytes())), Flags: BPF_F_TOKEN_FD, TokenFD: token.Num()})
		own(t, b, err)
		a := (&trial{typ: ProgTypeXDP, code: ret(2), flags: BPF_F_TOKEN_FD}).attr()
		a.ProgTokenFD = token.Num()
		p, err := ProgLoad(k, a)
		own(t, p, err)
		with := WithToken(k, token.Int())
		m, err = MapCreate(with, &MapCreateAttr{MapType: MapTypeLRUHash, KeySize: 4, ValueSize: 4, MaxEntries: 8})
		own(t, m, err)
		b, err = loadBTF(with, btfInt())
		own(t, b, err)
		bad := &trial{typ: ProgTypeXDP, code: code(nil).exit(), log: make([]byte, 4096)}
		attr := bad.attr()
		if err := done(ProgLoad(with, attr)); ErrnoOf(err) != EACCES || bad.logText() == "" || attr.LogTrueSize == 0 || attr.ProgTokenFD != 0 {
			t.Errorf("a bad program: %v, log %q of %d bytes", err, bad.logText(), attr.LogTrueSize)
		}
		if err := Probe(with, MapTypeFeature(MapTypeLRUHash)); err != nil {
			t.Errorf("a probe with a token: %v", err)
		}
		if err := Probe(k, MapTypeFeature(MapTypeLRUHash)); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a probe without a token: %v", err)
		}
		var info TokenInfo
		if err := ObjGetInfoByFD(k, token.Int(), &info); err == nil && info.AllowedCmds == 0 {
			t.Errorf("token info: %+v", info)
		}
	})
}

// Where there is no token to be had the error says why.
func TestKernelNoToken(t *testing.T) {
	k := kernelTest(t)
	dir := ktest.BPFFS(t)
	if err := Probe(k, FeatureToken); err != nil {
		t.Skip(err)
	}
	token, err := OpenToken(k, dir)
	token.Close()
	if ErrnoOf(err) != EOPNOTSUPP || !strings.Contains(err.Error(), "not of a user namespace") {
		t.Errorf("a file system of no user namespace: %v", err)
	}
	if _, err := OpenToken(k, dir+"/absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file system: %v", err)
	}
}
