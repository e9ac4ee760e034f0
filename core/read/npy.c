/* npy.c - numpy's .npy and .npz. */
#include "read/npy.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/vec.h"
#include <inttypes.h>
#include <stdio.h>
#include <zlib.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "npy.c takes the machine to be little endian"
#endif

/* ---- the header: a Python dictionary of three known entries ---- */

typedef struct array { /* what a header says */
	ovl_type type;
	size_t item; /* bytes of one element in the file */
	char kind;   /* 'S' and 'U': strings; otherwise numbers */
	bool swapped, fortran;
	ovl_shape shape;
} array;

typedef struct text { /* a part of the header that is being read */
	const char *p, *end;
	const char *name;
	ovl_error *err;
} text;

static ovl_status bad(const text *t, const char *what)
{
	return ovl_fail(t->err, OVL_E_PARSE, "'%s' is no valid .npy: %s", t->name, what);
}

static void skip_blanks(text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
		t->p++;
}

/* Takes the character c, with blanks around. */
static bool take(text *t, char c)
{
	skip_blanks(t);
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	skip_blanks(t);
	return true;
}

static bool take_word(text *t, const char *word)
{
	size_t n = strlen(word);
	skip_blanks(t);
	if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n))
		return false;
	t->p += n;
	return true;
}

/* A quoted string without escapes, into buf. */
static bool take_string(text *t, char *buf, size_t size)
{
	const char *start;
	char quote;
	skip_blanks(t);
	if (t->p == t->end || (*t->p != '\'' && *t->p != '"'))
		return false;
	quote = *t->p++;
	start = t->p;
	while (t->p < t->end && *t->p != quote && *t->p != '\\')
		t->p++;
	if (t->p == t->end || *t->p != quote || (size_t)(t->p - start) >= size)
		return false;
	memcpy(buf, start, (size_t)(t->p - start));
	buf[t->p - start] = 0;
	t->p++;
	return true;
}

static bool take_number(text *t, int64_t *v)
{
	const char *start;
	skip_blanks(t);
	start = t->p;
	for (*v = 0; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++)
		if (__builtin_mul_overflow(*v, (int64_t)10, v) || __builtin_add_overflow(*v, (int64_t)(*t->p - '0'), v))
			return false;
	if (t->p == start)
		return false;
	if (t->p < t->end && *t->p == 'L') /* Python 2's long */
		t->p++;
	return true;
}

/* "<f4", ">i8", "|u1", "<U12", ... */
static ovl_status read_descr(text *t, array *a)
{
	char descr[64];
	int64_t size = 0;
	const char *digits = descr + 2;
	skip_blanks(t);
	if (t->p < t->end && *t->p == '[')
		return ovl_fail(t->err, OVL_E_UNSUPPORTED, "'%s' holds a structured type; only plain arrays can be read", t->name);
	if (take_word(t, "'|O'") || take_word(t, "'O'"))
		return ovl_fail(t->err, OVL_E_UNSUPPORTED, "'%s' holds Python objects, which are never loaded", t->name);
	if (!take_string(t, descr, sizeof descr) || strlen(descr) < 3 || !strchr("<>=|", descr[0]) || !ovl_parse_i64(digits, &size) || size < 0 || *digits < '0')
		return bad(t, "its type ('descr') cannot be read");
	a->kind = descr[1];
	a->swapped = descr[0] == '>';
	a->item = (size_t)size;
	if (a->kind == 'S' || a->kind == 'U') {
		if (size > INT32_MAX / 4)
			return bad(t, "its strings are too long");
		a->type = OVL_STRING;
		a->item *= a->kind == 'U' ? 4 : 1;
		return OVL_OK;
	}
	for (int i = 0; i < OVL_TYPE_COUNT; i++) {
		const char *npy = ovl_type_npy((ovl_type)i);
		if (npy[0] && npy[1] == a->kind && !strcmp(npy + 2, digits)) {
			a->type = (ovl_type)i;
			return OVL_OK;
		}
	}
	return ovl_fail(t->err, OVL_E_UNSUPPORTED, "'%s' holds elements of numpy's type '%s', for which there is no element type here", t->name, descr);
}

