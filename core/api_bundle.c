/* Compiled models as bundles: see api_bundle.h. */
#include "api_bundle.h"
#include "base/build.h"
#include "base/cpu.h"
#include "plan/tune.h"

#include <string.h>

void ovl_bundle_files_free(ovl_bundle_files *f)
{
	for (size_t i = 0; i < f->list.n; i++)
		ovl_free(f->list.at[i].name);
	ovl_vec_free(&f->list);
}

/* ---- out ---- */

static const char *const kept[] = {"PERFORMANCE_HINT", "PERFORMANCE_HINT_NUM_REQUESTS", "INFERENCE_PRECISION_HINT", "ENABLE_PROFILING", "EXECUTION_MODE_HINT",
	"TUNE", "PLAN_CACHE_ENTRIES", "PLAN_CACHE_MEGABYTES"};

static ovl_status put_config(const ovl_compiled *c, ovl_bundle_out *o, ovl_error *err)
{
	ovl_str text = {0};
	char kind, buf[256];
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		ovl_status st = ovl_config_get(&c->config, OVL_SCOPE_COMPILED, c->name, kept[i], &kind, buf, sizeof buf, err);
		if (st != OVL_OK) {
			ovl_str_free(&text);
			return st;
		}
		ovl_str_addf(&text, "%s=%s\n", kept[i], buf);
	}
	if (c->config.streams)
		ovl_str_addf(&text, "NUM_STREAMS=%d\n", c->config.streams);
	if (c->config.threads)
		ovl_str_addf(&text, "INFERENCE_NUM_THREADS=%d\n", c->config.threads);
	o->failed = o->failed || text.failed;
	ovl_bundle_put_text(o, text.at);
	ovl_str_free(&text);
	return OVL_OK;
}

static void put_hash(ovl_bundle_out *o, ovl_hash h)
{
	ovl_bundle_put(o, h.a);
	ovl_bundle_put(o, h.b);
}

/* What packed weights depend on besides what their tags say. */
static ovl_hash machine_of(const ovl_compiled *c)
{
	ovl_plan_options options;
	uint64_t machine[2];
	ovl_config_plan_options(&c->config, &options);
	machine[0] = (uint64_t)options.isa;
	machine[1] = options.bf16;
	return ovl_hash_join(ovl_build_id(), ovl_hash_of(machine, sizeof machine, NULL));
}

/* Passes may know more of the outputs than the model did: what users see are the model's ports. */
static void put_ports(const ovl_compiled *c, ovl_bundle_out *o)
{
	for (int s = 0; s < 2; s++) {
		ovl_bundle_put(o, c->n_ports[s]);
		for (size_t i = 0; i < c->n_ports[s]; i++) {
			ovl_bundle_put_text(o, ovl_type_name(c->ports[s][i].type));
			ovl_bundle_put_shape(o, &c->ports[s][i].shape);
			ovl_bundle_put(o, c->ports[s][i].n_names);
			for (size_t k = 0; k < c->ports[s][i].n_names; k++)
				ovl_bundle_put_text(o, c->ports[s][i].names[k]);
		}
	}
	ovl_bundle_put(o, c->n_variables);
	for (size_t i = 0; i < c->n_variables; i++) {
		ovl_bundle_put_text(o, c->variables[i].id);
		ovl_bundle_put_text(o, ovl_type_name(c->variables[i].type));
		ovl_bundle_put_shape(o, &c->variables[i].shape);
	}
}

static void put_packs(const ovl_compiled *c, ovl_bundle_out *o)
{
	const void *source;
	const char *tag;
	ovl_buffer *block;
	uint64_t index;
	for (size_t i = 0; ovl_packs_at(c->packs, i, &source, &tag, &block); i++)
		if (ovl_bundle_blob_of(o, source, &index)) {
			ovl_bundle_put(o, 1);
			ovl_bundle_put(o, index);
			ovl_bundle_put_text(o, tag);
			ovl_bundle_put_blob(o, block->data, block->size);
		}
}

