#include "kernels/onednn.h"
#include "kernels/halves.h"

#include <pthread.h>

int omp_get_max_threads(void);
void omp_set_num_threads(int n); /* of the OpenMP runtime that oneDNN brings: counts for the calling thread only */

static dnnl_engine_t engine;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void end_stream(void *s) { dnnl_stream_destroy(s); }

static void start(void)
{
	if (pthread_key_create(&key, end_stream) != 0 || dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
		engine = NULL;
}

dnnl_engine_t ovl_onednn_engine(void)
{
	pthread_once(&once, start);
	return engine;
}

dnnl_stream_t ovl_onednn_stream(void)
{
	dnnl_stream_t s;
	if (!ovl_onednn_engine())
		return NULL;
	s = pthread_getspecific(key);
	if (!s && dnnl_stream_create(&s, engine, dnnl_stream_default_flags) == dnnl_success)
		pthread_setspecific(key, s);
	return s;
}

const char *ovl_onednn_accept(const ovl_problem *p)
{
	ovl_plain_problem plain;
	const char *why = ovl_halves_plain(p, &plain);
	if (why)
		return why;
	if (p->n_op_in != 2 || plain.in[0].type != OVL_F32 || plain.in[1].type != OVL_F32 || plain.out.type != OVL_F32)
		return "not f32";
	if (p->n_posts)
		return "posts";
	return ovl_onednn_engine() ? NULL : "no oneDNN engine";
}

bool ovl_onednn_desc(dnnl_memory_desc_t *out, const ovl_desc *d)
{
	dnnl_dims_t dims, strides;
	dnnl_data_type_t type = d->type == OVL_BF16 ? dnnl_bf16 : d->type == OVL_F32 ? dnnl_f32 : dnnl_data_type_undef;
	if (type == dnnl_data_type_undef || d->rank < 1 || d->rank > 5)
		return false;
	for (int i = 0; i < d->rank; i++) {
		dims[i] = d->dims[i];
		strides[i] = d->strides[i] > 0 ? d->strides[i] : 1; /* of a dimension of one entry it means nothing */
	}
	return dnnl_memory_desc_init_by_strides(out, d->rank, dims, type, strides) == dnnl_success;
}

ovl_status ovl_onednn_fail(ovl_error *err, const char *what, dnnl_status_t st)
{
	return ovl_fail(err, st == dnnl_out_of_memory ? OVL_E_MEMORY : OVL_E_INTERNAL, "oneDNN: %s failed (status %d)", what, (int)st);
}

ovl_status ovl_onednn_primitive(const_dnnl_op_desc_t op, dnnl_primitive_t *out, size_t *scratch, ovl_error *err)
{
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t desc = NULL;
	int before = omp_get_max_threads();
	dnnl_status_t st = dnnl_primitive_attr_create(&attr);
	omp_set_num_threads(1); /* what is made now is meant for one thread */
	if (st == dnnl_success)
		st = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
	if (st == dnnl_success)
		st = dnnl_primitive_desc_create(&desc, op, attr, ovl_onednn_engine(), NULL);
	if (st == dnnl_success)
		st = dnnl_primitive_create(out, desc);
	omp_set_num_threads(before);
	if (st == dnnl_success)
		*scratch = dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0));
	dnnl_primitive_desc_destroy(desc);
	dnnl_primitive_attr_destroy(attr);
	return st == dnnl_success ? OVL_OK : ovl_onednn_fail(err, "making a primitive", st);
}

const dnnl_memory_desc_t *ovl_onednn_query(dnnl_primitive_t p, dnnl_query_t what, int index)
{
	const_dnnl_primitive_desc_t desc = NULL;
	if (dnnl_primitive_get_primitive_desc(p, &desc) != dnnl_success)
		return NULL;
	return dnnl_primitive_desc_query_md(desc, what, index);
}

ovl_status ovl_onednn_execute(dnnl_primitive_t p, const ovl_onednn_arg *args, int n, void *scratch, ovl_error *err)
{
	dnnl_exec_arg_t list[7] = {{0}};
	dnnl_status_t st = dnnl_success;
	int made = 0, before = omp_get_max_threads();
	dnnl_stream_t stream = ovl_onednn_stream();
	if (!stream)
		return ovl_onednn_fail(err, "making a stream", dnnl_out_of_memory);
	for (; made <= n && st == dnnl_success; made++) {
		bool last = made == n;
		list[made].arg = last ? DNNL_ARG_SCRATCHPAD : args[made].index;
		st = dnnl_memory_create(&list[made].memory, last ? ovl_onednn_query(p, dnnl_query_scratchpad_md, 0) : args[made].desc, engine, last ? scratch : args[made].data);
	}
	if (st == dnnl_success) {
		omp_set_num_threads(1);
		st = dnnl_primitive_execute(p, stream, n + 1, list);
		if (st == dnnl_success)
			st = dnnl_stream_wait(stream);
		omp_set_num_threads(before);
	}
	for (int i = 0; i < made; i++)
		if (list[i].memory)
			dnnl_memory_destroy(list[i].memory);
	return st == dnnl_success ? OVL_OK : ovl_onednn_fail(err, "running a primitive", st);
}
