/* The public C API: a compiled model as bytes, and back: a bundle (api_bundle.h). Weights packed for another machine, or by another build, are packed anew. */
#include "api_bundle.h"
#include "base/cpu.h"

#include <string.h>

ovl_status ovl_compiled_export(ovl_compiled *c, void **bytes, size_t *size, ovl_error *err)
{
	ovl_bundle_out bundle = {0};
	ovl_bundle_blob *parts = NULL;
	size_t n, at = 0;
	char *p = NULL;
	ovl_status st = ovl_compiled_put(c, NULL, true, &bundle, NULL, err);
	if (st == OVL_OK)
		st = ovl_bundle_parts(&bundle, &parts, &n, size, err);
	if (st == OVL_OK && !(p = ovl_alloc(*size)))
		st = ovl_fail(err, OVL_E_MEMORY, "not enough memory to export the model");
	for (size_t i = 0; st == OVL_OK && i < n; at += parts[i++].size)
		if (parts[i].size)
			memcpy(p + at, parts[i].data, parts[i].size);
	*bytes = p;
	ovl_free(parts);
	ovl_bundle_free(&bundle);
	return st;
}

/* ---- back ---- */

typedef struct pairs {
	char *text; /* own copy of the configuration */
	const char *keys[32], *values[32];
	size_t n;
} pairs;

static ovl_status split_config(const char *text, size_t n, pairs *out, ovl_error *err)
{
	out->text = ovl_strndup(text, n);
	if (!out->text)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory to import a model");
	for (char *save, *line = strtok_r(out->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *eq = strchr(line, '=');
		if (!eq || out->n == 32)
			return ovl_fail(err, OVL_E_PARSE, "the configuration of the exported model is broken");
		*eq = 0;
		out->keys[out->n] = line;
		out->values[out->n++] = eq + 1;
	}
	return OVL_OK;
}

static ovl_status import_bundle(ovl_core *core, ovl_buffer *file, ovl_pool *pool, const char *device, ovl_compiled **out, ovl_error *err)
{
	ovl_bundle_in in;
	ovl_bundle_intro intro = {0};
	pairs config = {0};
	ovl_compiled *c = NULL;
	bool packed, fixed;
	ovl_status st;
	OVL_TRY(ovl_bundle_open(&in, file, pool, err));
	st = ovl_bundle_get_intro(&in, &intro, err);
	if (st == OVL_OK)
		st = split_config(intro.config, strlen(intro.config), &config, err);
	if (st == OVL_OK)
		st = ovl_compiled_open(core, device, config.keys, config.values, config.n, &c, err);
	if (st == OVL_OK)
		st = ovl_compiled_get(c, &in, &packed, err);
	if (st == OVL_OK)
		st = ovl_compiled_plan(c, &fixed, err);
	if (st == OVL_OK)
		*out = c;
	else if (c)
		ovl_compiled_destroy(c);
	ovl_vec_free(&intro.files);
	ovl_free(config.text);
	ovl_bundle_close_in(&in);
	return st;
}

static ovl_status import_buffer(ovl_core *core, ovl_buffer *file, const char *device, ovl_compiled **out, ovl_error *err)
{
	ovl_pool *pool = ovl_pool_new(file->size > 4u << 20 ? ovl_cpu_threads() : 1);
	ovl_status st = pool ? import_bundle(core, file, pool, device, out, err) : ovl_fail(err, OVL_E_MEMORY, "not enough memory to import a model");
	ovl_pool_free(pool);
	return st;
}

ovl_status ovl_core_import(ovl_core *c, const void *bytes, size_t size, const char *device, ovl_compiled **out, ovl_error *err)
{
	ovl_buffer *copy = ovl_buffer_new(size ? size : 1, false);
	ovl_status st;
	if (!copy)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory to import a model of %zu bytes", size);
	if (size)
		memcpy(copy->data, bytes, size);
	copy->size = size;
	st = import_buffer(c, copy, device, out, err);
	ovl_buffer_release(copy);
	return st;
}

ovl_status ovl_core_import_file(ovl_core *c, const char *path, const char *device, ovl_compiled **out, ovl_error *err)
{
	ovl_buffer *file;
	ovl_status st;
	OVL_TRY(ovl_file_map(path, &file, err));
	st = import_buffer(c, file, device, out, err);
	ovl_buffer_release(file);
	return st == OVL_OK ? st : ovl_error_prefix(err, "cannot import '%s'", path);
}
