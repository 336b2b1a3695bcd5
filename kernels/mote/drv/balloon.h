/* SPDX-License-Identifier: Apache-2.0 */
/* balloon.h - memory that goes back to the host (virtio 1.2, 5.5): what has
 * been free for a while, and what the host asks for. */
#pragma once
#include <stdbool.h>

/** balloon_init() - watch for memory that is freed. The device itself is
 * started when there is something to tell it: a VM that lives for
 * milliseconds does not pay for it. */
void balloon_init(void);

/** balloon_adjust() - the host has a target: come nearer to it. */
void balloon_adjust(void);

/** balloon_make_room() - memory is short: take some back from the host. Sleeps
 * for a moment at most. Return: false when there is none to take. */
bool balloon_make_room(void);
