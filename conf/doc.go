// Package conf reads the system-wide pinning configuration: where in bpffs the
// maps and programs of an object are pinned, in which layout, and what happens
// when something else is pinned there already.
//
// A map definition says only that it wants to be pinned, as a number. Which
// directory that number means is the system administrator's decision, and all
// loaders of a system have to agree on it, or two programs that mean to share a
// map end up with two maps. iproute2 has a file for this, bpf_pinning; this
// package reads that file as it is, and a format of its own that is a superset
// of it (docs/pinning.conf.md describes it on one page):
//
//	# pin value 3 of a map definition is the directory "tenants" of bpffs
//	3        tenants
//	root     app                   # maps pinned by name
//	map      stats_*  per/%{ifname}   replace
//
// [Load] merges all files of the system, and every value of the result carries
// the file and line that it came from. [Config.Decide] is the one place where a
// path is decided: it takes what is known of a map or program and returns a
// directory, a name and the line that decided it.
//
// # Which files
//
// In order, each overriding the ones before it, value by value:
//
//  1. the built-in defaults, [Default];
//  2. iproute2's database, the first of /etc/iproute2/bpf_pinning,
//     /usr/share/iproute2/bpf_pinning and /usr/lib/iproute2/bpf_pinning that
//     exists, read in [Lenient] mode;
//  3. /etc/libbpf/pinning.conf;
//  4. /etc/libbpf/pinning.conf.d/*.conf in the order of their names.
//
// An explicit path ([Options].Path), or else the environment variable
// LODE_PINNING_CONF, names a file that is read instead of 2 to 4 and has to
// exist. Of the others a missing one is no error.
//
// # Strictness
//
// A file is accepted as a whole or refused as a whole, with the line and column
// of what is wrong. It is refused unread if it is not a regular file, is a
// symbolic link, or if anybody but root and the user himself could have
// written it.
//
// The package makes no system call but those that read files, and none at all
// in [Parse] and [Config.Decide].
package conf
