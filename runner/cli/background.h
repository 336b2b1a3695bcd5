/* SPDX-License-Identifier: Apache-2.0 */
/* background.h - the options of VMs in the background, for struct settings. */
#pragma once
#include "runner/cli/options.h"

extern const struct option_spec detach_options[];     /* of `run` alone */
extern const struct option_spec background_options[]; /* of `start`, too */
