/* SPDX-License-Identifier: Apache-2.0 */
/* test_console.c - the streams of a program over real pipes and sockets: in
 * order, without loss, in both directions, until either side ends. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_mmio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/console_rig.h"

#define MULTI (1ull << VIRTIO_CONSOLE_F_MULTIPORT)
#define FULL  (MULTI | 1ull << VIRTIO_CONSOLE_F_SIZE)
#define EVENT (1ull << VIRTIO_RING_F_EVENT_IDX)
#define WR    VRING_DESC_F_WRITE

static struct rig rig;

/* Kinds that can wait, each over what it is for. */
static const uint32_t waiting[] = {PLAN_STREAM_NONBLOCK, PLAN_STREAM_SOCKET,
				   PLAN_STREAM_BLOCKING};

static struct criterion_test_params waiting_kinds(void)
{
	static uint32_t kinds[3];

	memcpy(kinds, waiting, sizeof(kinds));
	return cr_make_param_array(uint32_t, kinds, 3);
}

static void start(uint32_t kind, uint64_t features)
{
	rig_open(&rig, kind, features);
}

static void *guest(uint64_t gpa)
{
	return drv_at(&rig.drv, gpa);
}

/** pattern() - byte @i of a stream, different for every stream. */
static uint8_t pattern(uint64_t i, unsigned stream)
{
	return (uint8_t)(i * 131 + (i >> 8) * 31 + (i >> 16) + stream);
}

static void fill(uint64_t gpa, size_t n, uint64_t from, unsigned stream)
{
	uint8_t *p = guest(gpa);

	for (size_t i = 0; i < n; i++)
		p[i] = pattern(from + i, stream);
}

/** expect_stream() - read @n bytes of @fd and compare them. */
static void expect_stream(int fd, size_t n, unsigned stream)
{
	uint8_t *buf = malloc(n);

	cr_assert_eq(fd_read_all(fd, buf, n), 0);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(buf[i], pattern(i, stream), "byte %zu", i);
	free(buf);
}

/* Guest to host */

ParameterizedTestParameters(console, writes_within_the_kick)
{
	return waiting_kinds();
}

/* Only what takes no other call than writev: see port_kick(). */
ParameterizedTest(uint32_t *kind, console, writes_within_the_kick)
{
	bool at_once = *kind == PLAN_STREAM_NONBLOCK;
	struct drv_used used;
	char buf[16] = {0};

	start(*kind, FULL | EVENT);
	memcpy(guest(DRV_DATA), "outerr", 6);
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, 3, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_expect(at_once || rig_wait_used(&rig, RIG_OUT, 1));
	cr_expect(drv_take(&rig.drv, RIG_OUT, &used), "no wait needed");
	cr_expect_eq(used.len, 0, "nothing was written into the buffer");
	drv_send(&rig.drv, RIG_ERR, DRV_DATA + 3, 3, 0);
	drv_kick(&rig.drv, RIG_ERR);
	cr_expect(at_once || rig_wait_used(&rig, RIG_ERR, 1));
	cr_expect_eq(drv_used_count(&rig.drv, RIG_ERR), 1);
	cr_expect_eq(read(rig.host[1], buf, sizeof(buf)), 3);
	cr_expect_str_eq(buf, "out");
	cr_expect_eq(read(rig.host[2], buf, sizeof(buf)), 3);
	cr_expect_str_eq(buf, "err");
	cr_expect_eq(console_usage(rig.drv.vd).bytes_out, 6);
	rig_done(&rig);
}

ParameterizedTestParameters(console, pushes_a_large_chain_through_a_small_pipe)
{
	return waiting_kinds();
}

ParameterizedTest(uint32_t *kind, console,
		  pushes_a_large_chain_through_a_small_pipe)
{
	const uint32_t span = 4096 + 13; /* nothing is aligned */
	struct drv_used used;

	start(*kind, FULL);
	if (*kind != PLAN_STREAM_SOCKET)
		fcntl(rig.guest[1], F_SETPIPE_SZ, 4096);
	fill(DRV_DATA, 1 << 20, 0, 1);
	for (uint32_t i = 0, left = 1 << 20; left; i++) {
		uint32_t n = left < span ? left : span;

		left -= n;
		drv_put(&rig.drv, RIG_OUT, i,
			(struct vring_desc){DRV_DATA + i * span, n,
					    left ? VRING_DESC_F_NEXT : 0,
					    (uint16_t)(i + 1)});
	}
	drv_offer(&rig.drv, RIG_OUT, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_OUT), 0, "the pipe is full");
	/* The guest rewrites its descriptors: the chain is ours by now. */
	memset(drv_desc(&rig.drv, RIG_OUT, 0), 0xff, 16 * RIG_SIZE);
	expect_stream(rig.host[1], 1 << 20, 1);
	cr_assert(rig_wait_used(&rig, RIG_OUT, 1));
	cr_expect(drv_take(&rig.drv, RIG_OUT, &used));
	cr_expect(rig.drv.interrupts > 0);
	rig_done(&rig);
}