static ovl_status read_shape(text *t, array *a)
{
	if (!take(t, '('))
		return bad(t, "its shape is no tuple");
	while (!take(t, ')')) {
		if (a->shape.rank == OVL_MAX_RANK)
			return ovl_fail(t->err, OVL_E_UNSUPPORTED, "'%s' has more than %d dimensions", t->name, OVL_MAX_RANK);
		if (!take_number(t, &a->shape.dims[a->shape.rank++]))
			return bad(t, "its shape has something else than sizes");
		if (take(t, ','))
			continue;
		if (a->shape.rank == 1 || !take(t, ')'))
			return bad(t, "its shape is no tuple of sizes");
		break;
	}
	return OVL_OK;
}

static ovl_status read_header(text *t, array *a)
{
	enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
	unsigned seen = 0;
	*a = (array){0};
	if (!take(t, '{'))
		return bad(t, "its header is no dictionary");
	while (!take(t, '}')) {
		char key[16];
		unsigned which;
		if (!take_string(t, key, sizeof key) || !take(t, ':'))
			return bad(t, "its header is no dictionary of names and values");
		which = !strcmp(key, "descr") ? DESCR : !strcmp(key, "fortran_order") ? ORDER : !strcmp(key, "shape") ? SHAPE : 0;
		if (!which || (seen & which))
			return bad(t, which ? "an entry of its header is there twice" : "its header has an unknown entry");
		seen |= which;
		if (which == DESCR)
			OVL_TRY(read_descr(t, a));
		else if (which == SHAPE)
			OVL_TRY(read_shape(t, a));
		else if (take_word(t, "True"))
			a->fortran = true;
		else if (!take_word(t, "False"))
			return bad(t, "its 'fortran_order' is neither True nor False");
		if (take(t, ','))
			continue;
		if (!take(t, '}'))
			return bad(t, "its header does not end");
		break;
	}
	if (seen != (DESCR | ORDER | SHAPE))
		return bad(t, "its header lacks an entry ('descr', 'fortran_order', 'shape')");
	skip_blanks(t);
	return t->p == t->end ? OVL_OK : bad(t, "something follows the dictionary in its header");
}

/* ---- the elements ---- */

static void swap_bytes(void *data, size_t item, int64_t n)
{
	uint8_t *p = data;
	for (int64_t i = 0; i < n; i++, p += item)
		for (size_t a = 0, b = item - 1; a < b; a++, b--) {
			uint8_t keep = p[a];
			p[a] = p[b];
			p[b] = keep;
		}
}

static size_t utf8_of(uint32_t c, char *to)
{
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 63));
	to[0] = (char)((0xf00 >> n) | c);
	return n;
}

/* One element of fixed size, filled up with zeros. */
static ovl_status read_string(const array *a, const uint8_t *from, ovl_str *text_out)
{
	size_t unit = a->kind == 'U' ? 4 : 1, n = a->item / unit;
	static const uint8_t zeros[4];
	while (n > 0 && !memcmp(from + (n - 1) * unit, zeros, unit))
		n--;
	text_out->n = 0;
	if (unit == 1)
		ovl_str_addn(text_out, (const char *)from, n);
	for (size_t i = 0; unit == 4 && i < n; i++) {
		uint32_t c;
		char utf8[4];
		memcpy(&c, from + 4 * i, 4);
		if (a->swapped)
			c = __builtin_bswap32(c);
		ovl_str_addn(text_out, utf8, utf8_of(c, utf8));
	}
	return text_out->failed ? OVL_E_MEMORY : OVL_OK;
}

/* Index in the file of element i of the dense order, for an array in Fortran order. */
static int64_t fortran_index(const ovl_shape *s, int64_t i)
{
	int64_t at[OVL_MAX_RANK], index = 0;
	for (int k = s->rank - 1; k >= 0; k--) {
		at[k] = i % s->dims[k];
		i /= s->dims[k];
	}
	for (int k = s->rank - 1; k >= 0; k--)
		index = index * s->dims[k] + at[k];
	return index;
}