ovl_hash ovl_compiled_timed_on(const ovl_compiled *c)
{
	const char *cpu = ovl_cpu_name();
	uint64_t threads = (uint64_t)ovl_config_threads_per_stream(&c->config);
	return ovl_hash_join(ovl_hash_join(machine_of(c), ovl_hash_of(cpu, strlen(cpu), NULL)), ovl_hash_of(&threads, sizeof threads, NULL));
}

static void put_choices(const ovl_compiled *c, ovl_bundle_out *o)
{
	ovl_tune_about about;
	ovl_hash key;
	const char *answer;
	ovl_bundle_put(o, c->tuned);
	put_hash(o, ovl_compiled_timed_on(c));
	for (size_t i = 0; ovl_tuning_at(c->tuning, i, &about, &key, &answer); i++) {
		ovl_bundle_put(o, about);
		put_hash(o, key);
		ovl_bundle_put_text(o, answer);
	}
	ovl_bundle_put(o, 0);
}

ovl_status ovl_compiled_put(ovl_compiled *c, const ovl_bundle_files *files, bool packs, ovl_bundle_out *o, ovl_pool *pool, ovl_error *err)
{
	size_t n = files ? files->list.n : 0;
	ovl_bundle_put_text(o, ovl_version());
	OVL_TRY(put_config(c, o, err));
	ovl_bundle_put(o, n);
	for (size_t i = 0; i < n; i++) {
		ovl_bundle_put_text(o, files->list.at[i].name);
		put_hash(o, files->list.at[i].contents);
	}
	OVL_TRY(ovl_program_put(c->program, o, err));
	put_ports(c, o);
	put_hash(o, machine_of(c));
	ovl_bundle_put(o, packs);
	if (packs)
		put_packs(c, o);
	ovl_bundle_put(o, 0);
	put_choices(c, o);
	return ovl_bundle_close(o, pool, err);
}

/* ---- back ---- */

static ovl_hash get_hash(ovl_bundle_in *in)
{
	uint64_t a = ovl_bundle_get(in), b = ovl_bundle_get(in);
	return (ovl_hash){a, b};
}

ovl_status ovl_bundle_get_intro(ovl_bundle_in *in, ovl_bundle_intro *out, ovl_error *err)
{
	memset(out, 0, sizeof *out);
	out->version = ovl_bundle_get_text(in);
	out->config = ovl_bundle_get_text(in);
	for (uint64_t i = ovl_bundle_get(in); i > 0 && !in->bad; i--) {
		const char *name = ovl_bundle_get_text(in);
		ovl_hash h = get_hash(in);
		if (!name || !ovl_vec_reserve(&out->files, out->files.n + 1))
			break;
		out->files.at[out->files.n].name = name;
		out->files.at[out->files.n++].contents = h;
	}
	if (!in->bad && out->version && out->config)
		return OVL_OK;
	ovl_vec_free(&out->files);
	return ovl_bundle_bad(err);
}

static ovl_status get_names(ovl_port *p, ovl_bundle_in *in, ovl_error *err)
{
	uint64_t n = ovl_bundle_get(in);
	char **names = in->bad || n > 1u << 16 ? NULL : ovl_calloc((size_t)n + 1, sizeof *names);
	if (!names)
		return in->bad || n > 1u << 16 ? ovl_bundle_bad(err) : ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	for (size_t i = 0; i < p->n_names; i++)
		ovl_free(p->names[i]);
	ovl_free(p->names);
	p->names = names;
	for (p->n_names = 0; p->n_names < n; p->n_names++) {
		const char *name = ovl_bundle_get_text(in);
		if (!name)
			return ovl_bundle_bad(err);
		if (!(names[p->n_names] = ovl_strdup(name)))
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	}
	return OVL_OK;
}

static ovl_status get_port(ovl_port *p, ovl_side side, ovl_bundle_in *in, ovl_error *err)
{
	const char *type = ovl_bundle_get_text(in);
	ovl_pshape shape, both;
	ovl_type t;
	ovl_bundle_get_shape(in, &shape);
	if (in->bad || !type || !ovl_type_parse(type, &t) || (side == OVL_INPUT && (t != p->type || !ovl_pshape_equal(&shape, &p->shape))))
		return ovl_bundle_bad(err);
	if (t == p->type && ovl_pshape_merge(&shape, &p->shape, &both))
		p->shape = shape;
	return get_names(p, in, err);
}

