/* SPDX-License-Identifier: Apache-2.0 */
/* gate.h - a door that is opened once; threads wait in front of it. What the
 * opener wrote before is visible to whoever passed. */
#pragma once
#include <pthread.h>
#include <stdbool.h>

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open;
};

#define GATE_INIT                                                              \
	{                                                                      \
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false     \
	}

void gate_open(struct gate *gate);
void gate_wait(struct gate *gate);
