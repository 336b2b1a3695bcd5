/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - what the command line of `run` and `pack` asks for. */
#pragma once
#include "base/log.h"
#include "runner/cli/kernel_elf.h"
#include "runner/cli/net_option.h"
#include "runner/cli/options.h"
#include "runner/cli/profile.h"
#include "runner/cli/strlist.h"

#include <stdbool.h>
#include <stdint.h>

struct settings {
	/* both commands */
	struct strlist env;   /* "K=V" */
	struct strlist files; /* "HOST" or "HOST:GUEST", as given */
	const char *cwd;      /* absolute path in the guest */
	uint32_t uid, gid;    /* of the program in the guest */
	/* run */
	const char *name;             /* NULL: from the program's */
	const char *profile;          /* name or file; NULL: default */
	const char *cpu;              /* template or file; NULL: host */
	struct profile given, limits; /* by options; of all together */
	const char *image;            /* NULL: root is the initrd */
	struct strlist ports;         /* "NAME,in=FILE", "NAME,out=FILE" */
	struct strlist pmem;          /* "FILE" or "FILE,rw=private" */
	struct strlist disks;         /* disk_option.h */
	const char *vsock;            /* "PATH" or "PATH,cid=N"; NULL: none */
	const char *kernel;           /* NULL: mote */
	const char *initrd;           /* NULL: pack one */
	const char *cmdline;
	const char *modules; /* folder; NULL: beside the kernel, if at all */
	const char *trace;
	const char *log;
	const char *json_path; /* NULL: stderr */
	uint64_t log_bytes;    /* bound on what is kept of its output */
	struct net_option net; /* --net, --allow, --publish */
	int log_level;         /* enum log_level; -1: not given */
	enum kernel_boot boot; /* KERNEL_BOOT_AUTO: not given */
	bool cwd_given, user_given;
	bool pci;           /* devices on PCI, not mmio */
	bool image_rw;      /* writes go to memory, over it */
	bool image_on_disk; /* it is a disk, not memory */
	bool kaslr;         /* move the kernel to where chance says */
	bool serial;        /* the kernel has a port, shown on stderr */
	bool json;
	bool detach; /* run in the background */
	bool remove; /* its entry, when a VM in the background ends */
	bool bare;   /* without the standard library of a language */
	bool verbose;
	bool learn; /* `policy learn`: forbidden calls are only listed */
	/* pack */
	const char *output;
};

extern const struct option_spec settings_pack_options[];
extern const struct option_spec settings_run_options[];
extern const struct option_spec settings_limit_options[];
extern const struct option_spec settings_device_options[];
extern const struct option_spec settings_output_options[];

/** settings_log_level() - as given, else info into a file, warn on stderr. */
enum log_level settings_log_level(const struct settings *s);

/** settings_profile_file() - the file that --profile names; NULL: none. */
const char *settings_profile_file(const struct settings *s);

/** settings_resolve() - s->limits, from the profile and the options given.
 * @from_file: what settings_profile_file() says; NULL: none. */
void settings_resolve(struct settings *s, const struct profile *from_file);

/** settings_wants_cgroup() - the name of an option given that only a cgroup can
 * fulfil; NULL: none. */
const char *settings_wants_cgroup(const struct settings *s);

/** settings_init() - the defaults. */
void settings_init(struct settings *s);
void settings_done(struct settings *s);
#define cleanup_settings __attribute__((cleanup(settings_done)))
