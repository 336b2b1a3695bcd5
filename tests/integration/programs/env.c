/* SPDX-License-Identifier: Apache-2.0 */
/* env.c - prints arguments, environment, working directory and the
 * auxiliary vector's promises. */
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	char cwd[4096];

	for (int i = 1; i < argc; i++)
		printf("arg [%s]\n", argv[i]);
	for (char **e = environ; *e; e++)
		printf("env [%s]\n", *e);
	if (getcwd(cwd, sizeof(cwd)))
		printf("cwd [%s]\n", cwd);
	printf("pagesz %lu uid %lu secure %lu random %d execfn %d\n",
	       getauxval(AT_PAGESZ), getauxval(AT_UID), getauxval(AT_SECURE),
	       getauxval(AT_RANDOM) != 0, getauxval(AT_EXECFN) != 0);
	return 0;
}
