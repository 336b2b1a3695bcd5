/* SPDX-License-Identifier: Apache-2.0 */
/* hello.c - the smallest useful program: one line, then the end. */
#include <stdio.h>

int main(void)
{
	puts("hello");
	return 0;
}