struct writer {
	unsigned queue, stream, count;
};

#define SMALL_WRITES 100000u

/** collect() - read a stream to its end and check every byte. */
static void *collect(void *arg)
{
	const unsigned stream = *(unsigned *)arg;
	uint64_t at = 0;
	uint8_t buf[8192];
	ssize_t n;

	while ((n = read(rig.host[stream], buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			cr_assert_eq(buf[i], pattern(at + (uint64_t)i, stream));
		at += (uint64_t)n;
	}
	cr_assert_eq(at, SMALL_WRITES / 2 * 7);
	return NULL;
}

static void write_small(unsigned i)
{
	unsigned stream = 1 + i % 2, q = stream == 1 ? RIG_OUT : RIG_ERR;
	uint64_t slot = DRV_DATA + 8ull * (i % (2 * RIG_SIZE));
	struct drv_used used;

	if (i >= 2 * RIG_SIZE) { /* the slot's last request must be over */
		cr_assert(rig_wait_used(&rig, q, 1));
		cr_assert(drv_take(&rig.drv, q, &used));
	}
	fill(slot, 7, i / 2 * 7ull, stream);
	drv_send(&rig.drv, q, slot, 7, 0);
	drv_kick(&rig.drv, q);
}

Test(console, loses_none_of_100000_small_writes, .timeout = 60)
{
	const uint32_t kinds[] = {PLAN_STREAM_NONE, PLAN_STREAM_NONBLOCK,
				  PLAN_STREAM_NONBLOCK};
	unsigned stream[2] = {1, 2};
	pthread_t reader[2];

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK);
	rig_start(&rig, kinds, FULL | EVENT);
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&reader[i], NULL, collect, &stream[i]);
	for (unsigned i = 0; i < SMALL_WRITES; i++)
		write_small(i);
	cr_assert(rig_wait_used(&rig, RIG_OUT, RIG_SIZE));
	cr_assert(rig_wait_used(&rig, RIG_ERR, RIG_SIZE));
	for (unsigned i = 1; i < 3; i++) {
		close(rig.guest[i]);
		rig.guest[i] = -1;
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(reader[i], NULL);
	rig_done(&rig);
}

ParameterizedTestParameters(console, tells_a_closed_pipe_before_the_buffer)
{
	return waiting_kinds();
}

ParameterizedTest(uint32_t *kind, console,
		  tells_a_closed_pipe_before_the_buffer)
{
	struct virtio_console_control msg;
	char rest[64];

	start(*kind, FULL);
	close(rig.host[1]);
	rig.host[1] = -1;
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, 100, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_assert(rig_wait_used(&rig, RIG_OUT, 1));
	cr_assert_eq(rig_hear(&rig, &msg, rest), 8);
	cr_expect_eq(msg.event, VIRTIO_CONSOLE_PORT_OPEN);
	cr_expect_eq(msg.id, 1);
	cr_expect_eq(msg.value, 0);
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, 100, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_OUT), 2, "at once");
	cr_expect_eq(rig_hear(&rig, &msg, rest), 0, "told once");
	drv_send(&rig.drv, RIG_ERR, DRV_DATA, 1, 0);
	drv_kick(&rig.drv, RIG_ERR);
	cr_expect_eq(read(rig.host[2], rest, 1), 1, "stderr lives on");
	rig_done(&rig);
}

Test(console, notices_a_reader_that_leaves_a_full_pipe)
{
	start(PLAN_STREAM_NONBLOCK, FULL);
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, 1 << 20, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_assert_eq(drv_used_count(&rig.drv, RIG_OUT), 0);
	close(rig.host[1]);
	rig.host[1] = -1;
	cr_expect(rig_wait_used(&rig, RIG_OUT, 1));
	cr_expect(rig_heard_close(&rig, 1));
	rig_done(&rig);
}

Test(console, treats_a_full_disk_as_closed)
{
	const uint32_t kinds[] = {0, PLAN_STREAM_FILE, 0};

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK);
	close(rig.guest[1]);
	rig.guest[1] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	rig_start(&rig, kinds, FULL);
	rig_hello(&rig);
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, 10, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_OUT), 1);
	cr_expect(rig_heard_close(&rig, 1));
	rig_done(&rig);
}

