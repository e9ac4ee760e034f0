/* Convolutions as halves (kernel.h) by oneDNN: channels-last in and out, weights in the layout that it asks for. Images of a batch are the chunks of work. */
#include "base/memory.h"
#include "kernels/onednn.h"
#include "kernels/packs.h"
#include "ops/conv.h"

#include <stdio.h>
#include <string.h>

typedef struct state {
	dnnl_primitive_t conv;
	dnnl_memory_desc_t in, weights, out; /* of one image */
	ovl_buffer *packed;
	size_t scratch; /* of one worker */
	int64_t batch, in_image, out_image; /* elements from image to image */
} state;

static bool geometry(const ovl_problem *p, ovl_conv_geometry *g)
{
	ovl_shape data = ovl_shape_of(p->in[0].rank, p->in[0].dims), filters = ovl_shape_of(p->in[1].rank, p->in[1].dims);
	ovl_error err;
	return ovl_conv_resolve(p->op, p->params, &data, &filters, NULL, g, &err) == OVL_OK;
}

static const char *accept(ovl_problem *p)
{
	ovl_conv_geometry g;
	const char *why = ovl_onednn_accept(p);
	if (why)
		return why;
	if (!p->in_data[1])
		return "weights that are not constant";
	if (p->in[0].rank < 3 || p->in[0].rank > 4 || !ovl_desc_count(&p->in[0]) || !ovl_desc_count(&p->out[0]) || !geometry(p, &g))
		return "not one or two spatial dimensions with something in them";
	p->in_form[0] = p->out_form[0] = OVL_FORM_CL;
	p->in_packed[1] = true;
	p->in_half[0] = true;
	p->out_half = p->halves_read;
	return NULL;
}

/* One image of a channels-last value. */
static ovl_desc image_of(const ovl_desc *d)
{
	ovl_desc one = *d;
	one.dims[0] = 1;
	one.strides[0] = one.strides[2] * one.dims[2];
	for (int i = d->rank - 1; i >= 2; i--) /* strides of dimensions with one entry: whatever fits */
		if (one.dims[i] == 1)
			one.strides[i] = i + 1 < d->rank ? one.strides[i + 1] * one.dims[i + 1] : one.dims[1];
	one.strides[0] = one.strides[2] * one.dims[2];
	return one;
}

static ovl_status make(state *s, const ovl_problem *p, const ovl_conv_geometry *g, ovl_error *err)
{
	ovl_desc in = image_of(&p->in[0]), out = image_of(&p->out[0]);
	dnnl_dims_t w, strides, dilates, left, right;
	dnnl_memory_desc_t any;
	dnnl_convolution_desc_t op;
	int n = 0;
	size_t scratch;
	dnnl_status_t st;
	if (g->grouped)
		w[n++] = g->groups;
	w[n++] = g->out_channels / g->groups;
	w[n++] = g->in_channels / g->groups;
	for (int i = 0; i < g->spatial; i++) {
		int64_t reach = (g->kernel[i] - 1) * g->dilation[i] + 1;
		w[n++] = g->kernel[i];
		strides[i] = g->stride[i];
		dilates[i] = g->dilation[i] - 1;
		left[i] = g->pad_begin[i];
		right[i] = (g->out[i] - 1) * g->stride[i] + reach - g->in[i] - g->pad_begin[i]; /* exactly what makes this output size */
	}
	if (!ovl_onednn_desc(&s->in, &in) || !ovl_onednn_desc(&s->out, &out))
		return ovl_onednn_fail(err, "describing an image", dnnl_invalid_arguments);
	st = dnnl_memory_desc_init_by_tag(&any, n, w, dnnl_bf16, dnnl_format_tag_any);
	if (st == dnnl_success)
		st = dnnl_dilated_convolution_forward_desc_init(&op, dnnl_forward_inference, dnnl_convolution_direct, &s->in, &any, NULL, &s->out, strides, dilates, left, right);
	if (st != dnnl_success)
		return ovl_onednn_fail(err, "describing a convolution", st);
	OVL_TRY(ovl_onednn_primitive(&op, &s->conv, &scratch, err));
	s->weights = *ovl_onednn_query(s->conv, dnnl_query_weights_md, 0);
	s->scratch = (scratch + 127) / 64 * 64;
	return OVL_OK;
}

typedef struct packing {
	const state *s;
	const ovl_desc *plain;
	const void *from;
	dnnl_status_t st;
} packing;

