/* SPDX-License-Identifier: Apache-2.0 */
/* plan_net.h - the network of a plan: in range? A part of plan_check(). */
#pragma once
#include "base/plan.h"

/** plan_check_net() - Return: NULL, or a static sentence that names the field.
 * What the policy's fd holds is checked by who reads it. */
const char *plan_check_net(const struct plan_device *dev);
