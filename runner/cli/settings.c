/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c - the options of `run` and `pack`, as tables. */
#include "runner/cli/settings.h"

#include "base/plan.h"
#include "runner/cli/host_env.h"
#include "runner/cli/parse.h"
#include "runner/cli/vmlog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *set_env(void *settings, const char *value)
{
	struct settings *s = settings;
	const char *equals = strchr(value, '=');
	const char *host;
	char *entry;

	if (equals == value || !*value)
		return "has no name before the '='";
	if (equals)
		return strlist_add(&s->env, value) ? "is too much" : NULL;
	host = host_env(value);
	if (!host) /* as with env -i: what is not set stays unset */
		return NULL;
	if (asprintf(&entry, "%s=%s", value, host) < 0)
		return "is too much: out of memory";
	return strlist_add_new(&s->env, entry) ? "is too much" : NULL;
}

static const char *set_file(void *settings, const char *value)
{
	struct settings *s = settings;

	if (!*value || *value == ':')
		return "names no file of the host";
	return strlist_add(&s->files, value) ? "is too much" : NULL;
}

static const char *set_cwd(void *settings, const char *value)
{
	struct settings *s = settings;

	if (*value != '/')
		return "is not an absolute path";
	s->cwd = value;
	s->cwd_given = true;
	return NULL;
}

/** set_user() - "UID" or "UID:GID"; names would be those of the guest's
 * /etc/passwd, which is not looked into. */
static const char *set_user(void *settings, const char *value)
{
	struct settings *s = settings;
	const char *colon = strchrnul(value, ':');
	char uid[16] = "";
	uint32_t id;

	if ((size_t)(colon - value) >= sizeof(uid))
		return "is no number of a user";
	memcpy(uid, value, (size_t)(colon - value));
	if (parse_count(uid, 0, INT32_MAX, &id))
		return "is no number of a user";
	if (*colon && parse_count(colon + 1, 0, INT32_MAX, &s->gid))
		return "has no number of a group after the ':'";
	s->uid = id;
	s->user_given = true;
	if (!*colon)
		s->gid = id;
	return NULL;
}

static const char *set_name(void *settings, const char *value)
{
	struct settings *s = settings;
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	if (!*value || strlen(value) >= PLAN_NAME_BYTES ||
	    value[strspn(value, allowed)])
		return "is not a name of 1 to 63 letters, digits, '.', '_', "
		       "'-'";
	if (strchr(".-", *value))
		return "begins with '.' or '-', which a name of a VM must not";
	s->name = value;
	return NULL;
}

static const char *set_kernel(void *settings, const char *value)
{
	((struct settings *)settings)->kernel = value;
	return NULL;
}

static const char *set_initrd(void *settings, const char *value)
{
	((struct settings *)settings)->initrd = value;
	return NULL;
}

static const char *set_cmdline(void *settings, const char *value)
{
	if (strlen(value) >= PLAN_CMDLINE_BYTES)
		return "is longer than 2047 bytes";
	((struct settings *)settings)->cmdline = value;
	return NULL;
}

static const char *set_modules(void *settings, const char *value)
{
	((struct settings *)settings)->modules = value;
	return *value ? NULL : "names no folder";
}

static const char *set_boot(void *settings, const char *value)
{
	struct settings *s = settings;

	if (!strcmp(value, "linux"))
		s->boot = KERNEL_BOOT_LINUX;
	else if (!strcmp(value, "pvh"))
		s->boot = KERNEL_BOOT_PVH;
	else
		return "is neither linux nor pvh";
	return NULL;
}

static const char *set_kaslr(void *settings, const char *value)
{
	(void)value;
	((struct settings *)settings)->kaslr = true;
	return NULL;
}

static const char *set_serial(void *settings, const char *value)
{
	(void)value;
	((struct settings *)settings)->serial = true;
	return NULL;
}

static const char *set_trace(void *settings, const char *value)
{
	((struct settings *)settings)->trace = value;
	return NULL;
}

static const char *set_log(void *settings, const char *value)
{
	((struct settings *)settings)->log = value;
	return NULL;
}

static const char *set_log_level(void *settings, const char *value)
{
	struct settings *s = settings;
	enum log_level level;

	if (log_level_parse(value, &level))
		return "is none of error, warn, info, debug, trace";
	s->log_level = (int)level;
	return NULL;
}

