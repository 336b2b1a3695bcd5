/* SPDX-License-Identifier: Apache-2.0 */
/* test_console_ports.c - further ports of the console: their names, their
 * queues, and that nothing is lost or piles up when one side is slow. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_console.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/loop.h"
#include "base/plan.h"
#include "devices-virtio/console.h"
#include "tests/unit/fake_driver.h"

#define WR    VRING_DESC_F_WRITE
#define MULTI (1ull << VIRTIO_CONSOLE_F_MULTIPORT)
#define SIZE  64u
#define SAY   (DRV_DATA - 64)
#define HEAR  (DRV_DATA - 0x8000) /* buffers of 64 bytes */

enum queue {
	CONTROL_IN = 2,
	CONTROL_OUT = 3,
	LOG = 9,
	LOG_IN = 8,
	DATA = 10
};

static struct fake_driver drv;
static struct loop *loop;
static pthread_t thread;
static int log_fd, data_fd; /* our ends */
static int theirs[2];
static unsigned failures; /* by on_failed(), and what it was told last */
static char failed_port[CONSOLE_NAME_BYTES];
static int failed_with;
static bool failed_in;

static void *run_loop(void *arg)
{
	cr_assert_eq(loop_run(arg), 0);
	return NULL;
}

static void on_failed(void *ctx, const char *port, bool in, int error)
{
	failures++;
	memcpy(failed_port, port, sizeof(failed_port));
	failed_in = in;
	failed_with = error;
}

static struct console_config config_with(unsigned extra)
{
	struct console_config config = {
		.loop = loop, .extra_count = extra, .failed = on_failed};

	for (unsigned i = 0; i < CONSOLE_PORTS; i++)
		config.fd[i] = -1; /* kind NONE: closed */
	config.extra[0] = (struct console_extra){
		theirs[0], PLAN_STREAM_NONBLOCK, false, "a-log"};
	config.extra[1] =
		(struct console_extra){theirs[1], PLAN_STREAM_NONBLOCK, true,
				       "data-of-23-letters-name"};
	return config;
}

static void set_up(void)
{
	struct console_config config;
	struct vdev *vd;
	int p[2];

	cr_assert(!pipe(p) && !fd_set_nonblock(p[1], true));
	log_fd = p[0];
	theirs[0] = p[1];
	cr_assert(!pipe(p) && !fd_set_nonblock(p[0], true));
	data_fd = p[1];
	theirs[1] = p[0];
	cr_assert_eq(loop_new(&loop), 0);
	config = config_with(2);
	cr_assert_eq(console_new(&config, &vd), 0);
	drv_attach(&drv, vd);
	drv_start(&drv, MULTI, SIZE);
	cr_assert_eq(pthread_create(&thread, NULL, run_loop, loop), 0);
}

static void tear_down(void)
{
	loop_stop(loop);
	pthread_join(thread, NULL);
	drv_done(&drv);
	loop_free(loop);
	close(log_fd);
	close(data_fd);
	close(theirs[0]);
	close(theirs[1]);
}

TestSuite(console_ports, .init = set_up, .fini = tear_down);

