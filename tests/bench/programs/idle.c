/* SPDX-License-Identifier: Apache-2.0 */
/* idle.c - says that it runs, then waits for the end of its input: a VM whose
 * memory can be looked at. */
#include <unistd.h>

int main(void)
{
	char byte;

	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
