/* SPDX-License-Identifier: Apache-2.0 */
/* hello.c - one line and out: built static, static-pie and dynamic. */
#include <stdio.h>

int main(void)
{
	puts("hello, world");
	return 0;
}
