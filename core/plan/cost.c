/* Cost: the least arithmetic and memory traffic of a step, so that profiles can hold its time against what the machine can do. */
#include "ops/attention.h"
#include "ops/matmul.h"
#include "plan/build.h"

#include <string.h>

static double elements(const ovl_pshape *s, int from)
{
	double n = 1;
	for (int i = from; s->ranked && i < s->rank; i++)
		n *= ovl_dim_static(s->dims[i]) ? (double)s->dims[i].min : 1;
	return n;
}

static const ovl_pshape *in_shape(const ovl_node *n, int i)
{
	static const ovl_pshape none = {0};
	return i < (int)n->in.n && n->in.at[i].node ? &ovl_source(n, i)->shape : &none;
}

static bool starts(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }
static double size_of_dim(const ovl_pshape *s, int i) { return i >= 0 && i < s->rank && ovl_dim_static(s->dims[i]) ? (double)s->dims[i].min : 1; }

/* Filters [out, in, kernel...], grouped [groups, out, in, kernel...]; of the transposed kind in and out change places. */
static double conv_flops(const ovl_node *n, double out)
{
	int first = starts(n->op->name, "Group") ? 2 : 1;
	if (strstr(n->op->name, "Backprop"))
		return 2 * elements(in_shape(n, 0), 0) * elements(in_shape(n, 1), first);
	return 2 * out * elements(in_shape(n, strstr(n->op->name, "Deformable") ? 2 : 1), first);
}

static double matmul_flops(const ovl_node *n, double out)
{
	const ovl_matmul_params *p = n->params;
	const ovl_pshape *a = in_shape(n, 0);
	return 2 * out * size_of_dim(a, p->transpose_a && a->rank > 1 ? a->rank - 2 : a->rank - 1);
}

static double attention_flops(const ovl_node *n)
{
	const ovl_pshape *q = in_shape(n, 0), *k = in_shape(n, 1), *v = in_shape(n, 2);
	return 2 * elements(q, 0) * size_of_dim(k, k->rank - 2) * (1 + size_of_dim(v, v->rank - 1) / size_of_dim(q, q->rank - 1));
}

/* Two products a step of time: with W and with R, which follow X, H, the C of an LSTM and the lengths of a sequence. */
static double recurrent_flops(const ovl_node *n)
{
	const ovl_pshape *x = in_shape(n, 0);
	int w = 2 + starts(n->op->name, "LSTM") + (strstr(n->op->name, "Sequence") != NULL);
	double steps = elements(x, 0) / size_of_dim(x, x->rank - 1);
	return 2 * steps * (elements(in_shape(n, w), 0) + elements(in_shape(n, w + 1), 0));
}

/* Operators that read a few rows of their input 0. */
static bool picks(const char *op) { return starts(op, "Gather") || starts(op, "Embedding"); }

double ovl_node_flops(const ovl_node *n)
{
	const char *op = n->op->name;
	double in = elements(in_shape(n, 0), 0), out = n->out.n ? elements(&n->out.at[0].shape, 0) : 0, posts = (double)n->posts.n * out;
	if (strstr(op, "Convolution"))
		return conv_flops(n, out) + posts;
	if (ovl_node_is(n, "MatMul"))
		return matmul_flops(n, out) + posts;
	if (ovl_node_is(n, "ScaledDotProductAttention"))
		return attention_flops(n) + posts;
	if (starts(op, "LSTM") || starts(op, "GRU") || starts(op, "RNN"))
		return recurrent_flops(n) + posts;
	return (in > out && !picks(op) ? in : out) + posts;
}

/* What a view touches at least: a broadcast operand is read once, gaps between rows are not read. */
static double view_bytes(const ovl_value_ref *v)
{
	double dense = (double)ovl_desc_count(&v->desc) * (double)ovl_type_size(v->desc.type), span = (double)ovl_desc_span(&v->desc);
	return v->late ? 0 : dense < span ? dense : span;
}

void ovl_build_bytes(ovl_build *b)
{
	ovl_plan *p = b->plan;
	for (size_t i = 0; i < p->steps.n; i++) {
		ovl_step *s = &p->steps.at[i];
		for (int k = 0; k < s->n_out; k++)
			s->bytes += view_bytes(&p->values.at[s->out[k]]);
		for (int k = 0; k < s->n_in; k++) {
			double in = s->in[k] < 0 ? 0 : view_bytes(&p->values.at[s->in[k]]);
			s->bytes += k == 0 && picks(s->type) && in > s->bytes ? s->bytes : in;
		}
	}
}
