/* SPDX-License-Identifier: Apache-2.0 */
/* test_mmio.c - the transport's registers and the life of a device: virtio
 * 1.2, 2.1, 3.1 and 4.2.2. The device behind it only counts what reaches it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dummy.h"
#include "tests/unit/fake_driver.h"

#define SIZE   8u
#define V1     (1ull << VIRTIO_F_VERSION_1)
#define S_ACK  VIRTIO_CONFIG_S_ACKNOWLEDGE
#define S_DRV  VIRTIO_CONFIG_S_DRIVER
#define S_FEAT VIRTIO_CONFIG_S_FEATURES_OK
#define S_OK   VIRTIO_CONFIG_S_DRIVER_OK
#define STATUS VIRTIO_MMIO_STATUS

static struct dummy dummy;
static struct fake_driver drv;

static void set_up(void)
{
	dummy_init(&dummy);
	drv_attach(&drv, &dummy.vd);
}

static void tear_down(void)
{
	drv_done(&drv);
}

TestSuite(mmio, .init = set_up, .fini = tear_down);

Test(mmio, identifies_itself)
{
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_VERSION), 2);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_DEVICE_ID), 42);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_VENDOR_ID), VDEV_VENDOR_ID);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_SHM_LEN_LOW), UINT32_MAX);
	cr_expect_eq(drv_get(&drv, STATUS), 0);
}

Test(mmio, offers_64_feature_bits)
{
	drv_set(&drv, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_DEVICE_FEATURES),
		     1u | 1u << VIRTIO_RING_F_INDIRECT_DESC |
			     1u << VIRTIO_RING_F_EVENT_IDX);
	drv_set(&drv, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_DEVICE_FEATURES), 1);
	drv_set(&drv, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 2);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_DEVICE_FEATURES), 0);
	drv_set(&drv, VIRTIO_MMIO_DEVICE_FEATURES_SEL, UINT32_MAX);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_DEVICE_FEATURES), 0);
}

Test(mmio, serves_a_request_from_start_to_end)
{
	struct drv_used used;

	drv_start(&drv, V1, SIZE);
	cr_expect_eq(dummy.activations, 1);
	drv_send(&drv, 1, DRV_DATA, 16, 0);
	drv_kick(&drv, 1);
	cr_expect(drv_take(&drv, 1, &used));
	cr_expect_eq(drv.interrupts, 1);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_INTERRUPT_STATUS),
		     VIRTIO_MMIO_INT_VRING);
	drv_set(&drv, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
}

/* Features (virtio 1.2, 3.1.1) */

Test(mmio, refuses_features_it_did_not_offer)
{
	cr_expect(!(drv_negotiate(&drv, V1 | 2) & S_FEAT));
	cr_expect(!(drv_negotiate(&drv, V1 | 1ull << 63) & S_FEAT));
	cr_expect(drv_negotiate(&drv, V1 | 1) & S_FEAT, "a reset cures it");
}

Test(mmio, refuses_a_driver_without_version_1)
{
	cr_expect(!(drv_negotiate(&drv, 1) & S_FEAT));
}

