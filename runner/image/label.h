/* SPDX-License-Identifier: Apache-2.0 */
/* label.h - what an image says about itself: the command to run when none is
 * given, its environment, directory and user. JSON behind the filesystem, which
 * does not see it:
 *
 *	0 .......... EROFS .......... | JSON | zeroes | struct label_footer |
 *	                              multiple of 4096              end of file
 *
 * Trusts: nothing of what it reads; whoever made the image may be anybody. */
#pragma once
#include "runner/cli/strlist.h"

#include <stddef.h>
#include <stdint.h>

#define LABEL_MAGIC    0x4c42414c504d41aeull
#define LABEL_VERSION  1u
#define LABEL_JSON_MAX (1u << 20)

struct label_footer { /* the last bytes of a file; little-endian */
	uint64_t magic;
	uint32_t version;
	uint32_t json_bytes;
	uint64_t json_offset;
	uint64_t reserved; /* 0 */
};

struct label { /* zero-initialised: says nothing */
	struct strlist command;
	struct strlist env; /* "K=V" */
	char *cwd;          /* absolute; NULL: not said */
	uint32_t uid, gid;
};

void label_done(struct label *label);
#define cleanup_label __attribute__((cleanup(label_done)))

/** label_encode() - as JSON. @ret: malloc'ed, NUL-terminated.
 * Return: 0, -ENOMEM; -EINVAL: a string is no UTF-8; -E2BIG. */
int label_encode(const struct label *label, char **ret);

/** label_decode() - from JSON. @ret: for label_done(); empty on failure.
 * Return: 0; -EBADMSG with @ret_why, a static sentence; -ENOMEM. */
int label_decode(const char *json, size_t bytes, struct label *ret,
		 const char **ret_why);

/** label_read() - of an image file. One without a label gives an empty one.
 * Return: as label_decode(), and -errno of pread(2). */
int label_read(int fd, struct label *ret, const char **ret_why);
