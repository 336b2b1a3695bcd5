/* SPDX-License-Identifier: Apache-2.0 */
/* test_pci.c - the virtio-pci transport as a driver finds it, and as a broken
 * one finds it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>

#include "devices-virtio/rng.h"
#include "devices-virtio/vdev_state.h"
#include "tests/unit/dummy.h"
#include "tests/unit/fake_pci.h"

#define RING_RESET (1ull << VIRTIO_F_RING_RESET)
#define NONE       VIRTIO_MSI_NO_VECTOR

static struct dummy dummy;
static struct fake_pci pci;

static void set_up(void)
{
	dummy_init(&dummy);
	fake_pci_attach(&pci, &dummy.vd);
	fake_pci_find(&pci);
}

static void tear_down(void)
{
	fake_pci_done(&pci);
}

TestSuite(pci, .init = set_up, .fini = tear_down);

static uint64_t get(uint32_t field, size_t len)
{
	return fake_pci_get(&pci, pci.common + field, len);
}

static void set(uint32_t field, uint64_t value, size_t len)
{
	fake_pci_set(&pci, pci.common + field, value, len);
}

static unsigned status(void)
{
	return (unsigned)get(VIRTIO_PCI_COMMON_STATUS, 1);
}

/** request() - one chain on @q, given back at once. */
static void request(unsigned q)
{
	struct drv_used used;

	drv_send(&pci.drv, q, DRV_DATA, 8, 0);
	fake_pci_kick(&pci, q);
	cr_assert(drv_take(&pci.drv, q, &used));
}

Test(pci, shows_every_structure)
{
	cr_expect_eq(pci.vectors, 3, "two queues and the configuration");
	cr_expect_eq(pci.notify_mul, 4);
	cr_expect_neq(pci.config, 0);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_NUMQ, 2), 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_MSIX, 2), NONE);
	set(VIRTIO_PCI_COMMON_DFSELECT, 1, 4);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_DF, 4),
		     (1u << (VIRTIO_F_VERSION_1 - 32) |
		      1u << (VIRTIO_F_RING_RESET - 32)));
	set(VIRTIO_PCI_COMMON_DFSELECT, 2, 4);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_DF, 4), 0);
}

Test(pci, serves_queues_and_names_each_by_its_vector)
{
	fake_pci_start(&pci, 0, 8);
	cr_assert_eq(status(), 15);
	request(1);
	cr_expect_eq(pci.msgs, 1);
	cr_expect_eq(pci.msg[0].address, FAKE_ADDRESS);
	cr_expect_eq(pci.msg[0].data, FAKE_DATA + 1);
	request(0);
	cr_expect_eq(pci.msg[1].data, FAKE_DATA + 0);
	vdev_lock(&dummy.vd);
	vdev_config_changed(&dummy.vd);
	vdev_unlock(&dummy.vd);
	cr_expect_eq(pci.msg[2].data, FAKE_DATA + 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_CFGGENERATION, 1), 1);
	cr_expect_eq(fake_pci_get(&pci, pci.isr, 1), 3);
	cr_expect_eq(fake_pci_get(&pci, pci.isr, 1), 0, "reading clears");
}

Test(pci, a_queue_without_a_vector_is_silent)
{
	fake_pci_start(&pci, 0, 8);
	set(VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	set(VIRTIO_PCI_COMMON_Q_MSIX, NONE, 2);
	request(0);
	cr_expect_eq(pci.msgs, 0);
	cr_expect_eq(fake_pci_get(&pci, pci.isr, 1), 1);
}

Test(pci, a_vector_that_is_not_there_reads_back_as_none)
{
	fake_pci_start(&pci, 0, 8);
	set(VIRTIO_PCI_COMMON_Q_MSIX, 3, 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_MSIX, 2), NONE);
	set(VIRTIO_PCI_COMMON_MSIX, 0x1000, 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_MSIX, 2), NONE);
}

static void mask(unsigned vector, bool on)
{
	fake_pci_set(&pci,
		     pci.msix + 16ull * vector + PCI_MSIX_ENTRY_VECTOR_CTRL, on,
		     4);
}

static uint64_t pending(void)
{
	return fake_pci_get(&pci, pci.msix + MSIX_PBA, 8);
}

Test(pci, what_is_masked_waits)
{
	fake_pci_start(&pci, 0, 8);
	mask(0, true);
	request(0);
	request(0);
	cr_expect_eq(pci.msgs, 0);
	cr_expect_eq(pending(), 1);
	request(1);
	cr_expect_eq(pci.msgs, 1, "the other one is not masked");
	mask(0, false);
	cr_expect_eq(pci.msgs, 2, "once");
	cr_expect_eq(pci.msg[1].data, FAKE_DATA);
	cr_expect_eq(pending(), 0);
}

