/* PriorBox and PriorBoxClustered: boxes around the places of a feature map, relative to the image, and the variances that go with them. */
#include "ops/support_work.h"

typedef struct params {
	ovl_floats min_size, max_size, aspect_ratio, density, fixed_ratio, fixed_size, variance;
	bool clip, flip, scale_all_sizes, min_max_aspect_ratios_order;
	float step, offset;
	ovl_floats width, height; /* clustered */
	float step_w, step_h;
} params;

enum { MAX_RATIOS = 256 };

/* 1, then the ratios that are not there yet, each followed by its inverse where they are flipped. */
static int ratios_of(const params *p, float *out)
{
	int n = 0;
	out[n++] = 1;
	for (size_t i = 0; i < p->aspect_ratio.n && n + 2 <= MAX_RATIOS; i++) {
		float r = p->aspect_ratio.at[i];
		bool seen = false;
		for (int k = 0; k < n; k++)
			seen = seen || fabsf(r - out[k]) < 1e-6f;
		if (seen)
			continue;
		out[n++] = r;
		if (p->flip)
			out[n++] = 1 / r;
	}
	return n;
}

static bool clustered(const ovl_op *op) { return op->name[8] == 'C'; }

/* Boxes at each place. */
static int64_t priors_of(const ovl_op *op, const params *p)
{
	float ratios[MAX_RATIOS];
	int64_t total = ratios_of(p, ratios), n;
	if (clustered(op))
		return (int64_t)p->width.n;
	n = p->scale_all_sizes ? total * (int64_t)p->min_size.n + (int64_t)p->max_size.n : total + (int64_t)p->min_size.n - 1;
	if (p->fixed_size.n)
		n = total * (int64_t)p->fixed_size.n;
	for (size_t i = 0; i < p->density.n; i++) {
		int64_t d = (int64_t)p->density.at[i];
		n += (p->fixed_ratio.n ? (int64_t)p->fixed_ratio.n : total) * (d * d - 1);
	}
	return n > 0 ? n : 0;
}

static ovl_status infer(ovl_infer *in)
{
	const params *p = in->params;
	ovl_pshape out = ovl_pshape_rank(2);
	int64_t size[OVL_MAX_RANK];
	int n = 0;
	bool known;
	if (p->variance.n != 0 && p->variance.n != 1 && p->variance.n != 4)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "%zu variances, expected 1 or 4", p->variance.n);
	if (clustered(in->op) && p->width.n != p->height.n)
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "%zu widths and %zu heights", p->width.n, p->height.n);
	for (size_t i = 0; i < p->density.n; i++)
		if (!(p->density.at[i] >= 1 && p->density.at[i] < 4096) || i >= p->fixed_size.n)
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "each density must be positive and have its fixed_size");
	for (int i = 0; i < 2; i++) {
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_INT));
		OVL_TRY(ovl_infer_rank(in, i, 1, 1));
	}
	OVL_TRY(ovl_infer_ints(in, 0, &known, size, OVL_MAX_RANK, &n));
	out.dims[0] = ovl_dim_of(2);
	if (known) {
		int64_t count = 4 * priors_of(in->op, p);
		if (n != 2 || size[0] < 0 || size[1] < 0 || __builtin_mul_overflow(count, size[0], &count) ||
			__builtin_mul_overflow(count, size[1], &count))
			return ovl_infer_fail(in, OVL_E_ARGUMENT, "the size of the feature map must be two numbers");
		out.dims[1] = ovl_dim_of(count);
	}
	ovl_infer_out(in, 0, OVL_F32, &out);
	return OVL_OK;
}

typedef struct boxes {
	float *at;
	int64_t n, cap;
	float inv_w, inv_h;
} boxes;

static float limit(float v) { return v < 0 ? 0 : v > 1 ? 1 : v; }

static void add(boxes *b, float x, float y, float w, float h, bool clip)
{
	float v[4] = {(x - w) * b->inv_w, (y - h) * b->inv_h, (x + w) * b->inv_w, (y + h) * b->inv_h};
	for (int i = 0; i < 4 && b->n < b->cap; i++)
		b->at[b->n++] = !clip ? v[i] : i < 2 ? (v[i] > 0 ? v[i] : 0) : (v[i] < 1 ? v[i] : 1);
}

