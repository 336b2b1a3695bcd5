/* SPDX-License-Identifier: Apache-2.0 */
/* random.c - random bytes for the kernel and getrandom(2). Must not: hand out
 * a byte twice, or keep one that was handed out. */
#include "kernels/mote/proc/random.h"

#include <linux/errno.h>
#include <linux/random.h>
#include <stdbool.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/drv/rng.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/chacha.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/syscall.h"

#define SEED_MAX 1024u

static struct chacha generator;
static size_t rdrand_fill(void *dst, size_t words)
{
	uint64_t *w = dst;
	size_t n = 0;

	if (!cpu_info.rdrand)
		return 0;
	for (unsigned tries = 0; n < words && tries < 64; tries++)
		n += rdrand64(&w[n]);
	return n * sizeof(*w);
}

/* A generator without a seed of the host's: what the CPU gives, and when. */
static void seed_generator(void)
{
	uint64_t words[9];
	static uint8_t byte[64]; /* devices do not reach stacks */
	size_t n;

	n = rdrand_fill(words, 8);
	words[n / 8] = rdtsc();
	chacha_mix(&generator, words, n + 8);
	memset(words, 0, sizeof(words));
	n = rng_read(byte, sizeof(byte));
	chacha_mix(&generator, byte, n);
	memset(byte, 0, sizeof(byte));
}

void random_init(const void *seed, size_t bytes)
{
	size_t n = MIN(bytes, (size_t)SEED_MAX);

	if (n < 32)
		seed_generator();
	chacha_mix(&generator, seed, n);
	/* The node is the kernel's to erase. */
	memset((void *)(uintptr_t)seed, 0, n);
}

void random_bytes(void *dst, size_t bytes)
{
	chacha_bytes(&generator, dst, bytes);
}

long random_fill(struct uio *u)
{
	uint64_t total = u->left;
	uint8_t chunk[256];
	long n = 0;

	while (u->left) {
		uint64_t want = MIN(u->left, (uint64_t)sizeof(chunk));

		random_bytes(chunk, want);
		n = uio_copy_out(u, chunk, want);
		if (n < (long)want)
			break;
		if (signal_pending() && total - u->left >= 256)
			break;
	}
	memset(chunk, 0, sizeof(chunk));
	return u->left == total ? n : (long)(total - u->left);
}

long sys_getrandom(struct regs *r)
{
	const uint64_t known = GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE;
	uint64_t flags = ARG2(r);
	struct uio u;
	long n;

	if ((flags & ~known) || (flags & (GRND_RANDOM | GRND_INSECURE)) ==
					(GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	uio_init_user(&u, ARG0(r), MIN(ARG1(r), 0x7ffff000ul));
	n = random_fill(&u);
	uio_done(&u);
	return n;
}
