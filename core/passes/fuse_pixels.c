/* What stands between a picture of bytes and a net becomes one PixelPass: one pass over the pixels, and nothing stored in between.
 *
 *     NV12toRGB and its kin, of bytes
 *     Convert to f32, Transpose, Gather and Slice of channels, Interpolate of height and width, sums and products with a constant (one number, or one per channel)
 *
 * in any order, of a picture [N, a, b, c] of up to four channels whose shape is known. The chain begins at bytes and ends at f32; values in between are read by nobody
 * else. Dimensions are named as they stand at the beginning, and the first one is N. Sums and products in front of a resize are done behind it: its weights sum to one.
 * Planes come out: what neither is resized nor becomes planes is left to other kernels. */
#include "ops/eltwise.h"
#include "ops/gather.h"
#include "ops/pixel_pass.h"
#include "passes/pass.h"
#include "tensor/convert.h"

#include <string.h>

enum { RANK = 4 };

typedef struct chain {
	ovl_pixel_source source;
	ovl_end from[3];
	int n_from;
	int64_t dims[RANK]; /* of the picture at the beginning */
	int perm[RANK]; /* dimension i of the present value is dimension perm[i] of the picture */
	int channel, high, wide; /* which dimension of the picture is what; -1: not known yet */
	ovl_type type;
	int64_t size[2]; /* resized to; 0: not */
	bool whole;
	ovl_interpolate_params resize;
	int channels; /* of the present value, 0: not known */
	int64_t channel_of[OVL_PIXEL_CHANNELS];
	double scale[OVL_PIXEL_CHANNELS], shift[OVL_PIXEL_CHANNELS];
	int moves; /* Transpose, and picking of channels */
} chain;

/* ---- dimensions ---- */

static bool is_picture(ovl_end e, ovl_type type)
{
	const ovl_output *o = e.node ? &e.node->out.at[e.port] : NULL;
	return o && o->type == type && o->shape.ranked && o->shape.rank == RANK && ovl_pshape_is_static(&o->shape) && !o->value;
}

/* The channels are dimension d of the picture. */
static bool set_channel(chain *c, int d)
{
	if (c->channel >= 0)
		return c->channel == d;
	if (d == 0 || d == c->high || d == c->wide || c->dims[d] < 1 || c->dims[d] > OVL_PIXEL_CHANNELS)
		return false;
	c->channel = d;
	c->channels = (int)c->dims[d];
	return true;
}

static int dimension(const chain *c, int64_t axis)
{
	axis += axis < 0 ? RANK : 0;
	return axis >= 0 && axis < RANK ? c->perm[axis] : -1;
}

/* ---- steps: each looks whether it can be done, and does it to the chain; no: false, and the chain may be left changed ---- */

static bool do_convert(chain *c, const ovl_node *n)
{
	if (n->in.n != 1 || c->type != OVL_U8 || n->out.at[0].type != OVL_F32)
		return false;
	c->type = OVL_F32;
	return true;
}

static bool do_transpose(chain *c, const ovl_node *n)
{
	const ovl_tensor *order = ovl_node_value(n->in.at[1]);
	int perm[RANK];
	if (!order || ovl_tensor_count(order) != RANK)
		return false;
	for (int i = 0; i < RANK; i++) {
		int64_t axis = ovl_tensor_i64_at(order, i);
		if (axis < 0 || axis >= RANK)
			return false;
		perm[i] = c->perm[axis];
	}
	memcpy(c->perm, perm, sizeof perm);
	c->moves++;
	return true;
}

static bool pick(chain *c, const int64_t *from, int count)
{
	int64_t channel_of[OVL_PIXEL_CHANNELS];
	double scale[OVL_PIXEL_CHANNELS], shift[OVL_PIXEL_CHANNELS];
	if (count < 1 || count > OVL_PIXEL_CHANNELS)
		return false;
	for (int i = 0; i < count; i++) {
		int64_t k = from[i] < 0 ? from[i] + c->channels : from[i];
		if (k < 0 || k >= c->channels)
			return false;
		channel_of[i] = c->channel_of[k], scale[i] = c->scale[k], shift[i] = c->shift[k];
	}
	memcpy(c->channel_of, channel_of, sizeof channel_of);
	memcpy(c->scale, scale, sizeof scale);
	memcpy(c->shift, shift, sizeof shift);
	c->channels = count;
	c->moves++;
	return true;
}

