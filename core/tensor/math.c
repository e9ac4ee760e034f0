/* math.c - operations on whole tensors. Those along a dimension bring it to the end first, so that each row is a run of memory. */
#include "tensor/math.h"
#include "base/memory.h"
#include "tensor/convert.h"
#include <inttypes.h>

enum { BLOCK = 512 };

static ovl_status need_numbers(const ovl_tensor *t, const char *what, ovl_error *err)
{
	if (t->type == OVL_STRING || t->type == OVL_DYNAMIC)
		return ovl_fail(err, OVL_E_TYPE, "%s needs a tensor of numbers, got one of type %s", what, ovl_type_name(t->type));
	return OVL_OK;
}

static ovl_status need_elements(const ovl_tensor *t, const char *what, ovl_error *err)
{
	char text[256];
	if (ovl_tensor_count(t) == 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s of a tensor without elements (shape %s)", what, ovl_shape_text(&t->shape, text, sizeof text));
	return OVL_OK;
}

/* ---- views that read the elements in another order ---- */

/* A dense copy of the elements at offset + sum of position * stride. Packed types and strings have no views, so they go one by one. */
static ovl_status pick(const ovl_tensor *t, const ovl_shape *shape, const int64_t *strides, int64_t offset, ovl_tensor **out, ovl_error *err)
{
	ovl_tensor *made;
	int64_t at[OVL_MAX_RANK] = {0}, from = offset, n;
	ovl_status s = OVL_OK;
	if (!ovl_type_packed(t->type) && t->type != OVL_STRING) {
		ovl_tensor *view;
		OVL_TRY(ovl_tensor_view((ovl_tensor *)(uintptr_t)t, t->type, shape, strides, (char *)t->data + offset * (int64_t)ovl_type_size(t->type), &view, err));
		s = ovl_tensor_clone(view, out, err);
		ovl_tensor_release(view);
		return s;
	}
	OVL_TRY(ovl_tensor_new(t->type, shape, &made, err));
	n = ovl_tensor_count(made);
	for (int64_t i = 0; i < n && !s; i++) {
		if (t->type == OVL_STRING) {
			const ovl_string *string = (const ovl_string *)t->data + from;
			s = ovl_tensor_set_string(made, i, string->data, string->size, err);
		} else
			ovl_convert(t->type, t->data, from, t->type, made->data, i, 1, false);
		for (int k = shape->rank - 1; k >= 0; k--) {
			from += strides[k];
			if (++at[k] < shape->dims[k])
				break;
			from -= strides[k] * shape->dims[k];
			at[k] = 0;
		}
	}
	if (s)
		ovl_tensor_release(made);
	else
		*out = made;
	return s;
}

ovl_status ovl_math_slice(const ovl_tensor *t, int64_t dim, int64_t first, int64_t last, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = t->shape;
	int d;
	*out = NULL;
	OVL_TRY(ovl_axis(dim, shape.rank, "slice", &d, err));
	if (first < 0 || first > last || last > shape.dims[d])
		return ovl_fail(err, OVL_E_ARGUMENT, "slice from %" PRId64 " up to %" PRId64 " is outside of dimension %d, whose size is %" PRId64, first, last, d,
				shape.dims[d]);
	shape.dims[d] = last - first;
	return pick(t, &shape, t->strides, last > first ? first * t->strides[d] : 0, out, err);
}

ovl_status ovl_math_select(const ovl_tensor *t, int64_t dim, int64_t i, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = {.rank = t->shape.rank - 1};
	int64_t strides[OVL_MAX_RANK];
	int d;
	*out = NULL;
	OVL_TRY(ovl_axis(dim, t->shape.rank, "select", &d, err));
	if (i < 0 || i >= t->shape.dims[d])
		return ovl_fail(err, OVL_E_ARGUMENT, "select of position %" PRId64 " is outside of dimension %d, whose size is %" PRId64, i, d, t->shape.dims[d]);
	for (int k = 0; k < shape.rank; k++) {
		shape.dims[k] = t->shape.dims[k < d ? k : k + 1];
		strides[k] = t->strides[k < d ? k : k + 1];
	}
	return pick(t, &shape, strides, i * t->strides[d], out, err);
}

ovl_status ovl_math_transpose(const ovl_tensor *t, const int64_t *order, int n, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = {.rank = t->shape.rank};
	int64_t strides[OVL_MAX_RANK];
	unsigned seen = 0;
	*out = NULL;
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
	return pick(t, &shape, strides, 0, out, err);
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

/* ---- rows along a dimension ---- */

/* The tensor with dimension d at the end, dense. Packed elements become whole ones. `type`: what it is converted to, OVL_DYNAMIC for none. `fresh`: never t itself. */
static ovl_status rows_along(const ovl_tensor *t, int d, ovl_type type, bool fresh, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = t->shape;
	int64_t strides[OVL_MAX_RANK];
	ovl_tensor *view;
	ovl_status s;
	if (ovl_type_packed(t->type)) {
		ovl_tensor *bytes;
		OVL_TRY(ovl_tensor_astype(t, t->type == OVL_F4E2M1 ? OVL_F32 : ovl_type_is_signed(t->type) ? OVL_I8 : OVL_U8, &bytes, err));
		s = rows_along(bytes, d, type, fresh, out, err);
		ovl_tensor_release(bytes);
		return s;
	}
	if (type == OVL_DYNAMIC)
		type = t->type;
	memcpy(strides, t->strides, sizeof strides);
	for (int i = d; i < shape.rank - 1; i++) {
		shape.dims[i] = t->shape.dims[i + 1];
		strides[i] = t->strides[i + 1];
	}
	shape.dims[shape.rank - 1] = t->shape.dims[d];
	strides[shape.rank - 1] = t->strides[d];
	OVL_TRY(ovl_tensor_view((ovl_tensor *)(uintptr_t)t, t->type, &shape, strides, t->data, &view, err));
	if (fresh || type != t->type)
		s = ovl_tensor_astype(view, type, out, err);
	else
		s = ovl_tensor_densify(view, out, err);
	ovl_tensor_release(view);
	return s;
}

/* The way back: dense rows with the last dimension at place d again, as `type`. */
static ovl_status rows_back(const ovl_tensor *rows, int d, ovl_type type, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = rows->shape;
	int64_t strides[OVL_MAX_RANK];
	ovl_tensor *view;
	ovl_status s;
	memcpy(strides, rows->strides, sizeof strides);
	for (int i = shape.rank - 1; i > d; i--) {
		shape.dims[i] = rows->shape.dims[i - 1];
		strides[i] = rows->strides[i - 1];
	}
	shape.dims[d] = rows->shape.dims[shape.rank - 1];
	strides[d] = rows->strides[shape.rank - 1];
	OVL_TRY(ovl_tensor_view((ovl_tensor *)(uintptr_t)rows, rows->type, &shape, strides, rows->data, &view, err));
	s = ovl_tensor_astype(view, type, out, err);
	ovl_tensor_release(view);
	return s;
}

/* Numbers of any type as int64_t keys of the same order; NaN above all. Exact for every type: all but the 64-bit integers fit a double. */
static void load_keys(const ovl_tensor *rows, int64_t at, int64_t *keys, int64_t n)
{
	if (rows->type == OVL_I64 || rows->type == OVL_U64) {
		memcpy(keys, (const char *)rows->data + at * 8, (size_t)n * 8);
		for (int64_t i = 0; rows->type == OVL_U64 && i < n; i++)
			keys[i] ^= INT64_MIN;
		return;
	}
	ovl_convert(rows->type, rows->data, at, OVL_F64, keys, 0, n, false);
	for (int64_t i = 0; i < n; i++) {
		double v;
		memcpy(&v, keys + i, 8);
		v += 0.0; /* -0 becomes 0 */
		memcpy(keys + i, &v, 8);
		keys[i] = v != v ? INT64_MAX : keys[i] ^ ((keys[i] >> 63) & INT64_MAX);
	}
}

static int64_t best_of_row(const ovl_tensor *rows, int64_t at, int64_t n)
{
	int64_t keys[BLOCK], best = INT64_MIN, where = 0;
	for (int64_t done = 0; done < n; done += BLOCK) {
		int64_t m = n - done < BLOCK ? n - done : BLOCK;
		load_keys(rows, at + done, keys, m);
		for (int64_t i = 0; i < m; i++)
			if (keys[i] > best) {
				best = keys[i];
				where = done + i;
			}
	}
	return where;
}

ovl_status ovl_math_argmax(const ovl_tensor *t, int64_t *position, ovl_error *err)
{
	ovl_tensor *dense;
	OVL_TRY(need_numbers(t, "argmax", err));
	OVL_TRY(need_elements(t, "argmax", err));
	OVL_TRY(ovl_tensor_densify(t, &dense, err));
	*position = best_of_row(dense, 0, ovl_tensor_count(dense));
	ovl_tensor_release(dense);
	return OVL_OK;
}

ovl_status ovl_math_argmax_along(const ovl_tensor *t, int64_t dim, ovl_tensor **out, ovl_error *err)
{
	ovl_tensor *rows, *made;
	ovl_shape shape;
	int64_t n, count;
	ovl_status s;
	int d;
	*out = NULL;
	OVL_TRY(need_numbers(t, "argmax", err));
	OVL_TRY(ovl_axis(dim, t->shape.rank, "argmax", &d, err));
	n = t->shape.dims[d];
	if (n == 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "argmax along dimension %d, whose size is 0", d);
	OVL_TRY(rows_along(t, d, OVL_DYNAMIC, false, &rows, err));
	shape = rows->shape;
	shape.rank--;
	s = ovl_tensor_new_raw(OVL_I64, &shape, &made, err);
	if (!s) {
		count = ovl_tensor_count(made);
		for (int64_t r = 0; r < count; r++)
			((int64_t *)made->data)[r] = best_of_row(rows, r * n, n);
		*out = made;
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
		load_keys(rows, at + done, keys, m);
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

ovl_status ovl_math_topk(const ovl_tensor *t, int64_t k, int64_t dim, ovl_tensor **values, ovl_tensor **positions, ovl_error *err)
{
	ovl_tensor *rows = NULL, *best = NULL, *where = NULL;
	ovl_shape shape = t->shape;
	int64_t n, inner = 1, outer = 1;
	entry *heap = NULL;
	size_t bytes;
	ovl_status s;
	int d;
	*values = *positions = NULL;
	OVL_TRY(need_numbers(t, "topk", err));
	OVL_TRY(ovl_axis(dim, shape.rank, "topk", &d, err));
	n = shape.dims[d];
	if (k < 1 || k > n)
		return ovl_fail(err, OVL_E_ARGUMENT, "topk: k is %" PRId64 ", expected 1 to %" PRId64 ", the size of dimension %d", k, n, d);
	shape.dims[d] = k;
	for (int i = 0; i < shape.rank; i++)
		*(i < d ? &outer : &inner) *= i == d ? 1 : shape.dims[i];
	if ((s = rows_along(t, d, OVL_DYNAMIC, false, &rows, err)) || (s = ovl_tensor_new(t->type, &shape, &best, err)) ||
	    (s = ovl_tensor_new_raw(OVL_I64, &shape, &where, err)))
		goto done;
	if (!ovl_mul_ok((size_t)k, sizeof *heap, &bytes) || !(heap = ovl_alloc(bytes))) {
		s = ovl_fail(err, OVL_E_MEMORY, "no memory for topk of %" PRId64, k);
		goto done;
	}
	for (int64_t r = 0; r < outer * inner; r++) {
		int64_t to = r / inner * k * inner + r % inner;
		top_of_row(rows, r * n, n, heap, k);
		for (int64_t i = 0; i < k; i++, to += inner) {
			ovl_convert(rows->type, rows->data, r * n + heap[i].at, best->type, best->data, to, 1, false);
			((int64_t *)where->data)[to] = heap[i].at;
		}
	}
	*values = best;
	*positions = where;
	best = where = NULL;
done:
	ovl_free(heap);
	ovl_tensor_release(rows);
	ovl_tensor_release(best);
	ovl_tensor_release(where);
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
	ovl_tensor *rows;
	int64_t n, count;
	ovl_status s;
	int d;
	*out = NULL;
	OVL_TRY(need_numbers(t, "softmax", err));
	OVL_TRY(ovl_axis(dim, t->shape.rank, "softmax", &d, err));
	OVL_TRY(rows_along(t, d, wide, true, &rows, err));
	n = t->shape.dims[d];
	count = ovl_tensor_count(rows);
	for (int64_t at = 0; at < count; at += n) {
		if (wide == OVL_F64)
			softmax_f64((double *)rows->data + at, n);
		else
			softmax_f32((float *)rows->data + at, n);
	}
	if (type == wide && d == t->shape.rank - 1) {
		*out = rows;
		return OVL_OK;
	}
	s = rows_back(rows, d, type, out, err);
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
	OVL_TRY(need_numbers(t, what, err));
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
	OVL_TRY(need_numbers(t, "fill", err));
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
