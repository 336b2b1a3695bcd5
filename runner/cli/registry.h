/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - the VMs of one user, as plain files:
 *
 *	DIR/.lock         held (flock) for a moment by whoever adds or removes
 *	DIR/NAME/vm       the record (record.h), locked as long as somebody
 *			  waits for the VM: its monitor, or `ampoule run`
 *	DIR/NAME/log ...  what a VM in the background wrote (vmlog.h)
 *	DIR/NAME/killed   `ampoule kill` or `rm` ended it by SIGKILL
 *
 * DIR is /run/ampoule/vms for root, else $XDG_RUNTIME_DIR/ampoule/vms, else
 * /tmp/ampoule-UID/vms, and used only if it belongs to the user alone. A record
 * without lock and without the lines "keep" and "exit" is what a killed monitor
 * left; its VM ended with it. */
#pragma once
#include "runner/cli/record.h"

#include <stdbool.h>

struct problem;

#define REGISTRY_RECORD     "vm"
#define REGISTRY_KILLED     "killed"
#define REGISTRY_NAME_BYTES 64

struct registry {
	int dir_fd; /* -1: there are no VMs, and never were */
	char path[256];
};

/** registry_open() - @create: make the directories that are missing.
 * @ret: for registry_close(), also after a failure.
 * Return: 0 or negative with @why filled. */
int registry_open(struct registry *ret, bool create, struct problem *why);
void registry_close(struct registry *reg);
#define cleanup_registry __attribute__((cleanup(registry_close)))

/* A VM's entry while this process is the one that waits for it. */
struct claim {
	int dir_fd;    /* of DIR/NAME; -1: none */
	int record_fd; /* holds the lock; shared with a monitor by fork */
	char name[REGISTRY_NAME_BYTES];
};

#define CLAIM_NONE                                                             \
	{                                                                      \
		.dir_fd = -1, .record_fd = -1                                  \
	}

/** registry_claim() - a new entry. @name: or NULL: @base with something short
 * and random after it. @head: the first lines of its record.
 * Return: 0 or negative with @why filled (the name is in use). */
int registry_claim(struct registry *reg, const char *name, const char *base,
		   const char *head, struct claim *ret, struct problem *why);
/** claim_append() - whole lines to the record. Return: 0 or -errno. */
int claim_append(const struct claim *claim, const char *text);
/** claim_end() - let go of the entry; @keep: it stays, with its lock free. */
void claim_end(struct registry *reg, struct claim *claim, bool keep);

/* A VM as it was at one moment. */
struct vm_entry {
	int dir_fd, record_fd;
	char name[REGISTRY_NAME_BYTES];
	bool held; /* somebody waits for it */
	struct record record;
};

/** registry_read() - @ret: for vm_entry_done(), also after a failure.
 * Return: 0; -ENOENT: no such VM; -errno; -EINVAL with *@ret_line > 0: that
 * line of its record is damaged. */
int registry_read(struct registry *reg, const char *name, struct vm_entry *ret,
		  unsigned *ret_line);
/** vm_entry_reread() - the record once more, after a wait. Return: as above. */
int vm_entry_reread(struct vm_entry *vm);
void vm_entry_done(struct vm_entry *vm);
#define cleanup_vm_entry __attribute__((cleanup(vm_entry_done)))

/** registry_names() - all of them, sorted. Return: 0 or -errno. */
int registry_names(const struct registry *reg, struct strlist *ret);
/** registry_match() - the name that is meant: a whole one, or the beginning of
 * just one. Return: 0 or negative with @why filled (none, or which ones). */
int registry_match(const struct registry *reg, const char *prefix,
		   char ret_name[REGISTRY_NAME_BYTES], struct problem *why);
/** registry_find() - the VM that is meant, as of now.
 * Return: 0 or negative with @why filled (none, or which ones). */
int registry_find(struct registry *reg, const char *prefix,
		  struct vm_entry *ret, struct problem *why);
/** registry_remove() - the entry of a VM that has ended.
 * Return: 0; -EBUSY: it has not; -ENOENT; -errno. */
int registry_remove(struct registry *reg, const char *name);
/** registry_sweep() - remove what killed monitors left. Never waits. */
void registry_sweep(struct registry *reg);
