/* Coordinates and weights of Interpolate. Coordinates are computed in float, as OpenVINO does: near .5 the choice of a neighbour depends on it. */
#include "base/memory.h"
#include "ops/interpolate.h"

#include <math.h>
#include <string.h>

ovl_status ovl_interpolate_resolve(const ovl_interpolate_params *p, const ovl_shape *data, const ovl_shape *out, const int64_t *axes, int n_axes,
	const float *scales, ovl_interpolate_axis *at, ovl_error *err)
{
	bool shrinks = false;
	if (out->rank != data->rank)
		return ovl_fail(err, OVL_E_SHAPE, "Interpolate: data of rank %d gives no output of rank %d", data->rank, out->rank);
	for (int d = 0; d < data->rank; d++) {
		ovl_interpolate_axis *a = &at[d];
		int64_t end = ovl_ints_get(&p->pads_end, (size_t)d, 0);
		memset(a, 0, sizeof *a);
		a->pad_begin = ovl_ints_get(&p->pads_begin, (size_t)d, 0);
		a->source = data->dims[d];
		a->out = out->dims[d];
		if (a->pad_begin < -INT32_MAX || a->pad_begin > INT32_MAX || end < -INT32_MAX || end > INT32_MAX || a->source > (int64_t)1 << 60)
			return ovl_fail(err, OVL_E_ARGUMENT, "Interpolate: the padding of dimension %d is out of range", d);
		a->in = a->source + a->pad_begin + end;
		a->scale = a->in > 0 ? (float)a->out / (float)a->in : 1;
	}
	for (int i = 0; i < n_axes; i++) {
		int64_t axis = axes ? axes[i] : i;
		if (axis < -data->rank || axis >= data->rank)
			return ovl_fail(err, OVL_E_ARGUMENT, "Interpolate: axis %lld is outside of rank %d", (long long)axis, data->rank);
		axis += axis < 0 ? data->rank : 0;
		if (at[axis].resized)
			return ovl_fail(err, OVL_E_ARGUMENT, "Interpolate: axis %lld is given twice", (long long)axis);
		at[axis].resized = true;
		if (scales)
			at[axis].scale = scales[i];
		if (!(at[axis].scale > 0) && at[axis].out > 0)
			return ovl_fail(err, OVL_E_ARGUMENT, "Interpolate: a scale of %g", (double)at[axis].scale);
	}
	for (int d = 0; d < data->rank; d++)
		shrinks = shrinks || (at[d].resized && at[d].scale < 1);
	for (int d = 0; d < data->rank; d++)
		at[d].stretch = p->antialias && shrinks;
	for (int d = 0; d < data->rank; d++)
		if (at[d].in < 0 || (!at[d].resized && at[d].in != at[d].out) || (at[d].in == 0 && at[d].out > 0))
			return ovl_fail(err, OVL_E_SHAPE, "Interpolate: dimension %d cannot go from %lld to %lld", d, (long long)at[d].in,
				(long long)at[d].out);
	return OVL_OK;
}

static float coordinate(int mode, const ovl_interpolate_axis *a, int64_t o)
{
	float x = (float)o;
	if (a->scale == 1 || a->in == a->out)
		return x;
	switch (mode) {
	case OVL_COORD_PYTORCH_HALF_PIXEL:
		if (a->out <= 1)
			return 0;
		return (x + 0.5f) / a->scale - 0.5f;
	case OVL_COORD_ASYMMETRIC:
		return x / a->scale;
	case OVL_COORD_TF_HALF_PIXEL_FOR_NN:
		return (x + 0.5f) / a->scale;
	case OVL_COORD_ALIGN_CORNERS:
		return a->out == 1 ? 0 : x * (float)(a->in - 1) / (float)(a->out - 1);
	default:
		return (x + 0.5f) / a->scale - 0.5f;
	}
}

static int64_t clip(double v, int64_t max) { return !(v > 0) ? 0 : v >= (double)max ? max : (int64_t)v; }

static int64_t nearest(int mode, const ovl_interpolate_axis *a, float x)
{
	double v;
	switch (mode) {
	case OVL_NEAREST_ROUND_PREFER_FLOOR:
		v = x == floorf(x) + 0.5f ? floorf(x) : roundf(x);
		break;
	case OVL_NEAREST_ROUND_PREFER_CEIL:
		v = x == floorf(x) + 0.5f ? ceilf(x) : roundf(x);
		break;
	case OVL_NEAREST_FLOOR:
		v = floorf(x);
		break;
	case OVL_NEAREST_CEIL:
		v = ceilf(x);
		break;
	default:
		v = a->scale < 1 ? ceilf(x) : truncf(x);
		break;
	}
	return clip(v, a->in - 1);
}

static double triangle(double x)
{
	x = fabs(x);
	return x < 1 ? 1 - x : 0;
}

