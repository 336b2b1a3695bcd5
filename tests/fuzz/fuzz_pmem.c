/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pmem.c - a pmem device whose driver is the input. */
#include <stdlib.h>

#include "devices-virtio/pmem.h"
#include "tests/fuzz/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pmem_config config = {1ull << 32, 4u << 20};
	static struct session session;
	struct fuzz_input in = {data, size};
	struct vdev *vd;

	if (pmem_new(&config, &vd))
		abort();
	(void)session_is(&in);
	session_play(&session, vd, &in, NULL, NULL);
	vdev_free(vd);
	return 0;
}
