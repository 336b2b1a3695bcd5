/* SPDX-License-Identifier: Apache-2.0 */
/* bzimage.c - the vmlinux out of a bzImage. */
#include "runner/cli/bzimage.h"

#include "base/ckd.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runner/cli/kernel_codec.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_AT      0x1f1u /* where struct setup_header lies in the file */
#define HEADER_MAGIC   0x53726448u /* "HdrS" */
#define BOOT_FLAG      0xaa55u
#define PROTOCOL_LEAST 0x0208u /* the first with payload_offset */
#define SECTOR         512u
#define SECTORS_OLD    4u /* what setup_sects 0 means */
#define PAYLOAD_MAX    (256u << 20)
#define VERSION_BASE   0x200u

static int read_header(int fd, struct setup_header *ret)
{
	int err = fd_pread_all(fd, ret, sizeof(*ret), HEADER_AT);

	if (err)
		return err;
	return ret->boot_flag == BOOT_FLAG && ret->header == HEADER_MAGIC
		       ? 0
		       : -ENOEXEC;
}

/** read_version() - the text up to the first blank; "" if there is none. */
static void read_version(int fd, const struct setup_header *h, char *ret)
{
	char text[BZIMAGE_VERSION_MAX] = "";
	size_t bytes;

	if (!h->kernel_version ||
	    fd_pread_all(fd, text, sizeof(text) - 1,
			 VERSION_BASE + (uint64_t)h->kernel_version))
		text[0] = '\0';
	text[sizeof(text) - 1] = '\0';
	bytes = strspn(text, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_~");
	if (text[0] == '.' || (text[bytes] && text[bytes] != ' '))
		bytes = 0;
	memcpy(ret, text, bytes);
	ret[bytes] = '\0';
}

/** find_payload() - where in the file it is. */
static int find_payload(const struct setup_header *h, uint64_t file_bytes,
			uint64_t *ret_at, const char **ret_why)
{
	unsigned sectors = h->setup_sects ? h->setup_sects : SECTORS_OLD;
	uint64_t at = (sectors + 1ull) * SECTOR + h->payload_offset;

	*ret_why = "has an old boot protocol (before 2.08, Linux 2.6.26)";
	if (h->version < PROTOCOL_LEAST)
		return -EINVAL;
	*ret_why = "is damaged or cut short: its compressed part ends beyond "
		   "the file";
	if (!h->payload_length || h->payload_length > PAYLOAD_MAX ||
	    !ckd_range(at, h->payload_length, file_bytes))
		return -EINVAL;
	*ret_at = at;
	return 0;
}

static int unpack(int fd, uint64_t at, uint32_t bytes, int out,
		  struct bzimage *ret, const char **ret_why)
{
	struct kernel_sink sink = {.fd = out, .limit = BZIMAGE_VMLINUX_MAX};
	cleanup_free uint8_t *payload = malloc(bytes);
	int err;

	*ret_why = "takes more memory to unpack than there is";
	if (!payload)
		return -ENOMEM;
	*ret_why = "cannot be read";
	err = fd_pread_all(fd, payload, bytes, at);
	if (!err)
		err = kernel_codec_unpack(payload, bytes, &sink, ret_why);
	ret->bytes = sink.bytes;
	return err;
}

int bzimage_unpack(int fd, int out, struct bzimage *ret, const char **ret_why)
{
	struct bzimage image = {0};
	struct setup_header h;
	struct stat st;
	uint64_t at;
	int err;

	*ret = image;
	if (read_header(fd, &h))
		return 0; /* whoever wants an ELF file says what it is */
	*ret_why = "cannot be read";
	if (fstat(fd, &st) < 0)
		return -errno;
	err = find_payload(&h, (uint64_t)st.st_size, &at, ret_why);
	if (!err)
		err = unpack(fd, at, h.payload_length, out, &image, ret_why);
	if (err)
		return err;
	image.found = true;
	read_version(fd, &h, image.version);
	*ret = image;
	return 0;
}
