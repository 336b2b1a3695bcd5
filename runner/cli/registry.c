/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c - the VMs of one user, as plain files. Trusts the directory, which
 * only this user can change, but no byte of a record. Who adds or removes an
 * entry holds DIR/.lock; so an entry without a record is always a left-over. */
#include "runner/cli/registry.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/problem.h"
#include "runner/cli/registry_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define DIR_FLAGS   (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define LOCK_NAME   ".lock"
#define TRIES       100 /* random names that are taken */
#define SUFFIX      4
#define BASE_LENGTH 32

int registry_open(struct registry *ret, bool create, struct problem *why)
{
	ret->dir_fd =
		registry_dir_open(create, ret->path, sizeof(ret->path), why);
	return ret->dir_fd < 0 && ret->dir_fd != -ENOENT ? ret->dir_fd : 0;
}

void registry_close(struct registry *reg)
{
	if (reg->dir_fd >= 0)
		close(reg->dir_fd);
	reg->dir_fd = -1;
}

/** lock_all() - Return: an fd that holds DIR/.lock; -ENOENT: somebody removed
 * DIR, which was empty; -errno. */
static int lock_all(const struct registry *reg, int operation)
{
	for (;;) {
		cleanup_fd int fd = openat(
			reg->dir_fd, LOCK_NAME,
			O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		struct stat st;

		if (fd < 0 || fstat(fd, &st) < 0)
			return -errno;
		if (flock(fd, operation) < 0) {
			if (errno != EINTR)
				return -errno;
		} else if (fstat(fd, &st) == 0 && st.st_nlink) {
			return steal_fd(&fd);
		}
	}
}

/** remove_empty() - below /tmp nothing is to stay. Under the lock of all; who
 * waits for that finds it removed. */
static void remove_empty(const struct registry *reg)
{
	cleanup_strlist struct strlist names = {0};
	char parent[sizeof(reg->path)];

	if (geteuid() == 0 || registry_names(reg, &names) || names.count)
		return;
	unlinkat(reg->dir_fd, LOCK_NAME, 0);
	if (rmdir(reg->path) < 0)
		return;
	(void)snprintf(parent, sizeof(parent), "%.*s",
		       (int)(strrchr(reg->path, '/') - reg->path), reg->path);
	(void)rmdir(parent);
}

/** wipe() - an entry and all its files; the record last, so that a kill in
 * between leaves something that is swept. Under the lock of all. */
static void wipe(const struct registry *reg, const char *name)
{
	cleanup_fd int fd = openat(reg->dir_fd, name, DIR_FLAGS);
	const struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir)
		return;
	(void)steal_fd(&fd);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, REGISTRY_RECORD) != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	unlinkat(dirfd(dir), REGISTRY_RECORD, 0);
	closedir(dir);
	unlinkat(reg->dir_fd, name, AT_REMOVEDIR);
}

/** read_record() - from the beginning, into @vm. */
static int read_record(struct vm_entry *vm, unsigned *ret_line)
{
	static char text[RECORD_BYTES_MAX];
	ssize_t n = pread(vm->record_fd, text, sizeof(text), 0);

	*ret_line = 0;
	if (n < 0)
		return -errno;
	record_done(&vm->record);
	return record_parse(text, (size_t)n, &vm->record, ret_line);
}