static ovl_status read_strings(const array *a, const uint8_t *data, int64_t n, ovl_tensor *t, ovl_error *err)
{
	ovl_str one = {0};
	ovl_status s = OVL_OK;
	for (int64_t i = 0; i < n && !s; i++) {
		int64_t k = a->fortran ? fortran_index(&a->shape, i) : i;
		s = read_string(a, data + (size_t)k * a->item, &one) ? ovl_fail(err, OVL_E_MEMORY, "no memory for strings")
								     : ovl_tensor_set_string(t, i, one.at, one.n, err);
	}
	ovl_str_free(&one);
	return s;
}

/* Numbers in file order into t, which has the array's shape and so a place for each. */
static ovl_status read_numbers(const array *a, const uint8_t *data, int64_t n, ovl_tensor **t, ovl_error *err)
{
	int64_t strides[OVL_MAX_RANK], step = 1;
	ovl_tensor *view, *turned;
	ovl_status s;
	memcpy((*t)->data, data, (size_t)n * a->item);
	if (a->type == OVL_BOOLEAN)
		for (int64_t i = 0; i < n; i++)
			((uint8_t *)(*t)->data)[i] = data[i] != 0;
	if (a->swapped && a->item > 1)
		swap_bytes((*t)->data, a->item, n);
	if (!a->fortran || a->shape.rank < 2)
		return OVL_OK;
	for (int i = 0; i < a->shape.rank; i++) {
		strides[i] = step;
		step *= a->shape.dims[i];
	}
	OVL_TRY(ovl_tensor_view(*t, a->type, &a->shape, strides, (*t)->data, &view, err));
	s = ovl_tensor_clone(view, &turned, err);
	ovl_tensor_release(view);
	if (s)
		return s;
	ovl_tensor_release(*t);
	*t = turned;
	return OVL_OK;
}

static const char magic[6] = {(char)0x93, 'N', 'U', 'M', 'P', 'Y'};

ovl_status ovl_npy_parse(const void *bytes, size_t size, const char *name, ovl_tensor **out, ovl_error *err)
{
	const uint8_t *p = bytes;
	text t = {.name = name, .err = err};
	size_t start, length, need;
	ovl_tensor *made;
	int64_t n;
	ovl_status s;
	array a;
	*out = NULL;
	if (size < 10 || memcmp(p, magic, sizeof magic))
		return bad(&t, "it does not begin with numpy's mark");
	if (p[6] < 1 || p[6] > 3)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "'%s' is a .npy of version %d, versions 1 to 3 can be read", name, p[6]);
	start = p[6] == 1 ? 10 : 12;
	if (size < start)
		return bad(&t, "it ends within its header");
	length = p[8] | (size_t)p[9] << 8;
	if (p[6] > 1)
		length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
	if (length > size - start)
		return bad(&t, "its header is longer than the file");
	t.p = (const char *)p + start;
	t.end = t.p + length;
	OVL_TRY(read_header(&t, &a));
	start += length;
	if (!ovl_shape_count(&a.shape, &n) || !ovl_mul_ok((size_t)n, a.item, &need))
		return bad(&t, "its shape is too large");
	if (need > size - start)
		return ovl_fail(err, OVL_E_PARSE, "'%s' is cut: its shape and type need %zu bytes of elements, it has %zu", name, need, size - start);
	if (a.type == OVL_STRING && !a.item && n > (int64_t)size) /* empty strings take no bytes in the file, but memory here */
		return bad(&t, "it has more empty strings than bytes");
	OVL_TRY(ovl_tensor_new_raw(a.type, &a.shape, &made, err));
	s = a.type == OVL_STRING ? read_strings(&a, p + start, n, made, err) : read_numbers(&a, p + start, n, &made, err);
	if (s)
		ovl_tensor_release(made);
	else
		*out = made;
	return s;
}

ovl_status ovl_npy_load(const char *path, ovl_tensor **out, ovl_error *err)
{
	ovl_buffer *file;
	ovl_status s;
	*out = NULL;
	OVL_TRY(ovl_file_map(path, &file, err));
	s = ovl_npy_parse(file->data, file->size, path, out, err);
	ovl_buffer_release(file);
	return s;
}

