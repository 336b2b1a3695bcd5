/* SPDX-License-Identifier: Apache-2.0 */
/* attack_ring.c - the ring of a disk as a way around the policies, which do not
 * see what a ring is asked to do. It is made by the VMM's own code; what is
 * left is to find its memory, and to ask for what a disk never does. */
#include "tests/hostile/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "devices-virtio/blk_engine.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define REFUSED  " trapped EACCES "

static int ring_fd = -1;
static struct io_uring_params at; /* where things lie in such a ring */
static uint8_t *rings;
static struct io_uring_sqe *sqes;

static uint32_t *word(uint32_t offset)
{
	return (uint32_t *)(void *)(rings + offset);
}

int attack_ring_make(int file)
{
	struct blk_engine *engine;
	long other;
	size_t bytes;
	int err = blk_uring_new(&file, 1, &engine);

	if (err)
		return err;
	ring_fd = engine->event_fd - 1; /* made just before */
	other = call(SYS_io_uring_setup, BLK_IN_FLIGHT, &at);
	if (other < 0)
		return (int)other;
	call(SYS_close, other);
	bytes = at.cq_off.cqes + at.cq_entries * sizeof(struct io_uring_cqe) +
		4096;
	rings = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd,
		     IORING_OFF_SQ_RING);
	sqes = mmap(NULL, at.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE,
		    MAP_SHARED, ring_fd, IORING_OFF_SQES);
	return rings == MAP_FAILED || sqes == MAP_FAILED ? -EBADF : 0;
}

/** ask() - one request of the ring. Return: its result. */
static long ask(const struct io_uring_sqe *sqe)
{
	uint32_t tail = *word(at.sq_off.tail);
	uint32_t head = *word(at.cq_off.head);
	struct io_uring_cqe *cqe;
	long n;

	sqes[tail & (at.sq_entries - 1)] = *sqe;
	__atomic_store_n(word(at.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
	n = call(SYS_io_uring_enter, ring_fd, 1, 1, IORING_ENTER_GETEVENTS);
	if (n < 0)
		return n;
	if (head == __atomic_load_n(word(at.cq_off.tail), __ATOMIC_ACQUIRE))
		return -ENOMSG;
	cqe = (struct io_uring_cqe *)(void *)(rings + at.cq_off.cqes) +
	      (head & (at.cq_entries - 1));
	__atomic_store_n(word(at.cq_off.head), head + 1, __ATOMIC_RELEASE);
	return cqe->res;
}

/** operation() - any opcode, with the registered file. */
static long operation(const struct plan *plan, long opcode)
{
	static const char path[] = "/etc/passwd";
	const struct io_uring_sqe sqe = {
		.opcode = (uint8_t)opcode,
		.flags = IOSQE_FIXED_FILE,
		.addr = (uint64_t)(uintptr_t)path,
	};

	return ask(&sqe);
}

/** open_a_file() - as an attacker would, without a fixed file. */
static long open_a_file(const struct plan *plan, long flags)
{
	const struct io_uring_sqe sqe = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uint64_t)(uintptr_t) "/",
		.open_flags = (uint32_t)flags,
	};

	return ask(&sqe);
}

/** other_file() - what a disk may do, to a file that is none. */
static long other_file(const struct plan *plan, long opcode)
{
	char text[1] = "";
	const struct iovec iov = {text, 1};
	const struct io_uring_sqe sqe = {
		.opcode = (uint8_t)opcode,
		.fd = plan->fd[PLAN_FD_STDOUT],
		.addr = (uint64_t)(uintptr_t)&iov,
		.len = 1,
	};

	return ask(&sqe);
}

/** own_file() - what the ring is for: the wall has a door. */
static long own_file(const struct plan *plan, long arg)
{
	char text[1] = "";
	const struct iovec iov = {text, 1};
	const struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READV,
		.flags = IOSQE_FIXED_FILE,
		.addr = (uint64_t)(uintptr_t)&iov,
		.len = 1,
	};
	long n = ask(&sqe);

	return n == 1 ? -EALREADY : n; /* no attack: it may */
}

/** change() - the ring itself: more files, buffers, another identity. */
static long change(const struct plan *plan, long what)
{
	int fd = 0;

	return call(SYS_io_uring_register, ring_fd, what, &fd, 1);
}

static const struct attack ring[] = {
	{"read its file", own_file, 0, NULL, " trapped EALREADY "},
	{"openat", open_a_file, O_RDONLY, NULL, REFUSED},
	{"create", open_a_file, O_RDWR | O_CREAT, NULL, REFUSED},
	{"openat2", operation, IORING_OP_OPENAT2, NULL, REFUSED},
	{"socket", operation, IORING_OP_SOCKET, NULL, REFUSED},
	{"connect", operation, IORING_OP_CONNECT, NULL, REFUSED},
	{"sendmsg", operation, IORING_OP_SENDMSG, NULL, REFUSED},
	{"recvmsg", operation, IORING_OP_RECVMSG, NULL, REFUSED},
	{"accept", operation, IORING_OP_ACCEPT, NULL, REFUSED},
	{"splice", operation, IORING_OP_SPLICE, NULL, REFUSED},
	{"statx", operation, IORING_OP_STATX, NULL, REFUSED},
	{"unlinkat", operation, IORING_OP_UNLINKAT, NULL, REFUSED},
	{"setxattr", operation, IORING_OP_FSETXATTR, NULL, REFUSED},
	{"epoll_ctl", operation, IORING_OP_EPOLL_CTL, NULL, REFUSED},
	{"command of a driver", operation, IORING_OP_URING_CMD, NULL, REFUSED},
	{"other files", operation, IORING_OP_FILES_UPDATE, NULL, REFUSED},
	{"message to a ring", operation, IORING_OP_MSG_RING, NULL, REFUSED},
	{"read, plain", operation, IORING_OP_READ, NULL, REFUSED},
	{"write, plain", operation, IORING_OP_WRITE, NULL, REFUSED},
	{"nop", operation, IORING_OP_NOP, NULL, REFUSED},
	{"readv of another file", other_file, IORING_OP_READV, NULL, REFUSED},
	{"writev of another file", other_file, IORING_OP_WRITEV, NULL, REFUSED},
	{"fsync of another file", other_file, IORING_OP_FSYNC, NULL, REFUSED},
	{"register files", change, IORING_REGISTER_FILES, NULL, REFUSED},
	{"update files", change, IORING_REGISTER_FILES_UPDATE, NULL, REFUSED},
	{"take files out", change, IORING_UNREGISTER_FILES, NULL, REFUSED},
	{"register an identity", change, IORING_REGISTER_PERSONALITY, NULL,
	 REFUSED},
	{"lift the restrictions", change, IORING_REGISTER_RESTRICTIONS, NULL,
	 " trapped EACCES EBADFD "},
};

const struct attack_table attack_ring = {"ring", ring, COUNT(ring)};
