/* grid_sample_impl.h - GridSample of f32 images whose channels lie side by side: what a place reads is found once and serves all of them. Included
 * after the vector layer. */
#include "base/memory.h"
#include "kernels/kernel.h"
#include "ops/support_grid.h"

enum { MOST_TAPS = 16 };

typedef struct state {
	ovl_grid_params params;
	int64_t size[3];                            /* 1, height, width */
	int64_t channels, batch, rows, columns;     /* of the output */
	int64_t in_image, in_ld, out_image, out_ld; /* elements from image to image and from pixel to pixel */
} state;

static const char *accept(ovl_problem *p)
{
	if (p->n_posts)
		return "posts";
	if (p->in[0].type != OVL_F32 || p->in[1].type != OVL_F32 || p->out[0].type != OVL_F32)
		return "not f32";
	if (p->in[0].rank != 4 || p->in[1].rank != 4 || !ovl_desc_count(&p->in[0]) || !ovl_desc_count(&p->out[0]))
		return "no images with something in them";
	if (p->in[1].dims[0] != p->in[0].dims[0] || p->in[1].dims[3] != 2)
		return "a grid that does not fit";
	p->in_form[0] = p->out_form[0] = OVL_FORM_CL;
	return NULL;
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	const ovl_desc *x = &p->in[0], *y = &p->out[0];
	state *s = ovl_calloc(1, sizeof *s);
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a GridSample");
	out->state = s;
	*s = (state){.params = *(const ovl_grid_params *)p->params,
		.size = {1, x->dims[2], x->dims[3]},
		.channels = x->dims[1],
		.batch = x->dims[0],
		.rows = y->dims[2],
		.columns = y->dims[3]};
	ovl_desc_is_cl(x, &s->in_ld);
	ovl_desc_is_cl(y, &s->out_ld);
	s->in_image = x->dims[2] * x->dims[3] * s->in_ld;
	s->out_image = s->rows * s->columns * s->out_ld;
	return OVL_OK;
}

/* The pixels under a place that are not zeros; how many. */
static int taps_of(const state *s, const float *where, const float *image, const float **tap, float *weight)
{
	const double at[2] = {where[0], where[1]};
	ovl_grid_reach r;
	int n = 0;
	ovl_grid_reach_of(&s->params, at, s->size, 2, &r);
	for (int j = 0; j < r.n[1]; j++)
		for (int k = 0; k < r.n[2]; k++)
			if (r.index[1][j] >= 0 && r.index[2][k] >= 0) {
				tap[n] = image + (r.index[1][j] * s->size[2] + r.index[2][k]) * s->in_ld;
				weight[n++] = (float)(r.weight[1][j] * r.weight[2][k]);
			}
	return n;
}

typedef struct job {
	const state *s;
	const ovl_call *call;
} job;

/* A row of the output. */
static void run_chunk(void *arg, int64_t chunk, int worker)
{
	const job *j = arg;
	const state *s = j->s;
	const float *grid = (const float *)j->call->in[1] + chunk * s->columns * 2, *tap[MOST_TAPS];
	const float *image = (const float *)j->call->in[0] + chunk / s->rows * s->in_image;
	float *y = (float *)j->call->out[0] + chunk / s->rows * s->out_image + chunk % s->rows * s->columns * s->out_ld, weight[MOST_TAPS];
	(void)worker;
	for (int64_t i = 0; i < s->columns; i++, grid += 2, y += s->out_ld) {
		int n = taps_of(s, grid, image, tap, weight);
		for (int64_t c = 0; c < s->channels; c += VL) {
			VT tail = v_tail(s->channels - c);
			V sum = v_zero();
			for (int t = 0; t < n; t++)
				sum = v_fma(v_set(weight[t]), v_load_t(tap[t] + c, tail), sum);
			v_store_t(y + c, sum, tail);
		}
	}
}

static ovl_status run(const ovl_call *call)
{
	const state *s = call->state;
	job j = {s, call};
	ovl_pool_run(call->pool, s->batch * s->rows, run_chunk, &j);
	return OVL_OK;
}

static const ovl_kernel grid_sample = {
	.name = V_TEXT("grid_sample"), .ops = "GridSample", .isa = V_ISA, .accept = accept, .prepare = prepare, .run = run};
