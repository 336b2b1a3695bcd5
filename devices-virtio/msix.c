/* SPDX-License-Identifier: Apache-2.0 */
/* msix.c - see msix.h. */
#include "devices-virtio/msix.h"

#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/blob.h"
#include "base/ckd.h"

#define MASKED   ((uint32_t)PCI_MSIX_ENTRY_CTRL_MASKBIT)
#define BIT64(n) (1ull << (n))

void msix_init(struct msix *m, unsigned vectors, const struct msix_host *host)
{
	assert(vectors && vectors <= MSIX_VECTORS_MAX);
	memset(m, 0, sizeof(*m));
	m->host = *host;
	m->vectors = vectors;
	for (unsigned i = 0; i < vectors; i++)
		m->entry[i].control = MASKED;
}

/** flush() - send what waits and may go. */
static void flush(struct msix *m)
{
	for (unsigned i = 0; i < m->vectors && m->pending; i++) {
		if (m->pending & BIT64(i))
			msix_raise(m, i);
	}
}

void msix_control(struct msix *m, uint16_t control)
{
	m->enabled = control & PCI_MSIX_FLAGS_ENABLE;
	m->masked = control & PCI_MSIX_FLAGS_MASKALL;
	flush(m);
}

void msix_raise(struct msix *m, unsigned vector)
{
	const struct msix_entry *e;

	if (!m->enabled || vector >= m->vectors)
		return;
	e = &m->entry[vector];
	if (m->masked || (e->control & MASKED)) {
		m->pending |= BIT64(vector);
		return;
	}
	m->pending &= ~BIT64(vector);
	m->host.send(m->host.ctx,
		     (uint64_t)e->address_high << 32 | e->address_low, e->data);
}

/** in_table() - does an access of the guest's lie in the table? */
static bool in_table(const struct msix *m, uint64_t offset, size_t len)
{
	return (len == 4 || len == 8) && offset % len == 0 &&
	       ckd_range(offset, len, m->vectors * sizeof(m->entry[0]));
}

void msix_read(const struct msix *m, uint64_t offset, void *data, size_t len)
{
	memset(data, 0, len);
	if (in_table(m, offset, len))
		memcpy(data, (const uint8_t *)m->entry + offset, len);
	else if ((len == 4 || len == 8) && offset % len == 0 &&
		 offset >= MSIX_PBA &&
		 ckd_range(offset - MSIX_PBA, len, sizeof(m->pending)))
		memcpy(data, (const uint8_t *)&m->pending + offset - MSIX_PBA,
		       len);
}

void msix_write(struct msix *m, uint64_t offset, const void *data, size_t len)
{
	struct msix_entry *e;

	if (!in_table(m, offset, len))
		return;
	e = &m->entry[offset / sizeof(*e)];
	memcpy((uint8_t *)m->entry + offset, data, len);
	/* 6.8.2.7 and 6.8.2.9: reserved bits read as zero; an address is one
	 * of a 32-bit word. */
	e->control &= MASKED;
	e->address_low &= ~3u;
	flush(m);
}

void msix_save(const struct msix *m, struct blob *to)
{
	blob_put64(to, m->pending);
	for (unsigned i = 0; i < m->vectors; i++) {
		blob_put32(to, m->entry[i].address_low);
		blob_put32(to, m->entry[i].address_high);
		blob_put32(to, m->entry[i].data);
		blob_put32(to, m->entry[i].control);
	}
}

void msix_load(struct msix *m, struct blob *from)
{
	m->pending = blob_get64(from);
	if (m->vectors < 64 && (m->pending >> m->vectors))
		blob_fail(from, -EPROTO);
	for (unsigned i = 0; i < m->vectors; i++) {
		m->entry[i].address_low = blob_get32(from);
		m->entry[i].address_high = blob_get32(from);
		m->entry[i].data = blob_get32(from);
		m->entry[i].control = blob_get32(from);
		if ((m->entry[i].address_low & 3) ||
		    (m->entry[i].control & ~MASKED))
			blob_fail(from, -EPROTO);
	}
}
