/* SPDX-License-Identifier: Apache-2.0 */
/* main.h - where boot.S enters C. */
#pragma once
#include <stdint.h>

/** start_kernel() - @params_pa: Linux boot_params, or 0; @start_info_pa: PVH
 * hvm_start_info, or 0; @tsc: at the kernel's first instruction. */
_Noreturn void start_kernel(uint64_t params_pa, uint64_t start_info_pa,
			    uint64_t tsc);
