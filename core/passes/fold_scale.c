/* A constant factor per output channel behind a product with constant weights goes into the weights: (W * x) * s is (W * s) * x, and (W * x + b) * s is
 * (W * s) * x + b * s. */
#include "base/refill.h"
#include "passes/pass.h"

#include <string.h>

/* How the elements of a weight tensor belong to output channels: blocks of `inner` elements that follow each other have one channel,
 * (block / group) * per_group + block % per_group. */
typedef struct layout {
	int64_t channels; /* of the output */
	int64_t inner, group, per_group;
	int axis; /* of the output: the channels */
} layout;

static bool convolution_layout(const ovl_node *n, const ovl_shape *w, layout *l)
{
	bool group = !strncmp(n->op->name, "Group", 5), back = strstr(n->op->name, "Backprop") != NULL;
	int at = group ? 1 : 0;
	const int64_t *d = w->dims + at;
	if (w->rank < at + 3)
		return false;
	*l = (layout){.inner = 1, .axis = 1};
	l->per_group = back ? d[1] : d[0];
	l->group = back ? d[0] * d[1] : d[0];
	l->channels = (group ? w->dims[0] : 1) * l->per_group;
	for (int i = back ? 2 : 1; at + i < w->rank; i++)
		l->inner *= d[i];
	return l->group > 0;
}

static bool matmul_layout(const ovl_node *n, const ovl_shape *w, int out_rank, layout *l)
{
	const ovl_attr *a = ovl_attrs_find(n->op->attrs, "transpose_b");
	ovl_attr_value v;
	ovl_error ignored;
	if (w->rank < 2 || out_rank < 1 || !ovl_source(n, 0)->shape.ranked || ovl_attr_get(a, n->params, &v, &ignored) != OVL_OK)
		return false;
	*l = (layout){.inner = v.i ? w->dims[w->rank - 1] : 1, .axis = out_rank - 1};
	l->per_group = l->channels = w->dims[w->rank - (v.i ? 2 : 1)];
	l->group = ovl_shape_elements(w); /* more than there are blocks: all of them are one group */
	return l->group > 0 && l->channels > 0;
}

static bool weights_of(const ovl_node *n, layout *l)
{
	static const char *const names[] = {"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData"};
	const ovl_tensor *w = n && n->in.n >= 2 ? ovl_node_value(n->in.at[1]) : NULL;
	const ovl_pshape *out = n && n->out.n ? &n->out.at[0].shape : NULL;
	if (!w || !out || !out->ranked || (w->type != OVL_F32 && w->type != OVL_F64))
		return false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (ovl_match_is(n, names[i]))
			return out->rank >= 3 && convolution_layout(n, &w->shape, l);
	return ovl_match_is(n, "MatMul") && matmul_layout(n, &w->shape, out->rank, l);
}

/* One number, or one for each channel and nothing else. */
static bool is_factor(const ovl_tensor *s, int rank, const layout *l)
{
	if (s->shape.rank > rank || (ovl_tensor_count(s) != 1 && ovl_tensor_count(s) != l->channels))
		return false;
	for (int i = 0; i < s->shape.rank; i++)
		if (s->shape.dims[i] != 1 && rank - s->shape.rank + i != l->axis)
			return false;
	return true;
}

static void scale_elements(ovl_type type, void *data, int64_t n, const ovl_tensor *s, const layout *l)
{
	int64_t many = ovl_tensor_count(s) > 1;
	for (int64_t at = 0, block = 0; at + l->inner <= n && l->inner > 0; at += l->inner, block++) {
		double k = ovl_tensor_f64_at(s, many ? block / l->group * l->per_group + block % l->per_group : 0);
		if (type == OVL_F64)
			for (int64_t i = 0; i < l->inner; i++)
				((double *)data)[at + i] *= k;
		else
			for (int64_t i = 0; i < l->inner; i++)
				((float *)data)[at + i] *= (float)k;
	}
}

/* What has to be done again when dropped weights are filled again. */
typedef struct scaling {
	ovl_type type;
	ovl_tensor *s;
	layout l;
} scaling;

static void scale_again(void *user, void *data, size_t size)
{
	const scaling *a = user;
	scale_elements(a->type, data, (int64_t)(size / ovl_type_size(a->type)), a->s, &a->l);
}

static void end_scaling(void *user)
{
	ovl_tensor_release(((scaling *)user)->s);
	ovl_free(user);
}

static ovl_status scale_in_place(ovl_tensor *w, const ovl_tensor *s, const layout *l, ovl_error *err)
{
	scaling *a = ovl_alloc(sizeof *a);
	if (a) {
		*a = (scaling){w->type, ovl_tensor_retain(s), *l};
		if (ovl_refill_change(w->buffer, scale_again, a, end_scaling))
			return OVL_OK;
		end_scaling(a);
	}
	return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a pass");
}

