/* math.c - operations on whole tensors. Those along a dimension bring it to the end first, so that each row is a run of memory. */
#include "tensor/math.h"
#include "base/memory.h"
#include "tensor/convert.h"
#include "tensor/rows.h"
#include "tensor/target.h"
#include <inttypes.h>

enum { BLOCK = 512 };

static ovl_status need_elements(const ovl_tensor *t, const char *what, ovl_error *err)
{
	char text[256];
	if (ovl_tensor_count(t) == 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s of a tensor without elements (shape %s)", what, ovl_shape_text(&t->shape, text, sizeof text));
	return OVL_OK;
}

/* ---- views that read the elements in another order ---- */

/* Packed types and strings have no views: their elements go one by one. */
static ovl_status pick_singly(const ovl_tensor *t, const int64_t *strides, int64_t from, ovl_tensor *to, ovl_error *err)
{
	int64_t at[OVL_MAX_RANK] = {0}, n = ovl_tensor_count(to);
	for (int64_t i = 0; i < n; i++) {
		if (t->type == OVL_STRING) {
			const ovl_string *string = (const ovl_string *)t->data + from;
			OVL_TRY(ovl_tensor_set_string(to, i, string->data, string->size, err));
		} else
			ovl_convert(t->type, t->data, from, t->type, to->data, i, 1, false);
		for (int k = to->shape.rank - 1; k >= 0; k--) {
			from += strides[k];
			if (++at[k] < to->shape.dims[k])
				break;
			from -= strides[k] * to->shape.dims[k];
			at[k] = 0;
		}
	}
	return OVL_OK;
}

/* A copy of the elements at offset + sum of position * stride. */
static ovl_status pick(const ovl_tensor *t, const ovl_shape *shape, const int64_t *strides, int64_t offset, const char *what, ovl_tensor **out, ovl_error *err)
{
	ovl_target target;
	ovl_status s;
	OVL_TRY(ovl_target_open(&target, *out, t->type, shape, t, false, what, err));
	if (ovl_type_packed(t->type) || t->type == OVL_STRING)
		s = pick_singly(t, strides, offset, target.t, err);
	else {
		ovl_tensor view = ovl_rows_look(t, shape, strides, offset);
		s = ovl_tensor_copy(&view, target.t, err);
	}
	return ovl_target_close(&target, s, out, err);
}

ovl_status ovl_math_slice(const ovl_tensor *t, int64_t dim, int64_t first, int64_t last, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = t->shape;
	int d;
	OVL_TRY(ovl_axis(dim, shape.rank, "slice", &d, err));
	if (first < 0 || first > last || last > shape.dims[d])
		return ovl_fail(err, OVL_E_ARGUMENT, "slice from %" PRId64 " up to %" PRId64 " is outside of dimension %d, whose size is %" PRId64, first, last, d,
				shape.dims[d]);
	shape.dims[d] = last - first;
	return pick(t, &shape, t->strides, last > first ? first * t->strides[d] : 0, "slice", out, err);
}

ovl_status ovl_math_select(const ovl_tensor *t, int64_t dim, int64_t i, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = {.rank = t->shape.rank - 1};
	int64_t strides[OVL_MAX_RANK];
	int d;
	OVL_TRY(ovl_axis(dim, t->shape.rank, "select", &d, err));
	if (i < 0 || i >= t->shape.dims[d])
		return ovl_fail(err, OVL_E_ARGUMENT, "select of position %" PRId64 " is outside of dimension %d, whose size is %" PRId64, i, d, t->shape.dims[d]);
	for (int k = 0; k < shape.rank; k++) {
		shape.dims[k] = t->shape.dims[k < d ? k : k + 1];
		strides[k] = t->strides[k < d ? k : k + 1];
	}
	return pick(t, &shape, strides, i * t->strides[d], "select", out, err);
}

ovl_status ovl_math_transpose(const ovl_tensor *t, const int64_t *order, int n, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = {.rank = t->shape.rank};
	int64_t strides[OVL_MAX_RANK];
	unsigned seen = 0;
	if (n != shape.rank)
		return ovl_fail(err, OVL_E_ARGUMENT, "transpose of a tensor of rank %d needs as many dimensions in its order, got %d", shape.rank, n);
	for (int k = 0; k < n; k++) {
		int d;
		OVL_TRY(ovl_axis(order[k], shape.rank, "transpose", &d, err));
		if (seen & (1u << d))
			return ovl_fail(err, OVL_E_ARGUMENT, "transpose: dimension %d is twice in the order", d);
		seen |= 1u << d;
		shape.dims[k] = t->shape.dims[d];
		strides[k] = t->strides[d];
	}
	return pick(t, &shape, strides, 0, "transpose", out, err);
}

ovl_status ovl_math_reshape(const ovl_tensor *t, const int64_t *dims, int rank, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = {.rank = rank};
	char from[256], to[256];
	int open = -1;
	int64_t have = ovl_tensor_count(t), count, strides[OVL_MAX_RANK];
	ovl_tensor *dense;
	ovl_status s;
	*out = NULL;
	if (rank < 0 || rank > OVL_MAX_RANK)
		return ovl_fail(err, OVL_E_SHAPE, "reshape to %d dimensions, at most %d are possible", rank, OVL_MAX_RANK);
	for (int i = 0; i < rank; i++) {
		shape.dims[i] = dims[i];
		if (dims[i] != -1)
			continue;
		if (open >= 0)
			return ovl_fail(err, OVL_E_SHAPE, "reshape: only one size may be left open, dimensions %d and %d are -1", open, i);
		open = i;
		shape.dims[i] = 1;
	}
	if (!ovl_shape_count(&shape, &count))
		count = -1;
	if (open >= 0 && count > 0 && have % count == 0) {
		shape.dims[open] = have / count;
		count = have;
	} else if (open >= 0)
		count = -1;
	if (count != have) {
		shape = (ovl_shape){.rank = rank};
		memcpy(shape.dims, dims, (size_t)rank * sizeof *dims);
		return ovl_fail(err, OVL_E_SHAPE, "a tensor of shape %s cannot be reshaped to %s: it has %" PRId64 " elements", ovl_shape_text(&t->shape, from, sizeof from),
				ovl_shape_text(&shape, to, sizeof to), have);
	}
	OVL_TRY(ovl_tensor_densify(t, &dense, err));
	ovl_dense_strides(&shape, strides);
	s = ovl_tensor_view(dense, dense->type, &shape, strides, dense->data, out, err);
	ovl_tensor_release(dense);
	return s;
}

ovl_status ovl_math_argmax(const ovl_tensor *t, int64_t *position, ovl_error *err)
{
	ovl_tensor *dense;
	OVL_TRY(ovl_rows_numbers(t, "argmax", err));
	OVL_TRY(need_elements(t, "argmax", err));
	OVL_TRY(ovl_tensor_densify(t, &dense, err));
	*position = ovl_rows_best(dense, 0, ovl_tensor_count(dense));
	ovl_tensor_release(dense);
	return OVL_OK;
}

ovl_status ovl_math_argmax_along(const ovl_tensor *t, int64_t dim, ovl_tensor **out, ovl_error *err)
{
	ovl_tensor *rows;
	ovl_target target;
	ovl_shape shape;
	int64_t n, count;
	ovl_status s;
	int d;
	OVL_TRY(ovl_rows_numbers(t, "argmax", err));
	OVL_TRY(ovl_axis(dim, t->shape.rank, "argmax", &d, err));
	n = t->shape.dims[d];
	if (n == 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "argmax along dimension %d, whose size is 0", d);
	OVL_TRY(ovl_rows_along(t, d, OVL_DYNAMIC, false, &rows, err));
	shape = rows->shape;
	shape.rank--;
	s = ovl_target_open(&target, *out, OVL_I64, &shape, t, true, "argmax", err);
	if (!s) {
		count = ovl_tensor_count(target.t);
		for (int64_t r = 0; r < count; r++)
			((int64_t *)target.t->data)[r] = ovl_rows_best(rows, r * n, n);
		s = ovl_target_close(&target, s, out, err);
	}
	ovl_tensor_release(rows);
	return s;
}

/* ---- top k: a heap with the worst of the best at its root ---- */

typedef struct entry {
	int64_t key, at;
} entry;

static bool worse(entry a, entry b)
{
	return a.key < b.key || (a.key == b.key && a.at > b.at);
}

/* Puts e into the heap of n from the hole at the root on. */
static void sift(entry *heap, int64_t n, int64_t hole, entry e)
{
	for (;;) {
		int64_t child = 2 * hole + 1;
		if (child >= n)
			break;
		if (child + 1 < n && worse(heap[child + 1], heap[child]))
			child++;
		if (!worse(heap[child], e))
			break;
		heap[hole] = heap[child];
		hole = child;
	}
	heap[hole] = e;
}

/* The k best of a row of n, best first. */
static void top_of_row(const ovl_tensor *rows, int64_t at, int64_t n, entry *heap, int64_t k)
{
	int64_t keys[BLOCK], have = 0;
	for (int64_t done = 0; done < n; done += BLOCK) {
		int64_t m = n - done < BLOCK ? n - done : BLOCK;
		ovl_rows_keys(rows, at + done, keys, m);
		for (int64_t i = 0; i < m; i++) {
			entry e = {keys[i], done + i};
			if (have < k) {
				heap[have++] = e;
				for (int64_t h = k / 2 - 1; have == k && h >= 0; h--)
					sift(heap, k, h, heap[h]);
			} else if (worse(heap[0], e))
				sift(heap, k, 0, e);
		}
	}
	for (int64_t left = k - 1; left > 0; left--) { /* the worst goes to the end */
		entry last = heap[left];
		heap[left] = heap[0];
		sift(heap, left, 0, last);
	}
}

static void top_of_rows(const ovl_tensor *rows, int64_t n, entry *heap, int64_t k, int64_t inner, ovl_tensor *values, int64_t *positions)
{
	int64_t count = ovl_tensor_count(rows) / n;
	for (int64_t r = 0; r < count; r++) {
		int64_t to = r / inner * k * inner + r % inner;
		top_of_row(rows, r * n, n, heap, k);
		for (int64_t i = 0; i < k; i++, to += inner) {
			ovl_convert(rows->type, rows->data, r * n + heap[i].at, values->type, values->data, to, 1, false);
			positions[to] = heap[i].at;
		}
	}
}

ovl_status ovl_math_topk(const ovl_tensor *t, int64_t k, int64_t dim, ovl_tensor **values, ovl_tensor **positions, ovl_error *err)
{
	ovl_tensor *rows = NULL;
	ovl_target best = {NULL, NULL}, where = {NULL, NULL};
	ovl_shape shape = t->shape;
	int64_t n, inner = 1;
	entry *heap = NULL;
	size_t bytes;
	ovl_status s;
	int d;
	OVL_TRY(ovl_rows_numbers(t, "topk", err));
	OVL_TRY(ovl_axis(dim, shape.rank, "topk", &d, err));
	n = shape.dims[d];
	if (k < 1 || k > n)
		return ovl_fail(err, OVL_E_ARGUMENT, "topk: k is %" PRId64 ", expected 1 to %" PRId64 ", the size of dimension %d", k, n, d);
	if (*values && *values == *positions)
		return ovl_fail(err, OVL_E_ARGUMENT, "topk: values and positions cannot go into one tensor");
	shape.dims[d] = k;
	for (int i = d + 1; i < shape.rank; i++)
		inner *= shape.dims[i];
	if (!ovl_mul_ok((size_t)k, sizeof *heap, &bytes) || !(heap = ovl_alloc(bytes)))
		return ovl_fail(err, OVL_E_MEMORY, "no memory for topk of %" PRId64, k);
	s = ovl_rows_along(t, d, OVL_DYNAMIC, false, &rows, err);
	if (!s)
		s = ovl_target_open(&best, *values, t->type, &shape, t, true, "topk", err);
	if (!s)
		s = ovl_target_open(&where, *positions, OVL_I64, &shape, t, true, "topk", err);
	if (!s)
		top_of_rows(rows, n, heap, k, inner, best.t, where.t->data);
	s = ovl_target_close_two(&best, values, &where, positions, s, err);
	ovl_free(heap);
	ovl_tensor_release(rows);
	return s;
}

/* ---- softmax ---- */

#define SOFTMAX_ROW(name, T, exp_of)                              \
	static void name(T *v, int64_t n)                         \
	{                                                         \
		T top = v[0];                                     \
		double sum = 0;                                   \
		for (int64_t i = 1; i < n; i++)                   \
			top = v[i] > top ? v[i] : top;            \
		for (int64_t i = 0; i < n; i++)                   \
			sum += (double)(v[i] = exp_of(v[i] - top)); \
		for (int64_t i = 0; i < n; i++)                   \
			v[i] = (T)((double)v[i] / sum);           \
	}
SOFTMAX_ROW(softmax_f32, float, expf)
SOFTMAX_ROW(softmax_f64, double, exp)

ovl_status ovl_math_softmax(const ovl_tensor *t, int64_t dim, ovl_tensor **out, ovl_error *err)
{
	ovl_type type = ovl_type_is_float(t->type) ? t->type : OVL_F32, wide = t->type == OVL_F64 ? OVL_F64 : OVL_F32;
	ovl_tensor *rows, view;
	ovl_target target;
	int64_t n, count;
	ovl_status s;
	int d;
	OVL_TRY(ovl_rows_numbers(t, "softmax", err));
	OVL_TRY(ovl_axis(dim, t->shape.rank, "softmax", &d, err));
	OVL_TRY(ovl_rows_along(t, d, wide, true, &rows, err));
	n = t->shape.dims[d];
	count = ovl_tensor_count(rows);
	for (int64_t at = 0; at < count; at += n) {
		if (wide == OVL_F64)
			softmax_f64((double *)rows->data + at, n);
		else
			softmax_f32((float *)rows->data + at, n);
	}
	if (!*out && type == wide && d == t->shape.rank - 1) {
		*out = rows;
		return OVL_OK;
	}
	view = ovl_rows_back(rows, d);
	s = ovl_target_open(&target, *out, type, &view.shape, t, false, "softmax", err);
	if (!s) {
		s = ovl_tensor_copy(&view, target.t, err);
		s = ovl_target_close(&target, s, out, err);
	}
	ovl_tensor_release(rows);
	return s;
}

/* ---- over all elements ---- */

typedef struct totals {
	double least, most, sum;
	__int128 exact; /* of the 64-bit integers */
} totals;

static void add_block(totals *all, const double *v, int64_t n)
{
	double sum = 0, least = all->least, most = all->most;
	for (int64_t i = 0; i < n; i++) {
		sum += v[i];
		least = v[i] < least || v[i] != v[i] ? v[i] : least; /* comparisons with a NaN are false: once there it stays */
		most = v[i] > most || v[i] != v[i] ? v[i] : most;
	}
	all->sum += sum;
	all->least = least;
	all->most = most;
}

static ovl_status total(const ovl_tensor *t, const char *what, totals *all, ovl_error *err)
{
	double block[BLOCK];
	ovl_tensor *dense;
	int64_t n;
	OVL_TRY(ovl_rows_numbers(t, what, err));
	OVL_TRY(ovl_tensor_densify(t, &dense, err));
	n = ovl_tensor_count(dense);
	*all = (totals){.least = INFINITY, .most = -INFINITY};
	for (int64_t done = 0; done < n; done += BLOCK) {
		int64_t m = n - done < BLOCK ? n - done : BLOCK;
		ovl_convert(dense->type, dense->data, done, OVL_F64, block, 0, m, false);
		add_block(all, block, m);
		for (int64_t i = 0; i < m && dense->type == OVL_I64; i++)
			all->exact += ((const int64_t *)dense->data)[done + i];
		for (int64_t i = 0; i < m && dense->type == OVL_U64; i++)
			all->exact += ((const uint64_t *)dense->data)[done + i];
	}
	if (dense->type == OVL_I64 || dense->type == OVL_U64)
		all->sum = (double)all->exact;
	ovl_tensor_release(dense);
	return OVL_OK;
}

ovl_status ovl_math_min(const ovl_tensor *t, double *out, ovl_error *err)
{
	totals all;
	OVL_TRY(need_elements(t, "min", err));
	OVL_TRY(total(t, "min", &all, err));
	*out = all.least;
	return OVL_OK;
}

ovl_status ovl_math_max(const ovl_tensor *t, double *out, ovl_error *err)
{
	totals all;
	OVL_TRY(need_elements(t, "max", err));
	OVL_TRY(total(t, "max", &all, err));
	*out = all.most;
	return OVL_OK;
}

ovl_status ovl_math_sum(const ovl_tensor *t, double *out, ovl_error *err)
{
	totals all;
	OVL_TRY(total(t, "sum", &all, err));
	*out = all.sum;
	return OVL_OK;
}

ovl_status ovl_math_mean(const ovl_tensor *t, double *out, ovl_error *err)
{
	totals all;
	OVL_TRY(need_elements(t, "mean", err));
	OVL_TRY(total(t, "mean", &all, err));
	*out = all.sum / (double)ovl_tensor_count(t);
	return OVL_OK;
}

ovl_status ovl_math_fill(ovl_tensor *t, ovl_type type, const void *value, ovl_error *err)
{
	ovl_shape scalar = {0};
	int64_t zeros[OVL_MAX_RANK] = {0}, n = ovl_tensor_count(t);
	ovl_tensor *one, *spread;
	ovl_status s;
	OVL_TRY(ovl_rows_numbers(t, "fill", err));
	if (type == OVL_STRING || type == OVL_DYNAMIC)
		return ovl_fail(err, OVL_E_TYPE, "fill of a tensor of type %s needs a number", ovl_type_name(t->type));
	if (ovl_type_packed(t->type)) {
		for (int64_t i = 0; i < n; i++)
			ovl_convert(type, value, 0, t->type, t->data, i, 1, false);
		return OVL_OK;
	}
	OVL_TRY(ovl_tensor_new(t->type, &scalar, &one, err));
	ovl_convert(type, value, 0, t->type, one->data, 0, 1, false);
	s = ovl_tensor_view(one, t->type, &t->shape, zeros, one->data, &spread, err); /* every position is the one element */
	if (!s) {
		s = ovl_tensor_copy(spread, t, err);
		ovl_tensor_release(spread);
	}
	ovl_tensor_release(one);
	return s;
}