static bool do_gather(chain *c, const ovl_node *n)
{
	const ovl_tensor *indices = n->in.n == 3 ? ovl_node_value(n->in.at[1]) : NULL;
	double axis;
	int64_t from[OVL_PIXEL_CHANNELS], count = indices ? ovl_tensor_count(indices) : 0;
	if (!indices || indices->shape.rank != 1 || count > OVL_PIXEL_CHANNELS || !ovl_match_scalar(n->in.at[2], &axis))
		return false;
	if (n->op->since >= 7 && ((const ovl_gather_params *)n->params)->batch_dims != 0)
		return false;
	if (dimension(c, (int64_t)axis) < 0 || !set_channel(c, dimension(c, (int64_t)axis)))
		return false;
	for (int64_t i = 0; i < count; i++)
		from[i] = ovl_tensor_i64_at(indices, i);
	return pick(c, from, (int)count);
}

/* Of the channels alone. */
static bool do_slice(chain *c, const ovl_node *n)
{
	const ovl_tensor *v[4];
	int64_t from[OVL_PIXEL_CHANNELS];
	int64_t count;
	for (int i = 0; i < 4; i++)
		if (n->in.n != 5 || !(v[i] = ovl_node_value(n->in.at[1 + i])) || ovl_tensor_count(v[i]) != 1)
			return false;
	int64_t first = ovl_tensor_i64_at(v[0], 0), step = ovl_tensor_i64_at(v[2], 0), axis = ovl_tensor_i64_at(v[3], 0);
	if (dimension(c, axis) < 0 || !set_channel(c, dimension(c, axis)) || step < 1)
		return false;
	count = n->out.at[0].shape.dims[axis < 0 ? axis + RANK : axis].min;
	first = first < 0 ? first + c->channels : first;
	if (first < 0 || count > OVL_PIXEL_CHANNELS)
		return false;
	for (int64_t i = 0; i < count; i++)
		from[i] = first + i * step;
	return pick(c, from, (int)count);
}

/* The axes of an Interpolate of opset 4 or 11. */
static bool resized_axes(const ovl_node *n, int64_t *axes)
{
	const ovl_interpolate_params *p = n->params;
	int at = n->op->since >= 11 ? 2 : 3;
	const ovl_tensor *t = n->op->since >= 4 && (int)n->in.n > at ? ovl_node_value(n->in.at[at]) : NULL;
	if (!t || ovl_tensor_count(t) != 2 || p->shape_calculation_mode != 0)
		return false;
	for (size_t i = 0; i < p->pads_begin.n || i < p->pads_end.n; i++)
		if (ovl_ints_get(&p->pads_begin, i, 0) || ovl_ints_get(&p->pads_end, i, 0))
			return false;
	axes[0] = ovl_tensor_i64_at(t, 0);
	axes[1] = ovl_tensor_i64_at(t, 1);
	return true;
}

static bool do_resize(chain *c, const ovl_node *n)
{
	const ovl_interpolate_params *p = n->params;
	int64_t axes[2];
	int d[2];
	if (c->size[0] || !resized_axes(n, axes))
		return false;
	for (int i = 0; i < 2; i++)
		if ((d[i] = dimension(c, axes[i])) <= 0 || d[i] == c->channel)
			return false;
	if (d[0] == d[1] || !set_channel(c, 6 - d[0] - d[1]) || (c->type == OVL_U8 && p->mode >= OVL_INTERP_BILINEAR_PILLOW))
		return false;
	c->high = d[0] < d[1] ? d[0] : d[1];
	c->wide = d[0] < d[1] ? d[1] : d[0];
	for (int i = 0; i < RANK; i++)
		if (c->perm[i] == c->high || c->perm[i] == c->wide)
			c->size[c->perm[i] == c->wide] = n->out.at[0].shape.dims[i].min;
	c->whole = c->type == OVL_U8 && p->mode != OVL_INTERP_NEAREST;
	c->resize = (ovl_interpolate_params){.mode = p->mode, .coordinate_transformation_mode = p->coordinate_transformation_mode, .nearest_mode = p->nearest_mode,
		.antialias = p->antialias, .cube_coeff = p->cube_coeff};
	return c->size[0] > 0 && c->size[1] > 0;
}

