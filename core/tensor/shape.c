/* shape.c - shapes and partial shapes. */
#include "tensor/shape.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool ovl_dim_merge(ovl_dim a, ovl_dim b, ovl_dim *out)
{
	ovl_dim d = {max64(a.min, b.min), min64(a.max, b.max)};
	if (d.min > d.max)
		return false;
	*out = d;
	return true;
}

static bool may_be_one(ovl_dim d)
{
	return d.min <= 1 && d.max >= 1;
}

/* The least interval around: both the same, or one of them 1. */
bool ovl_dim_broadcast(ovl_dim a, ovl_dim b, ovl_dim *out)
{
	ovl_dim d = {0, 0};
	bool any = ovl_dim_merge(a, b, &d);
	if (may_be_one(b)) {
		d = any ? (ovl_dim){min64(d.min, a.min), max64(d.max, a.max)} : a;
		any = true;
	}
	if (may_be_one(a)) {
		d = any ? (ovl_dim){min64(d.min, b.min), max64(d.max, b.max)} : b;
		any = true;
	}
	if (any)
		*out = d;
	return any;
}

static int64_t add_up(int64_t a, int64_t b)
{
	int64_t r;
	return a == OVL_DIM_MAX || b == OVL_DIM_MAX || __builtin_add_overflow(a, b, &r) ? OVL_DIM_MAX : r;
}

static int64_t mul_up(int64_t a, int64_t b)
{
	int64_t r;
	if (a == 0 || b == 0)
		return 0;
	return a == OVL_DIM_MAX || b == OVL_DIM_MAX || __builtin_mul_overflow(a, b, &r) ? OVL_DIM_MAX : r;
}

ovl_dim ovl_dim_add(ovl_dim a, ovl_dim b)
{
	return (ovl_dim){add_up(a.min, b.min), add_up(a.max, b.max)};
}

ovl_dim ovl_dim_mul(ovl_dim a, ovl_dim b)
{
	return (ovl_dim){mul_up(a.min, b.min), mul_up(a.max, b.max)};
}

ovl_shape ovl_shape_of(int rank, const int64_t *dims)
{
	ovl_shape s = {0};
	s.rank = rank < 0 ? 0 : rank > OVL_MAX_RANK ? OVL_MAX_RANK : rank;
	for (int i = 0; i < s.rank; i++)
		s.dims[i] = dims[i];
	return s;
}

bool ovl_shape_equal(const ovl_shape *a, const ovl_shape *b)
{
	return a->rank == b->rank && (a->rank == 0 || !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims));
}

bool ovl_shape_count(const ovl_shape *s, int64_t *count)
{
	int64_t n = 1;
	bool zero = false;
	if (s->rank < 0 || s->rank > OVL_MAX_RANK)
		return false;
	for (int i = 0; i < s->rank; i++) {
		if (s->dims[i] < 0)
			return false;
		if (s->dims[i] == 0)
			zero = true;
		else if (__builtin_mul_overflow(n, s->dims[i], &n)) /* also where a later 0 would hide it: strides must fit as well */
			return false;
	}
	*count = zero ? 0 : n;
	return true;
}

int64_t ovl_shape_elements(const ovl_shape *s)
{
	int64_t n;
	return ovl_shape_count(s, &n) ? n : -1;
}

bool ovl_shape_broadcast(const ovl_shape *a, const ovl_shape *b, ovl_shape *out)
{
	ovl_shape r = {.rank = a->rank > b->rank ? a->rank : b->rank};
	for (int i = 1; i <= r.rank; i++) {
		int64_t x = i <= a->rank ? a->dims[a->rank - i] : 1, y = i <= b->rank ? b->dims[b->rank - i] : 1;
		if (x != y && x != 1 && y != 1)
			return false;
		r.dims[r.rank - i] = x == 1 ? y : x;
	}
	*out = r;
	return true;
}

