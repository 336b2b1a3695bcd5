/* SPDX-License-Identifier: Apache-2.0 */
/* test_blk_now.c - I/O that is made at once: what is in memory is read, what is
 * not is left to others, and a disk that was slow is not waited for again. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "devices-virtio/blk_now.h"

#define MS 4000000ull /* cycles, of a processor with 4 GHz */

static struct blk_patience patience;

Test(blk_now, is_patient_with_who_was_quick)
{
	cr_expect(blk_patience_has(&patience, 0));
	for (uint64_t now = 0; now < 1000 * MS; now += MS) {
		blk_patience_took(&patience, now, now + MS);
		cr_expect(blk_patience_has(&patience, now + MS));
	}
}

Test(blk_now, rests_after_a_slow_one_and_tries_again)
{
	uint64_t end = 100 * MS;

	blk_patience_took(&patience, 50 * MS, end);
	cr_expect(!blk_patience_has(&patience, end));
	cr_expect(!blk_patience_has(&patience, end + 100 * MS - 1));
	cr_expect(blk_patience_has(&patience, end + 100 * MS));
}

Test(blk_now, rests_no_longer_than_some_seconds)
{
	uint64_t end = 1ull << 50;

	blk_patience_took(&patience, 1, end);
	cr_expect(!blk_patience_has(&patience, end + 1000 * MS));
	cr_expect(blk_patience_has(&patience, end + 3000 * MS));
}

Test(blk_now, bears_clocks_that_differ_between_processors)
{
	blk_patience_took(&patience, 1000 * MS, 999 * MS);
	cr_expect(blk_patience_has(&patience, 999 * MS));
	blk_patience_took(&patience, 0, 1000 * MS);
	cr_expect(blk_patience_has(&patience, 999 * MS), "no rest for ever");
}

static int new_file(void)
{
	char path[] = "/tmp/ampoule-now-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	cr_assert(fd >= 0 && !unlink(path));
	return fd;
}

Test(blk_now, writes_where_it_shall_and_says_how_much)
{
	char data[] = "abcdef", back[8] = "";
	struct iovec iov[] = {{data, 4}, {data + 4, 2}};
	struct blk_io io = {
		.op = BLK_WRITE, .offset = 4096, .iov = iov, .iov_count = 2};
	int fd = new_file();

	cr_assert(blk_now(&patience, fd, &io));
	cr_expect_eq(io.result, 6);
	cr_expect_eq(pread(fd, back, sizeof(back), 4096), 6);
	cr_expect_str_eq(back, "abcdef");
	close(fd);
}

Test(blk_now, an_error_is_a_result)
{
	char byte = 'x';
	struct iovec iov = {&byte, 1};
	struct blk_io io = {.op = BLK_WRITE, .iov = &iov, .iov_count = 1};
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0);
	cr_expect(blk_now(&patience, fd, &io));
	cr_expect_eq(io.result, -ENOSPC);
	close(fd);
}

Test(blk_now, leaves_to_others_what_has_to_be_waited_for)
{
	char byte = 'x';
	struct iovec iov = {&byte, 1};
	struct blk_io io = {.iov = &iov, .iov_count = 1};
	int fd = new_file();

	io.op = BLK_SYNC;
	cr_expect(!blk_now(&patience, fd, &io));
	io.op = BLK_PUNCH;
	cr_expect(!blk_now(&patience, fd, &io));
	io.op = BLK_WRITE;
	/* This moment is within the rest of one that has no end. */
	patience.rest = UINT64_MAX;
	cr_expect(!blk_now(&patience, fd, &io));
	cr_expect_eq(lseek(fd, 0, SEEK_END), 0, "nothing was written");
	close(fd);
}

Test(blk_now, reads_what_is_in_memory)
{
	char data[4096];
	struct iovec iov = {data, sizeof(data)};
	struct blk_io io = {.op = BLK_READ, .iov = &iov, .iov_count = 1};
	int fd = new_file();

	memset(data, 7, sizeof(data));
	cr_assert_eq(write(fd, data, sizeof(data)), sizeof(data));
	memset(data, 0, sizeof(data));
	/* A file system that cannot tell leaves it to others. */
	if (blk_now(&patience, fd, &io)) {
		cr_expect_eq(io.result, sizeof(data));
		cr_expect_eq(data[4095], 7);
	}
	close(fd);
}
