/* SPDX-License-Identifier: Apache-2.0 */
/* uaccess.c - copies between kernel and program. Distrusts every address. Must
 * not: use a user address as a pointer. Each is translated by the program's
 * page tables, faulted in where it has to be, and used through the direct map:
 * the kernel needs no mapping of the program, and on an emulated host has
 * none. */
#include "kernels/mote/mm/uaccess.h"

#include <linux/errno.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/task.h"

static bool user_range(uint64_t addr, uint64_t bytes)
{
	return addr <= VM_USER_TOP && bytes <= VM_USER_TOP - addr;
}

size_t user_move(uint64_t user, void *kernel, size_t bytes, bool out)
{
	struct vm *vm = current()->vm;
	uint8_t *k = kernel;
	size_t done = 0;
	uint64_t pa, n;

	if (!user_range(user, bytes))
		return 0;
	while (done < bytes) {
		if (vm_translate(vm, user + done, bytes - done, out, &pa, &n))
			break;
		if (out)
			memcpy(pa_to_va(pa), k + done, n);
		else
			memcpy(k + done, pa_to_va(pa), n);
		done += n;
	}
	return done;
}

int copy_from_user(void *dst, uint64_t src, size_t bytes)
{
	return user_move(src, dst, bytes, false) == bytes ? 0 : -EFAULT;
}

/* The kernel's side of a copy out is only read. */
static void *readable(const void *p)
{
	return (void *)(uint64_t)p;
}

int copy_to_user(uint64_t dst, const void *src, size_t bytes)
{
	return user_move(dst, readable(src), bytes, true) == bytes ? 0
								   : -EFAULT;
}

size_t user_zero(uint64_t dst, size_t bytes)
{
	struct vm *vm = current()->vm;
	size_t done = 0;
	uint64_t pa, n;

	if (!user_range(dst, bytes))
		return 0;
	while (done < bytes) {
		if (vm_translate(vm, dst + done, bytes - done, true, &pa, &n))
			break;
		memset(pa_to_va(pa), 0, n);
		done += n;
	}
	return done;
}

int zero_user(uint64_t dst, size_t bytes)
{
	return user_zero(dst, bytes) == bytes ? 0 : -EFAULT;
}

long strncpy_from_user(char *dst, uint64_t src, size_t cap)
{
	struct vm *vm = current()->vm;
	size_t done = 0;
	uint64_t pa, n;

	while (done < cap) {
		const char *from;
		size_t len;

		if (vm_translate(vm, src + done, cap - done, false, &pa, &n))
			return -EFAULT;
		from = pa_to_va(pa);
		len = strnlen(from, n);
		memcpy(dst + done, from, len);
		done += len;
		if (len < n) {
			dst[done] = '\0';
			return (long)done;
		}
	}
	return -ENAMETOOLONG;
}
