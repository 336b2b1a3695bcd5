/* SPDX-License-Identifier: Apache-2.0 */
/* missing.h - which system calls the program asked for in vain. */
#pragma once
#include <stdint.h>

void missing_count(uint64_t number);
/** missing_report() - tell the VMM; the host prints it when it wants to. */
void missing_report(void);
