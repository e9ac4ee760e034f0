/* DFT, IDFT, RDFT, IRDFT: Fourier transforms along axes. Complex numbers are a last dimension of 2; axes do not count it. */
#include "ops/support_fft.h"

typedef struct traits {
	bool inverse, real; /* real: RDFT, IRDFT */
	bool complex_in, complex_out;
} traits;

static traits traits_of(const ovl_op *op)
{
	traits t = {.inverse = op->name[0] == 'I', .real = strstr(op->name, "RDFT") != NULL};
	t.complex_in = !t.real || t.inverse;
	t.complex_out = !t.real || !t.inverse;
	return t;
}

static ovl_status normal_axes(const char *op, const int64_t *values, int n, int rank, int *axes, ovl_error *err)
{
	if (n < 1)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: no axes are given", op);
	for (int i = 0; i < n; i++) {
		OVL_TRY(ovl_axis(values[i], rank, op, &axes[i], err));
		for (int k = 0; k < i; k++)
			if (axes[k] == axes[i])
				return ovl_fail(err, OVL_E_ARGUMENT, "%s: axis %d is given twice", op, axes[i]);
	}
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	traits t = traits_of(in->op);
	const ovl_pshape *x = &in->in_shape[0];
	ovl_pshape out = *x;
	int64_t values[OVL_MAX_RANK], sizes[OVL_MAX_RANK];
	int n = 0, n_sizes = 0, axes[OVL_MAX_RANK], rank;
	bool known, sized = false;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 1 + t.complex_in, OVL_MAX_RANK - !t.complex_in));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	OVL_TRY(ovl_infer_ints(in, 1, &known, values, OVL_MAX_RANK, &n));
	if (in->n_in > 2)
		OVL_TRY(ovl_infer_ints(in, 2, &sized, sizes, OVL_MAX_RANK, &n_sizes));
	ovl_infer_out(in, 0, in->in_type[0], &out);
	if (!x->ranked)
		return OVL_OK;
	rank = x->rank - t.complex_in;
	if (t.complex_in && (x->dims[rank].min > 2 || x->dims[rank].max < 2))
		return ovl_infer_fail(in, OVL_E_SHAPE, "the last dimension of complex data must be 2");
	if (known && sized && n != n_sizes)
		return ovl_infer_fail(in, OVL_E_SHAPE, "%d axes and %d signal sizes", n, n_sizes);
	if (known)
		OVL_TRY(normal_axes(in->op->name, values, n, rank, axes, in->err));
	for (int d = 0; !known && d < rank; d++)
		out.dims[d] = OVL_DIM_ANY;
	for (int i = 0; known && i < n; i++) {
		ovl_dim d = x->dims[axes[i]];
		bool half = t.real && i == n - 1;
		if (in->n_in > 2 && (!sized || sizes[i] != -1)) {
			if (sized && sizes[i] < 1)
				return ovl_infer_fail(in, OVL_E_ARGUMENT, "a signal size of %lld", (long long)sizes[i]);
			d = sized ? ovl_dim_of(sizes[i]) : OVL_DIM_ANY;
			half = half && !t.inverse;
		}
		if (half && !t.inverse)
			d = (ovl_dim){d.min / 2 + 1, d.max == OVL_DIM_MAX ? d.max : d.max / 2 + 1};
		else if (half)
			d = (ovl_dim){d.min > 1 ? 2 * (d.min - 1) : 0, d.max > (int64_t)1 << 60 ? OVL_DIM_MAX : d.max > 1 ? 2 * (d.max - 1) : 0};
		out.dims[axes[i]] = d;
	}
	out.rank = rank;
	if (t.complex_out)
		out.dims[out.rank++] = ovl_dim_of(2);
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* One axis: lines of `from` (pairs, length have) become lines of `to` (length put) through a transform of n entries; what is missing is zero.
 * mirror: the line holds n / 2 + 1 entries of a spectrum whose other half is its mirror image. */
