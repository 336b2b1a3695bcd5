/* SPDX-License-Identifier: Apache-2.0 */
/* oci.c - an OCI image layout: index.json -> manifest -> configuration and
 * layers. */
#include "runner/image/oci.h"

#include "base/cleanup.h"
#include "runner/cli/problem.h"
#include "runner/image/json.h"
#include "runner/image/oci_blob.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_DEPTH_MAX 3u
#define REF_NAME        "org.opencontainers.image.ref.name"

static int no_memory(struct problem *why)
{
	return problem_set(why, EXIT_AMPOULE, "out of memory");
}

void oci_done(struct oci *oci)
{
	for (size_t i = 0; i < oci->layers; i++)
		free(oci->path[i]);
	free(oci->path);
	free(oci->layer);
	free(oci->user);
	label_done(&oci->label);
	*oci = (struct oci){0};
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/** is_ours() - for linux/amd64, or for nobody in particular. */
static bool is_ours(const json_t *descriptor)
{
	const json_t *platform = json_object_get(descriptor, "platform");
	const char *os = text_of(platform, "os");
	const char *cpu = text_of(platform, "architecture");

	return (!os || !strcmp(os, "linux")) && (!cpu || !strcmp(cpu, "amd64"));
}

static bool is_named(const json_t *descriptor, const char *ref)
{
	const char *name =
		text_of(json_object_get(descriptor, "annotations"), REF_NAME);

	return !ref || (name && !strcmp(name, ref));
}

/** choose() - the one descriptor of an index that is meant. @ret: borrowed. */
static int choose(const char *dir, const json_t *index, const char *ref,
		  const json_t **ret, struct problem *why)
{
	const json_t *list = json_object_get(index, "manifests");
	size_t found = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *descriptor = json_array_get(list, i);

		if (!is_ours(descriptor) || !is_named(descriptor, ref))
			continue;
		*ret = descriptor;
		found++;
	}
	if (found == 1)
		return 0;
	if (found)
		return problem_set(why, EXIT_AMPOULE,
				   "%s has %zu images for linux/amd64; say "
				   "which one with --ref NAME",
				   dir, found);
	return problem_set(why, EXIT_AMPOULE,
			   "%s has no image%s%s for "
			   "linux/amd64",
			   dir, ref ? " named " : "", ref ? ref : "");
}

/** find_manifest() - through an index in an index, as skopeo and buildx make
 * them. @ret: owned by the caller. */
static int find_manifest(const char *dir, const char *ref, json_t **ret,
			 struct problem *why)
{
	cleanup_free char *path = NULL;
	cleanup_json json_t *at = NULL;

	if (asprintf(&path, "%s/index.json", dir) < 0)
		return no_memory(why);
	if (oci_file_json(path, NULL, &at, why))
		return -EINVAL;
	for (unsigned i = 0; i < INDEX_DEPTH_MAX; i++) {
		const json_t *descriptor = NULL;
		json_t *next = NULL;
		int err = choose(dir, at, ref, &descriptor, why);

		if (!err)
			err = oci_blob_json(dir, descriptor, &next, why);
		if (err)
			return err;
		json_decref(at);
		at = next;
		ref = NULL;
		if (json_is_array(json_object_get(at, "layers"))) {
			*ret = json_incref(at);
			return 0;
		}
	}
	return problem_set(why, EXIT_AMPOULE, "%s has no manifest with layers",
			   dir);
}

static int take_layers(const char *dir, const json_t *manifest, struct oci *oci,
		       struct problem *why)
{
	const json_t *list = json_object_get(manifest, "layers");
	size_t count = json_array_size(list);

	if (!count || count > OCI_LAYERS_MAX)
		return problem_set(why, EXIT_AMPOULE,
				   "the image in %s has %zu layers; 1 to %u "
				   "are supported",
				   dir, count, OCI_LAYERS_MAX);
	oci->layer = calloc(count, sizeof(*oci->layer));
	oci->path = calloc(count, sizeof(*oci->path));
	if (!oci->layer || !oci->path)
		return no_memory(why);
	for (size_t i = 0; i < count; i++) {
		struct layer *layer = &oci->layer[i];
		int err = oci_blob_path(dir, json_array_get(list, i),
					&oci->path[i], layer->digest, why);

		if (err)
			return err;
		oci->layers = i + 1;
		layer->path = oci->path[i];
		layer->has_digest = true;
		layer->whiteouts = true;
	}
	return 0;
}

static int bad_config(const char *dir, const char *key, struct problem *why)
{
	return problem_set(why, EXIT_AMPOULE,
			   "the configuration of the image in %s has a '%s' "
			   "that is not as OCI says",
			   dir, key);
}

/** add_strings() - of a list that may be missing. */
static int add_strings(const char *dir, const json_t *config, const char *key,
		       struct strlist *ret, struct problem *why)
{
	const json_t *list = json_object_get(config, key);

	if (list && !json_is_null(list) && !json_is_array(list))
		return bad_config(dir, key, why);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text)
			return bad_config(dir, key, why);
		if (strlist_add(ret, text))
			return no_memory(why);
	}
	return 0;
}

/** add_text() - of a key that may be missing, or say nothing. */
static int add_text(const char *dir, const json_t *config, const char *key,
		    char **ret, struct problem *why)
{
	const json_t *value = json_object_get(config, key);

	if (!value || json_is_null(value) ||
	    (json_is_string(value) && !*json_string_value(value)))
		return 0;
	if (!json_is_string(value))
		return bad_config(dir, key, why);
	*ret = strdup(json_string_value(value));
	return *ret ? 0 : no_memory(why);
}

static int take_config(const char *dir, const json_t *all, struct oci *oci,
		       struct problem *why)
{
	const json_t *config = json_object_get(all, "config");
	struct label *label = &oci->label;
	const char *cpu = text_of(all, "architecture");
	const char *os = text_of(all, "os");
	int err;

	if ((cpu && strcmp(cpu, "amd64") != 0) ||
	    (os && strcmp(os, "linux") != 0))
		return problem_set(why, EXIT_AMPOULE,
				   "the image in %s is for %s/%s, not for "
				   "linux/amd64",
				   dir, os ? os : "linux", cpu ? cpu : "amd64");
	err = add_strings(dir, config, "Entrypoint", &label->command, why);
	if (!err)
		err = add_strings(dir, config, "Cmd", &label->command, why);
	if (!err)
		err = add_strings(dir, config, "Env", &label->env, why);
	for (size_t i = 0; !err && i < label->env.count; i++) {
		const char *equals = strchr(label->env.item[i], '=');

		if (!equals || equals == label->env.item[i])
			err = bad_config(dir, "Env", why);
	}
	if (!err)
		err = add_text(dir, config, "WorkingDir", &label->cwd, why);
	if (!err && label->cwd && label->cwd[0] != '/')
		err = bad_config(dir, "WorkingDir", why);
	return err ? err : add_text(dir, config, "User", &oci->user, why);
}

int oci_read(const char *dir, const char *ref, struct oci *ret,
	     struct problem *why)
{
	cleanup_json json_t *manifest = NULL;
	cleanup_json json_t *config = NULL;
	int err;

	*ret = (struct oci){0};
	err = find_manifest(dir, ref, &manifest, why);
	if (!err)
		err = take_layers(dir, manifest, ret, why);
	if (!err)
		err = oci_blob_json(dir, json_object_get(manifest, "config"),
				    &config, why);
	return err ? err : take_config(dir, config, ret, why);
}
