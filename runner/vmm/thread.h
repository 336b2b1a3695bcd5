/* SPDX-License-Identifier: Apache-2.0 */
/* thread.h - threads of the VMM: small guarded stacks, never joined. */
#pragma once
#include <pthread.h>

/** thread_start() - @fn runs with every signal blocked that the caller has
 * blocked. Return: 0 or -errno. */
int thread_start(pthread_t *ret, void *(*fn)(void *), void *arg);