/* x * v or x + v. */
static bool do_affine(chain *c, const ovl_node *n, const char *type)
{
	ovl_end x;
	const ovl_tensor *v = ovl_match_with_constant(n, type, &x);
	int64_t count = v ? ovl_tensor_count(v) : 0;
	if (!v || c->type != OVL_F32 || v->type != OVL_F32 || v->shape.rank > RANK)
		return false;
	for (int i = 0; i < v->shape.rank; i++)
		if (v->shape.dims[i] != 1 && !set_channel(c, c->perm[RANK - v->shape.rank + i]))
			return false;
	if (count != 1 && count != c->channels)
		return false;
	for (int i = 0; i < OVL_PIXEL_CHANNELS; i++) {
		double k = ovl_tensor_f64_at(v, count == 1 ? 0 : i < count ? i : 0);
		if (!strcmp(type, "Add"))
			c->shift[i] += k;
		else
			c->scale[i] *= k, c->shift[i] *= k;
	}
	return true;
}

static bool add_step(chain *c, const ovl_node *n)
{
	if (n->posts.n || n->out.n != 1 || n->out.at[0].value)
		return false;
	if (ovl_match_is(n, "Convert"))
		return do_convert(c, n);
	if (ovl_match_is(n, "Transpose"))
		return do_transpose(c, n);
	if (ovl_match_is(n, "Gather"))
		return do_gather(c, n);
	if (ovl_match_is(n, "Slice"))
		return do_slice(c, n);
	if (ovl_match_is(n, "Interpolate"))
		return do_resize(c, n);
	return do_affine(c, n, "Add") || do_affine(c, n, "Multiply");
}

/* ---- the beginning ---- */

static void begin_at(chain *c, ovl_end e)
{
	memset(c, 0, sizeof *c);
	for (int i = 0; i < RANK; i++) {
		c->perm[i] = i;
		c->dims[i] = e.node->out.at[e.port].shape.dims[i].min;
	}
	for (int i = 0; i < OVL_PIXEL_CHANNELS; i++) {
		c->channel_of[i] = i;
		c->scale[i] = 1;
	}
	c->channel = c->high = c->wide = -1;
	c->type = OVL_U8;
	c->from[0] = e;
	c->n_from = 1;
}

/* A conversion of video frames of bytes: its output is the picture. */
static bool begin_with_video(chain *c, const ovl_node *n)
{
	bool nv12 = ovl_match_is(n, "NV12toRGB") || ovl_match_is(n, "NV12toBGR");
	if ((!nv12 && !ovl_match_is(n, "I420toRGB") && !ovl_match_is(n, "I420toBGR")) || n->in.n > 3 || !is_picture((ovl_end){(ovl_node *)(uintptr_t)n, 0}, OVL_U8))
		return false;
	begin_at(c, (ovl_end){(ovl_node *)(uintptr_t)n, 0});
	c->source = nv12 ? OVL_SOURCE_NV12 : OVL_SOURCE_I420;
	c->n_from = (int)n->in.n;
	for (int i = 0; i < c->n_from; i++) {
		c->from[i] = n->in.at[i];
		if (!is_picture(c->from[i], OVL_U8))
			return false;
	}
	if (n->op->name[6] == 'B')
		for (int i = 0; i < 3; i++)
			c->channel_of[i] = 2 - i;
	c->channel = 3;
	c->channels = 3;
	return true;
}

/* ---- putting it in place ---- */

/* The dimensions that no step told: pixels lie as pictures do. */
static bool settle(chain *c)
{
	static const int to_planes[RANK] = {0, 3, 1, 2};
	if (c->channel < 0 && !set_channel(c, memcmp(c->perm, to_planes, sizeof to_planes) ? 1 : 3) && !set_channel(c, 3) && !set_channel(c, 1))
		return false;
	if (c->high < 0) {
		c->high = c->channel == 1 ? 2 : 1;
		c->wide = 6 - c->channel - c->high;
	}
	return true;
}