/** read_entry() - registry_read(), under a lock of all. */
static int read_entry(const struct registry *reg, const char *name,
		      struct vm_entry *ret, unsigned *ret_line)
{
	*ret_line = 0;
	*ret = (struct vm_entry){.dir_fd = -1, .record_fd = -1};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	if (reg->dir_fd < 0)
		return -ENOENT;
	ret->dir_fd = openat(reg->dir_fd, name, DIR_FLAGS);
	if (ret->dir_fd < 0)
		return -errno;
	ret->record_fd = openat(ret->dir_fd, REGISTRY_RECORD,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (ret->record_fd < 0)
		return -errno;
	if (flock(ret->record_fd, LOCK_SH | LOCK_NB) < 0)
		ret->held = true;
	else
		(void)flock(ret->record_fd, LOCK_UN);
	return read_record(ret, ret_line);
}

int registry_read(struct registry *reg, const char *name, struct vm_entry *ret,
		  unsigned *ret_line)
{
	cleanup_fd int lock = reg->dir_fd < 0 ? -1 : lock_all(reg, LOCK_SH);

	(void)lock;
	return read_entry(reg, name, ret, ret_line);
}

int vm_entry_reread(struct vm_entry *vm)
{
	unsigned line;

	return read_record(vm, &line);
}

void vm_entry_done(struct vm_entry *vm)
{
	cleanup_fd_run(&vm->dir_fd);
	cleanup_fd_run(&vm->record_fd);
	vm->dir_fd = vm->record_fd = -1;
	record_done(&vm->record);
}

/** is_left_over() - nobody waits for it, and it is not one that ended and is
 * kept. Under the lock of all. */
static bool is_left_over(const struct registry *reg, const char *name)
{
	cleanup_vm_entry struct vm_entry vm;
	unsigned line;
	int err = read_entry(reg, name, &vm, &line);

	if (vm.record_fd < 0)
		return err == -ENOENT;
	return !vm.held && !(vm.record.exited && vm.record.keep);
}

void registry_sweep(struct registry *reg)
{
	cleanup_strlist struct strlist names = {0};
	cleanup_fd int lock =
		reg->dir_fd < 0 ? -1 : lock_all(reg, LOCK_EX | LOCK_NB);

	if (lock < 0 || registry_names(reg, &names))
		return;
	for (size_t i = 0; i < names.count; i++) {
		if (is_left_over(reg, names.item[i]))
			wipe(reg, names.item[i]);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int registry_names(const struct registry *reg, struct strlist *ret)
{
	int err = 0,
	    fd = reg->dir_fd < 0 ? -1 : openat(reg->dir_fd, ".", DIR_FLAGS);
	const struct dirent *entry;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return reg->dir_fd < 0 ? 0 : -errno;
	while (!err && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			err = strlist_add(ret, entry->d_name);
	}
	closedir(dir);
	if (ret->count)
		qsort(ret->item, ret->count, sizeof(*ret->item), compare);
	return err;
}

/** make_entry() - the directory and a locked record in it. */
static int make_entry(const struct registry *reg, const char *head,
		      struct claim *claim)
{
	cleanup_fd int dir = -1, record = -1;
	int err;

	if (mkdirat(reg->dir_fd, claim->name, 0700) < 0)
		return -errno;
	dir = openat(reg->dir_fd, claim->name, DIR_FLAGS);
	if (dir >= 0)
		record = openat(dir, REGISTRY_RECORD,
				O_RDWR | O_CREAT | O_EXCL | O_APPEND |
					O_CLOEXEC | O_NOFOLLOW,
				0600);
	err = record < 0 || flock(record, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (!err)
		err = fd_write_all(record, head, strlen(head));
	if (err) {
		wipe(reg, claim->name);
		return err;
	}
	claim->dir_fd = steal_fd(&dir);
	claim->record_fd = steal_fd(&record);
	return 0;
}

/** random_name() - "busybox-x7k2": short enough for the name of a thread. */
static int random_name(const char *base, char *ret, size_t cap)
{
	static const char digits[] = "abcdefghjkmnpqrstuvwxyz23456789";
	unsigned char random[SUFFIX];
	char suffix[SUFFIX + 1] = "";

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -errno;
	for (int i = 0; i < SUFFIX; i++)
		suffix[i] = digits[random[i] % (sizeof(digits) - 1)];
	while (*base && strchr("._-", *base))
		base++;
	(void)snprintf(ret, cap, "%.*s-%s", BASE_LENGTH, *base ? base : "vm",
		       suffix);
	return 0;
}

static int name_is_taken(const struct registry *reg, const char *name,
			 struct problem *why)
{
	cleanup_vm_entry struct vm_entry vm;
	unsigned line;

	(void)read_entry(reg, name, &vm, &line);
	if (vm.record.exited && !vm.held)
		return problem_set(why, EXIT_AMPOULE,
				   "the name '%s' is that of a VM that has "
				   "ended and is kept; 'ampoule rm %s' frees "
				   "it",
				   name, name);
	return problem_set(why, EXIT_AMPOULE,
			   "there is a VM named '%s' already; choose another "
			   "name, or end that one with 'ampoule kill %s'",
			   name, name);
}

/** lock_made() - as lock_all(), in a directory that is made again if somebody
 * has just removed it, empty as it was. */
static int lock_made(struct registry *reg, struct problem *why)
{
	int lock = lock_all(reg, LOCK_EX);

	for (int i = 0; i < TRIES && lock == -ENOENT; i++) {
		registry_close(reg);
		if (registry_open(reg, true, why))
			return -EINVAL;
		lock = lock_all(reg, LOCK_EX);
	}
	return lock;
}

int registry_claim(struct registry *reg, const char *name, const char *base,
		   const char *head, struct claim *ret, struct problem *why)
{
	cleanup_fd int lock = lock_made(reg, why);
	int err = lock < 0 ? lock : -EEXIST;

	for (int i = 0; i < TRIES && err == -EEXIST; i++) {
		if (name)
			(void)snprintf(ret->name, sizeof(ret->name), "%s",
				       name);
		else if (random_name(base, ret->name, sizeof(ret->name)))
			return problem_set(why, EXIT_AMPOULE,
					   "cannot get random bytes: %s",
					   error_text(errno));
		err = make_entry(reg, head, ret);
		if (err == -EEXIST && name) {
			if (!is_left_over(reg, name))
				return name_is_taken(reg, name, why);
			wipe(reg, name);
		}
	}
	return err ? problem_set(why, EXIT_AMPOULE, "cannot add a VM to %s: %s",
				 reg->path, error_text(err))
		   : 0;
}

int claim_append(const struct claim *claim, const char *text)
{
	if (claim->record_fd < 0)
		return 0;
	return fd_write_all(claim->record_fd, text, strlen(text));
}

void claim_end(struct registry *reg, struct claim *claim, bool keep)
{
	if (claim->record_fd < 0)
		return;
	if (!keep) {
		cleanup_fd int lock = lock_all(reg, LOCK_EX);

		(void)lock;
		wipe(reg, claim->name);
		remove_empty(reg);
	}
	cleanup_fd_run(&claim->record_fd);
	cleanup_fd_run(&claim->dir_fd);
	claim->record_fd = claim->dir_fd = -1;
}

static bool begins_with(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

/** tell_several() - the names that begin alike, as many as fit a line. */
static int tell_several(const char *prefix, const struct strlist *names,
			struct problem *why)
{
	char list[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < names->count && used < sizeof(list) - 70; i++) {
		if (begins_with(names->item[i], prefix))
			used += (size_t)snprintf(
				list + used, sizeof(list) - used, "%s%s",
				used ? ", " : "", names->item[i]);
	}
	return problem_set(why, EXIT_AMPOULE,
			   "several VMs begin with '%s': %s; give more of the "
			   "name",
			   prefix, list);
}

/** match_prefix() - @ret: the name that is meant, from @names. */
static int match_prefix(const char *prefix, const struct strlist *names,
			const char **ret, struct problem *why)
{
	size_t found = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (!begins_with(names->item[i], prefix))
			continue;
		found++;
		*ret = names->item[i];
		if (!strcmp(names->item[i], prefix))
			return 0;
	}
	if (found > 1)
		return tell_several(prefix, names, why);
	return found ? 0
		     : problem_set(why, EXIT_AMPOULE,
				   "there is no VM named '%s'; 'ampoule ps -a' "
				   "lists them",
				   prefix);
}

int registry_match(const struct registry *reg, const char *prefix,
		   char ret_name[REGISTRY_NAME_BYTES], struct problem *why)
{
	cleanup_strlist struct strlist names = {0};
	const char *name = NULL;
	int err = registry_names(reg, &names);

	if (err)
		return problem_set(why, EXIT_AMPOULE, "cannot list %s: %s",
				   reg->path, error_text(err));
	if (!*prefix)
		return problem_set(why, EXIT_AMPOULE,
				   "the name of a VM is empty");
	err = match_prefix(prefix, &names, &name, why);
	if (!err)
		(void)snprintf(ret_name, REGISTRY_NAME_BYTES, "%s", name);
	return err;
}

int registry_find(struct registry *reg, const char *prefix,
		  struct vm_entry *ret, struct problem *why)
{
	char name[REGISTRY_NAME_BYTES];
	unsigned line;
	int err;

	*ret = (struct vm_entry){.dir_fd = -1, .record_fd = -1};
	err = registry_match(reg, prefix, name, why);
	if (err)
		return err;
	err = registry_read(reg, name, ret, &line);
	if (err && line)
		return problem_set(why, EXIT_AMPOULE,
				   "%s/%s/" REGISTRY_RECORD ":%u: this line is "
				   "damaged; 'ampoule rm %s' removes the entry",
				   reg->path, name, line, name);
	if (err)
		return problem_set(why, EXIT_AMPOULE,
				   "there is no VM named '%s' any more", name);
	return 0;
}

int registry_remove(struct registry *reg, const char *name)
{
	cleanup_fd int lock = reg->dir_fd < 0 ? -1 : lock_all(reg, LOCK_EX);
	cleanup_vm_entry struct vm_entry vm;
	unsigned line;
	int err = read_entry(reg, name, &vm, &line);

	(void)lock;
	if (vm.dir_fd < 0)
		return err;
	if (vm.held)
		return -EBUSY;
	wipe(reg, name);
	remove_empty(reg);
	return 0;
}
