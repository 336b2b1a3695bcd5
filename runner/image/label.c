/* SPDX-License-Identifier: Apache-2.0 */
/* label.c - what an image says about itself. */
#include "runner/image/label.h"

#include "base/ckd.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runner/image/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ID_MAX INT32_MAX

void label_done(struct label *label)
{
	strlist_done(&label->command);
	strlist_done(&label->env);
	free(label->cwd);
	*label = (struct label){0};
}

static json_t *array_of(const struct strlist *list)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < list->count; i++) {
		if (json_array_append_new(array, json_string(list->item[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

int label_encode(const struct label *label, char **ret)
{
	json_t *command = array_of(&label->command);
	json_t *env = array_of(&label->env);
	cleanup_json json_t *all = NULL;
	cleanup_free char *text = NULL;

	if (!command || !env) {
		json_decref(command);
		json_decref(env);
		return -EINVAL;
	}
	all = json_pack("{s:o, s:o, s:s?, s:I, s:I}", "command", command, "env",
			env, "cwd", label->cwd, "uid", (json_int_t)label->uid,
			"gid", (json_int_t)label->gid);
	if (!all)
		return -EINVAL;
	text = json_dumps(all, JSON_INDENT(1));
	if (!text)
		return -ENOMEM;
	if (strlen(text) > LABEL_JSON_MAX)
		return -E2BIG;
	*ret = steal_ptr(&text);
	return 0;
}

/** take_strings() - an array of them, or nothing. */
static int take_strings(const json_t *array, struct strlist *ret)
{
	if (!array || json_is_null(array))
		return 0;
	if (!json_is_array(array))
		return -EBADMSG;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));

		if (!text)
			return -EBADMSG;
		if (strlist_add(ret, text))
			return -ENOMEM;
	}
	return 0;
}

static int take_id(const json_t *number, uint32_t *ret)
{
	json_int_t id = json_integer_value(number);

	if (!number)
		return 0;
	if (!json_is_integer(number) || id < 0 || id > ID_MAX)
		return -EBADMSG;
	*ret = (uint32_t)id;
	return 0;
}

static int take_cwd(const json_t *text, char **ret)
{
	if (!text || json_is_null(text))
		return 0;
	if (!json_is_string(text) || json_string_value(text)[0] != '/')
		return -EBADMSG;
	*ret = strdup(json_string_value(text));
	return *ret ? 0 : -ENOMEM;
}

static int take_all(const json_t *all, struct label *label,
		    const char **ret_why)
{
	int err;

	*ret_why = "its label has no list of strings as 'command'";
	err = take_strings(json_object_get(all, "command"), &label->command);
	if (err)
		return err;
	*ret_why = "its label has no list of strings as 'env'";
	err = take_strings(json_object_get(all, "env"), &label->env);
	if (err)
		return err;
	for (size_t i = 0; i < label->env.count; i++) {
		*ret_why = "its label has a variable without a name in 'env'";
		if (strcspn(label->env.item[i], "=") == 0 ||
		    !strchr(label->env.item[i], '='))
			return -EBADMSG;
	}
	*ret_why = "its label has no absolute path as 'cwd'";
	err = take_cwd(json_object_get(all, "cwd"), &label->cwd);
	if (err)
		return err;
	*ret_why = "its label has no number of a user as 'uid' or 'gid'";
	err = take_id(json_object_get(all, "uid"), &label->uid);
	return err ? err : take_id(json_object_get(all, "gid"), &label->gid);
}

int label_decode(const char *json, size_t bytes, struct label *ret,
		 const char **ret_why)
{
	cleanup_json json_t *all = json_read(json, bytes);
	struct label label = {0};
	int err;

	*ret_why = "its label is no JSON object";
	if (!all)
		return -EBADMSG;
	err = take_all(all, &label, ret_why);
	if (err) {
		label_done(&label);
		return err;
	}
	*ret = label;
	return 0;
}

/** find() - where the JSON lies. Return: 0; -ENOENT: there is no label. */
static int find(int fd, struct label_footer *ret)
{
	struct stat st;
	uint64_t end;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(*ret))
		return -ENOENT;
	end = (uint64_t)st.st_size - sizeof(*ret);
	err = fd_pread_all(fd, ret, sizeof(*ret), end);
	if (err)
		return err;
	if (ret->magic != LABEL_MAGIC)
		return -ENOENT;
	if (ret->version != LABEL_VERSION || ret->reserved ||
	    ret->json_bytes > LABEL_JSON_MAX ||
	    !ckd_range(ret->json_offset, ret->json_bytes, end))
		return -EBADMSG;
	return 0;
}

int label_read(int fd, struct label *ret, const char **ret_why)
{
	cleanup_free char *json = NULL;
	struct label_footer footer = {0};
	int err = find(fd, &footer);

	*ret = (struct label){0};
	*ret_why = "its label is of another version, or damaged";
	if (err)
		return err == -ENOENT ? 0 : err;
	json = malloc(footer.json_bytes + 1u);
	if (!json)
		return -ENOMEM;
	err = fd_pread_all(fd, json, footer.json_bytes, footer.json_offset);
	if (err)
		return err; /* NOLINT: cleanup frees */
	return label_decode(json, footer.json_bytes, ret, ret_why);
}
