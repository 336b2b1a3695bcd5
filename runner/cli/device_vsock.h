/* SPDX-License-Identifier: Apache-2.0 */
/* device_vsock.h - sockets between a VM and programs of the host. */
#pragma once
#include <sys/types.h>

struct device_set;
struct problem;
struct settings;

#define VSOCK_NAME_BYTES 97u /* "NAME_4294967295" fits into a sockaddr_un */

/* The listening socket, and the child that serves it. */
struct vsock_host {
	pid_t pid;                   /* of the child; 0: there is none */
	int dir_fd;                  /* where the socket lies */
	char name[VSOCK_NAME_BYTES]; /* in there */
	dev_t dev;                   /* which one is ours */
	ino_t ino;
};

/** device_vsock_open() - of --vsock: the socket, its helper, the device.
 * Return: 0 or negative with @why. */
int device_vsock_open(struct device_set *set, const struct settings *s,
		      struct problem *why);

/** vsock_host_end() - the helper and the socket go; all zero is fine. */
void vsock_host_end(struct vsock_host *h);