static double cubic(double x, double a)
{
	x = fabs(x);
	if (x < 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/* ---- tables ---- */

typedef struct maker {
	const ovl_interpolate_params *p;
	const ovl_interpolate_axis *a;
	ovl_taps taps;
	size_t cap_index, cap_weight;
} maker;

/* index counts in the padded input. */
static bool tap(maker *m, int64_t index, double weight)
{
	size_t n = (size_t)m->taps.n;
	index -= m->a->pad_begin;
	if (index < 0 || index >= m->a->source)
		return true;
	if (!ovl_grow(&m->taps.index, &m->cap_index, n + 1, sizeof *m->taps.index) ||
		!ovl_grow(&m->taps.weight, &m->cap_weight, n + 1, sizeof *m->taps.weight))
		return false;
	m->taps.index[n] = index;
	m->taps.weight[n] = weight;
	m->taps.n++;
	return true;
}

static bool tap_linear_onnx(maker *m, float x)
{
	int64_t last = m->a->in - 1, low = clip(x, last), high = low + 1 < last ? low + 1 : last;
	float at = x < 0 ? 0 : x > (float)last ? (float)last : x;
	if (low == high)
		return tap(m, low, 1);
	return tap(m, low, 1 - ((double)at - (double)low)) && tap(m, high, (double)at - (double)low);
}

static bool tap_linear(maker *m, float x, double stretch, int64_t reach)
{
	int64_t middle = (int64_t)nearbyintf(x), from = middle - reach, to = middle + reach, first = m->taps.n;
	double sum = 0;
	from = from > 0 ? from : 0;
	to = to < m->a->in - 1 ? to : m->a->in - 1;
	for (int64_t i = from; i <= to; i++)
		sum += triangle(stretch * ((double)x - (double)i));
	for (int64_t i = from; sum != 0 && i <= to; i++) {
		double weight = triangle(stretch * ((double)x - (double)i)) / sum;
		if (weight != 0 && !tap(m, i, weight))
			return false;
	}
	return m->taps.n >= first;
}

static bool tap_cubic(maker *m, float x)
{
	double base = floor(x), t = x - base;
	for (int i = -1; i < 3; i++)
		if (!tap(m, clip(base + i, m->a->in - 1), cubic(t - i, m->p->cube_coeff)))
			return false;
	return true;
}

/* As the Pillow library resizes: the filter widens with the step when shrinking. */
static bool tap_pillow(maker *m, int64_t o)
{
	bool is_cubic = m->p->mode == OVL_INTERP_BICUBIC_PILLOW;
	double step = (double)m->a->in / (double)m->a->out, wide = step > 1 ? step : 1, reach = (is_cubic ? 2 : 1) * wide;
	double center = ((double)o + 0.5) * step, sum = 0;
	int64_t from = clip(center - reach + 0.5, m->a->in), to = clip(center + reach + 0.5, m->a->in);
	for (int pass = 0; pass < 2; pass++)
		for (int64_t i = from; i < to; i++) {
			double x = ((double)i - center + 0.5) / wide, weight = is_cubic ? cubic(x, m->p->cube_coeff) : triangle(x);
			if (pass == 0)
				sum += weight;
			else if (sum != 0 && !tap(m, i, weight / sum))
				return false;
		}
	return true;
}

ovl_status ovl_interpolate_taps(const ovl_interpolate_params *p, const ovl_interpolate_axis *a, ovl_taps *out, ovl_error *err)
{
	maker m = {.p = p, .a = a};
	double stretch = a->stretch ? a->scale : 1;
	int64_t reach = a->scale > 1 ? 2 : (int64_t)fmin(ceil(2 / stretch), 0x1p60);
	bool ok = (m.taps.start = ovl_calloc((size_t)a->out + 1, sizeof *m.taps.start)) != NULL;
	for (int64_t o = 0; ok && o < a->out; o++) {
		float x = coordinate(p->coordinate_transformation_mode, a, o);
		switch (a->resized ? p->mode : OVL_INTERP_NEAREST) {
		case OVL_INTERP_LINEAR:
			ok = tap_linear(&m, x, stretch, reach);
			break;
		case OVL_INTERP_LINEAR_ONNX:
			ok = tap_linear_onnx(&m, x);
			break;
		case OVL_INTERP_CUBIC:
			ok = tap_cubic(&m, x);
			break;
		case OVL_INTERP_BILINEAR_PILLOW:
		case OVL_INTERP_BICUBIC_PILLOW:
			ok = tap_pillow(&m, o);
			break;
		default:
			ok = tap(&m, a->resized ? nearest(p->nearest_mode, a, x) : o, 1);
			break;
		}
		m.taps.start[o + 1] = m.taps.n;
	}
	*out = m.taps;
	if (!ok) {
		ovl_taps_free(out);
		return ovl_fail(err, OVL_E_MEMORY, "Interpolate: not enough memory");
	}
	return OVL_OK;
}

void ovl_taps_free(ovl_taps *t)
{
	ovl_free(t->start);
	ovl_free(t->index);
	ovl_free(t->weight);
	memset(t, 0, sizeof *t);
}