Test(pci, what_the_whole_function_masks_waits)
{
	fake_pci_start(&pci, 0, 8);
	fake_pci_cfg_set(&pci, pci.msix_cap + PCI_MSIX_FLAGS,
			 PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2);
	request(0);
	request(1);
	cr_expect_eq(pci.msgs, 0);
	cr_expect_eq(pending(), 3);
	fake_pci_cfg_set(&pci, pci.msix_cap + PCI_MSIX_FLAGS,
			 PCI_MSIX_FLAGS_ENABLE, 2);
	cr_expect_eq(pci.msgs, 2);
	fake_pci_cfg_set(&pci, pci.msix_cap + PCI_MSIX_FLAGS, 0, 2);
	request(0);
	cr_expect_eq(pci.msgs, 2, "off: nothing, not even pending");
	cr_expect_eq(pending(), 0);
}

Test(pci, sends_nothing_unless_bus_master)
{
	fake_pci_start(&pci, 0, 8);
	fake_pci_cfg_set(&pci, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	request(0);
	cr_expect_eq(pci.msgs, 0);
	fake_pci_cfg_set(&pci, PCI_COMMAND,
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	cr_expect_eq(pci.msgs, 1);
}

Test(pci, the_table_takes_words_and_their_pairs)
{
	fake_pci_set(&pci, pci.msix + 16, 0x1122334455667788ull, 8);
	cr_expect_eq(fake_pci_get(&pci, pci.msix + 16, 4), 0x55667788);
	cr_expect_eq(fake_pci_get(&pci, pci.msix + 20, 4), 0x11223344);
	fake_pci_set(&pci, pci.msix + 16, 0, 1);
	fake_pci_set(&pci, pci.msix + 18, 0, 2);
	fake_pci_set(&pci, pci.msix + 20, 0, 8);
	cr_expect_eq(fake_pci_get(&pci, pci.msix + 16, 8),
		     0x1122334455667788ull);
	fake_pci_set(&pci, pci.msix + 28, UINT32_MAX, 4);
	cr_expect_eq(fake_pci_get(&pci, pci.msix + 28, 4), 1);
	fake_pci_set(&pci, pci.msix + 48, UINT32_MAX, 4);
	cr_expect_eq(fake_pci_get(&pci, pci.msix + 48, 4), 0, "the end");
	fake_pci_set(&pci, pci.msix + MSIX_PBA, UINT32_MAX, 4);
	cr_expect_eq(pending(), 0, "read-only");
}

/* Common configuration: each field at its own width (4.1.3.1). */
static struct width {
	uint32_t at;
	uint32_t len;
} bad_widths[] = {
	{VIRTIO_PCI_COMMON_STATUS, 2},   {VIRTIO_PCI_COMMON_STATUS, 4},
	{VIRTIO_PCI_COMMON_NUMQ, 1},     {VIRTIO_PCI_COMMON_NUMQ + 1, 1},
	{VIRTIO_PCI_COMMON_DF, 1},       {VIRTIO_PCI_COMMON_DF, 2},
	{VIRTIO_PCI_COMMON_DFSELECT, 8}, {VIRTIO_PCI_COMMON_Q_SIZE, 4},
	{VIRTIO_PCI_COMMON_Q_SIZE, 8},   {VIRTIO_PCI_COMMON_Q_RESET + 2, 2},
	{VIRTIO_PCI_COMMON_Q_RESET, 4},  {0x800, 4},
};

ParameterizedTestParameters(pci, a_part_of_a_field_is_nothing)
{
	return cr_make_param_array(struct width, bad_widths,
				   sizeof(bad_widths) / sizeof(bad_widths[0]));
}

ParameterizedTest(struct width *w, pci, a_part_of_a_field_is_nothing)
{
	set(VIRTIO_PCI_COMMON_DFSELECT, 1, 4);
	set(VIRTIO_PCI_COMMON_STATUS, 1, 1);
	cr_expect_eq(get(w->at, w->len), 0);
	set(w->at, 0, w->len);
	cr_expect_eq(status(), 1);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_DFSELECT, 4), 1);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 16);
}

Test(pci, addresses_can_be_written_in_halves)
{
	set(VIRTIO_PCI_COMMON_Q_DESCLO, 0x1122334455667788ull, 8);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_DESCHI, 4), 0x11223344);
	set(VIRTIO_PCI_COMMON_Q_DESCHI, 0x99, 4);
	set(VIRTIO_PCI_COMMON_Q_DESCLO, 0x10, 4);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0x9900000010ull);
}