static ovl_status get_ports(ovl_compiled *c, ovl_bundle_in *in, ovl_error *err)
{
	for (int s = 0; s < 2; s++) {
		if (ovl_bundle_get(in) != c->n_ports[s])
			return ovl_bundle_bad(err);
		for (size_t i = 0; i < c->n_ports[s]; i++)
			OVL_TRY(get_port(&c->ports[s][i], (ovl_side)s, in, err));
	}
	return OVL_OK;
}

static ovl_status get_variables(ovl_compiled *c, ovl_bundle_in *in, ovl_error *err)
{
	uint64_t n = ovl_bundle_get(in);
	if (in->bad || n > 1u << 20)
		return ovl_bundle_bad(err);
	c->variables = ovl_calloc((size_t)n + 1, sizeof *c->variables);
	if (!c->variables)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
	for (uint64_t i = 0; i < n; i++) {
		const char *id = ovl_bundle_get_text(in), *type = ovl_bundle_get_text(in);
		ovl_variable *v = &c->variables[c->n_variables];
		ovl_bundle_get_shape(in, &v->shape);
		if (in->bad || !id || !type || !ovl_type_parse(type, &v->type))
			return ovl_bundle_bad(err);
		v->id = ovl_strdup(id);
		if (!v->id)
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
		c->n_variables++;
	}
	return OVL_OK;
}

static ovl_status get_packs(ovl_compiled *c, ovl_bundle_in *in, bool *packed, ovl_error *err)
{
	bool fits = ovl_hash_equal(get_hash(in), machine_of(c));
	*packed = ovl_bundle_get(in) && fits;
	while (ovl_bundle_get(in) && !in->bad) {
		const void *source, *data;
		size_t source_size, size;
		bool there = ovl_bundle_blob_at(in, ovl_bundle_get(in), &source, &source_size);
		const char *tag = ovl_bundle_get_text(in);
		ovl_buffer *block;
		ovl_status st;
		if (!there || !tag || !ovl_bundle_blob_at(in, ovl_bundle_get(in), &data, &size))
			return ovl_bundle_bad(err);
		if (!fits)
			continue;
		block = ovl_buffer_part(in->file, (size_t)((const char *)data - (const char *)in->file->data), size);
		st = block ? ovl_packs_put(c->packs, source, tag, block, err) : ovl_fail(err, OVL_E_MEMORY, "not enough memory for a stored model");
		ovl_buffer_release(block);
		if (st != OVL_OK)
			return st;
	}
	return in->bad ? ovl_bundle_bad(err) : OVL_OK;
}

/* What was timed on another machine, or with other threads, is timed anew. */
static ovl_status get_choices(ovl_compiled *c, ovl_bundle_in *in, ovl_error *err)
{
	uint64_t about;
	bool tuned = ovl_bundle_get(in), fits = ovl_hash_equal(get_hash(in), ovl_compiled_timed_on(c));
	c->tuned = tuned && fits && c->tuning;
	while ((about = ovl_bundle_get(in)) && !in->bad) {
		ovl_hash key = get_hash(in);
		const char *answer = ovl_bundle_get_text(in);
		if (in->bad || !answer || about > OVL_TUNE_STEPS)
			return ovl_bundle_bad(err);
		if (c->tuned)
			OVL_TRY(ovl_tuning_put(c->tuning, (ovl_tune_about)about, key, answer, err));
	}
	return in->bad ? ovl_bundle_bad(err) : OVL_OK;
}

ovl_status ovl_compiled_get(ovl_compiled *c, ovl_bundle_in *in, bool *packed, ovl_error *err)
{
	ovl_graph *g;
	OVL_TRY(ovl_bundle_get_graph(in, &g, err));
	OVL_TRY(ovl_compiled_build(c, g, true, err));
	OVL_TRY(get_ports(c, in, err));
	OVL_TRY(get_variables(c, in, err));
	OVL_TRY(get_packs(c, in, packed, err));
	return get_choices(c, in, err);
}
