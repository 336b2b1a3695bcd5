/* SPDX-License-Identifier: Apache-2.0 */
/* policy_learn.h - what `ampoule policy learn` found out. */
#pragma once

struct outcome;

/** policy_learn_tell() - list on stderr the calls that the VMM made and that
 * its policies do not allow. */
void policy_learn_tell(const struct outcome *o);
