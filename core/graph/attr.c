#include "graph/attr.h"
#include "base/memory.h"
#include "base/str.h"

#include <ctype.h>
#include <string.h>

#define FIELD(T, a, params) ((T *)(void *)((char *)(params) + (a)->offset))
#define CFIELD(T, a, params) ((const T *)(const void *)((const char *)(params) + (a)->offset))

static bool is_optional(const ovl_attr *a) { return a->initial && a->initial[0] == OVL_OPTIONAL[0]; }

bool ovl_ints_assign(ovl_ints *v, const int64_t *at, size_t n)
{
	int64_t *copy = n ? ovl_memdup(at, n * sizeof *at) : NULL;
	if (n && !copy)
		return false;
	ovl_free(v->at);
	v->at = copy;
	v->n = n;
	return true;
}

static bool floats_assign(ovl_floats *v, const float *at, size_t n)
{
	float *copy = n ? ovl_memdup(at, n * sizeof *at) : NULL;
	if (n && !copy)
		return false;
	ovl_free(v->at);
	v->at = copy;
	v->n = n;
	return true;
}

static void strings_free(ovl_strings *v)
{
	for (size_t i = 0; i < v->n; i++)
		ovl_free(v->at[i]);
	ovl_free(v->at);
	v->at = NULL;
	v->n = 0;
}

static bool strings_assign(ovl_strings *v, const char *const *at, size_t n)
{
	ovl_strings copy = {n ? ovl_calloc(n, sizeof(char *)) : NULL, 0};
	if (n && !copy.at)
		return false;
	for (; copy.n < n; copy.n++)
		if (!(copy.at[copy.n] = ovl_strdup(at[copy.n]))) {
			strings_free(&copy);
			return false;
		}
	strings_free(v);
	*v = copy;
	return true;
}

static bool text_assign(char **field, const char *text)
{
	char *copy = text ? ovl_strdup(text) : NULL;
	if (text && !copy)
		return false;
	ovl_free(*field);
	*field = copy;
	return true;
}

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "not enough memory for an attribute"); }

/* Position of a blank-separated word in choices; letters' case does not matter (IR files of old writers vary). -1: none. */
static int choice_index(const char *choices, const char *text)
{
	size_t len = strlen(text);
	int i = 0;
	for (const char *p = choices; *p; i++) {
		size_t n = strcspn(p, " ");
		if (n == len && strncasecmp(p, text, n) == 0)
			return i;
		p += n;
		p += strspn(p, " ");
	}
	return -1;
}

static const char *choice_at(const char *choices, int index, size_t *len)
{
	const char *p = choices;
	for (int i = 0; *p; i++) {
		*len = strcspn(p, " ");
		if (i == index)
			return p;
		p += *len;
		p += strspn(p, " ");
	}
	*len = 0;
	return "";
}

static ovl_status parse_fail(const ovl_attr *a, const char *text, const char *wanted, ovl_error *err)
{
	return ovl_fail(err, OVL_E_PARSE, "attribute '%s': '%.80s' is not %s", a->name, text, wanted);
}

/* Walks comma- or blank-separated items; gives each trimmed item in buf. */
static bool next_item(const char **p, char *buf, size_t size)
{
	size_t n;
	while (**p == ',' || isspace((unsigned char)**p))
		(*p)++;
	if (!**p)
		return false;
	n = strcspn(*p, ", \t\r\n");
	if (n >= size)
		n = size - 1;
	memcpy(buf, *p, n);
	buf[n] = 0;
	*p += strcspn(*p, ", \t\r\n");
	return true;
}

static ovl_status parse_ints(const ovl_attr *a, ovl_ints *out, const char *text, ovl_error *err)
{
	int64_t values[256];
	size_t n = 0;
	char item[64];
	for (const char *p = text; next_item(&p, item, sizeof item); n++) {
		double f;
		if (n == 256)
			return parse_fail(a, text, "a list of at most 256 integers", err);
		if (ovl_parse_i64(item, &values[n]))
			continue;
		if (!ovl_parse_f64(item, &f) || f != (double)(int64_t)f)
			return parse_fail(a, text, "a list of integers", err);
		values[n] = (int64_t)f;
	}
	return ovl_ints_assign(out, values, n) ? OVL_OK : no_memory(err);
}

