/* The public C API: a compiled model as bytes, and back. The bytes hold the model as IR and its configuration; importing compiles it anew for the machine at hand.
 *
 *     "OVLITE\0\1"  u64 size of config, xml, bin   config (KEY=VALUE lines)   xml   bin          all integers little-endian */
#include "api.h"
#include "base/str.h"
#include "read/write_ir.h"

#include <stdio.h>
#include <string.h>

static const char magic[8] = {'O', 'V', 'L', 'I', 'T', 'E', 0, 1};
enum { HEADER = 8 + 3 * 8 };

static const char *const kept[] = {"PERFORMANCE_HINT", "PERFORMANCE_HINT_NUM_REQUESTS", "INFERENCE_PRECISION_HINT", "ENABLE_PROFILING", "EXECUTION_MODE_HINT", "PLAN_CACHE_ENTRIES",
	"PLAN_CACHE_MEGABYTES"};

static ovl_status config_text(const ovl_compiled *c, ovl_str *out, ovl_error *err)
{
	char kind, buf[256];
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		OVL_TRY(ovl_config_get(&c->config, OVL_SCOPE_COMPILED, c->name, kept[i], &kind, buf, sizeof buf, err));
		ovl_str_addf(out, "%s=%s\n", kept[i], buf);
	}
	if (c->config.streams)
		ovl_str_addf(out, "NUM_STREAMS=%d\n", c->config.streams);
	if (c->config.threads)
		ovl_str_addf(out, "INFERENCE_NUM_THREADS=%d\n", c->config.threads);
	return OVL_OK;
}

static void put64(unsigned char *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get64(const unsigned char *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static ovl_status join(const ovl_str *const *parts, void **bytes, size_t *size, ovl_error *err)
{
	size_t total = HEADER;
	unsigned char *p;
	for (int i = 0; i < 3; i++) {
		if (parts[i]->failed || !ovl_add_ok(total, parts[i]->n, &total))
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory to export the model");
	}
	p = ovl_alloc(total);
	if (!p)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory to export the model");
	*bytes = p;
	*size = total;
	memcpy(p, magic, sizeof magic);
	for (int i = 0; i < 3; i++)
		put64(p + 8 + 8 * i, parts[i]->n);
	p += HEADER;
	for (int i = 0; i < 3; i++) {
		if (parts[i]->n)
			memcpy(p, parts[i]->at, parts[i]->n);
		p += parts[i]->n;
	}
	return OVL_OK;
}

ovl_status ovl_compiled_export(ovl_compiled *c, void **bytes, size_t *size, ovl_error *err)
{
	ovl_str config = {0}, xml = {0}, bin = {0};
	const ovl_str *const parts[] = {&config, &xml, &bin};
	ovl_status st = config_text(c, &config, err);
	if (st == OVL_OK)
		st = ovl_write_ir_memory(((ovl_model *)c->source)->graph, false, &xml, &bin, err);
	if (st == OVL_OK)
		st = join(parts, bytes, size, err);
	ovl_str_free(&config);
	ovl_str_free(&xml);
	ovl_str_free(&bin);
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

static ovl_status find_parts(const unsigned char *p, size_t size, size_t sizes[3], ovl_error *err)
{
	size_t total = HEADER;
	if (size < HEADER || memcmp(p, magic, sizeof magic) != 0)
		return ovl_fail(err, OVL_E_PARSE, "these %zu bytes are not a model that ovlite has exported", size);
	for (int i = 0; i < 3; i++) {
		uint64_t v = get64(p + 8 + 8 * i);
		if (v > SIZE_MAX || !ovl_add_ok(total, (size_t)v, &total) || total > size)
			return ovl_fail(err, OVL_E_PARSE, "the exported model is cut off: it has %zu bytes", size);
		sizes[i] = (size_t)v;
	}
	return OVL_OK;
}

ovl_status ovl_core_import(ovl_core *c, const void *bytes, size_t size, const char *device, ovl_compiled **out, ovl_error *err)
{
	const char *p = bytes;
	size_t sizes[3];
	pairs config = {0};
	ovl_model *m = NULL;
	ovl_status st;
	OVL_TRY(find_parts(bytes, size, sizes, err));
	p += HEADER;
	st = split_config(p, sizes[0], &config, err);
	if (st == OVL_OK)
		st = ovl_core_read_model_memory(c, p + sizes[0], sizes[1], p + sizes[0] + sizes[1], sizes[2], &m, err);
	if (st == OVL_OK)
		st = ovl_core_compile(c, m, device, config.keys, config.values, config.n, out, err);
	ovl_model_release(m);
	ovl_free(config.text);
	return st;
}
