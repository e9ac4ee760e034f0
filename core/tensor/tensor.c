/* tensor.c - making, viewing and copying tensors. */
#include "tensor/tensor.h"
#include "base/memory.h"
#include "tensor/convert.h"
#include <inttypes.h>

static uint64_t live_bytes;

/* ---- memory made here ---- */

typedef struct holder { /* the user data of a buffer made here */
	void *block;       /* what to free; the elements start in it */
	bool lazy;         /* of calloc; else a block that comes back (memory.h) */
	ovl_tensor *owner; /* the tensor it was made for, NULL when that is gone: only the owner may grow into the rest of the buffer */
	ovl_type type;
} holder;

static void release_own(void *user, void *data, size_t size)
{
	holder *h = user;
	if (h->type == OVL_SEQUENCE)
		for (size_t i = 0; i < size / sizeof(ovl_tensor *); i++)
			ovl_tensor_release(((ovl_tensor **)data)[i]);
	if (h->type == OVL_STRING) {
		ovl_string *s = data;
		for (size_t i = 0; i < size / sizeof *s; i++)
			ovl_free(s[i].data);
	}
	if (h->lazy)
		ovl_free(h->block);
	else
		ovl_block_give(h->block, size);
	ovl_free(h);
	__atomic_fetch_sub(&live_bytes, size, __ATOMIC_RELAXED);
}

enum { LAZY_ZERO_BYTES = 1 << 18 };

static ovl_buffer *own_buffer(ovl_type type, size_t size, bool zeroed)
{
	holder *h = ovl_calloc(1, sizeof *h);
	void *data = NULL;
	ovl_buffer *b;
	if (!h || size > SIZE_MAX - 128)
		goto fail;
	h->type = type;
	if (zeroed && size >= LAZY_ZERO_BYTES) { /* large blocks of calloc are fresh pages: zero without being touched */
		h->lazy = true;
		h->block = ovl_calloc(1, size + 64);
		data = (void *)(((uintptr_t)h->block + 63) & ~(uintptr_t)63);
	} else {
		data = h->block = ovl_block_take(size);
		if (data && zeroed)
			memset(data, 0, size);
	}
	if (!h->block)
		goto fail;
	b = ovl_buffer_wrap(data, size, release_own, h);
	if (!b)
		goto fail;
	__atomic_fetch_add(&live_bytes, size, __ATOMIC_RELAXED);
	return b;
fail:
	if (h)
		ovl_free(h->block);
	ovl_free(h);
	return NULL;
}

static bool made_here(const ovl_buffer *b) /* NULL: memory of an arena, whose tensors have no buffer */
{
	return b && b->release == release_own;
}

static bool owns(const ovl_tensor *t)
{
	return made_here(t->buffer) && ((holder *)t->buffer->user)->owner == t;
}

uint64_t ovl_tensor_live_bytes(void)
{
	return __atomic_load_n(&live_bytes, __ATOMIC_RELAXED);
}

/* ---- making ---- */

/* Checks type and shape and gives the size. */
static ovl_status size_of(ovl_type type, const ovl_shape *shape, size_t *bytes, ovl_error *err)
{
	char text[256];
	int64_t count;
	if (!ovl_type_bits(type))
		return ovl_fail(err, OVL_E_TYPE, "a tensor needs a known element type, got '%s'", ovl_type_name(type));
	if (!ovl_shape_count(shape, &count) || !ovl_type_bytes(type, count, bytes) || *bytes > INT64_MAX / 2)
		return ovl_fail(err, OVL_E_SHAPE, "no tensor of shape %s can be made: sizes must not be negative, and their product times the element size must fit 63 bits",
				ovl_shape_text(shape, text, sizeof text));
	return OVL_OK;
}

static ovl_status no_memory(size_t bytes, ovl_error *err)
{
	return ovl_fail(err, OVL_E_MEMORY, "no memory for a tensor of %zu bytes", bytes);
}

/* Takes over one reference of buffer, also on failure. */
static ovl_status make(ovl_type type, const ovl_shape *shape, void *data, ovl_buffer *buffer, ovl_tensor **out, ovl_error *err)
{
	ovl_tensor *t = ovl_calloc(1, sizeof *t);
	if (!t) {
		ovl_buffer_release(buffer);
		return no_memory(sizeof *t, err);
	}
	t->refs = 1;
	t->type = type;
	t->shape = *shape;
	ovl_dense_strides(shape, t->strides);
	t->data = data;
	t->buffer = buffer;
	*out = t;
	return OVL_OK;
}