Test(console, bounds_a_visit_and_goes_on_in_the_loop)
{
	const uint32_t kinds[] = {0, PLAN_STREAM_FILE, 0};

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK);
	close(rig.guest[1]);
	rig.guest[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	rig_start(&rig, kinds, FULL);
	vdev_lock(rig.drv.vd); /* keeps the loop thread out meanwhile */
	vdev_unlock(rig.drv.vd);
	for (unsigned i = 0; i < RIG_SIZE; i++)
		drv_send(&rig.drv, RIG_OUT, DRV_DATA, 2 << 20, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_expect(rig_wait_used(&rig, RIG_OUT, RIG_SIZE));
	cr_expect_eq(console_usage(rig.drv.vd).bytes_out,
		     (uint64_t)RIG_SIZE * (2 << 20));
	rig_done(&rig);
}

/* Host to guest */

ParameterizedTestParameters(console, reads_within_the_kick_what_is_there)
{
	return waiting_kinds();
}

ParameterizedTest(uint32_t *kind, console, reads_within_the_kick_what_is_there)
{
	struct drv_used used;

	start(*kind, FULL | EVENT);
	cr_assert_eq(write(rig.host[0], "hello", 5), 5);
	drv_send(&rig.drv, RIG_IN, DRV_DATA, 100, WR);
	drv_kick(&rig.drv, RIG_IN);
	cr_expect(*kind == PLAN_STREAM_NONBLOCK ||
		  rig_wait_used(&rig, RIG_IN, 1));
	cr_assert(drv_take(&rig.drv, RIG_IN, &used));
	cr_expect_eq(used.len, 5);
	cr_expect(!memcmp(guest(DRV_DATA), "hello", 5));
	rig_done(&rig);
}

ParameterizedTestParameters(console, delivers_what_comes_later)
{
	return waiting_kinds();
}

ParameterizedTest(uint32_t *kind, console, delivers_what_comes_later)
{
	struct drv_used used;

	start(*kind, FULL);
	drv_send(&rig.drv, RIG_IN, DRV_DATA, 100, WR);
	drv_kick(&rig.drv, RIG_IN);
	cr_assert_eq(drv_used_count(&rig.drv, RIG_IN), 0);
	cr_assert_eq(write(rig.host[0], "late", 4), 4);
	cr_assert(rig_wait_used(&rig, RIG_IN, 1));
	cr_assert(drv_take(&rig.drv, RIG_IN, &used));
	cr_expect_eq(used.len, 4);
	cr_expect_geq(rig.drv.interrupts, 1);
	rig_done(&rig);
}

Test(console, leaves_what_was_not_asked_for)
{
	char rest[16];

	start(PLAN_STREAM_NONBLOCK, FULL);
	cr_assert_eq(write(rig.host[0], "0123456789", 10), 10);
	drv_send(&rig.drv, RIG_IN, DRV_DATA, 3, WR);
	drv_kick(&rig.drv, RIG_IN);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_IN), 1);
	cr_expect_eq(read(rig.guest[0], rest, sizeof(rest)), 7,
		     "for the next reader of the pipe");
	rig_done(&rig);
}

Test(console, fills_a_chain_of_spans)
{
	struct drv_used used;

	start(PLAN_STREAM_NONBLOCK, FULL);
	cr_assert_eq(write(rig.host[0], "abcdef", 6), 6);
	drv_put(&rig.drv, RIG_IN, 0,
		(struct vring_desc){DRV_DATA, 4, WR | VRING_DESC_F_NEXT, 1});
	drv_put(&rig.drv, RIG_IN, 1, (struct vring_desc){DRV_HIGH, 9, WR, 0});
	drv_offer(&rig.drv, RIG_IN, 0);
	drv_kick(&rig.drv, RIG_IN);
	cr_assert(drv_take(&rig.drv, RIG_IN, &used));
	cr_expect_eq(used.len, 6);
	cr_expect(!memcmp(rig.drv.high, "ef", 2));
	rig_done(&rig);
}

ParameterizedTestParameters(console, tells_the_end_of_stdin_after_its_bytes)
{
	return waiting_kinds();
}

ParameterizedTest(uint32_t *kind, console,
		  tells_the_end_of_stdin_after_its_bytes)
{
	start(*kind, FULL);
	for (unsigned i = 0; i < 2; i++)
		drv_send(&rig.drv, RIG_IN, DRV_DATA + 100 * i, 100, WR);
	cr_assert_eq(write(rig.host[0], "bye", 3), 3);
	close(rig.host[0]);
	rig.host[0] = -1;
	drv_kick(&rig.drv, RIG_IN);
	cr_expect(rig_wait_used(&rig, RIG_IN, 1));
	cr_expect_eq(drv_used_count(&rig.drv, RIG_IN), 1, "one stays posted");
	cr_expect(rig_heard_close(&rig, 0));
	drv_kick(&rig.drv, RIG_IN);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_IN), 1);
	rig_done(&rig);
}

