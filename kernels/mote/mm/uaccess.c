/* SPDX-License-Identifier: Apache-2.0 */
/* uaccess.c - copies between kernel and program. Distrusts every address. Must
 * not: touch a user address outside user_copy() and user_length().
 *
 * Short copies go through the program's own mapping: a fault inside is served
 * like one of the program's, and only one that cannot be served arrives at the
 * fixup. Long ones where CPL 0 is emulated are translated and left to the
 * VMM. */
#include "kernels/mote/mm/uaccess.h"

#include <linux/errno.h>
#include <stdbool.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/extable.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/task.h"

#define LONG_COPY 512u /* longer: by translation where CPL 0 is emulated */

static bool user_range(uint64_t addr, uint64_t bytes)
{
	return addr <= VM_USER_TOP && bytes <= VM_USER_TOP - addr;
}

/* Return: bytes not copied. */
static size_t user_copy(void *dst, const void *src, size_t bytes)
{
	size_t words = bytes >> 3;

	user_access_begin();
	__asm__ volatile("1: rep movsq\n"
			 "   mov %[rest], %%rcx\n"
			 "2: rep movsb\n"
			 "   jmp 4f\n"
			 "3: lea (%[rest], %%rcx, 8), %%rcx\n"
			 "4:\n" EXTABLE("1b", "3b") EXTABLE("2b", "4b")
			 : "+c"(words), "+D"(dst), "+S"(src)
			 : [rest] "r"(bytes & 7)
			 : "memory", "cc");
	user_access_end();
	return words;
}

/* Translate and let bulk_copy() move. Return: bytes moved. */
static size_t long_copy(uint64_t user, void *kernel, size_t bytes, bool out)
{
	struct vm *vm = current()->vm;
	uint8_t *k = kernel;
	size_t done = 0;
	uint64_t pa, n;

	while (done < bytes) {
		if (vm_translate(vm, user + done, bytes - done, out, &pa, &n))
			break;
		if (out)
			bulk_copy(pa_to_va(pa), k + done, n);
		else
			bulk_copy(k + done, pa_to_va(pa), n);
		done += n;
	}
	return done;
}

size_t user_move(uint64_t user, void *kernel, size_t bytes, bool out)
{
	if (!user_range(user, bytes))
		return 0;
	if (bytes >= LONG_COPY && cpu_is_emulated())
		return long_copy(user, kernel, bytes, out);
	if (out)
		return bytes - user_copy((void *)user, kernel, bytes);
	return bytes - user_copy(kernel, (const void *)user, bytes);
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
		bulk_zero(pa_to_va(pa), n);
		done += n;
	}
	return done;
}

int zero_user(uint64_t dst, size_t bytes)
{
	return user_zero(dst, bytes) == bytes ? 0 : -EFAULT;
}

#define ONES  0x0101010101010101ul
#define HIGHS 0x8080808080808080ul

/* One aligned word of the program's; false: not readable. */
static bool user_word(uint64_t addr, uint64_t *ret)
{
	uint64_t v = 0;
	int ok = 1;

	user_access_begin();
	__asm__ volatile("1: mov (%[addr]), %[v]\n"
			 "   jmp 3f\n"
			 "2: xor %[ok], %[ok]\n"
			 "3:\n" EXTABLE("1b", "2b")
			 : [v] "+r"(v), [ok] "+r"(ok)
			 : [addr] "r"(addr)
			 : "memory", "cc");
	user_access_end();
	*ret = v;
	return ok;
}

/* Whole aligned words are read, which never cross a page: the bytes before
 * @src in the first are shifted out. */
long strncpy_from_user(char *dst, uint64_t src, size_t cap)
{
	unsigned skip = (unsigned)(src & 7);
	size_t done = 0;
	uint64_t word;

	while (done < cap) {
		unsigned n = 8 - skip;

		if (!user_range(src, n) || !user_word(src - skip, &word))
			return -EFAULT;
		word >>= skip * 8;
		if (n < 8)
			word |= ~0ul << (n * 8); /* no NUL beyond the word */
		if (cap - done >= 8 && n == 8 &&
		    !((word - ONES) & ~word & HIGHS)) {
			__builtin_memcpy(dst + done, &word, 8);
		} else {
			for (unsigned i = 0; i < n && done + i < cap; i++) {
				dst[done + i] = (char)(word >> (i * 8));
				if (!dst[done + i])
					return (long)(done + i);
			}
		}
		done += n;
		src += n;
		skip = 0;
	}
	return -ENAMETOOLONG;
}