static ovl_status along(
	ovl_work *w, int64_t outer, int64_t inner, int64_t have, int64_t n, int64_t put, bool inverse, bool mirror, const double *from, double *to)
{
	double *line, scale = inverse ? 1 / (double)n : 1;
	int64_t used = have < n ? have : n;
	ovl_fft f;
	OVL_TRY(ovl_fft_open(w, n, &f));
	OVL_TRY(ovl_work_take(w, 2 * n, sizeof *line, &line));
	if (mirror && used > n / 2 + 1)
		used = n / 2 + 1;
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < inner; i++) {
			OVL_RUN_CHECK_CANCEL(w->run);
			memset(line, 0, (size_t)(2 * n) * sizeof *line);
			for (int64_t k = 0; k < used; k++) {
				const double *x = from + 2 * ((o * have + k) * inner + i);
				line[2 * k] = x[0];
				line[2 * k + 1] = x[1];
				if (mirror && k > 0 && 2 * k < n) {
					line[2 * (n - k)] = x[0];
					line[2 * (n - k) + 1] = -x[1];
				}
			}
			ovl_fft_run(&f, line, inverse);
			for (int64_t k = 0; k < put; k++) {
				double *y = to + 2 * ((o * put + k) * inner + i);
				y[0] = line[2 * k] * scale;
				y[1] = line[2 * k + 1] * scale;
			}
		}
	return OVL_OK;
}

static ovl_status transform(ovl_work *w)
{
	traits t = traits_of(w->run->op);
	const ovl_shape *x = ovl_work_shape(w, 0), *y = &w->run->out[0]->shape;
	int rank = x->rank - t.complex_in, axes[OVL_MAX_RANK];
	int64_t values[OVL_MAX_RANK], sizes[OVL_MAX_RANK], n, n_sizes = 0;
	ovl_shape s = ovl_shape_of(rank, x->dims);
	const double *from;
	double *cur, *out;
	bool sized = ovl_work_has(w, 2);
	OVL_TRY(ovl_tensor_to_i64(w->run->in[1], values, OVL_MAX_RANK, &n, w->err));
	OVL_TRY(normal_axes(w->run->op->name, values, (int)n, rank, axes, w->err));
	if (sized)
		OVL_TRY(ovl_tensor_to_i64(w->run->in[2], sizes, OVL_MAX_RANK, &n_sizes, w->err));
	if ((sized && n_sizes != n) || (t.complex_in && x->dims[rank] != 2))
		return ovl_work_fail(w, OVL_E_SHAPE, "its inputs do not fit together");
	OVL_TRY(ovl_work_f64(w, 0, &from));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &out));
	OVL_TRY(ovl_work_take(w, 2 * ovl_shape_elements(&s), sizeof *cur, &cur));
	for (int64_t i = 0, count = ovl_shape_elements(&s); i < count; i++) {
		cur[2 * i] = t.complex_in ? from[2 * i] : from[i];
		cur[2 * i + 1] = t.complex_in ? from[2 * i + 1] : 0;
	}
	for (int64_t j = 0; j < n; j++) { /* real data goes to its spectrum first, and comes back from it last: the last axis */
		int64_t i = t.real && !t.inverse ? n - 1 - j : j, have = s.dims[axes[i]], put = y->dims[axes[i]], length = put;
		bool last = t.real && i == n - 1;
		double *to;
		if (last && !t.inverse)
			length = sized && sizes[i] != -1 ? sizes[i] : have;
		if (put == 0 && ovl_tensor_count(w->run->out[0]) == 0)
			return OVL_OK;
		OVL_TRY(ovl_work_take(w, 2 * ovl_span(&s, 0, axes[i]) * put * ovl_span(&s, axes[i] + 1, rank), sizeof *to, &to));
		OVL_TRY(along(
			w, ovl_span(&s, 0, axes[i]), ovl_span(&s, axes[i] + 1, rank), have, length, put, t.inverse, last && t.inverse, cur, to));
		s.dims[axes[i]] = put;
		cur = to;
	}
	for (int64_t i = 0, count = ovl_shape_elements(&s); i < count; i++)
		if (t.complex_out) {
			out[2 * i] = cur[2 * i];
			out[2 * i + 1] = cur[2 * i + 1];
		} else
			out[i] = cur[2 * i];
	return OVL_OK;
}

static ovl_status transform_run(ovl_run *run) { return ovl_work_run(run, transform); }

#define OP(var, op_name, factory_name, first)      \
	static const ovl_op var = {                \
		.name = op_name,                   \
		.factory = factory_name,           \
		.since = first,                    \
		.min_inputs = 2,                   \
		.max_inputs = 3,                   \
		.outputs = 1,                      \
		.inputs = "data axes signal_size", \
		.infer = infer,                    \
		.run = transform_run,              \
	}

OP(dft_v7, "DFT", "dft", 7);
OP(idft_v7, "IDFT", "idft", 7);
OP(rdft_v9, "RDFT", "rdft", 9);
OP(irdft_v9, "IRDFT", "irdft", 9);

const ovl_op *const ovl_ops_dft[] = {&dft_v7, &idft_v7, &rdft_v9, &irdft_v9, NULL};
