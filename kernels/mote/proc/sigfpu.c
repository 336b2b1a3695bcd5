/* SPDX-License-Identifier: Apache-2.0 */
/* sigfpu.c - the program's FPU state on its stack and back. Trusts nothing that
 * comes back: an instruction that loads a bad image faults, and it is the
 * kernel that would execute it. So what those instructions look at is checked
 * here: MXCSR, and the header of the image. All else is just numbers.
 *
 * The running thread's context.fpu is free for use here (arch/context.h). */
#include "kernels/mote/proc/sigfpu.h"

#include <asm/sigcontext.h>
#include <errno.h>
#include <stdbool.h>

#include "kernels/mote/arch/context.h"
#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/task.h"

#define LEGACY_BYTES  512u /* what FXSAVE writes; the header is next */
#define HEADER_BYTES  64u
#define LEGACY_PARTS  3u      /* x87 and SSE, as bits of XCR0 */
#define MXCSR_DEFAULT 0xffbfu /* valid bits where the CPU does not say */

struct image { /* Intel SDM 1, 13.4 */
	uint8_t x87[24];
	uint32_t mxcsr, mxcsr_mask;
	uint8_t registers[432];
	struct _fpx_sw_bytes software;
	uint64_t parts; /* XSTATE_BV */
	uint64_t compact, reserved[6];
};
_Static_assert(sizeof(struct image) == LEGACY_BYTES + HEADER_BYTES, "XSAVE");

uint32_t sigfpu_bytes(void)
{
	return cpu_info.xsave ? cpu_info.xsave_bytes + FP_XSTATE_MAGIC2_SIZE
			      : LEGACY_BYTES;
}

int sigfpu_write(uint64_t at)
{
	struct image *image = current()->context.fpu;
	uint32_t magic2 = FP_XSTATE_MAGIC2;

	fpu_save(image);
	image->software = (struct _fpx_sw_bytes){0};
	if (!cpu_info.xsave)
		return copy_to_user(at, image, LEGACY_BYTES);
	image->software = (struct _fpx_sw_bytes){
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = sigfpu_bytes(),
		.xfeatures = cpu_info.xcr0,
		.xstate_size = cpu_info.xsave_bytes,
	};
	if (copy_to_user(at, image, cpu_info.xsave_bytes) < 0)
		return -EFAULT;
	return copy_to_user(at + cpu_info.xsave_bytes, &magic2, sizeof(magic2));
}

/* Is there more than FXSAVE's part, by the software's own account? Linux, too,
 * takes that part alone if the account is not true. */
static bool is_extended(uint64_t at, const struct _fpx_sw_bytes *sw)
{
	uint32_t magic2;

	return cpu_info.xsave && sw->magic1 == FP_XSTATE_MAGIC1 &&
	       sw->xstate_size == cpu_info.xsave_bytes &&
	       sw->extended_size >= sigfpu_bytes() &&
	       copy_from_user(&magic2, at + sw->xstate_size, sizeof(magic2)) ==
		       0 &&
	       magic2 == FP_XSTATE_MAGIC2;
}

static bool header_is_valid(const struct image *image)
{
	uint64_t set = image->compact;

	for (unsigned i = 0; i < 6; i++)
		set |= image->reserved[i];
	return !set && !(image->parts & ~cpu_info.xcr0);
}

static void set_legacy_header(struct image *image)
{
	memset(&image->parts, 0, HEADER_BYTES);
	image->parts = LEGACY_PARTS;
}

int sigfpu_read(uint64_t at)
{
	struct image *image = current()->context.fpu;
	uint32_t valid;

	if (!at) {
		fpu_reset(image);
		return 0;
	}
	fpu_save(image);
	valid = image->mxcsr_mask ? image->mxcsr_mask : MXCSR_DEFAULT;
	if (copy_from_user(image, at, LEGACY_BYTES) < 0)
		return -EFAULT;
	if (image->mxcsr & ~valid)
		return -EINVAL;
	if (is_extended(at, &image->software)) {
		if (copy_from_user(&image->parts, at + LEGACY_BYTES,
				   cpu_info.xsave_bytes - LEGACY_BYTES) < 0)
			return -EFAULT;
		if (!header_is_valid(image))
			return -EINVAL;
		image->parts &= image->software.xfeatures;
	} else {
		set_legacy_header(image);
	}
	fpu_load(image);
	return 0;
}
