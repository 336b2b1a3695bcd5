/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_console.c - a console whose driver is the input: an endless stdin, a
 * stdout that takes all, a stderr that blocks for good. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/loop.h"
#include "base/plan.h"
#include "devices-virtio/console.h"
#include "tests/fuzz/session.h"

static struct vdev *new_console(void)
{
	struct console_config config = {
		.kind = {PLAN_STREAM_FILE, PLAN_STREAM_FILE,
			 PLAN_STREAM_NONBLOCK},
		.tty = true,
	};
	struct vdev *vd;
	int blocked[2];

	if (pipe(blocked) || fd_set_nonblock(blocked[1], true))
		abort();
	config.fd[0] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	config.fd[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	config.fd[2] = blocked[1];
	if (loop_new(&config.loop) || console_new(&config, &vd))
		abort();
	return vd;
}

static void resize(void *arg, struct fuzz_input *in)
{
	console_resize(arg, fuzz_u8(in), fuzz_u8(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_guest guest;
	static struct session session;
	struct fuzz_input in = {data, size};

	if (!guest.vd)
		guest.vd = new_console();
	if (session_is(&in))
		return session_play(&session, guest.vd, &in, resize, guest.vd);
	fuzz_attach(&guest, guest.vd);
	fuzz_start(&guest, fuzz_u32(&in));
	for (unsigned i = 0; i < FUZZ_OPS_MAX && in.left; i++) {
		uint8_t op = fuzz_u8(&in);

		if (op < 160)
			fuzz_request(&guest, &in);
		else if (op < 200)
			fuzz_poke(&guest, &in);
		else if (op < 208)
			console_resize(guest.vd, op, fuzz_u8(&in));
		else
			fuzz_access(&guest, &in);
	}
	fuzz_write(&guest, 0x70, 0); /* status: reset */
	return 0;
}