static void pack(void *to, void *arg)
{
	packing *k = arg;
	dnnl_memory_desc_t plain;
	dnnl_memory_t a = NULL, b = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_primitive_t reorder = NULL;
	dnnl_exec_arg_t args[2];
	k->st = ovl_onednn_desc(&plain, k->plain) ? dnnl_success : dnnl_invalid_arguments;
	if (k->st == dnnl_success)
		k->st = dnnl_memory_create(&a, &plain, ovl_onednn_engine(), (void *)(uintptr_t)k->from);
	if (k->st == dnnl_success)
		k->st = dnnl_memory_create(&b, &k->s->weights, ovl_onednn_engine(), to);
	if (k->st == dnnl_success)
		k->st = dnnl_reorder_primitive_desc_create(&desc, &plain, ovl_onednn_engine(), &k->s->weights, ovl_onednn_engine(), NULL);
	if (k->st == dnnl_success)
		k->st = dnnl_primitive_create(&reorder, desc);
	args[0] = (dnnl_exec_arg_t){DNNL_ARG_FROM, a};
	args[1] = (dnnl_exec_arg_t){DNNL_ARG_TO, b};
	if (k->st == dnnl_success)
		k->st = dnnl_primitive_execute(reorder, ovl_onednn_stream(), 2, args);
	if (k->st == dnnl_success)
		k->st = dnnl_stream_wait(ovl_onednn_stream());
	if (reorder)
		dnnl_primitive_destroy(reorder);
	if (desc)
		dnnl_primitive_desc_destroy(desc);
	if (a)
		dnnl_memory_destroy(a);
	if (b)
		dnnl_memory_destroy(b);
}

static void release(void *p)
{
	state *s = p;
	if (!s)
		return;
	if (s->conv)
		dnnl_primitive_destroy(s->conv);
	ovl_buffer_release(s->packed);
	ovl_free(s);
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	state *s = ovl_calloc(1, sizeof *s);
	ovl_conv_geometry g;
	packing k = {s, &p->in[1], p->in_data[1], dnnl_success};
	ovl_status st;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a convolution");
	geometry(p, &g);
	s->batch = p->in[0].dims[0];
	s->in_image = p->in[0].strides[0];
	s->out_image = p->out[0].strides[0] * (int64_t)ovl_type_size(p->out[0].type);
	st = make(s, p, &g, err);
	if (st == OVL_OK) /* not shared: another shape may ask for another layout */
		st = ovl_packs_get(NULL, p->in_data[1], "conv_onednn", dnnl_memory_desc_get_size(&s->weights), pack, &k, &s->packed, err);
	if (st == OVL_OK && k.st != dnnl_success)
		st = ovl_onednn_fail(err, "laying out weights", k.st);
	if (st != OVL_OK) {
		release(s);
		return st;
	}
	out->state = s;
	out->scratch = s->scratch * (size_t)p->threads;
	return OVL_OK;
}

typedef struct job {
	const state *s;
	const ovl_call *call;
	int failed; /* atomic */
} job;

static void chunk(void *arg, int64_t n, int worker)
{
	job *j = arg;
	const state *s = j->s;
	ovl_error err;
	const ovl_onednn_arg args[3] = {{DNNL_ARG_SRC, &s->in, (uint16_t *)j->call->in[0] + n * s->in_image}, {DNNL_ARG_WEIGHTS, &s->weights, s->packed->data},
		{DNNL_ARG_DST, &s->out, (char *)j->call->out[0] + n * s->out_image}};
	if (ovl_onednn_execute(s->conv, args, 3, (char *)j->call->scratch + (size_t)worker * s->scratch, &err) != OVL_OK)
		__atomic_store_n(&j->failed, 1, __ATOMIC_RELAXED);
}

static ovl_status run(const ovl_call *call)
{
	job j = {call->state, call, 0};
	ovl_pool_run(call->pool, j.s->batch, chunk, &j);
	return j.failed ? ovl_fail(call->err, OVL_E_INTERNAL, "oneDNN: a convolution failed") : OVL_OK;
}

static const ovl_kernel conv = {.name = "conv_onednn", .ops = "Convolution GroupConvolution", .isa = OVL_ISA_AVX512_BF16, .rank = 0, .halves = true, .accept = accept, .prepare = prepare, .run = run,
	.release = release};
const ovl_kernel *const ovl_kernels_conv_onednn[] = {&conv, NULL};