static ovl_status make_own(ovl_type type, const ovl_shape *shape, bool zeroed, ovl_tensor **out, ovl_error *err)
{
	size_t bytes;
	ovl_buffer *buffer;
	*out = NULL;
	OVL_TRY(size_of(type, shape, &bytes, err));
	buffer = own_buffer(type, bytes, zeroed || ovl_type_owns(type));
	if (!buffer)
		return no_memory(bytes, err);
	OVL_TRY(make(type, shape, buffer->data, buffer, out, err));
	((holder *)buffer->user)->owner = *out;
	return OVL_OK;
}

ovl_status ovl_tensor_new(ovl_type type, const ovl_shape *shape, ovl_tensor **out, ovl_error *err)
{
	return make_own(type, shape, true, out, err);
}

ovl_status ovl_tensor_new_raw(ovl_type type, const ovl_shape *shape, ovl_tensor **out, ovl_error *err)
{
	return make_own(type, shape, false, out, err);
}

ovl_status ovl_tensor_on(ovl_buffer *buffer, size_t offset, ovl_type type, const ovl_shape *shape, ovl_tensor **out, ovl_error *err)
{
	char text[256];
	size_t bytes;
	*out = NULL;
	OVL_TRY(size_of(type, shape, &bytes, err));
	if (ovl_type_owns(type))
		return ovl_fail(err, OVL_E_TYPE, "a tensor of strings or sequences cannot be laid on foreign memory");
	if (offset > buffer->size || bytes > buffer->size - offset)
		return ovl_fail(err, OVL_E_SHAPE, "a tensor of type %s and shape %s needs %zu bytes from offset %zu, the memory has %zu", ovl_type_name(type),
				ovl_shape_text(shape, text, sizeof text), bytes, offset, buffer->size);
	return make(type, shape, (char *)buffer->data + offset, ovl_buffer_retain(buffer), out, err);
}

ovl_status ovl_tensor_view(ovl_tensor *base, ovl_type type, const ovl_shape *shape, const int64_t *strides, void *data, ovl_tensor **out, ovl_error *err)
{
	*out = NULL;
	OVL_TRY(make(type, shape, data, ovl_buffer_retain(base->buffer), out, err));
	for (int i = 0; i < shape->rank; i++)
		(*out)->strides[i] = strides[i];
	return OVL_OK;
}

ovl_status ovl_tensor_roi(ovl_tensor *base, const int64_t *first, const int64_t *last, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = {.rank = base->shape.rank};
	int64_t offset = 0;
	bool empty = false;
	*out = NULL;
	if (ovl_type_packed(base->type) || ovl_type_owns(base->type))
		return ovl_fail(err, OVL_E_ARGUMENT, "no region can be taken of a tensor of type %s, since its elements have no address of their own; copy instead",
				ovl_type_name(base->type));
	for (int i = 0; i < shape.rank; i++) {
		if (first[i] < 0 || first[i] > last[i] || last[i] > base->shape.dims[i])
			return ovl_fail(err, OVL_E_ARGUMENT, "region from %" PRId64 " up to %" PRId64 " in dimension %d is outside of the tensor, whose size there is %" PRId64,
					first[i], last[i], i, base->shape.dims[i]);
		shape.dims[i] = last[i] - first[i];
		empty |= shape.dims[i] == 0;
		offset += first[i] * base->strides[i];
	}
	if (empty)
		offset = 0; /* nothing is there to point at */
	return ovl_tensor_view(base, base->type, &shape, base->strides, (char *)base->data + offset * (int64_t)ovl_type_size(base->type), out, err);
}

ovl_tensor *ovl_tensor_retain(const ovl_tensor *t)
{
	ovl_tensor *own = (ovl_tensor *)(uintptr_t)t;
	if (own)
		__atomic_fetch_add(&own->refs, 1, __ATOMIC_RELAXED);
	return own;
}

