/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_harness.c - doorbells with any value over any memory. Oracle: what
 * reaches the host is as long as it claims and no longer than it may be. */
#include <stdlib.h>

#include "devices-virtio/harness.h"
#include "tests/fuzz/session.h"

static struct fuzz_guest guest;
static volatile uint64_t sink;

static void see(const void *data, size_t bytes)
{
	const uint8_t *p = data;

	if (bytes > HARNESS_REPORT_MAX)
		abort();
	while (bytes--)
		sink += *p++;
}

static void see_number(void *ctx, uint64_t value)
{
	sink += value;
}

static void see_status(void *ctx, uint32_t status)
{
	sink += status;
}

static void see_crash(void *ctx, const struct harness_crash *crash)
{
	see(crash, sizeof(*crash));
}

static void see_missing(void *ctx, const struct harness_missing *m, uint32_t n)
{
	see(m, n * sizeof(*m));
}

static void see_text(void *ctx, const char *text, uint32_t bytes)
{
	see(text, bytes);
}

static void see_oom(void *ctx, const struct harness_oom *oom)
{
	see(oom, sizeof(*oom));
}

static void see_off(void *ctx)
{
	sink++;
}

/** ask() - the host wants something of the guest. */
static void ask(void *arg, struct fuzz_input *in)
{
	uint8_t what = fuzz_u8(in);

	if (what & 0x80) /* no request has this bit */
		harness_resize(arg, what, (uint16_t)~what);
	else
		harness_request(arg, what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct harness_config config = {
		.callbacks = {see_status, see_number, see_crash, see_missing,
			      see_text, see_oom, see_off},
	};
	static struct session session;
	struct fuzz_input in = {data, size};
	struct vdev *vd;

	if (harness_new(&config, &vd))
		abort();
	if (session_is(&in)) {
		session_play(&session, vd, &in, ask, vd);
		vdev_free(vd);
		return 0;
	}
	fuzz_attach(&guest, vd);
	for (unsigned i = 0; i < FUZZ_OPS_MAX && in.left; i++) {
		uint8_t op = fuzz_u8(&in);
		uint64_t at = op & 0x40 ? fuzz_u64(&in) : fuzz_u16(&in);

		if (op < 0x40)
			fuzz_poke(&guest, &in);
		else if (op >= 0xf0)
			ask(vd, &in);
		else
			vmmio_write(&guest.m, 0x100 + (op & 0x38u), &at, 8);
	}
	vdev_free(vd);
	return 0;
}
