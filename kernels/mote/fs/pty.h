/* SPDX-License-Identifier: Apache-2.0 */
/* pty.h - pseudo terminals (pty(7)): a pair of files with a line discipline
 * between them. What is written to the master is typed on the terminal.
 *
 *   master --write--> ldisc input ring --read--> slave (/dev/pts/N)
 *          <--read--- output ring <---- echo, ldisc output <--write--
 *
 * A pair lives as long as either side is open; its name, as long as the
 * master is. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/drv/ldisc.h"
#include "kernels/mote/proc/terminal.h"
#include "kernels/mote/proc/waitq.h"

struct file;
struct inode;
struct inode_ops;
struct uio;

#define PTYS_MAX       64u
#define PTY_OUT_BYTES  8192u /* output that the master has not read */
#define PTY_RDEV_MAJOR 136u

struct pty {
	struct ldisc ldisc;
	struct terminal job;
	struct waitq waitq;  /* either ring, open files or settings changed */
	struct inode *slave; /* referenced */
	uint32_t number;
	uint32_t masters, slaves; /* open files */
	bool was_open;            /* a slave was opened once */
	bool locked, packets;     /* TIOCSPTLCK, TIOCPKT */
	uint16_t rows, cols, xpixel, ypixel;
	uint32_t head, used; /* of out */
	uint8_t out[PTY_OUT_BYTES];
};

/** pty_pts_dir() - the directory /dev/pts; NULL: no memory. */
struct inode *pty_pts_dir(void);
extern const struct inode_ops pty_master_inode; /* /dev/ptmx */

/** pty_open_controlling() - make @f a file of the pseudo terminal that
 * controls the current session. False: none does. */
bool pty_open_controlling(struct file *f);
/** pty_is() - is this an open file of either side? */
bool pty_is(const struct file *f);

/* For pty_ioctl.c. */
/** pty_open_slave() - an open file of @p's slave. 0 or -errno. */
int pty_open_slave(struct pty *p, uint32_t flags, struct file **ret);
/** pty_show_echo() - what the discipline wants shown, as far as it fits. */
void pty_show_echo(struct pty *p);
long pty_master_ioctl(struct file *f, uint64_t cmd, uint64_t arg);
long pty_slave_ioctl(struct file *f, uint64_t cmd, uint64_t arg);
