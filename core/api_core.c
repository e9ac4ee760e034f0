/* The public C API: the core object, compiling, properties. */
#include "api_bundle.h"
#include "base/cpu.h"
#include "plan/tune.h"
#include "read/read.h"
#include "run/tune.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct ovl_core {
	int refs; /* atomic */
	pthread_mutex_t lock;
	ovl_config config;
};

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "not enough memory"); }

ovl_status ovl_core_new(ovl_core **out, ovl_error *err)
{
	ovl_core *c = ovl_calloc(1, sizeof *c);
	if (!c)
		return no_memory(err);
	c->refs = 1;
	pthread_mutex_init(&c->lock, NULL);
	ovl_config_init(&c->config);
	*out = c;
	return OVL_OK;
}

ovl_core *ovl_core_retain(ovl_core *c)
{
	__atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void ovl_core_release(ovl_core *c)
{
	if (!c || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	ovl_config_free(&c->config);
	pthread_mutex_destroy(&c->lock);
	ovl_free(c);
}

ovl_status ovl_core_read_model(ovl_core *c, const char *path, const char *weights_path, ovl_model **out, ovl_error *err)
{
	ovl_graph *g;
	(void)c;
	OVL_TRY(ovl_read_file(path, weights_path, &g, err));
	return ovl_model_wrap(g, out, err);
}

ovl_status ovl_core_read_model_memory(ovl_core *c, const void *model, size_t size, const void *weights, size_t weights_size, ovl_model **out, ovl_error *err)
{
	ovl_graph *g;
	(void)c;
	OVL_TRY(ovl_read_memory(model, size, weights, weights_size, &g, err));
	return ovl_model_wrap(g, out, err);
}

static ovl_status check_device(const char *device, ovl_error *err)
{
	if (!device || !*device || strcmp(device, "CPU") == 0 || strcmp(device, "AUTO") == 0)
		return OVL_OK;
	return ovl_fail(err, OVL_E_ARGUMENT, "there is no device '%.60s'; there are: CPU, AUTO", device);
}

/* ---- variables ---- */

static const char *text_attr(const ovl_node *n, const char *name)
{
	const ovl_attr *a = ovl_attrs_find(n->op->attrs, name);
	ovl_attr_value v;
	ovl_error ignored;
	if (!a || a->kind != OVL_KIND_STRING || ovl_attr_get(a, n->params, &v, &ignored) != OVL_OK)
		return NULL;
	return v.s;
}

static ovl_status add_variable(ovl_compiled *c, const char *id, const ovl_node *n, ovl_error *err)
{
	const ovl_attr *ta = ovl_attrs_find(n->op->attrs, "variable_type"), *sa = ovl_attrs_find(n->op->attrs, "variable_shape");
	ovl_variable v = {.type = n->out.n ? n->out.at[0].type : OVL_DYNAMIC, .shape = n->out.n ? n->out.at[0].shape : ovl_pshape_any()};
	ovl_attr_value value;
	ovl_variable *grown;
	for (size_t i = 0; i < c->n_variables; i++)
		if (strcmp(c->variables[i].id, id) == 0)
			return OVL_OK;
	if (ta && ovl_attr_get(ta, n->params, &value, err) == OVL_OK && value.type != OVL_DYNAMIC)
		v.type = value.type;
	if (sa && ovl_attr_get(sa, n->params, &value, err) == OVL_OK && value.shape && value.shape->ranked)
		v.shape = *value.shape;
	grown = ovl_realloc(c->variables, (c->n_variables + 1) * sizeof *grown);
	if (!grown)
		return no_memory(err);
	c->variables = grown;
	v.id = ovl_strdup(id);
	if (!v.id)
		return no_memory(err);
	c->variables[c->n_variables++] = v;
	return OVL_OK;
}

/* ReadValue first: it knows type and shape; an Assign alone is a variable too. Bodies of loops have theirs. */
static ovl_status find_variables(ovl_compiled *c, const ovl_graph *g, const char *type_name, int depth, ovl_error *err)
{
	for (size_t i = 0; i < g->nodes.n; i++) {
		const ovl_node *n = g->nodes.at[i];
		const char *id = ovl_node_is(n, type_name) ? text_attr(n, "variable_id") : NULL;
		if (id)
			OVL_TRY(add_variable(c, id, n, err));
		for (size_t b = 0; depth < 16 && b < n->bodies.n; b++)
			OVL_TRY(find_variables(c, n->bodies.at[b].graph, type_name, depth + 1, err));
	}
	return OVL_OK;
}

/* ---- compiling ---- */

/* Static models are planned at once, so that the first inference is as fast as the others. */
ovl_status ovl_compiled_plan(ovl_compiled *c, bool *fixed, ovl_error *err)
{
	ovl_shape *shapes = ovl_calloc(c->n_ports[0] + 1, sizeof *shapes);
	ovl_plan *plan;
	ovl_status st = shapes ? OVL_OK : no_memory(err);
	*fixed = true;
	for (size_t i = 0; st == OVL_OK && i < c->n_ports[0]; i++)
		*fixed = *fixed && ovl_pshape_to_shape(&c->ports[0][i].shape, &shapes[i]);
	if (st == OVL_OK && *fixed) {
		if (c->tuning && !c->tuned)
			ovl_compiled_tune(c, shapes);
		c->tuned = c->tuning != NULL;
		c->config.timed = (int64_t)ovl_tuning_timed(c->tuning);
		st = ovl_program_plan(c->program, shapes, &plan, err);
		if (st == OVL_OK)
			ovl_plan_release(plan);
		if (c->config.timed)
			ovl_packs_trim(c->packs);
	}
	ovl_free(shapes);
	return st;
}

static ovl_status check_parameters(const ovl_graph *g, ovl_error *err)
{
	for (size_t i = 0; i < g->parameters.n; i++)
		if (g->parameters.at[i]->out.at[0].type == OVL_DYNAMIC)
			return ovl_fail(err, OVL_E_UNSUPPORTED, "input '%s' has no element type", g->parameters.at[i]->name);
	return OVL_OK;
}

static ovl_status describe(ovl_compiled *c, const ovl_graph *g, bool ready, ovl_error *err)
{
	c->name = ovl_strdup(g->name);
	c->packs = ovl_packs_new();
	c->tuning = c->config.tune ? ovl_tuning_new() : NULL;
	c->free_ports = ovl_ports_free;
	if (!c->name || !c->packs || (c->config.tune && !c->tuning))
		return no_memory(err);
	OVL_TRY(check_parameters(g, err));
	for (int s = 0; s < 2; s++)
		OVL_TRY(ovl_ports_make(g, (ovl_side)s, 0, true, &c->ports[s], &c->n_ports[s], err));
	if (ready)
		return OVL_OK;
	OVL_TRY(find_variables(c, g, "ReadValue", 0, err));
	return find_variables(c, g, "Assign", 0, err);
}

ovl_status ovl_compiled_build(ovl_compiled *c, ovl_graph *g, bool ready, ovl_error *err)
{
	ovl_plan_options options;
	ovl_status st = describe(c, g, ready, err);
	if (st != OVL_OK) {
		ovl_graph_free(g);
		return st;
	}
	ovl_config_plan_options(&c->config, &options);
	options.tuning = c->tuning;
	OVL_TRY(ready ? ovl_program_load(g, &options, c->packs, &c->program, err) : ovl_program_new(g, &options, c->packs, &c->program, err));
	c->engine = ovl_engine_new(ovl_config_streams(&c->config), ovl_config_threads_per_stream(&c->config));
	return c->engine ? OVL_OK : no_memory(err);
}

ovl_status ovl_compiled_open(ovl_core *core, const char *device, const char *const *keys, const char *const *values, size_t n, ovl_compiled **out, ovl_error *err)
{
	ovl_compiled *c;
	bool copied;
	ovl_status st;
	OVL_TRY(check_device(device, err));
	c = ovl_calloc(1, sizeof *c);
	if (!c)
		return no_memory(err);
	c->refs = 1;
	pthread_mutex_lock(&core->lock);
	copied = ovl_config_copy(&core->config, &c->config);
	pthread_mutex_unlock(&core->lock);
	st = copied ? OVL_OK : no_memory(err);
	for (size_t i = 0; st == OVL_OK && i < n; i++)
		st = ovl_config_set(&c->config, keys[i], values[i], err);
	if (st != OVL_OK)
		ovl_compiled_destroy(c);
	else
		*out = c;
	return st;
}

/* The hash of a model in memory: of the bundle of its graph. False when it cannot be told, or there is no use for it. */
static bool hash_model(const ovl_compiled *c, const ovl_graph *g, ovl_hash *out)
{
	ovl_bundle_out bundle = {0};
	ovl_error ignored;
	bool done = c->config.cache_dir && ovl_bundle_put_graph(&bundle, g, &ignored) == OVL_OK && ovl_bundle_close(&bundle, NULL, &ignored) == OVL_OK;
	if (done)
		*out = ovl_bundle_hash(&bundle);
	ovl_bundle_free(&bundle);
	return done;
}

static ovl_status plan_or_destroy(ovl_compiled *c, bool *fixed, ovl_status st, ovl_compiled **out, ovl_error *err)
{
	if (st == OVL_OK)
		st = ovl_compiled_plan(c, fixed, err);
	if (st != OVL_OK)
		ovl_compiled_destroy(c);
	else
		*out = c;
	return st;
}

ovl_status ovl_core_compile(ovl_core *core, const ovl_model *m, const char *device, const char *const *keys, const char *const *values, size_t n, ovl_compiled **out, ovl_error *err)
{
	ovl_compiled *c;
	ovl_graph *g;
	ovl_hash contents;
	bool hashed, fixed;
	ovl_status st;
	OVL_TRY(ovl_compiled_open(core, device, keys, values, n, &c, err));
	hashed = hash_model(c, m->graph, &contents);
	if (hashed && ovl_cache_load(c, contents, NULL)) {
		*out = c;
		return OVL_OK;
	}
	st = ovl_graph_clone(m->graph, &g, err);
	if (st == OVL_OK)
		st = ovl_compiled_build(c, g, false, err);
	OVL_TRY(plan_or_destroy(c, &fixed, st, out, err));
	if (hashed)
		ovl_cache_store(c, contents, NULL, fixed);
	return OVL_OK;
}

/* ---- straight from a file: the model itself is never there as an object ---- */

static void note_file(void *user, const char *name, const ovl_buffer *contents)
{
	ovl_bundle_files *f = user;
	ovl_bundle_file file = {ovl_strdup(name), ovl_hash_of(contents->data, contents->size, NULL)};
	if (!file.name || !ovl_vec_push(&f->list, file)) {
		ovl_free(file.name);
		f->failed = true;
	}
}

enum { HASH_STEP = 8 << 20 };

static bool hash_file(const ovl_compiled *c, const char *path, ovl_hash *out)
{
	ovl_buffer *file;
	ovl_error ignored;
	ovl_pool *pool;
	if (!c->config.cache_dir || ovl_file_map(path, &file, &ignored) != OVL_OK)
		return false;
	pool = file->size > 4u << 20 ? ovl_pool_new(ovl_cpu_threads()) : NULL;
	*out = (ovl_hash){file->size, 0};
	for (size_t at = 0; at < file->size; at += HASH_STEP) { /* what has been looked at need not stay */
		size_t step = file->size - at < HASH_STEP ? file->size - at : HASH_STEP;
		*out = ovl_hash_join(*out, ovl_hash_of((const char *)file->data + at, step, pool));
		ovl_file_forget((const char *)file->data + at, step);
	}
	ovl_pool_free(pool);
	ovl_buffer_release(file);
	return true;
}

ovl_status ovl_core_compile_file(ovl_core *core, const char *path, const char *device, const char *const *keys, const char *const *values, size_t n, ovl_compiled **out, ovl_error *err)
{
	ovl_bundle_files files = {0};
	ovl_read_note note = {note_file, &files};
	ovl_compiled *c;
	ovl_graph *g;
	ovl_hash contents;
	bool hashed, fixed;
	ovl_status st;
	OVL_TRY(ovl_compiled_open(core, device, keys, values, n, &c, err));
	hashed = hash_file(c, path, &contents);
	if (hashed && ovl_cache_load(c, contents, path)) {
		*out = c;
		return OVL_OK;
	}
	st = ovl_read_file_noting(path, NULL, hashed ? &note : NULL, &g, err);
	if (st == OVL_OK)
		st = ovl_compiled_build(c, g, false, err);
	st = plan_or_destroy(c, &fixed, st, out, err);
	if (st == OVL_OK && hashed && !files.failed)
		ovl_cache_store(c, contents, &files, fixed);
	ovl_bundle_files_free(&files);
	return st;
}

/* ---- properties ---- */

ovl_status ovl_core_set_property(ovl_core *c, const char *device, const char *key, const char *value, ovl_error *err)
{
	ovl_status st;
	OVL_TRY(check_device(device, err));
	pthread_mutex_lock(&c->lock);
	st = ovl_config_set(&c->config, key, value, err);
	pthread_mutex_unlock(&c->lock);
	return st;
}

ovl_status ovl_core_get_property(ovl_core *c, const char *device, const char *key, ovl_value *out, ovl_error *err)
{
	char buf[2048], kind;
	ovl_status st;
	OVL_TRY(check_device(device, err));
	pthread_mutex_lock(&c->lock);
	st = ovl_config_get(&c->config, OVL_SCOPE_CORE, "", key, &kind, buf, sizeof buf, err);
	pthread_mutex_unlock(&c->lock);
	if (st == OVL_OK && !ovl_value_of_property(kind, buf, out))
		st = no_memory(err);
	return st;
}

ovl_status ovl_compiled_get_property(ovl_compiled *c, const char *key, ovl_value *out, ovl_error *err)
{
	char buf[2048], kind;
	OVL_TRY(ovl_config_get(&c->config, OVL_SCOPE_COMPILED, c->name, key, &kind, buf, sizeof buf, err));
	return ovl_value_of_property(kind, buf, out) ? OVL_OK : no_memory(err);
}

/* ---- what runs, and taking it elsewhere ---- */

/* Before the first plan (a dynamic model that never ran) the graph after the passes is what there is to see. */
ovl_status ovl_compiled_runtime_model(ovl_compiled *c, ovl_model **out, ovl_error *err)
{
	ovl_plan *plan = ovl_program_last_plan(c->program);
	ovl_graph *g;
	char note[160];
	ovl_status st = plan ? ovl_plan_describe(plan, &g, err) : ovl_program_clone(c->program, &g, err);
	ovl_plan_release(plan);
	if (st != OVL_OK)
		return st;
	ovl_config_precision_note(&c->config, note, sizeof note);
	st = ovl_graph_add_meta(g, "inference_precision", note, err);
	if (st == OVL_OK && c->tuned) {
		snprintf(note, sizeof note, "%d chains and %d kernels are not what estimates say", ovl_tuning_changed(c->tuning, OVL_TUNE_CHAINS),
			ovl_tuning_changed(c->tuning, OVL_TUNE_STEPS));
		st = ovl_graph_add_meta(g, "tuning", note, err);
	}
	if (st != OVL_OK) {
		ovl_graph_free(g);
		return st;
	}
	return ovl_model_wrap(g, out, err);
}
