/* SPDX-License-Identifier: Apache-2.0 */
/* net_tap.h - a tap for a VM: an existing one, one that the caller opened, or
 * one that lives as long as the VM. It is gone with the last fd of it, whoever
 * is killed. */
#pragma once
#include "runner/cli/net_option.h"

struct problem;

struct net_tap {
	int fd[PLAN_NET_PAIRS]; /* owned; -1: none */
	uint32_t count;
	char name[IFNAMSIZ];
	uint32_t mtu;
	bool uso; /* the kernel can segment UDP */
};

/** net_tap_open() - @o: its own tap gets o->gateway as the host's address with
 * the prefix of o->own[0], and is up; both are chosen where they are not given:
 * 4 addresses of 172.31.0.0/16, by the number of the interface.
 * A tap that was handed over may be of another network namespace, so that it
 * is asked for nothing: its MTU is o->mtu, or 1500. @ret: for
 * net_tap_done(), also after a failure. Return: 0 or negative with @why. */
int net_tap_open(struct net_option *o, struct net_tap *ret,
		 struct problem *why);
void net_tap_done(struct net_tap *tap);