/* Appends to a text of fixed size; what does not fit is cut. */
static void append(char *buf, size_t size, size_t *n, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void append(char *buf, size_t size, size_t *n, const char *fmt, ...)
{
	va_list args;
	int made;
	if (*n >= size)
		return;
	va_start(args, fmt);
	made = vsnprintf(buf + *n, size - *n, fmt, args);
	va_end(args);
	if (made > 0)
		*n += (size_t)made;
}

const char *ovl_shape_text(const ovl_shape *s, char *buf, size_t size)
{
	size_t n = 0;
	append(buf, size, &n, "[");
	for (int i = 0; i < s->rank; i++)
		append(buf, size, &n, i ? ",%" PRId64 : "%" PRId64, s->dims[i]);
	append(buf, size, &n, "]");
	return buf;
}

ovl_pshape ovl_pshape_any(void)
{
	return (ovl_pshape){0};
}

ovl_pshape ovl_pshape_rank(int rank)
{
	ovl_pshape p = {.ranked = true, .rank = rank < 0 ? 0 : rank > OVL_MAX_RANK ? OVL_MAX_RANK : rank};
	for (int i = 0; i < p.rank; i++)
		p.dims[i] = OVL_DIM_ANY;
	return p;
}

ovl_pshape ovl_pshape_static(const ovl_shape *s)
{
	ovl_pshape p = {.ranked = true, .rank = s->rank};
	for (int i = 0; i < p.rank; i++)
		p.dims[i] = ovl_dim_of(s->dims[i]);
	return p;
}

bool ovl_pshape_is_static(const ovl_pshape *p)
{
	if (!p->ranked)
		return false;
	for (int i = 0; i < p->rank; i++)
		if (!ovl_dim_static(p->dims[i]))
			return false;
	return true;
}

bool ovl_pshape_to_shape(const ovl_pshape *p, ovl_shape *out)
{
	ovl_shape s = {.rank = p->rank};
	if (!ovl_pshape_is_static(p))
		return false;
	for (int i = 0; i < p->rank; i++)
		s.dims[i] = p->dims[i].min;
	*out = s;
	return true;
}

bool ovl_pshape_fits(const ovl_pshape *p, const ovl_shape *s)
{
	if (!p->ranked)
		return true;
	if (p->rank != s->rank)
		return false;
	for (int i = 0; i < p->rank; i++)
		if (s->dims[i] < p->dims[i].min || s->dims[i] > p->dims[i].max)
			return false;
	return true;
}

bool ovl_pshape_merge(const ovl_pshape *a, const ovl_pshape *b, ovl_pshape *out)
{
	ovl_pshape r = a->ranked ? *a : *b;
	if (a->ranked && b->ranked) {
		if (a->rank != b->rank)
			return false;
		for (int i = 0; i < a->rank; i++)
			if (!ovl_dim_merge(a->dims[i], b->dims[i], &r.dims[i]))
				return false;
	}
	*out = r;
	return true;
}

bool ovl_pshape_broadcast(const ovl_pshape *a, const ovl_pshape *b, ovl_pshape *out)
{
	ovl_pshape r = {.ranked = a->ranked && b->ranked};
	if (r.ranked) {
		r.rank = a->rank > b->rank ? a->rank : b->rank;
		for (int i = 1; i <= r.rank; i++) {
			ovl_dim x = i <= a->rank ? a->dims[a->rank - i] : ovl_dim_of(1);
			ovl_dim y = i <= b->rank ? b->dims[b->rank - i] : ovl_dim_of(1);
			if (!ovl_dim_broadcast(x, y, &r.dims[r.rank - i]))
				return false;
		}
	}
	*out = r;
	return true;
}

bool ovl_pshape_equal(const ovl_pshape *a, const ovl_pshape *b)
{
	if (!a->ranked || !b->ranked)
		return a->ranked == b->ranked;
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dims[i].min != b->dims[i].min || a->dims[i].max != b->dims[i].max)
			return false;
	return true;
}

const char *ovl_pshape_text(const ovl_pshape *p, char *buf, size_t size)
{
	size_t n = 0;
	append(buf, size, &n, p->ranked ? "[" : "[...");
	for (int i = 0; p->ranked && i < p->rank; i++) {
		ovl_dim d = p->dims[i];
		if (i)
			append(buf, size, &n, ",");
		if (d.min <= 0 && d.max == OVL_DIM_MAX)
			append(buf, size, &n, "?");
		else if (ovl_dim_static(d))
			append(buf, size, &n, "%" PRId64, d.min);
		else {
			if (d.min > 0)
				append(buf, size, &n, "%" PRId64, d.min);
			append(buf, size, &n, "..");
			if (d.max != OVL_DIM_MAX)
				append(buf, size, &n, "%" PRId64, d.max);
		}
	}
	append(buf, size, &n, "]");
	return buf;
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* Digits into *v; NULL when there are none or too many. */
static const char *parse_size(const char *p, int64_t *v)
{
	if (*p < '0' || *p > '9')
		return NULL;
	for (*v = 0; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(*v, (int64_t)10, v) || __builtin_add_overflow(*v, (int64_t)(*p - '0'), v))
			return NULL;
	return p;
}

/* One of: ? -1 5 2.. ..7 2..7 */
static const char *parse_dim(const char *p, ovl_dim *d)
{
	*d = OVL_DIM_ANY;
	p = skip_blanks(p);
	if (*p == '?')
		return skip_blanks(p + 1);
	if (p[0] == '-' && p[1] == '1' && !(p[2] >= '0' && p[2] <= '9'))
		return skip_blanks(p + 2);
	if (*p >= '0' && *p <= '9') {
		if (!(p = parse_size(p, &d->min)))
			return NULL;
		p = skip_blanks(p);
		if (p[0] != '.') {
			d->max = d->min;
			return p;
		}
	}
	if (p[0] != '.' || p[1] != '.')
		return NULL;
	p = skip_blanks(p + 2);
	if (*p >= '0' && *p <= '9' && !(p = parse_size(p, &d->max)))
		return NULL;
	return d->min <= d->max ? skip_blanks(p) : NULL;
}

bool ovl_pshape_parse(const char *text, ovl_pshape *out)
{
	ovl_pshape r = {.ranked = true};
	const char *p = skip_blanks(text);
	char close = *p == '[' ? ']' : *p == '{' ? '}' : 0;
	if (close)
		p = skip_blanks(p + 1);
	if (!strncmp(p, "...", 3)) {
		r.ranked = false;
		p = skip_blanks(p + 3);
	} else if (*p != close) {
		for (;;) {
			if (r.rank == OVL_MAX_RANK || !(p = parse_dim(p, &r.dims[r.rank])))
				return false;
			r.rank++;
			if (*p != ',')
				break;
			p++;
		}
	}
	if (close && *p++ != close)
		return false;
	if (*skip_blanks(p))
		return false;
	*out = r;
	return true;
}

ovl_status ovl_axis(int64_t axis, int rank, const char *what, int *out, ovl_error *err)
{
	if (rank <= 0)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: axis %" PRId64 " of a scalar, which has no axes", what, axis);
	if (axis < -(int64_t)rank || axis >= rank)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: axis %" PRId64 " is outside of rank %d, expected %d to %d", what, axis, rank, -rank, rank - 1);
	*out = (int)(axis < 0 ? axis + rank : axis);
	return OVL_OK;
}
