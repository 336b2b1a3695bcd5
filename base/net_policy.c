/* SPDX-License-Identifier: Apache-2.0 */
/* net_policy.c - check, read and seal a network policy. Trusts: nobody. */
#include "base/net_policy.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

void net_policy_init(struct net_policy *p)
{
	memset(p, 0, sizeof(*p));
	p->magic = NET_POLICY_MAGIC;
	p->version = NET_POLICY_VERSION;
	p->total_bytes = sizeof(*p);
}

static const char *check_header(const struct net_policy *p)
{
	if (p->magic != NET_POLICY_MAGIC || p->version != NET_POLICY_VERSION ||
	    p->total_bytes != sizeof(*p))
		return "it is none, or another program's: reinstall Ampoule";
	if (p->flags & ~NET_POLICY_ANY_SOURCE)
		return "flags has unknown bits";
	if (p->own_count > NET_POLICY_OWN ||
	    p->resolver_count > NET_POLICY_RESOLVERS ||
	    p->rule_count > NET_POLICY_RULES ||
	    p->name_count > NET_POLICY_NAMES ||
	    p->published_count > NET_POLICY_PUBLISHED)
		return "a count is out of range";
	return NULL;
}

static bool prefix_ok(const struct net_prefix *p)
{
	return p->bits <= 128 && (!net_addr_is_v4(&p->addr) || p->bits >= 96);
}

static bool service_ok(const struct net_service *s)
{
	return s->first <= s->last &&
	       (s->protocol == NET_ANY || s->protocol == NET_TCP ||
		s->protocol == NET_UDP);
}

static bool name_ok(const struct net_name *n)
{
	size_t len = strnlen(n->name, sizeof(n->name));

	return len && len < sizeof(n->name) && service_ok(&n->service);
}

static const char *check_lists(const struct net_policy *p)
{
	for (uint32_t i = 0; i < p->own_count; i++) {
		if (!prefix_ok(&p->own[i]))
			return "own is no address";
	}
	for (uint32_t i = 0; i < p->rule_count; i++) {
		if (!prefix_ok(&p->rule[i].to) ||
		    !service_ok(&p->rule[i].service) ||
		    (p->rule[i].flags & ~NET_RULE_PUBLIC))
			return "rule is out of range";
	}
	for (uint32_t i = 0; i < p->name_count; i++) {
		if (!name_ok(&p->name[i]))
			return "name is out of range";
	}
	for (uint32_t i = 0; i < p->published_count; i++) {
		if (!service_ok(&p->published[i]))
			return "published is out of range";
	}
	return NULL;
}

int net_policy_check(const struct net_policy *p, const char **ret_why)
{
	const char *why = check_header(p);

	if (!why)
		why = check_lists(p);
	if (!why)
		return 0;
	*ret_why = why;
	return -EINVAL;
}

int net_policy_seal(const struct net_policy *p, int *ret_fd)
{
	cleanup_fd int fd = fd_memfd_sealable("ampoule-net");
	int err;

	if (fd < 0)
		return fd;
	err = fd_write_all(fd, p, sizeof(*p));
	if (err)
		return err;
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int net_policy_read(int fd, struct net_policy *ret, const char **ret_why)
{
	int seals = fcntl(fd, F_GET_SEALS);
	int err;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	err = fd_pread_all(fd, ret, sizeof(*ret), 0);
	return err ? err : net_policy_check(ret, ret_why);
}