static ovl_status parse_floats(const ovl_attr *a, ovl_floats *out, const char *text, ovl_error *err)
{
	size_t n = 0, cap = 0;
	float *values = NULL;
	char item[64];
	ovl_status st = OVL_OK;
	for (const char *p = text; next_item(&p, item, sizeof item); n++) {
		double f;
		if (!ovl_parse_f64(item, &f)) {
			st = parse_fail(a, text, "a list of numbers", err);
			break;
		}
		if (!ovl_grow(&values, &cap, n + 1, sizeof *values)) {
			st = no_memory(err);
			break;
		}
		values[n] = (float)f;
	}
	if (st == OVL_OK && !floats_assign(out, values, n))
		st = no_memory(err);
	ovl_free(values);
	return st;
}

static ovl_status parse_strings(ovl_strings *out, const char *text, ovl_error *err)
{
	ovl_strings list = {NULL, 0};
	size_t cap = 0;
	char item[256];
	for (const char *p = text; next_item(&p, item, sizeof item); list.n++)
		if (!ovl_grow(&list.at, &cap, list.n + 1, sizeof *list.at) || !(list.at[list.n] = ovl_strdup(item))) {
			strings_free(&list);
			return no_memory(err);
		}
	strings_free(out);
	*out = list;
	return OVL_OK;
}

static bool parse_bool(const char *text, bool *out)
{
	static const char *const yes[] = {"true", "1", "yes", NULL}, *const no[] = {"false", "0", "no", NULL};
	for (int i = 0; yes[i]; i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return *out = true, true;
		if (strcasecmp(text, no[i]) == 0)
			return *out = false, true;
	}
	return false;
}

ovl_status ovl_attr_parse(const ovl_attr *a, void *params, const char *text, ovl_error *err)
{
	int64_t i;
	double f;
	switch (a->kind) {
	case OVL_KIND_INT:
		if (!ovl_parse_i64(text, &i)) {
			if (!ovl_parse_f64(text, &f) || f != (double)(int64_t)f)
				return parse_fail(a, text, "an integer", err);
			i = (int64_t)f;
		}
		*FIELD(int64_t, a, params) = i;
		return OVL_OK;
	case OVL_KIND_FLOAT:
	case OVL_KIND_DOUBLE:
		if (!ovl_parse_f64(text, &f))
			return parse_fail(a, text, "a number", err);
		if (a->kind == OVL_KIND_FLOAT)
			*FIELD(float, a, params) = (float)f;
		else
			*FIELD(double, a, params) = f;
		return OVL_OK;
	case OVL_KIND_BOOL:
		return parse_bool(text, FIELD(bool, a, params)) ? OVL_OK : parse_fail(a, text, "true or false", err);
	case OVL_KIND_STRING:
		return text_assign(FIELD(char *, a, params), text) ? OVL_OK : no_memory(err);
	case OVL_KIND_ENUM: {
		int at = choice_index(a->choices, text);
		if (at < 0)
			return ovl_fail(err, OVL_E_PARSE, "attribute '%s': '%.80s' is not one of: %s", a->name, text, a->choices);
		*FIELD(int, a, params) = at;
		return OVL_OK;
	}
	case OVL_KIND_TYPE:
		return ovl_type_parse(text, FIELD(ovl_type, a, params)) ? OVL_OK : parse_fail(a, text, "an element type", err);
	case OVL_KIND_SHAPE:
		return ovl_pshape_parse(text, FIELD(ovl_pshape, a, params)) ? OVL_OK : parse_fail(a, text, "a shape", err);
	case OVL_KIND_INTS:
		return parse_ints(a, FIELD(ovl_ints, a, params), text, err);
	case OVL_KIND_FLOATS:
		return parse_floats(a, FIELD(ovl_floats, a, params), text, err);
	case OVL_KIND_STRINGS:
		return parse_strings(FIELD(ovl_strings, a, params), text, err);
	default:
		return ovl_fail(err, OVL_E_PARSE, "attribute '%s' cannot be given as text", a->name);
	}
}

