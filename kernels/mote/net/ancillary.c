/* SPDX-License-Identifier: Apache-2.0 */
/* ancillary.c - SCM_RIGHTS and SCM_CREDENTIALS, unix(7). Every number in a
 * control message is the program's. */
#include "kernels/mote/net/ancillary.h"

#include <linux/errno.h>

#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/net/cmsg.h"
#include "kernels/mote/net/inet_ancillary.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/rights.h"
#include "kernels/mote/net/socket.h"

#define CONTROL_MAX 20480u /* net.core.optmem_max */

static int get_rights(struct msg *m, const struct cmsg *c)
{
	int fd[RIGHTS_MAX];
	uint32_t count = c->bytes / sizeof(fd[0]);

	if (count > RIGHTS_MAX)
		return -EINVAL;
	if (!count)
		return 0;
	memcpy(fd, c->data, count * sizeof(fd[0]));
	return rights_add(&m->rights, fd, count);
}

/* Only the superuser may say to be somebody else. */
static int get_cred(struct msg *m, const struct cmsg *c)
{
	struct cred self = cred_current(), given;

	if (c->bytes != sizeof(given))
		return -EINVAL;
	memcpy(&given, c->data, sizeof(given));
	if (self.uid && (given.pid != self.pid || given.uid != self.uid ||
			 given.gid != self.gid))
		return -EPERM;
	m->cred = given;
	return 0;
}

static int get_one(const struct socket *s, struct msg *m, const struct cmsg *c)
{
	bool local = s->domain == AF_UNIX;

	if (c->level != SOL_SOCKET)
		return local ? 0 : inet_ancillary_get(s, m, c);
	if (c->type == SCM_RIGHTS)
		return local ? get_rights(m, c) : 0;
	if (c->type == SCM_CREDENTIALS)
		return local ? get_cred(m, c) : 0;
	return -EINVAL;
}

static int get_all(const struct socket *s, struct msg *m, const uint8_t *list,
		   uint32_t bytes)
{
	struct cmsg c;
	uint32_t at = 0;
	int r;

	while ((r = cmsg_next(list, bytes, &at, &c)) > 0) {
		r = get_one(s, m, &c);
		if (r)
			break;
	}
	return r;
}

int ancillary_get(const struct socket *s, struct msg *m, uint64_t user,
		  uint64_t bytes)
{
	uint8_t *list;
	int err;

	if (bytes > CONTROL_MAX)
		return -ENOBUFS;
	list = kmalloc(MAX(bytes, 1u));
	if (!list)
		return -ENOMEM;
	err = copy_from_user(list, user, bytes);
	if (!err)
		err = get_all(s, m, list, (uint32_t)bytes);
	kfree(list);
	return err;
}

static void put_cred(struct cmsg_writer *w, const struct msg *m)
{
	struct cmsg c = {SOL_SOCKET, SCM_CREDENTIALS, (const uint8_t *)&m->cred,
			 sizeof(m->cred)};

	cmsg_put(w, &c);
}

/* As many as there is room for and the table takes; the others close. */
static void put_rights(struct cmsg_writer *w, struct msg *m)
{
	int fd[RIGHTS_MAX];
	uint32_t room = cmsg_room(w) / (uint32_t)sizeof(fd[0]), n = 0;
	struct cmsg c = {SOL_SOCKET, SCM_RIGHTS, (const uint8_t *)fd, 0};

	while (n < MIN(m->rights->count, room)) {
		fd[n] = fd_install(rights_take(m->rights, n), 0,
				   m->flags & MSG_CMSG_CLOEXEC);
		if (fd[n] < 0)
			break;
		n++;
	}
	if (n < m->rights->count)
		w->cut = 1;
	c.bytes = n * (uint32_t)sizeof(fd[0]);
	if (n)
		cmsg_put(w, &c);
}

int ancillary_put(const struct socket *s, struct msg *m, uint64_t user,
		  uint64_t bytes, uint64_t *ret)
{
	struct cmsg_writer w = {.room = (uint32_t)MIN(bytes, CONTROL_MAX)};
	bool local = s->domain == AF_UNIX;
	bool cred = local && s->option[OPTION_PASSCRED] && m->has_cred;
	int err = 0;

	*ret = 0;
	if (local && !cred && !m->rights)
		return 0;
	w.list = kzalloc(MAX(w.room, 1u));
	if (!w.list)
		return -ENOMEM;
	if (cred)
		put_cred(&w, m);
	if (m->rights)
		put_rights(&w, m);
	if (!local)
		inet_ancillary_put(s, m, &w);
	if (w.cut)
		m->flags_out |= MSG_CTRUNC;
	if (w.used)
		err = copy_to_user(user, w.list, w.used);
	*ret = w.used;
	kfree(w.list);
	return err;
}
