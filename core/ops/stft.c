/* STFT and ISTFT: Fourier transforms of a sliding window, and back. */
#include "ops/support_fft.h"

typedef struct params {
	bool transpose_frames;   /* STFT: frequencies before frames */
	bool center, normalized; /* ISTFT */
} params;

static bool one_value(const ovl_infer *in, int i, int64_t *out)
{
	if (i >= in->n_in || !in->in_value[i] || ovl_tensor_count(in->in_value[i]) != 1)
		return false;
	*out = ovl_tensor_i64_at(in->in_value[i], 0);
	return *out < (int64_t)1 << 40; /* what is larger is refused when it is run */
}

static ovl_status infer_stft(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *x = &in->in_shape[0];
	ovl_dim frames = OVL_DIM_ANY, bins = OVL_DIM_ANY;
	ovl_pshape out = ovl_pshape_any();
	int64_t size = 0, step = 0;
	bool sized = one_value(in, 2, &size), stepped = one_value(in, 3, &step);
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 1, 2));
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	if ((sized && size < 1) || (stepped && step < 1))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "frame size and step must be positive");
	if (sized)
		bins = ovl_dim_of(size / 2 + 1);
	if (sized && stepped && x->ranked) {
		ovl_dim n = x->dims[x->rank - 1];
		if (n.max < size)
			return ovl_infer_fail(in, OVL_E_SHAPE, "a frame of %lld entries is longer than the signal", (long long)size);
		frames = (ovl_dim){n.min < size ? 1 : (n.min - size) / step + 1, n.max == OVL_DIM_MAX ? n.max : (n.max - size) / step + 1};
	}
	if (x->ranked) {
		out = ovl_pshape_rank(0);
		if (x->rank == 2)
			out.dims[out.rank++] = x->dims[0];
		out.dims[out.rank++] = p->transpose_frames ? bins : frames;
		out.dims[out.rank++] = p->transpose_frames ? frames : bins;
		out.dims[out.rank++] = ovl_dim_of(2);
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* The window in the middle of a frame. */
static ovl_status read_window(ovl_work *w, int64_t size, double **out)
{
	int64_t n = ovl_tensor_count(w->run->in[1]);
	const double *from;
	OVL_TRY(ovl_work_f64(w, 1, &from));
	if (n > size)
		return ovl_work_fail(w, OVL_E_SHAPE, "a window of %lld entries is longer than a frame of %lld", (long long)n, (long long)size);
	OVL_TRY(ovl_work_take(w, size, sizeof **out, out));
	memcpy(*out + (size - n) / 2, from, (size_t)n * sizeof *from);
	return OVL_OK;
}

static ovl_status frame_numbers(ovl_work *w, int64_t *size, int64_t *step)
{
	double a, b;
	OVL_TRY(ovl_work_scalar(w, 2, &a));
	OVL_TRY(ovl_work_scalar(w, 3, &b));
	if (!(a >= 1 && a < 0x1p40 && b >= 1 && b < 0x1p40))
		return ovl_work_fail(w, OVL_E_ARGUMENT, "frame size and step must be positive, got %g and %g", a, b);
	*size = (int64_t)a;
	*step = (int64_t)b;
	return OVL_OK;
}

static ovl_status stft(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *x = ovl_work_shape(w, 0);
	int64_t batch = x->rank == 2 ? x->dims[0] : 1, n = x->dims[x->rank - 1], size, step, frames, bins;
	const double *from;
	double *y, *window, *line;
	ovl_fft f;
	OVL_TRY(frame_numbers(w, &size, &step));
	if (size > n)
		return ovl_work_fail(w, OVL_E_SHAPE, "a frame of %lld entries is longer than the signal", (long long)size);
	frames = (n - size) / step + 1;
	bins = size / 2 + 1;
	OVL_TRY(ovl_work_f64(w, 0, &from));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(read_window(w, size, &window));
	OVL_TRY(ovl_work_take(w, 2 * size, sizeof *line, &line));
	OVL_TRY(ovl_fft_open(w, size, &f));
	for (int64_t b = 0; b < batch; b++)
		for (int64_t t = 0; t < frames; t++) {
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t k = 0; k < size; k++) {
				line[2 * k] = from[b * n + t * step + k] * window[k];
				line[2 * k + 1] = 0;
			}
			ovl_fft_run(&f, line, false);
			for (int64_t k = 0; k < bins; k++) {
				int64_t at = p->transpose_frames ? (b * bins + k) * frames + t : (b * frames + t) * bins + k;
				y[2 * at] = line[2 * k];
				y[2 * at + 1] = line[2 * k + 1];
			}
		}
	return OVL_OK;
}

