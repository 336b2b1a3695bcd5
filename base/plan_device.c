/* SPDX-License-Identifier: Apache-2.0 */
/* plan_device.c - the devices of a plan, checked. One row a kind: how many fds
 * it takes, its flags, whether a VM may have several, and what else there is to
 * say about it. */
#include "base/plan_device.h"

#include "base/bucket.h"
#include "base/plan_net.h"
#include "base/plan_pmem.h"
#include "base/vsock_wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct kind_rule {
	uint32_t fds_min, fds_max;
	uint32_t flags; /* that it knows */
	bool several;   /* more than one a VM */
	/* What is special to the kind; NULL: u stays zero. */
	const char *(*check)(const struct plan_device *dev);
};

/** is_zero_from() - of u, the words that a kind does not use. */
static bool is_zero_from(const struct plan_device *dev, size_t used_bytes)
{
	for (size_t i = used_bytes / sizeof(dev->u.raw[0]);
	     i < sizeof(dev->u.raw) / sizeof(dev->u.raw[0]); i++) {
		if (dev->u.raw[i])
			return false;
	}
	return true;
}

/** is_port_name() - what is shown to people and names a file in the guest. */
static bool is_port_name(const char name[PLAN_PORT_BYTES])
{
	size_t len = strnlen(name, PLAN_PORT_BYTES);

	if (!len || len == PLAN_PORT_BYTES)
		return false;
	for (size_t i = 0; i < PLAN_PORT_BYTES; i++) {
		char c = name[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '.' || c == '_' ||
			    c == '-';

		if (i < len ? !fine : c)
			return false;
	}
	return true;
}

static const char *check_console(const struct plan_device *dev)
{
	const struct plan_console *c = &dev->u.console;

	if (c->count != dev->fd_count)
		return "device.u.console.count and fd_count do not match";
	for (uint64_t i = 0; i < c->count; i++) {
		if (!is_port_name(c->port[i].name))
			return "device.u.console.port has a bad name";
		if (c->port[i].kind == PLAN_STREAM_NONE ||
		    c->port[i].kind > PLAN_STREAM_BLOCKING || c->port[i].in > 1)
			return "device.u.console.port is of an unknown kind";
	}
	if (!is_zero_from(dev,
			  sizeof(c->count) + c->count * sizeof(c->port[0])))
		return "device.u is not 0 behind the console's ports";
	return NULL;
}

static const char *check_rng(const struct plan_device *dev)
{
	const struct plan_rate *rate = &dev->u.rng.bytes;

	if (!is_zero_from(dev, sizeof(dev->u.rng)))
		return "device.u is not 0 behind the rng's rate";
	if (rate->per_second > BUCKET_RATE_MAX || rate->burst > BUCKET_RATE_MAX)
		return "device.u.rng.bytes is out of range";
	return NULL;
}

static const char *check_balloon(const struct plan_device *dev)
{
	const struct plan_balloon *b = &dev->u.balloon;

	if (!is_zero_from(dev, sizeof(*b)))
		return "device.u is not 0 behind the balloon's target";
	if (b->target_bytes % 4096 || b->target_bytes >= PLAN_MEM_MAX_BYTES)
		return "device.u.balloon.target_bytes is out of range";
	return NULL;
}

static bool is_serial(const char serial[PLAN_BLOCK_SERIAL_BYTES])
{
	bool ended = false;

	for (size_t i = 0; i < PLAN_BLOCK_SERIAL_BYTES; i++) {
		if (ended && serial[i])
			return false;
		ended |= !serial[i];
		if (!ended && (serial[i] < 0x20 || serial[i] > 0x7e))
			return false;
	}
	return true;
}

static const char *check_block(const struct plan_device *dev)
{
	const struct plan_block *block = &dev->u.block;
	bool read_only = dev->flags & PLAN_BLOCK_READ_ONLY;

	if (!block->bytes || block->bytes % PLAN_BLOCK_SECTOR ||
	    block->bytes > PLAN_BLOCK_BYTES_MAX)
		return "block.bytes is out of range";
	if (block->overlay > PLAN_OVERLAY_FILE || (block->overlay && read_only))
		return "block.overlay is none, or of a disk that is only read";
	if (dev->fd_count != 1u + (block->overlay == PLAN_OVERLAY_FILE))
		return "block.overlay and fd_count do not match";
	if (block->engine > PLAN_ENGINE_THREADS)
		return "block.engine is unknown";
	if (!is_serial(block->serial))
		return "block.serial is not printable";
	if (block->reserved)
		return "block.reserved is not 0";
	return NULL;
}

static const char *check_vsock(const struct plan_device *dev)
{
	const struct plan_vsock *v = &dev->u.vsock;

	if (v->cid < VSOCK_CID_MIN || v->cid > VSOCK_CID_MAX)
		return "vsock.cid is out of range (3 to 4294967294)";
	if (!v->connections || v->connections > VSOCK_CONNECTIONS_MAX)
		return "vsock.connections is out of range (1 to 1024)";
	if (v->reserved)
		return "vsock.reserved is not 0";
	if (!is_zero_from(dev, sizeof(*v)))
		return "device.u is not 0 behind vsock";
	return NULL;
}

static const struct kind_rule rules[PLAN_DEVICE_KINDS] = {
	[PLAN_DEVICE_HARNESS] = {0},
	[PLAN_DEVICE_CONSOLE] = {.fds_max = PLAN_PORTS_MAX,
				 .check = check_console},
	[PLAN_DEVICE_RNG] = {.check = check_rng},
	[PLAN_DEVICE_NET] = {.fds_min = 2,
			     .fds_max = 1 + PLAN_NET_PAIRS,
			     .flags = PLAN_NET_OFFLOADS | PLAN_NET_USO,
			     .check = plan_check_net},
	[PLAN_DEVICE_VSOCK] = {.fds_min = 1,
			       .fds_max = 1,
			       .check = check_vsock},
	[PLAN_DEVICE_PMEM] = {.fds_min = 1,
			      .fds_max = 1,
			      .flags = PLAN_PMEM_PRIVATE,
			      .several = true,
			      .check = plan_check_pmem},
	[PLAN_DEVICE_BALLOON] = {.check = check_balloon},
	[PLAN_DEVICE_BLOCK] = {.fds_min = 1,
			       .fds_max = 2,
			       .flags = PLAN_BLOCK_READ_ONLY,
			       .several = true,
			       .check = check_block},
};

/** is_offered() - kinds without a rule exist by number only. */
static bool is_offered(uint32_t kind)
{
	switch ((enum plan_device_kind)kind) {
	case PLAN_DEVICE_HARNESS:
	case PLAN_DEVICE_CONSOLE:
	case PLAN_DEVICE_RNG:
	case PLAN_DEVICE_NET:
	case PLAN_DEVICE_VSOCK:
	case PLAN_DEVICE_PMEM:
	case PLAN_DEVICE_BALLOON:
	case PLAN_DEVICE_BLOCK:
		return true;
	default:
		return false;
	}
}

static const char *check_device_fds(const struct plan *plan,
				    const struct plan_device *dev,
				    const struct kind_rule *rule)
{
	if (dev->fd_count < rule->fds_min || dev->fd_count > rule->fds_max)
		return "device.fd_count is out of range for its kind";
	if (!dev->fd_count)
		return dev->fd_first ? "device.fd_first is not 0" : NULL;
	if (dev->fd_first < PLAN_FD_DEVICE || dev->fd_first >= PLAN_FD_COUNT ||
	    dev->fd_count > PLAN_FD_COUNT - dev->fd_first)
		return "device.fd_first is out of range";
	for (uint32_t i = 0; i < dev->fd_count; i++) {
		if (plan->fd[dev->fd_first + i] < 0)
			return "device.fd_first names an fd that is missing";
	}
	return NULL;
}

static const char *check_device(const struct plan *plan,
				const struct plan_device *dev)
{
	const struct kind_rule *rule;
	const char *why;

	if (!is_offered(dev->kind))
		return "device is of an unknown kind";
	rule = &rules[dev->kind];
	if (dev->flags & ~rule->flags)
		return "device.flags has unknown bits";
	why = check_device_fds(plan, dev, rule);
	if (why)
		return why;
	if (rule->check)
		return rule->check(dev);
	return is_zero_from(dev, 0) ? NULL : "device.u is not 0";
}

/** shared_fd() - an fd belongs to one device. */
static bool shared_fd(const struct plan_device *a, const struct plan_device *b)
{
	return a->fd_first < b->fd_first + b->fd_count &&
	       b->fd_first < a->fd_first + a->fd_count;
}

const char *plan_check_devices(const struct plan *plan)
{
	uint32_t seen = 0;

	if (plan->device_count > PLAN_DEVICES_MAX)
		return "device_count is out of range";
	for (uint32_t i = 0; i < plan->device_count; i++) {
		const struct plan_device *dev = &plan->device[i];
		const char *why = check_device(plan, dev);

		if (why)
			return why;
		if (!rules[dev->kind].several && (seen & 1u << dev->kind))
			return "device is there twice";
		seen |= 1u << dev->kind;
		for (uint32_t j = 0; j < i; j++) {
			if (shared_fd(dev, &plan->device[j]))
				return "device.fd_first is another's, too";
		}
	}
	return NULL;
}