/* A grid of density * density boxes in place of one. */
static void add_dense(boxes *b, const params *p, size_t s, float x, float y, float ratio)
{
	int64_t density = s < p->density.n ? (int64_t)p->density.at[s] : 1, whole = (int64_t)p->fixed_size.at[s], shift;
	float root = sqrtf(ratio), w = p->fixed_size.at[s] * 0.5f * root, h = p->fixed_size.at[s] * 0.5f / root;
	density = density > 0 ? density : 1;
	shift = (int64_t)(p->fixed_size.at[s] / (float)density);
	if (ratio == 1)
		w = h = (float)whole * 0.5f;
	for (int64_t r = 0; r < density; r++)
		for (int64_t c = 0; c < density; c++)
			add(b, x - (float)(whole / 2) + (float)shift / 2 + (float)(c * shift),
				y - (float)(whole / 2) + (float)shift / 2 + (float)(r * shift), w, h, true);
}

static void add_ratios(boxes *b, float x, float y, float size, const float *ratios, int n)
{
	for (int i = 0; i < n; i++) {
		float root = sqrtf(ratios[i]);
		if (fabsf(ratios[i] - 1) >= 1e-6f)
			add(b, x, y, size * 0.5f * root, size * 0.5f / root, false);
	}
}

static void add_place(boxes *b, const params *p, float x, float y, float scale, const float *ratios, int n_ratios)
{
	for (size_t s = 0; s < p->fixed_size.n; s++) {
		if (p->fixed_ratio.n) {
			for (size_t r = 0; r < p->fixed_ratio.n; r++)
				add_dense(b, p, s, x, y, p->fixed_ratio.at[r]);
			continue;
		}
		if (p->density.n)
			add_dense(b, p, s, x, y, 1);
		for (int r = 0; r < n_ratios; r++)
			if (fabsf(ratios[r] - 1) >= 1e-6f)
				add_dense(b, p, s, x, y, ratios[r]);
	}
	for (size_t m = 0; m < p->min_size.n; m++) {
		float size = p->min_size.at[m] * scale;
		bool last = p->scale_all_sizes || m == p->min_size.n - 1;
		add(b, x, y, size * 0.5f, size * 0.5f, false);
		for (int turn = 0; turn < 2; turn++)
			if ((turn == 0) != p->min_max_aspect_ratios_order) {
				if (last)
					add_ratios(b, x, y, p->min_size.at[p->scale_all_sizes ? m : 0] * scale, ratios, n_ratios);
			} else if (m < p->max_size.n) {
				float between = sqrtf(size * p->max_size.at[m]) * 0.5f;
				add(b, x, y, between, between, false);
			}
	}
}

static void fill_priors(const params *p, boxes *b, int64_t h, int64_t w, float image_h, float image_w)
{
	float ratios[MAX_RATIOS], step = p->step, scale = 1;
	int n = ratios_of(p, ratios);
	if (!p->scale_all_sizes) {
		step = step == -1 ? image_h / (float)h : step * image_h;
		scale = image_h;
	}
	for (int64_t i = 0; i < h; i++)
		for (int64_t j = 0; j < w; j++) {
			float x = step == 0 ? ((float)j + 0.5f) * (image_w / (float)w) : (p->offset + (float)j) * step;
			float y = step == 0 ? ((float)i + 0.5f) * (image_h / (float)h) : (p->offset + (float)i) * step;
			add_place(b, p, x, y, scale, ratios, n);
		}
}

static void fill_clustered(const params *p, boxes *b, int64_t h, int64_t w, float image_h, float image_w)
{
	float step_w = p->step_w == 0 ? p->step : p->step_w, step_h = p->step_h == 0 ? p->step : p->step_h;
	if (step_w == 0 && step_h == 0) {
		step_w = image_w / (float)w;
		step_h = image_h / (float)h;
	}
	for (int64_t i = 0; i < h; i++)
		for (int64_t j = 0; j < w; j++)
			for (size_t s = 0; s < p->width.n; s++)
				add(b, ((float)j + p->offset) * step_w, ((float)i + p->offset) * step_h, p->width.at[s] / 2, p->height.at[s] / 2,
					false);
}