Test(mmio, refuses_features_beyond_64_bits)
{
	drv_negotiate(&drv, 0); /* fails, status is ACK | DRIVER */
	drv_set(&drv, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	drv_set(&drv, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	drv_set(&drv, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 2);
	drv_set(&drv, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	drv_set(&drv, STATUS, S_ACK | S_DRV | S_FEAT);
	cr_expect(!(drv_get(&drv, STATUS) & S_FEAT));
}

Test(mmio, keeps_features_once_agreed)
{
	drv_negotiate(&drv, V1);
	drv_set(&drv, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	drv_set(&drv, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	cr_expect(!vdev_has(&dummy.vd, 0));
	cr_expect(!drv_broken(&drv));
}

/* Status (virtio 1.2, 2.1) */

Test(mmio, breaks_when_the_status_goes_backwards)
{
	drv_start(&drv, V1, SIZE);
	drv_set(&drv, STATUS, S_ACK | S_DRV);
	cr_expect(drv_broken(&drv));
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_INTERRUPT_STATUS),
		     VIRTIO_MMIO_INT_CONFIG);
}

Test(mmio, breaks_on_driver_ok_without_features_ok)
{
	drv_set(&drv, STATUS, S_ACK | S_DRV);
	drv_set(&drv, STATUS, S_ACK | S_DRV | S_OK);
	cr_expect(drv_broken(&drv));
	cr_expect_eq(dummy.activations, 0);
	cr_expect_eq(drv.interrupts, 0, "no driver is there to listen");
}

Test(mmio, ignores_status_bits_that_are_not_the_drivers)
{
	drv_set(&drv, STATUS, 0xffffff30u | VIRTIO_CONFIG_S_NEEDS_RESET);
	cr_expect_eq(drv_get(&drv, STATUS), 0);
}

Test(mmio, is_not_cured_but_by_reset)
{
	drv_set(&drv, STATUS, S_ACK | S_DRV);
	drv_set(&drv, STATUS, S_ACK);
	cr_assert(drv_broken(&drv));
	drv_set(&drv, STATUS, S_ACK | S_DRV | S_FEAT | S_OK);
	cr_expect(drv_broken(&drv));
	drv_set(&drv, STATUS, 0);
	cr_expect_eq(drv_get(&drv, STATUS), 0);
	drv_start(&drv, V1, SIZE);
	cr_expect(vdev_live(&dummy.vd));
}

Test(mmio, activates_once)
{
	drv_start(&drv, V1, SIZE);
	drv_set(&drv, STATUS, drv_get(&drv, STATUS));
	cr_expect_eq(dummy.activations, 1);
}

Test(mmio, breaks_when_the_device_refuses_to_start)
{
	dummy.activate_result = -EPROTO;
	drv_start(&drv, V1, SIZE);
	cr_expect(drv_broken(&drv));
}

Test(mmio, forgets_everything_on_reset)
{
	drv_start(&drv, V1, SIZE);
	drv_send(&drv, 0, DRV_DATA, 1, 0);
	drv_kick(&drv, 0);
	drv_set(&drv, STATUS, 0);
	cr_expect_eq(dummy.stops, 2, "both queues were told");
	cr_expect_geq(dummy.resets, 1);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	for (unsigned q = 0; q < 2; q++) {
		drv_set(&drv, VIRTIO_MMIO_QUEUE_SEL, q);
		cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_QUEUE_READY), 0);
	}
	drv_negotiate(&drv, V1);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_READY, 1);
	cr_expect(drv_broken(&drv), "old addresses do not survive");
}

/* Queues */

Test(mmio, tells_the_largest_queue)
{
	drv_set(&drv, VIRTIO_MMIO_QUEUE_SEL, 1);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_QUEUE_NUM_MAX), 16);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_SEL, 2);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_SEL, UINT32_MAX);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_NUM, 8);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_READY, 1);
	cr_expect(!drv_broken(&drv), "a queue that is not there");
}

Test(mmio, breaks_on_a_queue_too_large)
{
	drv_negotiate(&drv, V1);
	drv_queue(&drv, 0, 32);
	cr_expect(drv_broken(&drv));
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_QUEUE_READY), 0);
}

Test(mmio, breaks_on_a_queue_before_features)
{
	drv_queue(&drv, 0, SIZE);
	cr_expect(drv_broken(&drv));
}

Test(mmio, does_not_restart_a_queue_enabled_twice)
{
	drv_start(&drv, V1, SIZE);
	drv_send(&drv, 0, DRV_DATA, 1, 0);
	drv_kick(&drv, 0);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_SEL, 0);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_READY, 1);
	cr_expect_eq(dummy.vd.queue[0].last_avail, 1);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_QUEUE_READY), 1);
}

Test(mmio, ignores_a_new_address_while_ready)
{
	drv_start(&drv, V1, SIZE);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_SEL, 0);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_DESC_LOW, DRV_DATA);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_NUM, 2);
	cr_expect_eq(dummy.vd.queue[0].desc.v, drv_setup(0, 1).desc.v);
	cr_expect_eq(drv.m.queue[0].size, SIZE);
}

Test(mmio, stops_and_restarts_a_queue)
{
	drv_start(&drv, V1, SIZE);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_SEL, 1);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_READY, 0);
	cr_expect_eq(dummy.stops, 1);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_QUEUE_READY), 0);
	drv_send(&drv, 1, DRV_DATA, 1, 0);
	drv_kick(&drv, 1);
	cr_expect_eq(drv_used_count(&drv, 1), 0);
	drv_queue(&drv, 1, SIZE);
	drv_send(&drv, 1, DRV_DATA, 1, 0);
	drv_kick(&drv, 1);
	cr_expect_eq(drv_used_count(&drv, 1), 1);
}

