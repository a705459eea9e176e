#ifndef types_h
#define types_h

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

struct late;

typedef struct late late_t;

struct late {
	late_t *next;
};

struct gap {
	char c;
	unsigned char __btf_pad_0[15];
	int x;
	unsigned char __btf_pad_1[4];
};

struct packed {
	char c;
	int x;
	unsigned long y;
} __attribute__((packed));

struct bits {
	int a: 3;
	unsigned char: 2;
	int b: 7;
	unsigned char: 4;
	unsigned char __btf_pad_0[2];
	int c: 1;
	unsigned char: 7;
	unsigned char __btf_pad_1[1];
	char d;
};

struct deep {
	union {
		unsigned long all;
		struct {
			int p;
			int q;
		};
	};
	int (*fns[3])(late_t *p, ...);
	int (*pa)[4];
	const char *volatile cp;
};

enum tiny {
	T0 = 0,
	T1 = 1,
} __attribute__((mode(QI)));

enum huge {
	MIN = -9223372036854775807LL - 1,
	MAX = 9223372036854775807LL,
};

enum again {
	T0___2 = 7,
};

struct gap___2 {
	int other;
};

typedef int T0___3;

union unknown;

typedef unsigned int u32__rust_;

struct int_ {
	u32__rust_ while_;
};

typedef __attribute__((btf_type_tag("user"))) char *tagged;

struct padded {
	struct {
		char first;
		unsigned char __btf_pad_0[15];
	};
	union {
		char second;
		unsigned char __btf_pad_1[16];
	};
	unsigned char __btf_pad_2[16];
};

union index {
	unsigned long head_tail;
	struct {
		int p;
		int q;
	};
};

struct embeds {
	int before;
	union {
		unsigned long head_tail;
		struct {
			int p;
			int q;
		};
	};
	unsigned long (*clock)();
};

union hollow {
};

struct holder {
	union hollow h;
	int x;
	union hollow end;
	union {
	};
};

enum {
	LONELY = 3,
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* types_h */