/* A copy of weights that lie in a mapped file, which can be dropped and filled again as these can. */
static ovl_status copy_of_file(const ovl_tensor *w, ovl_tensor **out, ovl_error *err)
{
	ovl_buffer *b = ovl_refill_new(w->buffer, (size_t)((const char *)w->data - (const char *)w->buffer->data), ovl_tensor_bytes(w));
	ovl_status st;
	if (!b)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a pass");
	st = ovl_tensor_on(b, 0, w->type, &w->shape, out, err);
	ovl_buffer_release(b);
	return st;
}

static ovl_status scaled_copy(const ovl_tensor *w, const ovl_tensor *s, const layout *l, ovl_tensor **out, ovl_error *err)
{
	ovl_status st;
	if (!ovl_buffer_is_file(w->buffer) || !ovl_tensor_dense(w)) {
		OVL_TRY(ovl_tensor_clone(w, out, err));
		scale_elements(w->type, (*out)->data, ovl_tensor_count(w), s, l);
		return OVL_OK;
	}
	OVL_TRY(copy_of_file(w, out, err));
	st = scale_in_place(*out, s, l, err);
	if (st != OVL_OK)
		ovl_tensor_release(*out);
	return st;
}

/* Nobody but this Constant and its one reader has them: they may change where they are. */
static bool own_weights(ovl_end source, const ovl_tensor *w)
{
	return ovl_node_is(source.node, "Constant") && source.node->out.at[0].users.n == 1 && __atomic_load_n(&w->refs, __ATOMIC_ACQUIRE) == 2 &&
		__atomic_load_n(&w->buffer->refs, __ATOMIC_ACQUIRE) == 1 && ovl_refill_can(w->buffer) && ovl_tensor_bytes(w) == w->buffer->size;
}

static ovl_status scale_weights(ovl_graph *g, ovl_node *product, const ovl_tensor *s, const layout *l, ovl_error *err)
{
	ovl_tensor *w = ovl_node_value(product->in.at[1]), *scaled;
	ovl_end weights;
	if (own_weights(product->in.at[1], w))
		return scale_in_place(w, s, l, err);
	OVL_TRY(scaled_copy(w, s, l, &scaled, err));
	OVL_TRY(ovl_pass_constant(g, scaled, &weights, err));
	return ovl_node_set_input(product, 1, weights, err);
}

/* The product behind `source`, with a constant sum in between or not; both read by nobody else. */
static ovl_node *product_behind(ovl_end source, ovl_node **sum, layout *l)
{
	ovl_end x = source;
	*sum = NULL;
	if (!ovl_match_used_once(source))
		return NULL;
	if (ovl_match_with_constant(source.node, "Add", &x) && source.port == 0) {
		if (!ovl_match_used_once(x))
			return NULL;
		*sum = source.node;
	} else
		x = source;
	return x.port == 0 && weights_of(x.node, l) ? x.node : NULL;
}

static ovl_status scale_sum(ovl_graph *g, ovl_node *sum, ovl_end factor, ovl_error *err)
{
	int c = ovl_match_constant_input(sum);
	ovl_end in[2] = {sum->in.at[c], factor};
	ovl_node *scaled;
	OVL_TRY(ovl_pass_node(g, "Multiply", NULL, in, 2, &scaled, err));
	return ovl_node_set_input(sum, c, (ovl_end){scaled, 0}, err);
}

static ovl_status fold(ovl_graph *g, ovl_node *n, bool *changed, ovl_error *err)
{
	ovl_node *product, *sum;
	ovl_tensor *s;
	ovl_end x;
	layout l;
	s = ovl_match_with_constant(n, "Multiply", &x);
	if (!s || !(product = product_behind(x, &sum, &l)) || s->type != ovl_source(product, 1)->type || !is_factor(s, product->out.at[0].shape.rank, &l))
		return OVL_OK;
	if (sum)
		OVL_TRY(scale_sum(g, sum, n->in.at[ovl_match_constant_input(n)], err));
	OVL_TRY(scale_weights(g, product, s, &l, err));
	*changed = true;
	return ovl_pass_absorb(g, sum ? sum : product, n, err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	OVL_TRY(ovl_graph_sort(g, err));
	for (size_t i = 0, n = g->nodes.n; i < n; i++)
		if (ovl_match_live(g->nodes.at[i]))
			OVL_TRY(fold(g, g->nodes.at[i], changed, err));
	return OVL_OK;
}

const ovl_pass ovl_pass_fold_scale = {"fold_scale", 220, run};
