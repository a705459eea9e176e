package corpus

import "strings"

// A confClass is a configuration of pins that is malformed in one way.
type confClass struct{ name, text string }

var confClasses = []confClass{
	{"C01-line-of-2,000-bytes", "# " + strings.Repeat("x", 2000) + "\n"},
	{"C02-NUL", "3 a\x00b\n"},
	{"C03-carriage-returns", "3 a\r\n4 b\r\n"},
	{"C04-byte-order-mark", "\ufeff3 a\n"},
	{"C05-2,000-entries", strings.Repeat("# entry\n", 2000)},
	{"C06-value-twice", "3 a\n3 b\n"},
	{"C07-hexadecimal-value", "0x10 a\n"},
	{"C08-value-0", "0 a\n"},
	{"C08-value-past-32-bits", "4294967296 a\n"},
	{"C09-path-out-of-the-directory", "3 ../evil\n"},
	{"C09-absolute-path", "3 /etc/x\n"},
	{"C10-include", "include /etc/passwd\n"},
	{"C11-escapes", "3 \x1b[2J\n"},
	{"C12-no-UTF-8", "# \xff\n"},
	{"C13-placeholder-without-end", "3 a/%{ifname\n"},
}