Test(pci, a_queue_that_is_not_there_has_size_0)
{
	set(VIRTIO_PCI_COMMON_Q_SELECT, 1, 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 16);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_NOFF, 2), 1);
	set(VIRTIO_PCI_COMMON_Q_SELECT, 2, 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	set(VIRTIO_PCI_COMMON_Q_SIZE, 8, 2);
	set(VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	cr_expect_eq(status() & VIRTIO_CONFIG_S_NEEDS_RESET, 0);
}

Test(pci, an_enabled_queue_keeps_what_it_has)
{
	fake_pci_start(&pci, 0, 8);
	set(VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	set(VIRTIO_PCI_COMMON_Q_SIZE, 4, 2);
	set(VIRTIO_PCI_COMMON_Q_DESCLO, 0, 4);
	set(VIRTIO_PCI_COMMON_Q_ENABLE, 0, 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 8);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
	request(0);
}

Test(pci, a_bad_queue_breaks_the_device)
{
	fake_pci_negotiate(&pci, 1ull << VIRTIO_F_VERSION_1);
	set(VIRTIO_PCI_COMMON_Q_SIZE, 3, 2);
	set(VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	cr_expect(status() & VIRTIO_CONFIG_S_NEEDS_RESET);
	set(VIRTIO_PCI_COMMON_STATUS, 0, 1);
	cr_expect_eq(status(), 0);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 16, "as at the start");
}

Test(pci, a_reset_forgets_queues_and_vectors)
{
	fake_pci_start(&pci, 0, 8);
	set(VIRTIO_PCI_COMMON_STATUS, 0, 1);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_MSIX, 2), NONE);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_MSIX, 2), NONE);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0);
	fake_pci_start(&pci, 0, 4);
	request(0);
}

Test(pci, one_queue_is_reset_and_set_up_anew)
{
	fake_pci_start(&pci, RING_RESET, 8);
	request(0);
	set(VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	set(VIRTIO_PCI_COMMON_Q_RESET, 1, 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_RESET, 2), 0, "done");
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 16);
	cr_expect_eq(dummy.stops, 1);
	request(1);
	fake_pci_queue(&pci, 0, 4);
	request(0);
	cr_expect_eq(status(), 15);
}