static const char *set_json(void *settings, const char *value)
{
	struct settings *s = settings;

	s->json = true;
	s->json_path = value;
	return value && !*value ? "names no file" : NULL;
}

static const char *set_verbose(void *settings, const char *value)
{
	(void)value;
	((struct settings *)settings)->verbose = true;
	return NULL;
}

static const char *set_bare(void *settings, const char *value)
{
	(void)value;
	((struct settings *)settings)->bare = true;
	return NULL;
}

static const char *set_output(void *settings, const char *value)
{
	((struct settings *)settings)->output = value;
	return *value ? NULL : "names no file";
}

const struct option_spec settings_pack_options[] = {
	{"env", 0, OPTION_REQUIRED, "K=V",
	 "set an environment variable; K alone takes the\n"
	 "host's value",
	 set_env},
	{"file", 0, OPTION_REQUIRED, "HOST[:GUEST]",
	 "bring a file or a directory along, to the same\n"
	 "path unless GUEST names another",
	 set_file},
	{"bare", 0, OPTION_FLAG, NULL,
	 "do not bring the standard library of the program's\n"
	 "language along (python, perl, ruby, java, git...)",
	 set_bare},
	{"cwd", 0, OPTION_REQUIRED, "DIR",
	 "working directory in the VM (default /)", set_cwd},
	{"user", 0, OPTION_REQUIRED, "UID[:GID]",
	 "who the program is in the VM (default 0, root)", set_user},
	{0},
};

const struct option_spec settings_run_options[] = {
	{"name", 0, OPTION_REQUIRED, "NAME",
	 "name of the VM (default: the program's)", set_name},
	{"kernel", 0, OPTION_REQUIRED, "FILE",
	 "guest kernel: a vmlinux or vmlinuz of Linux,\n"
	 "another x86-64 ELF kernel, or 'linux' for the one\n"
	 "that ./dev kernel builds (default mote)",
	 set_kernel},
	{"initrd", 0, OPTION_REQUIRED, "FILE",
	 "boot this image instead of packing PROGRAM", set_initrd},
	{"cmdline", 0, OPTION_REQUIRED, "TEXT", "kernel command line",
	 set_cmdline},
	{"modules", 0, OPTION_REQUIRED, "DIR",
	 "drivers for that kernel: its folder in\n"
	 "/lib/modules (default: found by the kernel's\n"
	 "version)",
	 set_modules},
	{"boot", 0, OPTION_REQUIRED, "linux|pvh",
	 "how that kernel starts (default linux, in 64-bit\n"
	 "mode; pvh where its file has no such entry)",
	 set_boot},
	{"kaslr", 0, OPTION_FLAG, NULL,
	 "move a Linux kernel to addresses that chance\n"
	 "chooses; its file needs relocations",
	 set_kaslr},
	{"serial", 0, OPTION_FLAG, NULL,
	 "show the messages of a Linux kernel on stderr", set_serial},
	{"trace", 0, OPTION_REQUIRED, "FILE",
	 "write the start-up timeline as a Chrome trace", set_trace},
	{"log", 0, OPTION_REQUIRED, "FILE", "append log lines as JSON",
	 set_log},
	{"log-level", 0, OPTION_REQUIRED, "LEVEL",
	 "error, warn, info, debug or trace (default warn,\n"
	 "with --log info)",
	 set_log_level},
	{"json", 0, OPTION_OPTIONAL, "FILE",
	 "describe the result as one JSON line, on stderr\n"
	 "or in FILE",
	 set_json},
	{"verbose", 'v', OPTION_FLAG, NULL,
	 "print the timeline and missing system calls", set_verbose},
	{0},
};

const struct option_spec settings_output_options[] = {
	{"output", 'o', OPTION_REQUIRED, "FILE",
	 "where to write the image (required)", set_output},
	{0},
};

enum log_level settings_log_level(const struct settings *s)
{
	if (s->log_level >= 0)
		return (enum log_level)s->log_level;
	return s->log ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;
}

void settings_init(struct settings *s)
{
	*s = (struct settings){
		.cwd = "/",
		.log_level = -1,
		.log_bytes = VMLOG_DEFAULT_BYTES,
	};
	net_option_init(&s->net);
	settings_resolve(s, NULL);
}

void settings_done(struct settings *s)
{
	strlist_done(&s->env);
	strlist_done(&s->files);
	strlist_done(&s->ports);
	strlist_done(&s->pmem);
	strlist_done(&s->disks);
}