/* Magic, version, length and dictionary, padded so that the elements begin at a multiple of 64. */
static size_t write_header(const ovl_tensor *t, char *to, size_t size)
{
	size_t n = 10, padded;
	n += (size_t)snprintf(to + n, size - n, "{'descr': '%s', 'fortran_order': False, 'shape': (", ovl_type_npy(t->type));
	for (int i = 0; i < t->shape.rank; i++)
		n += (size_t)snprintf(to + n, size - n, i ? ", %" PRId64 : "%" PRId64, t->shape.dims[i]);
	n += (size_t)snprintf(to + n, size - n, t->shape.rank == 1 ? ",), }" : "), }");
	padded = (n + 1 + 63) & ~(size_t)63;
	memset(to + n, ' ', padded - n - 1);
	to[padded - 1] = '\n';
	memcpy(to, magic, sizeof magic);
	to[6] = 1;
	to[7] = 0;
	to[8] = (char)((padded - 10) & 255);
	to[9] = (char)((padded - 10) >> 8);
	return padded;
}

ovl_status ovl_npy_save(const char *path, const ovl_tensor *t, ovl_error *err)
{
	char header[512]; /* 10 dimensions of 19 digits fit */
	ovl_tensor *dense;
	ovl_status s;
	size_t n, total;
	char *whole;
	if (!ovl_type_npy(t->type)[0])
		return ovl_fail(err, OVL_E_UNSUPPORTED, "numpy has no type for elements of type %s: convert the tensor first, e.g. to f32 or u8", ovl_type_name(t->type));
	n = write_header(t, header, sizeof header);
	OVL_TRY(ovl_tensor_densify(t, &dense, err));
	whole = ovl_add_ok(n, ovl_tensor_bytes(dense), &total) ? ovl_alloc(total) : NULL;
	if (!whole)
		s = ovl_fail(err, OVL_E_MEMORY, "no memory for writing '%s'", path);
	else {
		memcpy(whole, header, n);
		memcpy(whole + n, dense->data, total - n);
		s = ovl_file_write(path, whole, total, err);
	}
	ovl_free(whole);
	ovl_tensor_release(dense);
	return s;
}

/* ---- archives: zip files ---- */

typedef struct zip {
	const uint8_t *bytes;
	size_t size;
	const char *name;
	ovl_error *err;
} zip;

typedef struct member {
	const uint8_t *name;
	size_t name_size;
	unsigned flags, method;
	uint32_t crc;
	uint64_t packed, size, header; /* bytes stored, bytes unpacked, offset of the local header */
} member;

static ovl_status bad_zip(const zip *z, const char *what)
{
	return ovl_fail(z->err, OVL_E_PARSE, "'%s' is no valid .npz: %s", z->name, what);
}