static ovl_status infer_istft(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *x = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_any();
	ovl_dim n = OVL_DIM_ANY;
	int64_t size, step, asked;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 3, 4));
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	if (one_value(in, 4, &asked))
		n = ovl_dim_of(asked > 0 ? asked : 0);
	else if (in->n_in <= 4 && x->ranked && one_value(in, 2, &size) && one_value(in, 3, &step) && ovl_dim_static(x->dims[x->rank - 2])) {
		int64_t all;
		if (!__builtin_mul_overflow(x->dims[x->rank - 2].min - 1, step, &all) && !__builtin_add_overflow(all, p->center ? 0 : size, &all))
			n = ovl_dim_of(all > 0 ? all : 0);
	}
	if (x->ranked) {
		out = ovl_pshape_rank(0);
		if (x->rank == 4)
			out.dims[out.rank++] = x->dims[0];
		out.dims[out.rank++] = n;
	}
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

/* Overlapping windowed frames are added up and divided by the sum of the squared windows. Data is [batch, bins, frames, 2]. */
static ovl_status istft(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *x = ovl_work_shape(w, 0), *out = &w->run->out[0]->shape;
	int64_t batch = x->rank == 4 ? x->dims[0] : 1, bins = x->dims[x->rank - 3], frames = x->dims[x->rank - 2], n = out->dims[out->rank - 1];
	int64_t size, step, all, skip;
	const double *from;
	double *y, *window, *line, *sum, *weight;
	ovl_fft f;
	OVL_TRY(frame_numbers(w, &size, &step));
	if (bins != size / 2 + 1 || x->dims[x->rank - 1] != 2)
		return ovl_work_fail(w, OVL_E_SHAPE, "frames of %lld entries have %lld bins, data has %lld", (long long)size,
			(long long)(size / 2 + 1), (long long)bins);
	all = 0;
	if (frames > 0 && (__builtin_mul_overflow(frames - 1, step, &all) || __builtin_add_overflow(all, size, &all)))
		return ovl_work_fail(w, OVL_E_SHAPE, "%lld frames %lld entries apart are too many", (long long)frames, (long long)step);
	skip = p->center ? size / 2 : 0;
	OVL_TRY(ovl_work_f64(w, 0, &from));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(read_window(w, size, &window));
	OVL_TRY(ovl_work_take(w, 2 * size, sizeof *line, &line));
	OVL_TRY(ovl_work_take(w, all, sizeof *sum, &sum));
	OVL_TRY(ovl_work_take(w, all, sizeof *weight, &weight));
	OVL_TRY(ovl_fft_open(w, size, &f));
	for (int64_t t = 0; t < frames; t++)
		for (int64_t k = 0; k < size; k++)
			weight[t * step + k] += window[k] * window[k];
	for (int64_t b = 0; b < batch; b++, y += n) {
		memset(sum, 0, (size_t)all * sizeof *sum);
		for (int64_t t = 0; t < frames; t++) {
			OVL_RUN_CHECK_CANCEL(w->run);
			for (int64_t k = 0; k < size; k++) {
				int64_t bin = k < bins ? k : size - k;
				const double *v = from + 2 * ((b * bins + bin) * frames + t);
				line[2 * k] = v[0];
				line[2 * k + 1] = k < bins ? v[1] : -v[1];
			}
			ovl_fft_run(&f, line, true);
			for (int64_t k = 0; k < size; k++)
				sum[t * step + k] += line[2 * k] / (double)size * (p->normalized ? sqrt((double)size) : 1) * window[k];
		}
		for (int64_t i = 0; i < n; i++) {
			int64_t at = i + skip;
			y[i] = at >= all ? 0 : weight[at] > 0 ? sum[at] / weight[at] : sum[at];
		}
	}
	return OVL_OK;
}

static ovl_status stft_run(ovl_run *run) { return ovl_work_run(run, stft); }

static ovl_status istft_run(ovl_run *run) { return ovl_work_run(run, istft); }

static const ovl_attr stft_attrs[] = {OVL_ATTR_BOOL(params, transpose_frames, NULL), OVL_ATTR_END};
static const ovl_attr istft_attrs[] = {OVL_ATTR_BOOL(params, center, NULL), OVL_ATTR_BOOL(params, normalized, NULL), OVL_ATTR_END};

static const ovl_op stft_v15 = {
	.name = "STFT",
	.factory = "stft",
	.since = 15,
	.min_inputs = 4,
	.max_inputs = 4,
	.outputs = 1,
	.inputs = "data window frame_size frame_step",
	.params_size = sizeof(params),
	.attrs = stft_attrs,
	.infer = infer_stft,
	.run = stft_run,
};

static const ovl_op istft_v16 = {
	.name = "ISTFT",
	.factory = "istft",
	.since = 16,
	.min_inputs = 4,
	.max_inputs = 5,
	.outputs = 1,
	.inputs = "data window frame_size frame_step signal_length",
	.params_size = sizeof(params),
	.attrs = istft_attrs,
	.infer = infer_istft,
	.run = istft_run,
};

const ovl_op *const ovl_ops_stft[] = {&stft_v15, &istft_v16, NULL};
