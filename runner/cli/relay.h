/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h - between commands that ask a running VM something and its VMM: the
 * one who waits for the VM listens at DIR/NAME/control and passes fixed-size
 * messages on (base/control.h). Commands of the same user and of root are
 * heard. Trusts: neither side. Must not: wait for one, or keep more than one
 * message a client. */
#pragma once
#include "runner/cli/registry.h"

#include <poll.h>
#include <stdint.h>

#define RELAY_SOCKET  "control"
#define RELAY_CLIENTS 8u
#define RELAY_POLLS   (RELAY_CLIENTS + 2u)

struct relay_client {
	int fd;        /* -1: none */
	uint32_t turn; /* counts who had this place: answers to others go by */
	bool asked;    /* an answer is due */
	uint64_t id;   /* as the client chose it */
};

struct relay {
	int listen_fd;      /* -1: none */
	int vmm_fd, dir_fd; /* borrowed: our end, and the VM's entry */
	struct relay_client client[RELAY_CLIENTS];
};

/** relay_start() - listen. @claim, @vmm_fd (our end of PLAN_FD_CONTROL):
 * outlive it. A VM without an entry in the registry is asked by nobody. Return:
 * 0 or -errno; then there is just no socket. */
int relay_start(struct relay *r, const struct claim *claim, int vmm_fd);
/** relay_fill() - what to poll for. */
void relay_fill(const struct relay *r, struct pollfd fds[RELAY_POLLS]);
/** relay_serve() - what poll(2) said about it. */
void relay_serve(struct relay *r, const struct pollfd fds[RELAY_POLLS]);
/** relay_stop() - nobody is heard any more. */
void relay_stop(struct relay *r);

struct control_msg;

/** relay_ask() - from a command: ask the VM whose entry @dir_fd is, and wait
 * for the answer, which replaces @msg. @timeout_ms: for it.
 * Return: 0, -ETIME, -ECONNREFUSED or -ENOENT: nobody listens; -errno, that of
 * the answer included. */
int relay_ask(int dir_fd, struct control_msg *msg, int timeout_ms);