static unsigned get16(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* Whether n bytes from offset are in the file. */
static bool inside(const zip *z, uint64_t offset, uint64_t n)
{
	return offset <= z->size && n <= z->size - offset;
}

/* Where the directory is, by the record at the end of the file (behind which a comment may stand). */
static ovl_status find_directory(const zip *z, uint64_t *offset, uint64_t *size, uint64_t *count)
{
	enum { END = 22, LOCATOR = 20, END64 = 56 };
	size_t at, least;
	const uint8_t *p;
	if (z->size < END)
		return bad_zip(z, "it is too short");
	least = z->size - END > 0xffff ? z->size - END - 0xffff : 0;
	for (at = z->size - END;; at--) {
		p = z->bytes + at;
		if (get32(p) == 0x06054b50 && get16(p + 20) == z->size - END - at)
			break;
		if (at == least)
			return bad_zip(z, "the record at the end of the archive is missing");
	}
	*count = get16(p + 10);
	*size = get32(p + 12);
	*offset = get32(p + 16);
	if (get16(p + 4) || get16(p + 6) || get16(p + 8) != *count)
		return ovl_fail(z->err, OVL_E_UNSUPPORTED, "'%s' is an archive of several parts", z->name);
	if ((*count == 0xffff || *size == 0xffffffff || *offset == 0xffffffff) && at >= LOCATOR && get32(p - LOCATOR) == 0x07064b50) {
		uint64_t end64 = get64(p - LOCATOR + 8);
		if (!inside(z, end64, END64) || get32(z->bytes + end64) != 0x06064b50)
			return bad_zip(z, "its 64-bit end record is not where it should be");
		*count = get64(z->bytes + end64 + 32);
		*size = get64(z->bytes + end64 + 40);
		*offset = get64(z->bytes + end64 + 48);
	}
	return inside(z, *offset, *size) ? OVL_OK : bad_zip(z, "its directory lies outside of the file");
}

/* Sizes that did not fit 32 bits stand in an extra field, in this order and only those. */
static bool read_extra64(const uint8_t *p, size_t n, member *m)
{
	uint64_t *wide[3] = {&m->size, &m->packed, &m->header};
	while (n >= 4) {
		size_t length = get16(p + 2);
		if (length > n - 4)
			return false;
		if (get16(p) == 1) {
			const uint8_t *v = p + 4, *end = v + length;
			for (int i = 0; i < 3; i++)
				if (*wide[i] == 0xffffffff) {
					if (end - v < 8)
						return false;
					*wide[i] = get64(v);
					v += 8;
				}
			return true;
		}
		p += 4 + length;
		n -= 4 + length;
	}
	return true;
}

/* The directory entry at *offset, which moves on to the next. */
static ovl_status read_member(const zip *z, uint64_t *offset, uint64_t end, member *m)
{
	enum { ENTRY = 46 };
	const uint8_t *p = z->bytes + *offset;
	uint64_t length, extra;
	if (end - *offset < ENTRY || get32(p) != 0x02014b50)
		return bad_zip(z, "an entry of its directory is damaged");
	m->flags = get16(p + 8);
	m->method = get16(p + 10);
	m->crc = get32(p + 16);
	m->packed = get32(p + 20);
	m->size = get32(p + 24);
	m->name_size = get16(p + 28);
	extra = get16(p + 30);
	m->header = get32(p + 42);
	m->name = p + ENTRY;
	length = ENTRY + m->name_size + extra + get16(p + 32);
	if (end - *offset < length || !read_extra64(p + ENTRY + m->name_size, extra, m))
		return bad_zip(z, "an entry of its directory is damaged");
	*offset += length;
	return OVL_OK;
}

static void *zlib_alloc(void *user, unsigned count, unsigned size)
{
	(void)user;
	return ovl_calloc(count, size);
}

static void zlib_free(void *user, void *p)
{
	(void)user;
	ovl_free(p);
}

/* Unpacks into exactly `size` bytes; false when the data say something else. */
static bool inflate_all(const uint8_t *from, size_t packed, uint8_t *to, size_t size)
{
	enum { PIECE = 1 << 30 };
	z_stream s = {.zalloc = zlib_alloc, .zfree = zlib_free};
	int code = Z_OK;
	if (inflateInit2(&s, -MAX_WBITS) != Z_OK) /* raw deflate, as zip has it */
		return false;
	s.next_in = (uint8_t *)(uintptr_t)from;
	s.next_out = to;
	while (code == Z_OK) {
		size_t in = packed - (size_t)(s.next_in - from), out = size - (size_t)(s.next_out - to);
		s.avail_in = in < PIECE ? (unsigned)in : PIECE;
		s.avail_out = out < PIECE ? (unsigned)out : PIECE;
		code = inflate(&s, Z_NO_FLUSH);
	}
	inflateEnd(&s);
	return code == Z_STREAM_END && (size_t)(s.next_out - to) == size;
}

/* One array of the archive. */
static ovl_status load_member(const zip *z, const member *m, const char *name, ovl_tensor **out)
{
	enum { LOCAL = 30, MOST_RATIO = 1032 }; /* deflate cannot do better */
	const uint8_t *p, *data;
	uint8_t *unpacked = NULL;
	uint64_t start;
	ovl_status s;
	if (m->flags & 1)
		return ovl_fail(z->err, OVL_E_UNSUPPORTED, "'%s' is encrypted", name);
	if (m->method != 0 && m->method != 8)
		return ovl_fail(z->err, OVL_E_UNSUPPORTED, "'%s' is packed by method %u, only stored and deflated members can be read", name, m->method);
	if (!inside(z, m->header, LOCAL) || get32(z->bytes + m->header) != 0x04034b50)
		return ovl_fail(z->err, OVL_E_PARSE, "'%s' is not where the archive's directory says", name);
	p = z->bytes + m->header;
	start = m->header + LOCAL + get16(p + 26) + get16(p + 28);
	if (!inside(z, start, m->packed))
		return ovl_fail(z->err, OVL_E_PARSE, "'%s' reaches beyond the end of the archive", name);
	data = z->bytes + start;
	if (m->method == 0 ? m->size != m->packed : m->size / MOST_RATIO > m->packed)
		return ovl_fail(z->err, OVL_E_PARSE, "'%s' cannot have the size that the archive's directory says", name);
	if (m->method == 8) {
		unpacked = ovl_alloc(m->size);
		if (!unpacked)
			return ovl_fail(z->err, OVL_E_MEMORY, "no memory for the %" PRIu64 " bytes of '%s'", m->size, name);
		if (!inflate_all(data, m->packed, unpacked, m->size)) {
			ovl_free(unpacked);
			return ovl_fail(z->err, OVL_E_PARSE, "'%s' cannot be unpacked", name);
		}
		data = unpacked;
	}
	if (crc32_z(crc32_z(0, NULL, 0), data, m->size) != m->crc)
		s = ovl_fail(z->err, OVL_E_PARSE, "'%s' is damaged: its checksum differs", name);
	else
		s = ovl_npy_parse(data, m->size, name, out, z->err);
	ovl_free(unpacked);
	return s;
}

typedef struct arrays {
	OVL_VEC(char *) names;
	OVL_VEC(ovl_tensor *) tensors;
} arrays;

/* Loads a member that is an array and appends it. */
static ovl_status add_member(const zip *z, const member *m, arrays *all)
{
	char shown[512], *name;
	ovl_tensor *t = NULL;
	ovl_status s;
	size_t n = m->name_size;
	if (n < 4 || memcmp(m->name + n - 4, ".npy", 4))
		return OVL_OK;
	if (memchr(m->name, 0, n))
		return bad_zip(z, "a member's name has a zero byte in it");
	snprintf(shown, sizeof shown, "%.300s: %.*s", z->name, n > 200 ? 200 : (int)n, (const char *)m->name);
	OVL_TRY(load_member(z, m, shown, &t));
	name = ovl_strndup((const char *)m->name, n - 4);
	if (name && ovl_vec_reserve(&all->names, all->names.n + 1) && ovl_vec_reserve(&all->tensors, all->tensors.n + 1)) {
		all->names.at[all->names.n++] = name;
		all->tensors.at[all->tensors.n++] = t;
		return OVL_OK;
	}
	s = ovl_fail(z->err, OVL_E_MEMORY, "no memory for reading '%s'", z->name);
	ovl_free(name);
	ovl_tensor_release(t);
	return s;
}

static ovl_status read_archive(const zip *z, arrays *all)
{
	uint64_t at = 0, size = 0, count = 0, end, packed = 0;
	OVL_TRY(find_directory(z, &at, &size, &count));
	end = at + size;
	for (uint64_t i = 0; i < count; i++) {
		member m;
		OVL_TRY(read_member(z, &at, end, &m));
		if (m.packed > z->size || (packed += m.packed) > z->size) /* so that a small file cannot be unpacked without end */
			return bad_zip(z, "its members overlap");
		OVL_TRY(add_member(z, &m, all));
	}
	return OVL_OK;
}

ovl_status ovl_npz_parse(const void *bytes, size_t size, const char *name, char ***names, ovl_tensor ***tensors, size_t *n, ovl_error *err)
{
	zip z = {bytes, size, name, err};
	arrays all = {0};
	ovl_status s = read_archive(&z, &all);
	if (s) {
		ovl_npz_free(all.names.at, all.tensors.at, all.names.n);
		all = (arrays){0};
	}
	*names = all.names.at;
	*tensors = all.tensors.at;
	*n = all.names.n;
	return s;
}

ovl_status ovl_npz_load(const char *path, char ***names, ovl_tensor ***tensors, size_t *n, ovl_error *err)
{
	ovl_buffer *file;
	ovl_status s;
	*names = NULL;
	*tensors = NULL;
	*n = 0;
	OVL_TRY(ovl_file_map(path, &file, err));
	s = ovl_npz_parse(file->data, file->size, path, names, tensors, n, err);
	ovl_buffer_release(file);
	return s;
}

void ovl_npz_free(char **names, ovl_tensor **tensors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ovl_free(names[i]);
		ovl_tensor_release(tensors[i]);
	}
	ovl_free(names);
	ovl_free(tensors);
}
