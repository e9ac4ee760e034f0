/* scale_impl.h - Multiply of an image, channels-last, by one factor a channel that the run computes: the end of a squeeze-excite block. Row by row, so that
 * it can be a link of a chain. Included after the vector layer. */
#include "base/memory.h"
#include "kernels/element.h"
#include "kernels/kernel.h"
#include <stdio.h>

typedef struct scale_state {
	int image, factors; /* inputs */
	int64_t channels, line, height, rows, chunks;
	int64_t ld, ldc, factor_step; /* elements; factor_step: between the factors of two images */
} scale_state;

/* Which input is the image; -1: it is another kind of product. */
static int image_of(const ovl_problem *p)
{
	for (int i = 0; i < 2; i++) {
		const ovl_desc *x = &p->in[i], *f = &p->in[1 - i];
		int64_t ld;
		if (x->rank == 4 && f->rank == 4 && ovl_desc_same_dims(x, &p->out[0]) && x->dims[2] > 1 && x->dims[3] > 1 && f->dims[1] == x->dims[1] &&
			f->dims[2] == 1 && f->dims[3] == 1 && (f->dims[0] == 1 || f->dims[0] == x->dims[0]) && ovl_desc_is_cl(x, &ld) && !ovl_desc_is_dense(x))
			return i;
	}
	return -1;
}

static const char *accept(ovl_problem *p)
{
	int image;
	if (p->n_op_in != 2 || p->n_posts || p->out[0].type != OVL_F32 || !ovl_desc_count(&p->out[0]) || (ELEMENT_HALF && !p->halves_read))
		return "posts, another type, or empty";
	image = image_of(p);
	if (image < 0 || p->in_data[1 - image] || p->in[image].type != ELEMENT_TYPE || (p->in[1 - image].type != OVL_F32 && p->in[1 - image].type != ELEMENT_TYPE))
		return "not an image, channels-last, times a computed factor for each channel";
	p->in_form[image] = p->out_form[0] = OVL_FORM_CL;
	p->in_form[1 - image] = OVL_FORM_DENSE;
	p->in_half[1 - image] = false;
	p->out_half = ELEMENT_HALF;
	p->in_place = image;
	return NULL;
}

static ovl_status prepare(const ovl_problem *p, ovl_prepared *out, ovl_error *err)
{
	scale_state *s = ovl_calloc(1, sizeof *s);
	const ovl_desc *d = &p->out[0];
	int64_t most;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a product by channels");
	s->image = ovl_desc_same_dims(&p->in[0], d) ? 0 : 1;
	s->factors = 1 - s->image;
	s->channels = d->dims[1];
	s->height = d->dims[2];
	s->line = d->dims[3];
	s->rows = d->dims[0] * d->dims[2];
	ovl_desc_is_cl(&p->in[s->image], &s->ld);
	ovl_desc_is_cl(d, &s->ldc);
	s->factor_step = p->in[s->factors].dims[0] > 1 ? s->channels : 0;
	most = s->rows * s->line * s->channels / 16384;
	s->chunks = 4 * (int64_t)p->threads;
	s->chunks = s->chunks > most ? most : s->chunks;
	s->chunks = s->chunks > s->rows ? s->rows : s->chunks < 1 ? 1 : s->chunks;
	out->state = s;
	snprintf(out->detail, sizeof out->detail, "scale");
	return OVL_OK;
}

static int rows_input(const ovl_problem *p) { return p->n_op_in == 2 ? image_of(p) : -1; }

static void rows_need(const void *state, int64_t from, int64_t to, int64_t *in_from, int64_t *in_to)
{
	(void)state;
	*in_from = from;
	*in_to = to;
}

static void rows_run(const ovl_call *call, int64_t from, int64_t to)
{
	const scale_state *s = call->state;
	int64_t n = s->channels, whole = n - n % VL;
	VT tail = v_tail(n - whole);
	for (int64_t row = from; row < to; row++) {
		const float *f = (const float *)call->in[s->factors] + row / s->height * s->factor_step;
		const ELEMENT *x = (const ELEMENT *)call->in[s->image] + row * s->line * s->ld;
		ELEMENT *y = (ELEMENT *)call->out[0] + row * s->line * s->ldc;
		for (int64_t i = 0; i < s->line; i++, x += s->ld, y += s->ldc) {
			for (int64_t c = 0; c < whole; c += VL)
				v_store(y + c, v_mul(v_load(x + c), v_load(f + c)));
			if (whole < n)
				v_store_t(y + whole, v_mul(v_load_t(x + whole, tail), v_load_t(f + whole, tail)), tail);
		}
	}
}

static const ovl_rows by_rows = {.input = rows_input, .need = rows_need, .run = rows_run};

static void do_chunk(void *arg, int64_t chunk, int worker)
{
	const ovl_call *call = arg;
	const scale_state *s = call->state;
	(void)worker;
	if (!call->cancel || !__atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		rows_run(call, s->rows * chunk / s->chunks, s->rows * (chunk + 1) / s->chunks);
}

static ovl_status run(const ovl_call *call)
{
	ovl_call copy = *call;
	ovl_pool_run(call->pool, ((const scale_state *)call->state)->chunks, do_chunk, &copy);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	return OVL_OK;
}

static const ovl_kernel scale = {.name = V_TEXT("scale"),
	.ops = "Multiply",
	.isa = V_ISA,
	.rank = 40,
	.halves = ELEMENT_HALF,
	.accept = accept,
	.prepare = prepare,
	.run = run,
	.rows = &by_rows};