/* Kicks */

Test(mmio, ignores_a_kick_that_leads_nowhere)
{
	drv_kick(&drv, 0);
	drv_negotiate(&drv, V1);
	drv_queue(&drv, 0, SIZE);
	drv_kick(&drv, 0);
	cr_expect_eq(dummy.kicks, 0, "before DRIVER_OK");
	drv_start(&drv, V1, SIZE);
	drv_kick(&drv, 2);
	drv_kick(&drv, 7);
	drv_kick(&drv, 8);
	drv_kick(&drv, UINT32_MAX);
	cr_expect_eq(dummy.kicks, 0, "queues that are not there");
	cr_expect(!drv_broken(&drv));
}

Test(mmio, rests_once_broken)
{
	drv_start(&drv, V1, SIZE);
	drv_offer(&drv, 0, SIZE); /* head out of range */
	drv_kick(&drv, 0);
	cr_expect(drv_broken(&drv));
	cr_expect_eq(drv.interrupts, 1, "one configuration interrupt");
	drv_send(&drv, 1, DRV_DATA, 1, 0);
	drv_kick(&drv, 1);
	drv_kick(&drv, 0);
	cr_expect_eq(dummy.kicks, 1);
	cr_expect_eq(drv_used_count(&drv, 1), 0);
	cr_expect_eq(drv.interrupts, 1);
}

/* Accesses */

Test(mmio, answers_aligned_words_only)
{
	uint64_t v = UINT64_MAX;
	uint32_t nothing = 0;

	vmmio_read(&drv.m, VIRTIO_MMIO_MAGIC_VALUE, &v, 8);
	cr_expect_eq(v, 0);
	vmmio_read(&drv.m, 1, &v, 4);
	cr_expect_eq((uint32_t)v, 0);
	vmmio_read(&drv.m, 0, &v, 1);
	cr_expect_eq((uint8_t)v, 0);
	drv_set(&drv, STATUS, S_ACK);
	vmmio_write(&drv.m, STATUS, &nothing, 1);
	vmmio_write(&drv.m, STATUS + 2, &nothing, 4);
	cr_expect_eq(drv_get(&drv, STATUS), S_ACK);
}

Test(mmio, reads_unknown_registers_as_zero)
{
	for (uint32_t reg = 0xb0; reg < 0xfc; reg += 4) {
		uint32_t v = drv_get(&drv, reg);

		cr_expect(v == 0 || (reg >= 0xb0 && reg < 0xc0));
		drv_set(&drv, reg, UINT32_MAX);
	}
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_QUEUE_NOTIFY), 0);
	cr_expect(!drv_broken(&drv));
}

Test(mmio, bounds_the_configuration_space)
{
	char buf[8];

	vmmio_read(&drv.m, 0x100, buf, 8);
	cr_expect(!memcmp(buf, "abcdefgh", 8));
	vmmio_read(&drv.m, 0x107, buf, 1);
	cr_expect_eq(buf[0], 'h');
	vmmio_read(&drv.m, 0x107, buf, 2);
	cr_expect(!memcmp(buf, "\0\0", 2), "across the end");
	vmmio_read(&drv.m, 0x108, buf, 1);
	cr_expect_eq(buf[0], 0);
	vmmio_read(&drv.m, UINT64_MAX, buf, 4);
	cr_expect(!memcmp(buf, "\0\0\0\0", 4));
	vmmio_write(&drv.m, 0x106, "WXYZ", 4);
	vmmio_write(&drv.m, 0x100, "xyz", 3);
	cr_expect(!memcmp(dummy.config, "abcdefgh", 8));
	vmmio_write(&drv.m, 0x104, "EFGH", 4);
	cr_expect(!memcmp(dummy.config, "abcdEFGH", 8));
}

Test(mmio, announces_a_new_configuration)
{
	uint32_t before = drv_get(&drv, VIRTIO_MMIO_CONFIG_GENERATION);

	drv_start(&drv, V1, SIZE);
	vdev_lock(&dummy.vd);
	vdev_config_changed(&dummy.vd);
	vdev_unlock(&dummy.vd);
	cr_expect_neq(drv_get(&drv, VIRTIO_MMIO_CONFIG_GENERATION), before);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_INTERRUPT_STATUS),
		     VIRTIO_MMIO_INT_CONFIG);
}
