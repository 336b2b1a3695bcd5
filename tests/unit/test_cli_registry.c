/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_registry.c - entries of VMs in a directory of the test's own: who
 * has a name, what is left over, and the log beside it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runner/cli/problem.h"
#include "runner/cli/registry.h"
#include "runner/cli/vmlog.h"

static char parent[64];
static struct registry reg;
static struct problem why;

static void set_up(void)
{
	snprintf(parent, sizeof(parent), "/tmp/ampoule-unit-XXXXXX");
	cr_assert(mkdtemp(parent));
	snprintf(reg.path, sizeof(reg.path), "%s/vms", parent);
	cr_assert_eq(mkdir(reg.path, 0700), 0);
	reg.dir_fd = open(reg.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(reg.dir_fd, 0);
}

static void tear_down(void)
{
	char command[100];

	registry_close(&reg);
	snprintf(command, sizeof(command), "rm -rf %s", parent);
	cr_expect_eq(system(command), 0);
}

TestSuite(cli_registry, .init = set_up, .fini = tear_down);
TestSuite(cli_vmlog, .init = set_up, .fini = tear_down);

static int claim(const char *name, struct claim *ret)
{
	*ret = (struct claim)CLAIM_NONE;
	return registry_claim(&reg, name, "prog", "created 1\nkeep\n", ret,
			      &why);
}

static size_t count(void)
{
	cleanup_strlist struct strlist names = {0};

	cr_assert_eq(registry_names(&reg, &names), 0);
	return names.count;
}

/** dead_entry() - what a killed monitor leaves. */
static void dead_entry(const char *name, const char *record)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", reg.path, name);
	cr_assert_eq(mkdir(path, 0700), 0);
	if (!record)
		return;
	snprintf(path, sizeof(path), "%s/%s/vm", reg.path, name);
	f = fopen(path, "w");
	cr_assert(f);
	fputs(record, f);
	fclose(f);
}

Test(cli_registry, a_name_is_given_once)
{
	struct claim one, two;

	cr_assert_eq(claim("web", &one), 0);
	cr_expect_lt(claim("web", &two), 0);
	cr_expect(strstr(why.text, "'web'") && strstr(why.text, "already"));
	claim_end(&reg, &one, true);
	/* without an "exit" line it is a left-over, and free */
	cr_expect_eq(claim("web", &two), 0);
	cr_expect_eq(claim_append(&two, "exit 3 5\n"), 0);
	claim_end(&reg, &two, true);
	cr_expect_lt(claim("web", &one), 0);
	cr_expect(strstr(why.text, "ampoule rm web"), "%s", why.text);
	cr_expect_eq(registry_remove(&reg, "web"), 0);
	cr_expect_eq(claim("web", &one), 0);
	claim_end(&reg, &one, false);
}

Test(cli_registry, a_made_up_name_is_new)
{
	struct claim all[20];

	for (int i = 0; i < 20; i++) {
		cr_assert_eq(claim(NULL, &all[i]), 0);
		cr_expect_eq(strncmp(all[i].name, "prog-", 5), 0);
		cr_expect_eq(strlen(all[i].name), 9);
	}
	cr_expect_eq(count(), 20);
	for (int i = 0; i < 20; i++)
		claim_end(&reg, &all[i], true);
	registry_sweep(&reg);
	cr_expect_eq(count(), 0);
}

Test(cli_registry, sees_who_is_there)
{
	cleanup_vm_entry struct vm_entry vm, gone;
	struct claim one;
	unsigned line;

	cr_assert_eq(claim("a", &one), 0);
	cr_assert_eq(claim_append(&one, "vm 12 34\n"), 0);
	cr_assert_eq(registry_read(&reg, "a", &vm, &line), 0);
	cr_expect(vm.held);
	cr_expect_eq(vm.record.vm.pid, 12);
	cr_expect_eq(registry_remove(&reg, "a"), -EBUSY);
	registry_sweep(&reg);
	cr_expect_eq(count(), 1);
	cr_expect_eq(claim_append(&one, "exit 7 1\n"), 0);
	claim_end(&reg, &one, false);
	cr_expect_eq(count(), 0);
	/* who had it open still learns how it ended */
	cr_expect_eq(vm_entry_reread(&vm), 0);
	cr_expect(vm.record.exited);
	cr_expect_eq(vm.record.exit_code, 7);
	cr_expect_eq(registry_read(&reg, "a", &gone, &line), -ENOENT);
	cr_expect_eq(registry_remove(&reg, "a"), -ENOENT);
}

Test(cli_registry, the_lock_goes_with_its_last_process)
{
	struct claim one, again;
	pid_t pid;
	int go[2];

	cr_assert_eq(pipe(go), 0);
	cr_assert_eq(claim("a", &one), 0);
	pid = fork();
	if (!pid) {
		char c;

		close(go[1]);
		_exit(read(go[0], &c, 1) != 0);
	}
	claim_end(&reg, &one, true);
	cr_expect_lt(claim("a", &again), 0);
	registry_sweep(&reg);
	cr_expect_eq(count(), 1);
	close(go[1]);
	waitpid(pid, NULL, 0);
	registry_sweep(&reg);
	cr_expect_eq(count(), 0);
	close(go[0]);
}

Test(cli_registry, sweeps_what_was_left)
{
	struct claim alive;

	cr_assert_eq(claim("alive", &alive), 0);
	dead_entry("empty", NULL);
	dead_entry("half", "crea");
	dead_entry("dead", "created 1\nvm 1 2\n");
	dead_entry("damaged", "created x\n");
	dead_entry("cleaning", "created 1\nexit 0 1\n");
	dead_entry("ended", "created 1\nkeep\nexit 0 1\n");
	registry_sweep(&reg);
	cr_expect_eq(count(), 2);
	cr_expect_eq(registry_remove(&reg, "ended"), 0);
	claim_end(&reg, &alive, false);
}