static bool await(unsigned queue, unsigned count)
{
	for (unsigned ms = 0; ms < 10000; ms++) {
		if (drv_used_count(&drv, queue) >= count)
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return false;
}

static void say(uint32_t id, uint16_t event)
{
	const struct virtio_console_control msg = {id, event, 1};

	memcpy(drv_at(&drv, SAY), &msg, sizeof(msg));
	drv_send(&drv, CONTROL_OUT, SAY, sizeof(msg), 0);
	drv_kick(&drv, CONTROL_OUT);
}

/** ready_all() - PORT_READY of all, behind DEVICE_READY if @ask. @ret_names:
 * what the ports are called. Return: how many were added. */
static unsigned ready_all(bool ask, char ret_names[CONSOLE_PORTS_MAX][64])
{
	unsigned added = 0;
	struct drv_used used;

	for (unsigned i = 0; i < SIZE; i++)
		drv_send(&drv, CONTROL_IN, HEAR + 64 * i, 64, WR);
	drv_kick(&drv, CONTROL_IN);
	if (ask)
		say(0, VIRTIO_CONSOLE_DEVICE_READY);
	for (uint32_t id = 0; id < CONSOLE_PORTS_MAX; id++)
		say(id, VIRTIO_CONSOLE_PORT_READY);
	while (drv_take(&drv, CONTROL_IN, &used)) {
		const uint8_t *at = drv_at(&drv, HEAR + 64ull * used.id);
		struct virtio_console_control msg;

		memcpy(&msg, at, sizeof(msg));
		added += msg.event == VIRTIO_CONSOLE_PORT_ADD;
		if (msg.event == VIRTIO_CONSOLE_PORT_NAME)
			memcpy(ret_names[msg.id], at + sizeof(msg),
			       used.len - sizeof(msg));
	}
	return added;
}

static unsigned introduce(char ret_names[CONSOLE_PORTS_MAX][64])
{
	return ready_all(true, ret_names);
}

Test(console_ports, introduces_all_by_name)
{
	char name[CONSOLE_PORTS_MAX][64] = {{0}};

	cr_expect_eq(drv_get(&drv, 0x104), 5); /* max_nr_ports */
	cr_expect_eq(introduce(name), 5);
	cr_expect_str_eq(name[0], "stdin");
	cr_expect_str_eq(name[2], "stderr");
	cr_expect_str_eq(name[3], "a-log");
	cr_expect_str_eq(name[4], "data-of-23-letters-name");
	cr_expect_str_eq(name[5], "");
}

/* Such a driver knows the streams, and not what else there is. */
Test(console_ports, names_further_ones_to_a_driver_that_did_not_ask)
{
	char name[CONSOLE_PORTS_MAX][64] = {{0}};

	cr_expect_eq(ready_all(false, name), 0);
	cr_expect_str_eq(name[0], "");
	cr_expect_str_eq(name[2], "");
	cr_expect_str_eq(name[3], "a-log");
	cr_expect_str_eq(name[4], "data-of-23-letters-name");
	cr_expect_str_eq(name[5], "");
}

Test(console_ports, takes_output_by_its_own_queue)
{
	char got[16] = "";

	memcpy(drv_at(&drv, DRV_DATA), "to the log", 10);
	drv_send(&drv, LOG, DRV_DATA, 10, 0);
	drv_kick(&drv, LOG);
	cr_assert(await(LOG, 1));
	cr_expect_eq(read(log_fd, got, sizeof(got)), 10);
	cr_expect_str_eq(got, "to the log");
}

Test(console_ports, gives_input_by_its_own_queue)
{
	char name[CONSOLE_PORTS_MAX][64] = {{0}};
	struct drv_used used;

	introduce(name);
	say(4, VIRTIO_CONSOLE_PORT_OPEN);
	drv_send(&drv, DATA, DRV_DATA, 64, WR);
	drv_kick(&drv, DATA);
	cr_expect_eq(drv_used_count(&drv, DATA), 0);
	cr_assert_eq(write(data_fd, "input", 5), 5);
	cr_assert(await(DATA, 1));
	cr_assert(drv_take(&drv, DATA, &used));
	cr_expect_eq(used.len, 5);
	cr_expect_arr_eq(drv_at(&drv, DRV_DATA), "input", 5);
}

Test(console_ports, fills_and_takes_nothing_the_other_way)
{
	char got;

	drv_send(&drv, LOG_IN, DRV_DATA, 64, WR);
	drv_kick(&drv, LOG_IN);
	drv_send(&drv, DATA + 1, DRV_DATA, 5, 0);
	drv_kick(&drv, DATA + 1); /* dropped, and the buffer is free again */
	cr_expect(await(DATA + 1, 1));
	for (unsigned q = 12; q < CONSOLE_QUEUES; q++) { /* no such ports */
		drv_send(&drv, q, DRV_DATA, 5, q % 2 ? 0 : WR);
		drv_kick(&drv, q);
	}
	cr_expect_eq(drv_used_count(&drv, LOG_IN), 0);
	cr_expect(!fd_set_nonblock(log_fd, true));
	cr_expect(read(log_fd, &got, 1) < 0 && errno == EAGAIN);
	cr_expect(!drv_broken(&drv));
}

/* A host that does not read: what the pipe holds is all that is taken. */
Test(console_ports, waits_for_a_slow_reader)
{
	static char got[1 << 20];
	const uint32_t each = 0x10000;
	size_t total = 0;

	(void)fcntl(log_fd, F_SETPIPE_SZ, 0x10000);
	for (unsigned i = 0; i < 8; i++) {
		memset(drv_at(&drv, DRV_DATA + i * each), 'a' + (int)i, each);
		drv_send(&drv, LOG, DRV_DATA + i * each, each, 0);
	}
	drv_kick(&drv, LOG);
	cr_assert(await(LOG, 1));
	nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	cr_expect_leq(drv_used_count(&drv, LOG), 2);
	while (total < 8 * each) {
		ssize_t n = read(log_fd, got + total, sizeof(got) - total);

		cr_assert(n > 0);
		total += (size_t)n;
	}
	cr_expect(await(LOG, 8));
	for (unsigned i = 0; i < 8; i++)
		cr_expect(got[i * each] == 'a' + (int)i &&
			  got[(i + 1) * each - 1] == 'a' + (int)i);
}

/* A guest that posts no buffers: the bytes stay with who sent them. */
Test(console_ports, leaves_input_in_the_pipe)
{
	char name[CONSOLE_PORTS_MAX][64] = {{0}};
	struct drv_used used;
	char left[16] = "";

	introduce(name);
	say(4, VIRTIO_CONSOLE_PORT_OPEN);
	cr_assert_eq(write(data_fd, "0123456789", 10), 10);
	drv_send(&drv, DATA, DRV_DATA, 4, WR);
	drv_kick(&drv, DATA);
	cr_assert(await(DATA, 1));
	cr_assert(drv_take(&drv, DATA, &used));
	cr_expect_eq(used.len, 4);
	cr_expect_eq(read(theirs[1], left, sizeof(left)), 6);
	cr_expect_str_eq(left, "456789");
}

/** replace() - another file behind an fd that the device has. */
static void replace(int fd, const char *path, int flags)
{
	int other = open(path, flags);

	cr_assert(other >= 0 && dup2(other, fd) == fd);
	close(other);
}

Test(console_ports, tells_once_that_it_cannot_write)
{
	replace(theirs[0], "/dev/full", O_WRONLY);
	for (unsigned i = 0; i < 3; i++) {
		drv_send(&drv, LOG, DRV_DATA, 64, 0);
		drv_kick(&drv, LOG);
	}
	cr_expect(await(LOG, 3), "the driver has its buffers");
	cr_expect_eq(failures, 1);
	cr_expect_str_eq(failed_port, "a-log");
	cr_expect(!failed_in);
	cr_expect_eq(failed_with, ENOSPC);
	cr_expect(!drv_broken(&drv));
}

Test(console_ports, tells_once_that_it_cannot_read)
{
	char name[CONSOLE_PORTS_MAX][64] = {{0}};

	introduce(name);
	say(4, VIRTIO_CONSOLE_PORT_OPEN);
	replace(theirs[1], "/proc/self/mem", O_RDONLY); /* nothing is at 0 */
	for (unsigned i = 0; i < 3; i++) {
		drv_send(&drv, DATA, DRV_DATA, 64, WR);
		drv_kick(&drv, DATA);
	}
	cr_expect_eq(drv_used_count(&drv, DATA), 0);
	cr_expect_eq(failures, 1);
	cr_expect_str_eq(failed_port, "data-of-23-letters-name");
	cr_expect(failed_in);
	cr_expect_eq(failed_with, EIO);
}

Test(console_ports, says_nothing_of_an_end)
{
	char name[CONSOLE_PORTS_MAX][64] = {{0}};

	introduce(name);
	say(4, VIRTIO_CONSOLE_PORT_OPEN);
	replace(theirs[1], "/dev/null", O_RDONLY);
	drv_send(&drv, DATA, DRV_DATA, 64, WR);
	drv_kick(&drv, DATA);
	cr_expect_eq(failures, 0);
}

Test(console_ports, is_refused_with_too_many)
{
	struct console_config config = config_with(CONSOLE_EXTRA_MAX + 1);
	struct vdev *vd;

	cr_expect_eq(console_new(&config, &vd), -EINVAL);
}
