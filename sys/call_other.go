//go:build !linux

package sys

// Call makes a call. Not Linux: ENOSYS.
func (live) Call(c Call) (int, error) { return -1, unsupported(c.op()) }

func (c *PerfEventOpen) do() (int, error) { return -1, ENOSYS }
func (c *Ioctl) do() (int, error)         { return -1, ENOSYS }
func (c *SetSockOpt) do() (int, error)    { return -1, ENOSYS }
func (c *Netlink) do() (int, error)       { return -1, ENOSYS }
func (c *ReadFile) do() (int, error)      { return -1, ENOSYS }
func (c *WriteFile) do() (int, error)     { return -1, ENOSYS }
