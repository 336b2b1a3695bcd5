/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - run a fuzzer's inputs once: replay FILE-OR-DIRECTORY... */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz_driver.h"

#define INPUT_MAX (1u << 20)

static int replay_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *f = fopen(path, "rbe");
	uint8_t *exact;
	size_t n;

	if (!f || !data) {
		perror(path);
		exit(1);
	}
	n = fread(data, 1, INPUT_MAX, f);
	(void)fclose(f);
	exact = realloc(data, n ? n : 1); /* a sanitizer sees the end */
	if (!exact)
		abort();
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 1;
}

static int replay(const char *path)
{
	struct stat st;
	struct dirent **list;
	int n, done = 0;

	if (!stat(path, &st) && !S_ISDIR(st.st_mode))
		return replay_file(path);
	n = scandir(path, &list, NULL, alphasort);
	if (n < 0) {
		perror(path);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		char file[4096];

		if (list[i]->d_name[0] != '.') {
			(void)snprintf(file, sizeof(file), "%s/%s", path,
				       list[i]->d_name);
			done += replay_file(file);
		}
		free(list[i]);
	}
	free(list);
	return done;
}

int main(int argc, char **argv)
{
	int done = 0;

	for (int i = 1; i < argc; i++)
		done += replay(argv[i]);
	printf("%d inputs\n", done);
	return done ? 0 : 1;
}