static ovl_status prior_box(ovl_work *w)
{
	const params *p = w->params;
	int64_t size[OVL_MAX_RANK], image[OVL_MAX_RANK], n, m, cap = w->run->out[0]->shape.dims[1];
	boxes b = {.cap = cap};
	OVL_TRY(ovl_tensor_to_i64(w->run->in[0], size, OVL_MAX_RANK, &n, w->err));
	OVL_TRY(ovl_tensor_to_i64(w->run->in[1], image, OVL_MAX_RANK, &m, w->err));
	if (n != 2 || m != 2 || image[0] <= 0 || image[1] <= 0)
		return ovl_work_fail(w, OVL_E_ARGUMENT, "the sizes of feature map and image must be two numbers each");
	OVL_TRY(ovl_work_out(w, 0, OVL_F32, &b.at));
	memset(b.at, 0, (size_t)ovl_tensor_count(w->run->out[0]) * sizeof *b.at);
	b.inv_w = 1 / (float)image[1];
	b.inv_h = 1 / (float)image[0];
	(clustered(w->run->op) ? fill_clustered : fill_priors)(p, &b, size[0], size[1], (float)image[0], (float)image[1]);
	for (int64_t i = 0; p->clip && i < b.n; i++)
		b.at[i] = limit(b.at[i]);
	for (int64_t i = 0; i < cap; i++)
		b.at[cap + i] = p->variance.n == 4 ? p->variance.at[i % 4] : p->variance.n == 1 ? p->variance.at[0] : 0.1f;
	return OVL_OK;
}

static ovl_status prior_box_run(ovl_run *run) { return ovl_work_run(run, prior_box); }

/* Opset 1 knows one order only. */
static ovl_status prior_box_v1_run(ovl_run *run)
{
	params p = *(const params *)run->params;
	ovl_run copy = *run;
	p.min_max_aspect_ratios_order = true;
	copy.params = &p;
	return ovl_work_run(&copy, prior_box);
}

#define COMMON                                                                                                                 \
	OVL_ATTR_FLOATS(params, min_size, OVL_OPTIONAL), OVL_ATTR_FLOATS(params, max_size, OVL_OPTIONAL),                      \
		OVL_ATTR_FLOATS(params, aspect_ratio, OVL_OPTIONAL), OVL_ATTR_FLOATS(params, density, OVL_OPTIONAL),           \
		OVL_ATTR_FLOATS(params, fixed_ratio, OVL_OPTIONAL), OVL_ATTR_FLOATS(params, fixed_size, OVL_OPTIONAL),         \
		OVL_ATTR_BOOL(params, clip, "false"), OVL_ATTR_BOOL(params, flip, "false"), OVL_ATTR_FLOAT(params, step, "0"), \
		OVL_ATTR_FLOAT(params, offset, NULL), OVL_ATTR_FLOATS(params, variance, OVL_OPTIONAL),                         \
		OVL_ATTR_BOOL(params, scale_all_sizes, "true")

static const ovl_attr attrs_v1[] = {COMMON, OVL_ATTR_END};
static const ovl_attr attrs_v8[] = {COMMON, OVL_ATTR_BOOL(params, min_max_aspect_ratios_order, "true"), OVL_ATTR_END};
static const ovl_attr clustered_attrs[] = {
	OVL_ATTR_FLOAT(params, step, "0"),
	OVL_ATTR_FLOAT(params, step_w, "0"),
	OVL_ATTR_FLOAT(params, step_h, "0"),
	OVL_ATTR_FLOATS(params, width, OVL_OPTIONAL),
	OVL_ATTR_FLOATS(params, height, OVL_OPTIONAL),
	OVL_ATTR_BOOL(params, clip, "true"),
	OVL_ATTR_FLOAT(params, offset, NULL),
	OVL_ATTR_FLOATS(params, variance, OVL_OPTIONAL),
	OVL_ATTR_END,
};

static const ovl_op prior_box_v1 = {
	.name = "PriorBox",
	.since = 1,
	.until = 7,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "layer_shape image_shape",
	.params_size = sizeof(params),
	.attrs = attrs_v1,
	.infer = infer,
	.run = prior_box_v1_run,
};

static const ovl_op prior_box_v8 = {
	.name = "PriorBox",
	.since = 8,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "layer_shape image_shape",
	.params_size = sizeof(params),
	.attrs = attrs_v8,
	.infer = infer,
	.run = prior_box_run,
};

static const ovl_op prior_box_clustered_v1 = {
	.name = "PriorBoxClustered",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "output_size image_size",
	.params_size = sizeof(params),
	.attrs = clustered_attrs,
	.infer = infer,
	.run = prior_box_run,
};

const ovl_op *const ovl_ops_prior_box[] = {&prior_box_v1, &prior_box_v8, &prior_box_clustered_v1, NULL};
