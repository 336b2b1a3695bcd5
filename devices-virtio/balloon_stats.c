/* SPDX-License-Identifier: Apache-2.0 */
/* balloon_stats.c - the balloon's statistics (virtio 1.2, 5.5.6.3). Trusts:
 * nothing of what they say. Must not: keep more than one value a tag. */
#include "devices-virtio/balloon_internal.h"

#include <errno.h>

/* Unknown tags are passed over; so many entries are looked at. */
#define ENTRIES_MAX 64u

static void parse(struct balloon *b, struct balloon_work *w)
{
	struct virtio_balloon_stat entry[ENTRIES_MAX];
	size_t bytes = gm_iov_read(w->chain.iov, w->chain.readable, entry,
				   sizeof(entry));

	b->look.stats_mask = 0;
	for (size_t i = 0; i < bytes / sizeof(entry[0]); i++) {
		uint16_t tag = entry[i].tag;

		if (tag >= BALLOON_STATS)
			continue;
		b->look.stat[tag] = entry[i].val;
		b->look.stats_mask |= 1u << tag;
	}
	b->look.stats_serial++;
}

void balloon_take_stats(struct balloon *b)
{
	struct balloon_work *w = &b->work[QUEUE_STATS];

	if (w->held || !balloon_take(b, QUEUE_STATS))
		return;
	if (w->chain.writable) { /* 5.5.6.3.1 */
		vdev_break(&b->vd);
		return;
	}
	parse(b, w);
}

int balloon_ask_stats(struct vdev *vd)
{
	struct balloon *b = (struct balloon *)vd;
	struct balloon_work *w = &b->work[QUEUE_STATS];
	int err = -EAGAIN;

	vdev_lock(vd);
	if (vdev_has(vd, VIRTIO_BALLOON_F_STATS_VQ))
		balloon_take_stats(b);
	if (w->held && vdev_live(vd)) {
		w->held = false;
		vdev_push(vd, QUEUE_STATS, &w->chain, 0);
		vdev_signal(vd, QUEUE_STATS);
		err = 0;
	}
	vdev_unlock(vd);
	return err;
}