static ovl_status set_number(const ovl_attr *a, void *params, double f, int64_t i, bool whole, ovl_error *err)
{
	ovl_pshape *s;
	switch (a->kind) {
	case OVL_KIND_INT:
		if (!whole)
			return ovl_fail(err, OVL_E_TYPE, "attribute '%s': expected an integer, got %g", a->name, f);
		*FIELD(int64_t, a, params) = i;
		return OVL_OK;
	case OVL_KIND_FLOAT: *FIELD(float, a, params) = (float)f; return OVL_OK;
	case OVL_KIND_DOUBLE: *FIELD(double, a, params) = f; return OVL_OK;
	case OVL_KIND_BOOL: *FIELD(bool, a, params) = f != 0; return OVL_OK;
	case OVL_KIND_INTS:
		if (!whole)
			return ovl_fail(err, OVL_E_TYPE, "attribute '%s': expected integers, got %g", a->name, f);
		return ovl_ints_assign(FIELD(ovl_ints, a, params), &i, 1) ? OVL_OK : no_memory(err);
	case OVL_KIND_FLOATS: {
		float one = (float)f;
		return floats_assign(FIELD(ovl_floats, a, params), &one, 1) ? OVL_OK : no_memory(err);
	}
	case OVL_KIND_SHAPE:
		s = FIELD(ovl_pshape, a, params);
		*s = ovl_pshape_rank(1);
		s->dims[0] = i < 0 ? OVL_DIM_ANY : ovl_dim_of(i);
		return OVL_OK;
	case OVL_KIND_ENUM: /* old IR and some scripts number the choices */
	default:
		return ovl_fail(err, OVL_E_TYPE, "attribute '%s': a number is not what it takes", a->name);
	}
}

static ovl_status set_ints(const ovl_attr *a, void *params, const ovl_attr_value *v, ovl_error *err)
{
	if (a->kind == OVL_KIND_INTS)
		return ovl_ints_assign(FIELD(ovl_ints, a, params), v->ints, v->n) ? OVL_OK : no_memory(err);
	if (a->kind == OVL_KIND_SHAPE && v->n <= OVL_MAX_RANK) {
		ovl_pshape s = ovl_pshape_rank((int)v->n);
		for (size_t i = 0; i < v->n; i++)
			s.dims[i] = v->ints[i] < 0 ? OVL_DIM_ANY : ovl_dim_of(v->ints[i]);
		*FIELD(ovl_pshape, a, params) = s;
		return OVL_OK;
	}
	if (a->kind == OVL_KIND_FLOATS) {
		float *copy = ovl_alloc((v->n + 1) * sizeof *copy);
		bool ok = copy != NULL;
		for (size_t i = 0; ok && i < v->n; i++)
			copy[i] = (float)v->ints[i];
		ok = ok && floats_assign(FIELD(ovl_floats, a, params), copy, v->n);
		ovl_free(copy);
		return ok ? OVL_OK : no_memory(err);
	}
	if (a->kind == OVL_KIND_STRINGS && v->n == 0)
		return strings_free(FIELD(ovl_strings, a, params)), OVL_OK;
	if (v->n == 1)
		return set_number(a, params, (double)v->ints[0], v->ints[0], true, err);
	return ovl_fail(err, OVL_E_TYPE, "attribute '%s': a list of %zu integers is not what it takes", a->name, v->n);
}

static ovl_status set_floats(const ovl_attr *a, void *params, const ovl_attr_value *v, ovl_error *err)
{
	if (a->kind == OVL_KIND_FLOATS)
		return floats_assign(FIELD(ovl_floats, a, params), v->floats, v->n) ? OVL_OK : no_memory(err);
	if (a->kind == OVL_KIND_INTS) {
		int64_t ints[256];
		for (size_t i = 0; i < v->n; i++) {
			if (v->n > 256 || v->floats[i] != (float)(int64_t)v->floats[i])
				return ovl_fail(err, OVL_E_TYPE, "attribute '%s': expected integers", a->name);
			ints[i] = (int64_t)v->floats[i];
		}
		return ovl_ints_assign(FIELD(ovl_ints, a, params), ints, v->n) ? OVL_OK : no_memory(err);
	}
	return ovl_fail(err, OVL_E_TYPE, "attribute '%s': a list of numbers is not what it takes", a->name);
}

