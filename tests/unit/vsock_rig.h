/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_rig.h - a vsock device between a fake driver and a fake helper, without
 * a loop thread: what that would do is done when the test says so. Aborts when
 * the test itself is wrong. */
#pragma once
#include <linux/virtio_vsock.h>

#include "base/loop.h"
#include "base/vsock_wire.h"
#include "devices-virtio/vsock.h"
#include "tests/unit/fake_driver.h"

#define VRIG_CID      77u
#define VRIG_CONNS    16u
#define VRIG_ALLOC    0x100000u /* room that the guest says it has */
#define VRIG_RX       16u       /* buffers of VRIG_RX_BYTES */
#define VRIG_RX_BYTES 4096u
#define VRIG_PORT     1000u /* of the guest */
#define VRIG_HOST     52u   /* of the host */

struct vrig {
	struct fake_driver drv;
	struct loop *loop;
	int pair[2][2]; /* of this device, of the next; ours first */
	uint32_t alloc; /* what packets of the guest say */
	uint32_t forwarded;
};

/* A packet from the device. */
struct vrig_packet {
	struct virtio_vsock_hdr head;
	uint8_t data[VRIG_RX_BYTES];
};

/** vrig_start() - up to DRIVER_OK, with receive buffers if @buffers. */
void vrig_start(struct vrig *r, bool buffers);
void vrig_done(struct vrig *r);
/** vrig_device() - another one like it, as a state_maker of state_rig.h. */
struct vdev *vrig_device(void *rig);
/** vrig_post() - @n receive buffers more. */
void vrig_post(struct vrig *r, unsigned n);

/** vrig_header() - of a packet from VRIG_PORT to VRIG_HOST. */
struct virtio_vsock_hdr vrig_header(const struct vrig *r, uint16_t op);
/** vrig_put() - a packet into the transmit ring, without a kick. */
void vrig_put(struct vrig *r, const struct virtio_vsock_hdr *head,
	      const void *data, uint32_t bytes);
/** vrig_send() - the same, its kick, and what the loop would do then. */
void vrig_send(struct vrig *r, const struct virtio_vsock_hdr *head,
	       const void *data, uint32_t bytes);
void vrig_op(struct vrig *r, uint16_t op, uint32_t flags);
void vrig_data(struct vrig *r, const void *data, uint32_t bytes);
/** vrig_hear() - the next packet; its buffer goes back. Return: its op, or 0:
 * there is none. */
uint16_t vrig_hear(struct vrig *r, struct vrig_packet *ret);
/** vrig_turn() - what the loop thread would do. */
void vrig_turn(struct vrig *r);
/** vrig_ticks() - as if so many ticks had passed. */
void vrig_ticks(struct vrig *r, unsigned n);

/** vrig_asked() - the helper's next message. Return: false: there is none. */
bool vrig_asked(struct vrig *r, struct vsock_message *ret);
/** vrig_answer() - the helper says something, with @fd unless it is -1, which
 * is closed here; then what the loop would do. */
void vrig_answer(struct vrig *r, uint32_t word, uint32_t id, uint32_t port,
		 int fd);
/** vrig_connect() - the guest connects, and all goes well. Return: the host's
 * end, to be closed; it does not block. */
int vrig_connect(struct vrig *r);
/** vrig_dial() - the host connects to VRIG_PORT, up to the REQUEST, which is in
 * @ret. Return: the client. */
int vrig_dial(struct vrig *r, struct vrig_packet *ret);
/** vrig_abandon() - the helper is gone. */
void vrig_abandon(struct vrig *r);
