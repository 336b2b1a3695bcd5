/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - the subcommands of `ampoule`. */
#pragma once
#include "runner/cli/options.h"

#include <stdint.h>

extern const struct command command_run;
extern const struct command command_start;
extern const struct command command_ps;
extern const struct command command_logs;
extern const struct command command_wait;
extern const struct command command_kill;
extern const struct command command_pause;
extern const struct command command_resume;
extern const struct command command_rm;
extern const struct command command_balloon;
extern const struct command command_pack;
extern const struct command command_image;
extern const struct command command_doctor;
extern const struct command command_policy;
extern const struct command command_profile;

/** run_learning() - `ampoule run`, but the VMM makes forbidden calls and
 * reports them; they are listed in the end. */
int run_learning(int argc, char **argv);

/** commands_started_ns() - when main() began. */
uint64_t commands_started_ns(void);
/** commands_closed_streams() - bit n: stream n was closed when we started. */
unsigned commands_closed_streams(void);