ovl_status ovl_attr_set(const ovl_attr *a, void *params, const ovl_attr_value *v, ovl_error *err)
{
	switch (v->kind) {
	case OVL_KIND_INT: return set_number(a, params, (double)v->i, v->i, true, err);
	case OVL_KIND_BOOL: return set_number(a, params, v->i != 0, v->i != 0, true, err);
	case OVL_KIND_FLOAT:
	case OVL_KIND_DOUBLE: {
		bool whole = v->f >= -0x1p62 && v->f <= 0x1p62 && v->f == (double)(int64_t)v->f;
		return set_number(a, params, v->f, whole ? (int64_t)v->f : 0, whole, err);
	}
	case OVL_KIND_STRING:
	case OVL_KIND_ENUM:
		if (a->kind != OVL_KIND_STRINGS && a->kind != OVL_KIND_STRING && a->kind != OVL_KIND_ENUM && a->kind != OVL_KIND_TYPE && a->kind != OVL_KIND_SHAPE)
			return ovl_fail(err, OVL_E_TYPE, "attribute '%s': a string ('%.60s') is not what it takes", a->name, v->s);
		if (ovl_attr_parse(a, params, v->s, err) == OVL_OK)
			return OVL_OK;
		return err->code = OVL_E_ARGUMENT; /* a script's mistake, not a file's */
	case OVL_KIND_TYPE:
		if (a->kind != OVL_KIND_TYPE)
			break;
		*FIELD(ovl_type, a, params) = v->type;
		return OVL_OK;
	case OVL_KIND_SHAPE:
		if (a->kind != OVL_KIND_SHAPE)
			break;
		*FIELD(ovl_pshape, a, params) = *v->shape;
		return OVL_OK;
	case OVL_KIND_INTS: return set_ints(a, params, v, err);
	case OVL_KIND_FLOATS: return set_floats(a, params, v, err);
	case OVL_KIND_STRINGS:
		if (a->kind != OVL_KIND_STRINGS)
			break;
		return strings_assign(FIELD(ovl_strings, a, params), v->strings, v->n) ? OVL_OK : no_memory(err);
	case OVL_KIND_TENSOR:
		if (a->kind != OVL_KIND_TENSOR)
			break;
		ovl_tensor_retain(v->tensor);
		ovl_tensor_release(*FIELD(ovl_tensor *, a, params));
		*FIELD(ovl_tensor *, a, params) = v->tensor;
		return OVL_OK;
	default: break;
	}
	return ovl_fail(err, OVL_E_TYPE, "attribute '%s': a value of this kind is not what it takes", a->name);
}

ovl_status ovl_attr_get(const ovl_attr *a, const void *params, ovl_attr_value *out, ovl_error *err)
{
	(void)err;
	memset(out, 0, sizeof *out);
	out->kind = a->kind;
	switch (a->kind) {
	case OVL_KIND_INT: out->i = *CFIELD(int64_t, a, params); break;
	case OVL_KIND_BOOL: out->i = *CFIELD(bool, a, params); break;
	case OVL_KIND_FLOAT:
		out->kind = OVL_KIND_DOUBLE;
		out->f = *CFIELD(float, a, params);
		break;
	case OVL_KIND_DOUBLE: out->f = *CFIELD(double, a, params); break;
	case OVL_KIND_STRING: out->s = *CFIELD(char *, a, params); break;
	case OVL_KIND_ENUM: { /* the word inside `choices`: n tells its length, since it does not end there */
		size_t len;
		out->kind = OVL_KIND_STRING;
		out->s = choice_at(a->choices, *CFIELD(int, a, params), &len);
		out->n = len;
		break;
	}
	case OVL_KIND_TYPE:
		out->type = *CFIELD(ovl_type, a, params);
		out->s = ovl_type_name(out->type);
		break;
	case OVL_KIND_SHAPE: out->shape = CFIELD(ovl_pshape, a, params); break;
	case OVL_KIND_INTS: out->ints = CFIELD(ovl_ints, a, params)->at, out->n = CFIELD(ovl_ints, a, params)->n; break;
	case OVL_KIND_FLOATS: out->floats = CFIELD(ovl_floats, a, params)->at, out->n = CFIELD(ovl_floats, a, params)->n; break;
	case OVL_KIND_STRINGS: out->strings = (const char *const *)CFIELD(ovl_strings, a, params)->at, out->n = CFIELD(ovl_strings, a, params)->n; break;
	case OVL_KIND_TENSOR: out->tensor = *(ovl_tensor *const *)(const void *)((const char *)params + a->offset); break;
	default: break;
	}
	return OVL_OK;
}

static void format_shape(const ovl_pshape *s, ovl_str *out)
{
	char buf[512];
	size_t n;
	ovl_pshape_text(s, buf, sizeof buf);
	n = strlen(buf);
	if (n >= 2) /* IR writes shapes without the brackets */
		ovl_str_addn(out, buf + 1, n - 2);
}

