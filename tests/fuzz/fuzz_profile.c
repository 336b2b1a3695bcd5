/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_profile.c - any bytes as a profile, as the host's configuration, and as
 * a CPU template.
 * Oracle: the sanitizers; an error has a place; what is accepted is sane. */
#include <stdlib.h>
#include <string.h>

#include "runner/cli/config.h"
#include "runner/cli/cpu_template.h"
#include "runner/cli/problem.h"
#include "runner/cli/profile.h"
#include "tests/fuzz/fuzz_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct problem why = {0};
	struct profile p, all;
	struct cpu_template cpu = {0};
	struct config config;

	if (profile_parse("f", text, size, &p, &why)) {
		if (strncmp(why.text, "f:", 2) != 0 || why.text[2] < '1')
			abort();
	} else if (!profile_is_sane(&p) || profile_builtin("default", &all)) {
		abort();
	} else {
		profile_merge(&all, &p);
		if (!profile_is_sane(&all))
			abort();
	}
	(void)cpu_template_parse("f", text, size, &cpu, &why);
	if (!cpu_template_is_sane(&cpu))
		abort();
	config_defaults(&config);
	(void)config_parse(text, size, &config, &why);
	if (!config_is_sane(&config))
		abort();
	return 0;
}
