/* SPDX-License-Identifier: Apache-2.0 */
/* plan_device.h - are the devices of a plan in range and consistent? A part of
 * plan_check(). */
#pragma once
#include "base/plan.h"

/** plan_check_devices() - Return: NULL, or a static sentence that names the
 * field. */
const char *plan_check_devices(const struct plan *plan);
