/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_rng.c - an entropy device whose driver is the input. */
#include <stdlib.h>

#include "devices-virtio/rng.h"
#include "tests/fuzz/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session session;
	struct fuzz_input in = {data, size};
	struct vdev *vd;

	if (rng_new(NULL, &vd))
		abort();
	(void)session_is(&in);
	session_play(&session, vd, &in, NULL, NULL);
	vdev_free(vd);
	return 0;
}