void ovl_tensor_release(ovl_tensor *t)
{
	if (!t || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (owns(t))
		((holder *)t->buffer->user)->owner = NULL;
	ovl_buffer_release(t->buffer);
	ovl_free(t);
}

/* ---- looking ---- */

int64_t ovl_tensor_count(const ovl_tensor *t)
{
	return ovl_shape_elements(&t->shape);
}

size_t ovl_tensor_bytes(const ovl_tensor *t)
{
	size_t bytes;
	return ovl_type_bytes(t->type, ovl_tensor_count(t), &bytes) ? bytes : 0;
}

bool ovl_tensor_dense(const ovl_tensor *t)
{
	int64_t step = 1;
	bool dense = true;
	for (int i = t->shape.rank - 1; i >= 0; i--) {
		if (t->shape.dims[i] == 0)
			return true;
		if (t->shape.dims[i] > 1 && t->strides[i] != step)
			dense = false;
		step *= t->shape.dims[i];
	}
	return dense;
}

/* How many bytes from t->data on belong to this tensor. */
static size_t capacity(const ovl_tensor *t)
{
	if (!t->buffer || (made_here(t->buffer) && !owns(t)))
		return ovl_tensor_bytes(t); /* a view: what lies behind is the base's */
	return t->buffer->size - (size_t)((char *)t->data - (char *)t->buffer->data);
}

ovl_status ovl_tensor_set_shape(ovl_tensor *t, const ovl_shape *shape, ovl_error *err)
{
	char text[256];
	size_t bytes, old = ovl_tensor_bytes(t);
	ovl_buffer *grown;
	OVL_TRY(size_of(t->type, shape, &bytes, err));
	if (!ovl_tensor_dense(t))
		return ovl_fail(err, OVL_E_SHAPE, "the shape of a region of another tensor cannot be changed to %s", ovl_shape_text(shape, text, sizeof text));
	if (bytes > capacity(t)) {
		if (!owns(t))
			return ovl_fail(err, OVL_E_SHAPE, "shape %s needs %zu bytes, but the tensor lies on memory of others with %zu bytes",
					ovl_shape_text(shape, text, sizeof text), bytes, capacity(t));
		grown = own_buffer(t->type, bytes, true);
		if (!grown)
			return no_memory(bytes, err);
		if (ovl_type_owns(t->type)) { /* the strings move; views on the old memory then see empty ones */
			memcpy(grown->data, t->data, t->buffer->size);
			memset(t->data, 0, t->buffer->size);
		} else
			memcpy(grown->data, t->data, old);
		((holder *)t->buffer->user)->owner = NULL;
		((holder *)grown->user)->owner = t;
		ovl_buffer_release(t->buffer);
		t->buffer = grown;
		t->data = grown->data;
	}
	t->shape = *shape;
	ovl_dense_strides(shape, t->strides);
	return OVL_OK;
}

/* ---- copying ---- */

typedef struct walk { /* two tensors of one shape, with as few dimensions as their strides allow */
	int rank;
	int64_t n[OVL_MAX_RANK], from[OVL_MAX_RANK], to[OVL_MAX_RANK];
} walk;

static walk collapse(const ovl_shape *shape, const int64_t *from, const int64_t *to)
{
	walk w = {0};
	for (int i = 0; i < shape->rank; i++) {
		int k = w.rank - 1;
		if (shape->dims[i] == 1)
			continue;
		if (k >= 0 && w.from[k] == from[i] * shape->dims[i] && w.to[k] == to[i] * shape->dims[i])
			w.n[k] *= shape->dims[i];
		else {
			k = w.rank++;
			w.n[k] = shape->dims[i];
		}
		w.from[k] = from[i];
		w.to[k] = to[i];
	}
	if (!w.rank) {
		w.rank = 1;
		w.n[0] = w.from[0] = w.to[0] = 1;
	}
	return w;
}

#define STRIDED(T)                                                                \
	do {                                                                      \
		const T *a = from;                                                \
		T *b = to;                                                        \
		for (int64_t i = 0; i < n; i++)                                   \
			b[i * to_step] = a[i * from_step];                        \
	} while (0)

/* Elements may lie at any address. */
typedef uint16_t two __attribute__((aligned(1), may_alias));
typedef uint32_t four __attribute__((aligned(1), may_alias));
typedef uint64_t eight __attribute__((aligned(1), may_alias));

static void copy_strided(size_t size, const void *from, int64_t from_step, void *to, int64_t to_step, int64_t n)
{
	if (size == 1)
		STRIDED(uint8_t);
	else if (size == 2)
		STRIDED(two);
	else if (size == 4)
		STRIDED(four);
	else
		STRIDED(eight);
}

/* One row: offsets and steps in elements. */
static void copy_row(const ovl_tensor *from, int64_t from_at, int64_t from_step, ovl_tensor *to, int64_t to_at, int64_t to_step, int64_t n)
{
	enum { BLOCK = 256 };
	uint64_t gathered[BLOCK], ready[BLOCK];
	size_t from_size = ovl_type_size(from->type), to_size = ovl_type_size(to->type);
	if (from_step == 1 && to_step == 1) {
		if (from->type == to->type && from_size)
			memmove((char *)to->data + (size_t)to_at * to_size, (char *)from->data + (size_t)from_at * from_size, (size_t)n * to_size);
		else
			ovl_convert(from->type, from->data, from_at, to->type, to->data, to_at, n, false);
		return;
	}
	if (from->type == to->type) {
		copy_strided(to_size, (char *)from->data + (size_t)from_at * from_size, from_step, (char *)to->data + (size_t)to_at * to_size, to_step, n);
		return;
	}
	for (int64_t done = 0; done < n; done += BLOCK) {
		int64_t m = n - done < BLOCK ? n - done : BLOCK, a = from_at + done * from_step, b = to_at + done * to_step;
		const void *source = from->data;
		if (from_step != 1) {
			copy_strided(from_size, (char *)from->data + (size_t)a * from_size, from_step, gathered, 1, m);
			source = gathered;
			a = 0;
		}
		if (to_step == 1)
			ovl_convert(from->type, source, a, to->type, to->data, b, m, false);
		else {
			ovl_convert(from->type, source, a, to->type, ready, 0, m, false);
			copy_strided(to_size, ready, 1, (char *)to->data + (size_t)b * to_size, to_step, m);
		}
	}
}

#define TILED(T)                                                                                  \
	for (int64_t j = 0; j < m; j += LONG)                                                     \
		for (int64_t i = 0; i < n; i += SHORT)                                            \
			for (int64_t y = i; y < n && y < i + SHORT; y++) {                        \
				const T *a = (const T *)from + y;                                 \
				T *b = (T *)to + y * to_step;                                     \
				for (int64_t x = j, end = m < j + LONG ? m : j + LONG; x < end; x++) \
					b[x] = a[x * from_step];                                  \
			}

/* A transposition of n rows of m elements: from is contiguous along the rows' index, to along the elements'. A block of the source (LONG cache lines)
 * stays in the first cache, and what is written goes in long runs. */
static void copy_transposed(size_t size, const void *from, int64_t from_step, void *to, int64_t to_step, int64_t n, int64_t m)
{
	enum { LONG = 256, SHORT = 16 };
	if (size == 1)
		TILED(uint8_t)
	else if (size == 2)
		TILED(two)
	else if (size == 4)
		TILED(four)
	else
		TILED(eight)
}

/* Brings the dimension along which `from` is contiguous next to the last, along which `to` is; false when this is no transposition. */
static bool transposes(walk *w)
{
	int last = w->rank - 1;
	if (last < 1 || w->to[last] != 1 || w->from[last] == 1)
		return false;
	for (int i = 0; i < last; i++) {
		int64_t n = w->n[i], to = w->to[i];
		if (w->from[i] != 1 || n < 4)
			continue;
		for (; i < last - 1; i++) {
			w->n[i] = w->n[i + 1];
			w->from[i] = w->from[i + 1];
			w->to[i] = w->to[i + 1];
		}
		w->n[i] = n;
		w->from[i] = 1;
		w->to[i] = to;
		return true;
	}
	return false;
}

static void copy_numbers(const ovl_tensor *from, ovl_tensor *to)
{
	walk w = collapse(&to->shape, from->strides, to->strides);
	int64_t at[OVL_MAX_RANK] = {0}, a = 0, b = 0;
	size_t size = ovl_type_size(to->type);
	bool tiles = from->type == to->type && transposes(&w);
	int last = w.rank - 1, outer = tiles ? last - 1 : last, i; /* what one step of the loop does lies from outer on */
	do {
		if (tiles)
			copy_transposed(size, (char *)from->data + (size_t)a * size, w.from[last], (char *)to->data + (size_t)b * size, w.to[outer],
					w.n[outer], w.n[last]);
		else
			copy_row(from, a, w.from[last], to, b, w.to[last], w.n[last]);
		for (i = outer - 1; i >= 0; i--) {
			a += w.from[i];
			b += w.to[i];
			if (++at[i] < w.n[i])
				break;
			a -= w.from[i] * w.n[i];
			b -= w.to[i] * w.n[i];
			at[i] = 0;
		}
	} while (i >= 0);
}

static ovl_status copy_strings(const ovl_tensor *from, ovl_tensor *to, ovl_error *err)
{
	const ovl_string *a = from->data;
	int64_t n = ovl_tensor_count(from);
	for (int64_t i = 0; i < n; i++)
		OVL_TRY(ovl_tensor_set_string(to, i, a[i].data, a[i].size, err));
	return OVL_OK;
}

static ovl_status copy_items(const ovl_tensor *from, ovl_tensor *to, ovl_error *err)
{
	for (int64_t i = 0, n = ovl_tensor_count(from); i < n; i++)
		OVL_TRY(ovl_tensor_set_item(to, i, ((ovl_tensor **)from->data)[i], err));
	return OVL_OK;
}

ovl_status ovl_tensor_copy(const ovl_tensor *from, ovl_tensor *to, ovl_error *err)
{
	char a[256], b[256];
	if (!ovl_shape_equal(&from->shape, &to->shape))
		return ovl_fail(err, OVL_E_SHAPE, "cannot copy a tensor of shape %s to one of shape %s", ovl_shape_text(&from->shape, a, sizeof a),
				ovl_shape_text(&to->shape, b, sizeof b));
	if (from->type != to->type && (ovl_type_owns(from->type) || ovl_type_owns(to->type)))
		return ovl_fail(err, OVL_E_TYPE, "cannot convert a tensor of type %s to type %s", ovl_type_name(from->type), ovl_type_name(to->type));
	if (ovl_tensor_count(from) == 0 || from == to)
		return OVL_OK;
	if (from->type == OVL_STRING)
		return copy_strings(from, to, err);
	if (from->type == OVL_SEQUENCE)
		return copy_items(from, to, err);
	copy_numbers(from, to);
	return OVL_OK;
}

ovl_status ovl_tensor_astype(const ovl_tensor *t, ovl_type type, ovl_tensor **out, ovl_error *err)
{
	ovl_tensor *made;
	ovl_status s;
	*out = NULL;
	OVL_TRY(ovl_tensor_new_raw(type, &t->shape, &made, err));
	if (ovl_type_packed(type)) /* the last byte may have bits that no element covers */
		memset(made->data, 0, made->buffer->size);
	s = ovl_tensor_copy(t, made, err);
	if (s) {
		ovl_tensor_release(made);
		return s;
	}
	*out = made;
	return OVL_OK;
}

ovl_status ovl_tensor_clone(const ovl_tensor *t, ovl_tensor **out, ovl_error *err)
{
	return ovl_tensor_astype(t, t->type, out, err);
}

ovl_status ovl_tensor_densify(const ovl_tensor *t, ovl_tensor **out, ovl_error *err)
{
	if (!ovl_tensor_dense(t))
		return ovl_tensor_clone(t, out, err);
	*out = ovl_tensor_retain(t);
	return OVL_OK;
}

/* ---- single values ---- */

ovl_status ovl_tensor_from_i64(int rank, const int64_t *values, int64_t n, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = {.rank = rank, .dims = {n}};
	*out = NULL;
	if (rank < 0 || rank > 1 || (rank == 0 && n != 1))
		return ovl_fail(err, OVL_E_INTERNAL, "%" PRId64 " values do not make a tensor of rank %d", n, rank);
	OVL_TRY(ovl_tensor_new_raw(OVL_I64, &shape, out, err));
	if (n)
		memcpy((*out)->data, values, (size_t)n * sizeof *values);
	return OVL_OK;
}

ovl_status ovl_tensor_to_i64(const ovl_tensor *t, int64_t *values, int64_t max, int64_t *count, ovl_error *err)
{
	int64_t n = ovl_tensor_count(t);
	if (ovl_type_owns(t->type) || t->type == OVL_DYNAMIC)
		return ovl_fail(err, OVL_E_TYPE, "integers are wanted, got a tensor of type %s", ovl_type_name(t->type));
	if (n > max)
		return ovl_fail(err, OVL_E_ARGUMENT, "at most %" PRId64 " values are wanted, got %" PRId64, max, n);
	if (ovl_tensor_dense(t))
		ovl_convert(t->type, t->data, 0, OVL_I64, values, 0, n, false);
	else
		for (int64_t i = 0; i < n; i++)
			values[i] = ovl_tensor_i64_at(t, i);
	*count = n;
	return OVL_OK;
}

/* Where element i of the dense order lies, in elements from data; -1 when there is none. */
static int64_t offset_of(const ovl_tensor *t, int64_t i)
{
	int64_t at = 0;
	if (i < 0 || i >= ovl_tensor_count(t))
		return -1;
	if (ovl_tensor_dense(t))
		return i;
	for (int k = t->shape.rank - 1; k >= 0; k--) {
		at += i % t->shape.dims[k] * t->strides[k];
		i /= t->shape.dims[k];
	}
	return at;
}

double ovl_tensor_f64_at(const ovl_tensor *t, int64_t i)
{
	double v = 0;
	int64_t at = offset_of(t, i);
	if (at >= 0)
		ovl_convert(t->type, t->data, at, OVL_F64, &v, 0, 1, false);
	return v;
}

int64_t ovl_tensor_i64_at(const ovl_tensor *t, int64_t i)
{
	int64_t v = 0, at = offset_of(t, i);
	if (at >= 0)
		ovl_convert(t->type, t->data, at, OVL_I64, &v, 0, 1, false);
	return v;
}

ovl_status ovl_tensor_set_string(ovl_tensor *t, int64_t i, const char *bytes, size_t n, ovl_error *err)
{
	ovl_string *s = t->data;
	char *copy = NULL;
	if (t->type != OVL_STRING)
		return ovl_fail(err, OVL_E_TYPE, "a string cannot be stored in a tensor of type %s", ovl_type_name(t->type));
	if (i < 0 || i >= ovl_tensor_count(t))
		return ovl_fail(err, OVL_E_ARGUMENT, "element %" PRId64 " is outside of the tensor's %" PRId64 " elements", i, ovl_tensor_count(t));
	if (n && !(copy = ovl_memdup(bytes, n)))
		return no_memory(n, err);
	ovl_free(s[i].data);
	s[i] = (ovl_string){copy, n};
	return OVL_OK;
}

/* Sequences of sequences are released by recursion. */
static bool shallow(const ovl_tensor *t, int left)
{
	if (!t || t->type != OVL_SEQUENCE)
		return true;
	for (int64_t i = 0, n = left ? ovl_tensor_count(t) : 0; i < n; i++)
		if (!shallow(((ovl_tensor **)t->data)[i], left - 1))
			return false;
	return left > 0;
}

enum { MAX_NESTING = 16 };

ovl_status ovl_tensor_set_item(ovl_tensor *t, int64_t i, ovl_tensor *item, ovl_error *err)
{
	ovl_tensor **at = (ovl_tensor **)t->data + i, *kept;
	if (t->type != OVL_SEQUENCE || i < 0 || i >= ovl_tensor_count(t))
		return ovl_fail(err, OVL_E_ARGUMENT, "element %" PRId64 " is not in a sequence of %" PRId64, i, ovl_tensor_count(t));
	if (!item || item->type == OVL_DYNAMIC || !shallow(item, MAX_NESTING))
		return ovl_fail(err, OVL_E_ARGUMENT, "element %" PRId64 " of a sequence is missing, or nested more than %d deep", i, MAX_NESTING);
	if (made_here(item->buffer))
		kept = ovl_tensor_retain(item);
	else
		OVL_TRY(ovl_tensor_clone(item, &kept, err));
	ovl_tensor_release(*at);
	*at = kept;
	return OVL_OK;
}