Test(console, reads_a_file_to_its_end)
{
	const uint32_t kinds[] = {PLAN_STREAM_FILE, 0, 0};
	int fd = memfd_create("input", MFD_CLOEXEC);
	struct drv_used used;

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK);
	close(rig.guest[0]);
	rig.guest[0] = fd;
	cr_assert_eq(pwrite(fd, "file", 4, 0), 4);
	rig_start(&rig, kinds, FULL);
	rig_hello(&rig);
	for (unsigned i = 0; i < 3; i++)
		drv_send(&rig.drv, RIG_IN, DRV_DATA + 4 * i, 3, WR);
	drv_kick(&rig.drv, RIG_IN);
	cr_assert(drv_take(&rig.drv, RIG_IN, &used));
	cr_expect_eq(used.len, 3);
	cr_assert(drv_take(&rig.drv, RIG_IN, &used));
	cr_expect_eq(used.len, 1);
	cr_expect(rig_heard_close(&rig, 0));
	rig_done(&rig);
}

Test(console, bounds_a_visit_of_an_endless_input)
{
	const uint32_t kinds[] = {PLAN_STREAM_FILE, 0, 0};

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK);
	close(rig.guest[0]);
	rig.guest[0] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	rig_start(&rig, kinds, FULL);
	for (unsigned i = 0; i < 64; i++)
		drv_send(&rig.drv, RIG_IN, DRV_DATA, 2 << 20, WR);
	drv_kick(&rig.drv, RIG_IN);
	cr_expect(rig_wait_used(&rig, RIG_IN, 64));
	cr_expect_eq(console_usage(rig.drv.vd).bytes_in, 64u << 20,
		     "a chain takes at most 1 MiB at a time");
	rig_done(&rig);
}

/* Streams that are not what they were said to be */

Test(console, ends_a_stream_that_cannot_be_waited_for)
{
	const uint32_t kinds[] = {PLAN_STREAM_FILE, PLAN_STREAM_FILE, 0};

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK); /* and not files at all */
	rig_start(&rig, kinds, FULL);
	rig_hello(&rig);
	drv_send(&rig.drv, RIG_IN, DRV_DATA, 16, WR);
	drv_kick(&rig.drv, RIG_IN);
	cr_expect(rig_heard_close(&rig, 0));
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, 1 << 20, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_OUT), 1);
	cr_expect(rig_heard_close(&rig, 1));
	rig_done(&rig);
}

Test(console, refuses_a_bad_configuration)
{
	struct console_config config = {.fd = {-1, -1, -1}};
	struct vdev *vd = NULL;

	cr_assert_eq(loop_new(&config.loop), 0);
	config.kind[2] = 99;
	cr_expect_eq(console_new(&config, &vd), -EINVAL);
	config.kind[2] = PLAN_STREAM_SOCKET;
	cr_expect_eq(console_new(&config, &vd), -EBADF);
	cr_expect_null(vd, "untouched on failure");
	vdev_free(vd);
	loop_free(config.loop);
}

/* Both at once: what goes in comes out */

#define ECHO_BYTES (8u << 20)

static void *feed(void *arg)
{
	uint8_t buf[5000];
	uint64_t at = 0;

	while (at < ECHO_BYTES) {
		size_t n = sizeof(buf);

		if (n > ECHO_BYTES - at)
			n = ECHO_BYTES - at;
		for (size_t i = 0; i < n; i++)
			buf[i] = pattern(at + i, 1);
		cr_assert_eq(fd_write_all(rig.host[0], buf, n), 0);
		at += n;
	}
	return NULL;
}

static void *drain(void *arg)
{
	expect_stream(rig.host[1], ECHO_BYTES, 1);
	return NULL;
}

Test(console, echoes_both_ways_at_once, .timeout = 60)
{
	struct drv_used used;
	pthread_t thread[2];
	uint64_t done = 0;

	start(PLAN_STREAM_NONBLOCK, FULL | EVENT);
	pthread_create(&thread[0], NULL, feed, NULL);
	pthread_create(&thread[1], NULL, drain, NULL);
	while (done < ECHO_BYTES) {
		drv_send(&rig.drv, RIG_IN, DRV_DATA, 64 << 10, WR);
		drv_kick(&rig.drv, RIG_IN);
		cr_assert(rig_wait_used(&rig, RIG_IN, 1));
		cr_assert(drv_take(&rig.drv, RIG_IN, &used));
		done += used.len;
		drv_send(&rig.drv, RIG_OUT, DRV_DATA, used.len, 0);
		drv_kick(&rig.drv, RIG_OUT);
		cr_assert(rig_wait_used(&rig, RIG_OUT, 1));
		cr_assert(drv_take(&rig.drv, RIG_OUT, &used));
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	rig_done(&rig);
}
