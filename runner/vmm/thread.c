/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - threads of the VMM. */
#include "runner/vmm/thread.h"

#define STACK_BYTES (128u << 10) /* touched: a few pages; guard page below */

int thread_start(pthread_t *ret, void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	err = pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (!err)
		err = pthread_attr_setdetachstate(&attr,
						  PTHREAD_CREATE_DETACHED);
	if (!err)
		err = pthread_create(ret, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	return -err;
}