Test(cli_registry, matches_the_beginning_of_one)
{
	static const struct {
		const char *prefix, *name; /* NULL: an error that has @words */
		const char *words;
	} table[] = {
		{"web", "web", NULL},
		{"web-1", "web-1", NULL},
		{"web-2", "web-22", NULL},
		{"d", "db", NULL},
		{"w", NULL, "web, web-1, web-22"},
		{"x", NULL, "'x'"},
		{"", NULL, "empty"},
		{"../vms/db", NULL, "no VM"},
		{".", NULL, "no VM"},
		{".lock", NULL, "no VM"},
	};
	char name[REGISTRY_NAME_BYTES];
	struct claim c;

	for (const char *const *n = (const char *const[]){"web", "web-1", "db",
							  "web-22", NULL};
	     *n; n++) {
		cr_assert_eq(claim(*n, &c), 0);
		claim_end(&reg, &c, true);
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int err = registry_match(&reg, table[i].prefix, name, &why);

		cr_expect_eq(!err, !!table[i].name, "%s", table[i].prefix);
		if (table[i].name)
			cr_expect_str_eq(name, table[i].name);
		else
			cr_expect(strstr(why.text, table[i].words), "%s",
				  why.text);
	}
}

/* ------------------------------------------------------------------- log */

static void open_log(struct vmlog *log, uint64_t bound, int ends[2])
{
	*log = (struct vmlog)VMLOG_NONE;
	log->dir_fd = reg.dir_fd;
	log->half_bytes = bound / 2;
	cr_assert_eq(vmlog_pipes(log, ends), 0);
}

static off_t size_of(const char *name)
{
	struct stat st;

	return fstatat(reg.dir_fd, name, &st, 0) == 0 ? st.st_size : 0;
}

/** copied() - the log files as vmlog_copy() prints them, in @ret. */
static ssize_t copied(const char *name, char *ret, size_t cap)
{
	cleanup_fd int fd = openat(reg.dir_fd, name, O_RDONLY);
	cleanup_fd int to = memfd_create("out", 0);
	cleanup_fd int saved = dup(STDOUT_FILENO);
	ssize_t n;

	fflush(stdout);
	dup2(to, STDOUT_FILENO);
	n = vmlog_copy(fd);
	dup2(saved, STDOUT_FILENO);
	return n < 0 ? n : pread(to, ret, cap, 0);
}

Test(cli_vmlog, keeps_what_comes)
{
	char out[100];
	struct vmlog log;
	int ends[2];

	open_log(&log, 1 << 20, ends);
	cr_assert_eq(write(ends[0], "one\n", 4), 4);
	vmlog_take(&log, 0);
	cr_assert_eq(write(ends[0], "\0two", 4), 4);
	vmlog_take(&log, 0);
	vmlog_take(&log, 1);
	cr_expect_eq(copied("log", out, sizeof(out)), 8);
	cr_expect_eq(memcmp(out, "one\n\0two", 8), 0);
	vmlog_close(&log);
	close(ends[0]);
	close(ends[1]);
}

Test(cli_vmlog, never_grows_beyond_its_bound)
{
	static char data[5000], out[VMLOG_MIN_BYTES * 2];
	struct vmlog log;
	ssize_t n;
	int ends[2];

	open_log(&log, VMLOG_MIN_BYTES, ends);
	for (int i = 0; i < 40; i++) {
		memset(data, 'a' + i % 26, sizeof(data));
		cr_assert_eq(write(ends[0], data, sizeof(data)),
			     (ssize_t)sizeof(data));
		vmlog_take(&log, 0);
		cr_expect_leq(size_of("log") + size_of("log.1"),
			      (off_t)VMLOG_MIN_BYTES);
	}
	n = copied("log", out, sizeof(out));
	cr_assert_gt(n, 0);
	cr_expect_eq(out[n - 1], 'a' + 39 % 26, "the newest is there");
	vmlog_close(&log);
	close(ends[0]);
	close(ends[1]);
}

Test(cli_vmlog, a_frame_that_is_not_whole_waits)
{
	char out[100];
	struct vmlog log;
	int ends[2];

	open_log(&log, 1 << 20, ends);
	cr_assert_eq(write(ends[0], "whole", 5), 5);
	vmlog_take(&log, 0);
	for (off_t cut = size_of("log") - 1; cut >= 0; cut--) {
		cr_assert_eq(ftruncate(log.fd, cut), 0);
		cr_expect_eq(copied("log", out, sizeof(out)), 0, "%ld", cut);
	}
	vmlog_close(&log);
	close(ends[0]);
	close(ends[1]);
}

Test(cli_vmlog, tells_damage)
{
	static const struct {
		size_t at;
		uint32_t value;
	} table[] = {{0, 1}, {4, 0}, {4, 3}, {8, 0}, {8, 1u << 30}};
	char out[100];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct vmlog log;
		char path[400];
		int ends[2], fd;

		open_log(&log, 1 << 20, ends);
		cr_assert_eq(write(ends[1], "text", 4), 4);
		vmlog_take(&log, 1);
		snprintf(path, sizeof(path), "%s/log", reg.path);
		fd = open(path, O_WRONLY);
		cr_assert_eq(pwrite(fd, &table[i].value, 4, (off_t)table[i].at),
			     4);
		close(fd);
		cr_expect_eq(copied("log", out, sizeof(out)), -EPROTO);
		vmlog_close(&log);
		close(ends[0]);
		close(ends[1]);
		unlink(path);
	}
}