void ovl_attr_format(const ovl_attr *a, const void *params, struct ovl_str *out)
{
	char buf[40];
	size_t len;
	const char *word;
	switch (a->kind) {
	case OVL_KIND_INT: ovl_str_addf(out, "%lld", (long long)*CFIELD(int64_t, a, params)); break;
	case OVL_KIND_BOOL: ovl_str_add(out, *CFIELD(bool, a, params) ? "true" : "false"); break;
	case OVL_KIND_FLOAT: ovl_str_add(out, ovl_format_f32(*CFIELD(float, a, params), buf)); break;
	case OVL_KIND_DOUBLE: ovl_str_add(out, ovl_format_f64(*CFIELD(double, a, params), buf)); break;
	case OVL_KIND_STRING: ovl_str_add(out, *CFIELD(char *, a, params) ? *CFIELD(char *, a, params) : ""); break;
	case OVL_KIND_ENUM:
		word = choice_at(a->choices, *CFIELD(int, a, params), &len);
		ovl_str_addn(out, word, len);
		break;
	case OVL_KIND_TYPE: ovl_str_add(out, ovl_type_name(*CFIELD(ovl_type, a, params))); break;
	case OVL_KIND_SHAPE: format_shape(CFIELD(ovl_pshape, a, params), out); break;
	case OVL_KIND_INTS:
		for (size_t i = 0; i < CFIELD(ovl_ints, a, params)->n; i++)
			ovl_str_addf(out, "%s%lld", i ? ", " : "", (long long)CFIELD(ovl_ints, a, params)->at[i]);
		break;
	case OVL_KIND_FLOATS:
		for (size_t i = 0; i < CFIELD(ovl_floats, a, params)->n; i++)
			ovl_str_addf(out, "%s%s", i ? ", " : "", ovl_format_f32(CFIELD(ovl_floats, a, params)->at[i], buf));
		break;
	case OVL_KIND_STRINGS:
		for (size_t i = 0; i < CFIELD(ovl_strings, a, params)->n; i++)
			ovl_str_addf(out, "%s%s", i ? ", " : "", CFIELD(ovl_strings, a, params)->at[i]);
		break;
	default: break;
	}
}

ovl_status ovl_attrs_init(const ovl_attr *table, void *params, ovl_error *err)
{
	for (const ovl_attr *a = table; a && a->kind != OVL_KIND_END; a++)
		if (a->initial && !is_optional(a))
			OVL_TRY(ovl_attr_parse(a, params, a->initial, err));
	return OVL_OK;
}

const ovl_attr *ovl_attrs_find(const ovl_attr *table, const char *name)
{
	for (const ovl_attr *a = table; a && a->kind != OVL_KIND_END; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

ovl_status ovl_attrs_copy(const ovl_attr *table, size_t size, const void *from, void *to, ovl_error *err)
{
	memcpy(to, from, size);
	for (const ovl_attr *a = table; a && a->kind != OVL_KIND_END; a++) /* forget shared pointers first, so that a failure can free `to` */
		switch (a->kind) {
		case OVL_KIND_STRING: *FIELD(char *, a, to) = NULL; break;
		case OVL_KIND_INTS: *FIELD(ovl_ints, a, to) = (ovl_ints){NULL, 0}; break;
		case OVL_KIND_FLOATS: *FIELD(ovl_floats, a, to) = (ovl_floats){NULL, 0}; break;
		case OVL_KIND_STRINGS: *FIELD(ovl_strings, a, to) = (ovl_strings){NULL, 0}; break;
		case OVL_KIND_TENSOR: *FIELD(ovl_tensor *, a, to) = NULL; break;
		default: break;
		}
	for (const ovl_attr *a = table; a && a->kind != OVL_KIND_END; a++) {
		ovl_attr_value v;
		ovl_attr_get(a, from, &v, err);
		if (a->kind == OVL_KIND_STRING || a->kind == OVL_KIND_TENSOR) {
			if (a->kind == OVL_KIND_STRING && v.s)
				OVL_TRY(ovl_attr_set(a, to, &v, err));
			if (a->kind == OVL_KIND_TENSOR && v.tensor)
				OVL_TRY(ovl_attr_set(a, to, &v, err));
		} else if (a->kind == OVL_KIND_INTS || a->kind == OVL_KIND_FLOATS || a->kind == OVL_KIND_STRINGS)
			OVL_TRY(ovl_attr_set(a, to, &v, err));
	}
	return OVL_OK;
}

void ovl_attrs_free(const ovl_attr *table, void *params)
{
	for (const ovl_attr *a = table; a && a->kind != OVL_KIND_END; a++)
		switch (a->kind) {
		case OVL_KIND_STRING: ovl_free(*FIELD(char *, a, params)); break;
		case OVL_KIND_INTS: ovl_free(FIELD(ovl_ints, a, params)->at); break;
		case OVL_KIND_FLOATS: ovl_free(FIELD(ovl_floats, a, params)->at); break;
		case OVL_KIND_STRINGS: strings_free(FIELD(ovl_strings, a, params)); break;
		case OVL_KIND_TENSOR: ovl_tensor_release(*FIELD(ovl_tensor *, a, params)); break;
		default: break;
		}
}
