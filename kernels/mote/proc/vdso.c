/* SPDX-License-Identifier: Apache-2.0 */
/* vdso.c - maps what kernels/mote/vdso is into a program. Must not: map more of
 * the kernel than these two pages, or either of them writable. */
#include "kernels/mote/proc/vdso.h"

#include <sys/mman.h>

#include "kernels/mote/arch/clock.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"

int vdso_map(struct vm *vm, uint64_t at, uint64_t *ret_image)
{
	int err = vm_map_page(vm, at, clock_page(), PROT_READ, "[vvar]");

	if (err < 0)
		return err;
	*ret_image = at + PAGE_SIZE;
	return vm_map_page(vm, at + PAGE_SIZE, kva_to_pa(vdso_image),
			   PROT_READ | PROT_EXEC, "[vdso]");
}
