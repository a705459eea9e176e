package sys

// BTFData is the contents of a BTF object that the kernel holds: types and
// strings, in the form that BPF_BTF_LOAD takes. Of a kernel module these are its
// own types only, which go on from those of vmlinux.
func BTFData(k Kernel, fd int) ([]byte, error) {
	var size BTFInfo
	if err := ObjGetInfoByFD(k, fd, &size); err != nil {
		return nil, err
	}
	b := make([]byte, size.BTFSize)
	info := BTFInfo{BTF: BytesPtr(b), BTFSize: size.BTFSize}
	if err := ObjGetInfoByFD(k, fd, &info); err != nil {
		return nil, err
	}
	return b, nil
}

// BTFDataByID is BTFData of the object with an id; ENOENT if there is none.
func BTFDataByID(k Kernel, id uint32) ([]byte, error) {
	fd, err := GetFDByID(k, ObjBTF, id, 0)
	if err != nil {
		return nil, err
	}
	defer fd.Close()
	return BTFData(k, fd.Int())
}