static ovl_status transpose(ovl_graph *g, ovl_end *e, const int *order, ovl_error *err)
{
	int64_t axes[RANK];
	ovl_end in[2] = {*e};
	ovl_node *made;
	bool moves = false;
	for (int i = 0; i < RANK; i++) {
		axes[i] = order[i];
		moves = moves || order[i] != i;
	}
	if (!moves)
		return OVL_OK;
	OVL_TRY(ovl_pass_axes(g, axes, RANK, &in[1], err));
	OVL_TRY(ovl_pass_node(g, "Transpose", NULL, in, 2, &made, err));
	*e = (ovl_end){made, 0};
	return OVL_OK;
}

static bool floats_of(ovl_floats *to, const double *from, int n)
{
	to->at = ovl_calloc((size_t)n, sizeof *to->at);
	for (int i = 0; to->at && i < n; i++)
		to->at[i] = (float)from[i];
	to->n = to->at ? (size_t)n : 0;
	return to->at != NULL;
}

static ovl_status fill(ovl_pixel_pass_params *p, const chain *c, ovl_error *err)
{
	p->source = (int)c->source;
	p->whole = c->whole;
	p->resize = c->resize;
	if (!ovl_ints_assign(&p->channels, c->channel_of, (size_t)c->channels) || !floats_of(&p->scale, c->scale, c->channels) ||
		!floats_of(&p->shift, c->shift, c->channels) || (c->size[0] && !ovl_ints_assign(&p->size, c->size, 2)))
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a pass");
	return OVL_OK;
}

static ovl_status put(ovl_graph *g, const chain *c, ovl_node *last, ovl_error *err)
{
	int planes[RANK] = {0, c->channel, c->high, c->wide}, back[RANK];
	ovl_end in[3], out;
	ovl_node *made;
	memcpy(in, c->from, sizeof in);
	for (int i = 0; i < RANK; i++)
		for (int k = 0; k < RANK; k++)
			if (planes[k] == c->perm[i])
				back[i] = k;
	if (c->source == OVL_SOURCE_PIXELS)
		OVL_TRY(transpose(g, &in[0], planes, err));
	OVL_TRY(ovl_graph_op(g, "PixelPass", last->name, in, c->n_from, &made, err));
	OVL_TRY(fill(made->params, c, err));
	OVL_TRY(ovl_node_infer(made, err));
	out = (ovl_end){made, 0};
	OVL_TRY(transpose(g, &out, back, err));
	return ovl_pass_replace(g, last, out.node, err);
}

/* See above. */
static bool worthwhile(const chain *c)
{
	chain told = *c;
	bool planes;
	if (c->type != OVL_F32 || !settle(&told))
		return false;
	planes = told.perm[1] == told.channel && told.perm[2] == told.high && told.perm[3] == told.wide;
	return c->size[0] || c->source != OVL_SOURCE_PIXELS || (planes && c->moves);
}

/* The longest chain from here that is worth it. */
static ovl_node *longest(chain *c, ovl_node *n)
{
	ovl_node *last = NULL;
	chain best = *c;
	while (n && add_step(c, n)) {
		if (worthwhile(c)) {
			best = *c;
			last = n;
		}
		n = ovl_node_only_user(n);
	}
	*c = best;
	return last;
}

static ovl_status fuse(ovl_graph *g, ovl_node *n, bool *changed, ovl_error *err)
{
	ovl_node *last = NULL;
	chain c;
	if (begin_with_video(&c, n)) {
		last = longest(&c, ovl_node_only_user(n));
	} else if (n->in.n && is_picture(n->in.at[0], OVL_U8)) {
		begin_at(&c, n->in.at[0]);
		last = longest(&c, n);
	}
	if (!last || !settle(&c))
		return OVL_OK;
	*changed = true;
	return put(g, &c, last, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = 0, n = g->nodes.n; i < n; i++)
		if (ovl_match_live(g->nodes.at[i]) && !g->nodes.at[i]->out.at[0].value)
			OVL_TRY(fuse(g, g->nodes.at[i], changed, err));
	return OVL_OK;
}

const ovl_pass ovl_pass_fuse_pixels = {"fuse_pixels", 240, run};