Test(pci, no_queue_is_reset_without_the_feature)
{
	fake_pci_start(&pci, 0, 8);
	set(VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	set(VIRTIO_PCI_COMMON_Q_RESET, 1, 2);
	cr_expect_eq(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
	request(0);
}

Test(pci, the_configuration_takes_any_width)
{
	cr_expect_eq(fake_pci_get(&pci, pci.config, 4), 0x64636261);
	cr_expect_eq(fake_pci_get(&pci, pci.config + 6, 2), 0x6867);
	cr_expect_eq(fake_pci_get(&pci, pci.config + 8, 4), 0);
	cr_expect_eq(fake_pci_get(&pci, pci.config + 1, 2), 0, "unaligned");
	fake_pci_set(&pci, pci.config + 7, 'X', 1);
	cr_expect_eq(fake_pci_get(&pci, pci.config, 8), 0x5867666564636261ull);
}

Test(pci, a_kick_of_nothing_is_nothing)
{
	fake_pci_kick(&pci, 0);
	fake_pci_start(&pci, 0, 8);
	fake_pci_kick(&pci, 2);
	fake_pci_set(&pci, pci.notify, 0, 1);
	fake_pci_set(&pci, pci.notify + 2, 0, 2);
	fake_pci_set(&pci, pci.notify, 0, 8);
	cr_expect_eq(dummy.kicks, 0);
	fake_pci_set(&pci, pci.notify, 0, 4);
	cr_expect_eq(dummy.kicks, 1);
}

/* Through configuration space (4.1.4.9). */

static void aim(uint32_t bar, uint32_t offset, uint32_t length)
{
	fake_pci_cfg_set(&pci, pci.cfg_cap + VIRTIO_PCI_CAP_BAR, bar, 1);
	fake_pci_cfg_set(&pci, pci.cfg_cap + VIRTIO_PCI_CAP_OFFSET, offset, 4);
	fake_pci_cfg_set(&pci, pci.cfg_cap + VIRTIO_PCI_CAP_LENGTH, length, 4);
}

Test(pci, the_window_reaches_what_the_bars_have)
{
	aim(0, VIRTIO_PCI_COMMON_STATUS, 1);
	fake_pci_cfg_set(&pci, pci.cfg_cap + 16, 1, 1);
	cr_expect_eq(status(), 1);
	aim(0, VIRTIO_PCI_COMMON_NUMQ, 2);
	cr_expect_eq(fake_pci_cfg(&pci, pci.cfg_cap + 16, 4), 2);
	aim(0, VPCI_CONFIG, 4);
	cr_expect_eq(fake_pci_cfg(&pci, pci.cfg_cap + 16, 4), 0x64636261);
	aim(4, 8, 4);
	fake_pci_cfg_set(&pci, pci.cfg_cap + 16, 77, 4);
	cr_expect_eq(fake_pci_get(&pci, pci.msix + 8, 4), 77);
}

Test(pci, the_window_shows_nothing_else)
{
	static const uint32_t bad[][3] = {
		{1, 0, 4},
		{255, 0, 4},
		{0, 1, 4},
		{0, VPCI_BAR0_BYTES, 4},
		{0, VPCI_CONFIG, 3},
		{0, VPCI_CONFIG, 8},
		{0, VPCI_CONFIG, 0},
		{0, VPCI_CONFIG, UINT32_MAX},
		{4, MSIX_BAR_BYTES, 4},
		{0, 0xfffffffc, 4},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		aim(bad[i][0], bad[i][1], bad[i][2]);
		fake_pci_cfg_set(&pci, pci.cfg_cap + 16, 0x5a5a5a5a, 4);
		cr_expect_eq(fake_pci_cfg(&pci, pci.cfg_cap + 16, 4),
			     0x5a5a5a5a, "plain bytes: %u", i);
		cr_expect_eq(memcmp(dummy.config, "abcdefgh", 8), 0);
	}
}

/* State */

static uint8_t state[VDEV_STATE_BYTES];

static size_t save(struct vpci *p)
{
	struct blob b;

	vdev_lock(p->vd);
	cr_assert_eq(vdev_pause(p->vd), 0);
	vdev_unlock(p->vd);
	blob_init(&b, state, sizeof(state));
	vpci_save(p, &b);
	cr_assert_eq(b.err, 0);
	return b.at;
}

/** load() - @bytes of state into @fresh behind slot 1. */
static int load(struct dummy *fresh, size_t bytes)
{
	const struct msix_host host = pci.function.msix.host;
	uint8_t *exact = malloc(bytes ? bytes : 1);
	struct blob b;
	int err;

	dummy_init(fresh);
	memcpy(exact, state, bytes);
	blob_init(&b, exact, bytes);
	vpci_init(&pci.function, &fresh->vd, &pci.drv.gm, &host, FAKE_WINDOW);
	err = vpci_load(&pci.function, &b);
	free(exact);
	cr_expect(!err || !fresh->vd.status);
	pci.drv.vd = &fresh->vd;
	return err;
}

Test(pci, a_function_goes_on_after_save_and_load)
{
	static struct dummy fresh;
	size_t bytes;

	fake_pci_cfg_set(&pci, PCI_BASE_ADDRESS_0, FAKE_WINDOW + 0x100000, 4);
	fake_pci_start(&pci, RING_RESET, 8);
	mask(1, true);
	request(0);
	request(1);
	fake_pci_set(&pci, pci.config, 'Z', 1);
	bytes = save(&pci.function);
	cr_assert_eq(load(&fresh, bytes), 0);
	cr_expect_eq(pci.msgs, 1, "loading sends nothing");
	vdev_resume(&fresh.vd);
	cr_expect_eq(fake_pci_get(&pci, pci.config, 1), 'Z');
	cr_expect_eq(pending(), 2);
	mask(1, false);
	cr_expect_eq(pci.msgs, 2);
	cr_expect_eq(pci.msg[1].data, FAKE_DATA + 1);
	request(0);
	cr_expect_eq(pci.msgs, 3);
	cr_expect_eq(status(), 15);
}

Test(pci, damaged_states_are_refused_or_harmless)
{
	static struct dummy fresh;
	size_t bytes;

	fake_pci_start(&pci, 0, 8);
	request(0);
	bytes = save(&pci.function);
	for (size_t n = 0; n < bytes; n++)
		cr_assert_eq(load(&fresh, n), -EPROTO, "%zu", n);
	for (size_t bit = 0; bit < 8 * bytes; bit++) {
		state[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (!load(&fresh, bytes)) {
			vdev_resume(&fresh.vd);
			fake_pci_kick(&pci, 0);
			set(VIRTIO_PCI_COMMON_STATUS, 0, 1);
		}
		state[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	cr_expect_eq(load(&fresh, bytes), 0);
}
