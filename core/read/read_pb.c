#include "read/read_pb.h"
#include "base/refill.h"
#include "base/str.h"

#include <string.h>

/* ---- parsing ---- */

enum { MAX_DEPTH = 100 };

typedef struct wire {
	const uint8_t *start, *p, *end;
} wire;

static bool varint(wire *w, uint64_t *out)
{
	*out = 0;
	for (int shift = 0; shift < 70 && w->p < w->end; shift += 7) {
		uint8_t b = *w->p++;
		*out |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0;
		if (!(b & 0x80))
			return true;
	}
	return false;
}

static bool skip(wire *w, uint64_t n)
{
	if (n > (uint64_t)(w->end - w->p))
		return false;
	w->p += n;
	return true;
}

/* protobuf-c recurses as deep as the file says and trusts nobody else's check: the nesting is walked here first. Gives the place of the first flaw.
 */
static ovl_status walk(const ProtobufCMessageDescriptor *kind, wire w, int depth, ovl_error *err)
{
	uint64_t tag, n;
	if (depth > MAX_DEPTH)
		return ovl_fail(err, OVL_E_PARSE, "byte %zu: messages are nested too deeply", (size_t)(w.p - w.start));
	while (w.p < w.end) {
		const uint8_t *at = w.p;
		const ProtobufCFieldDescriptor *field;
		bool ok = varint(&w, &tag) && tag >> 3 != 0 && tag >> 3 < 1u << 29;
		if (ok)
			switch (tag & 7) {
			case 0: ok = varint(&w, &n); break;
			case 1: ok = skip(&w, 8); break;
			case 2:
				ok = varint(&w, &n) && n <= (uint64_t)(w.end - w.p);
				field = ok ? protobuf_c_message_descriptor_get_field(kind, (unsigned)(tag >> 3)) : NULL;
				if (field && field->type == PROTOBUF_C_TYPE_MESSAGE)
					OVL_TRY(walk(field->descriptor, (wire){w.start, w.p, w.p + n}, depth + 1, err));
				ok = ok && skip(&w, n);
				break;
			case 5: ok = skip(&w, 4); break;
			default: ok = false;
			}
		if (!ok)
			return ovl_fail(err, OVL_E_PARSE, "byte %zu: not a protobuf message of ONNX, or cut off", (size_t)(at - w.start));
	}
	return OVL_OK;
}

/* ---- lean messages: raw data of this size and more is replaced by a block of exactly this size that begins with its place ---- */

enum { LEAN_BYTES = 64, LEAN_LENGTH = 5, RAW_DATA = 9 };

/* Parts of the message that nobody knows the form of are as they were, raw data in them too: a place is told by its mark, and believed only within the file. */
typedef struct lean_place {
	uint64_t mark[2], offset, size;
} lean_place;
static const uint64_t lean_mark[2] = {0x6c6561706c6e2d6full, 0x9d3f1b62c45ea807ull};

/* A length takes five bytes, so that it can be written when it is known. */
static void patch_length(ovl_str *out, size_t at)
{
	size_t n = out->n - at - LEAN_LENGTH;
	for (int i = 0; i < LEAN_LENGTH && !out->failed; i++)
		out->at[at + (size_t)i] = (char)((n >> (7 * i) & 0x7f) | (i + 1 < LEAN_LENGTH ? 0x80 : 0));
}

static void add_place(ovl_str *out, const wire *w, uint64_t size)
{
	char block[LEAN_BYTES] = {0};
	lean_place place = {{lean_mark[0], lean_mark[1]}, (uint64_t)(w->p - w->start), size};
	memcpy(block, &place, sizeof place);
	ovl_str_addn(out, block, sizeof block);
}

static void make_lean(const ProtobufCMessageDescriptor *kind, wire w, ovl_str *out);

/* The contents of a field with a length, from w->p on. */
static void lean_field(const ProtobufCMessageDescriptor *kind, const wire *w, uint64_t field, uint64_t n, ovl_str *out)
{
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(kind, (unsigned)field);
	size_t at = out->n;
	ovl_str_addn(out, "\0\0\0\0", LEAN_LENGTH);
	if (f && f->type == PROTOBUF_C_TYPE_MESSAGE)
		make_lean(f->descriptor, (wire){w->start, w->p, w->p + n}, out);
	else if (kind == &onnx__tensor_proto__descriptor && field == RAW_DATA && n >= LEAN_BYTES)
		add_place(out, w, n);
	else
		ovl_str_addn(out, (const char *)w->p, (size_t)n);
	patch_length(out, at);
}

/* Only for what walk() has found sound. */
static void make_lean(const ProtobufCMessageDescriptor *kind, wire w, ovl_str *out)
{
	uint64_t tag, n;
	while (w.p < w.end && !out->failed) {
		const uint8_t *at = w.p;
		varint(&w, &tag);
		switch (tag & 7) {
		case 0: varint(&w, &n); break;
		case 1: skip(&w, 8); break;
		case 5: skip(&w, 4); break;
		default:
			ovl_str_addn(out, (const char *)at, (size_t)(w.p - at));
			varint(&w, &n);
			lean_field(kind, &w, tag >> 3, n, out);
			skip(&w, n);
			continue;
		}
		ovl_str_addn(out, (const char *)at, (size_t)(w.p - at));
	}
}

typedef struct budget {
	size_t left;
	bool short_of_memory;
} budget;

static void *budget_alloc(void *user, size_t size)
{
	budget *b = user;
	void *p = NULL;
	if (size <= b->left)
		p = ovl_alloc(size ? size : 1);
	if (p)
		b->left -= size;
	else
		b->short_of_memory = true;
	return p;
}

static void budget_free(void *user, void *p)
{
	(void)user;
	ovl_free(p);
}

static ovl_status unpack(const ProtobufCMessageDescriptor *kind, const void *bytes, size_t size, ProtobufCMessage **out, ovl_error *err)
{
	/* A message that is empty on the wire is a struct in memory, and a varint of one byte an int64: much bigger, but in proportion. */
	size_t limit;
	budget b = {0};
	ProtobufCAllocator allocator = {budget_alloc, budget_free, &b};
	b.left = ovl_mul_ok(size, 16, &limit) && ovl_add_ok(limit, 256u << 20, &limit) ? limit : SIZE_MAX;
	*out = protobuf_c_message_unpack(kind, &allocator, size, bytes);
	if (*out)
		return OVL_OK;
	if (b.short_of_memory)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a message of %zu bytes", size);
	return ovl_fail(err, OVL_E_PARSE, "not a protobuf message of ONNX");
}

ovl_status ovl_pb_parse(const ProtobufCMessageDescriptor *kind, const void *bytes, size_t size, bool lean, ProtobufCMessage **out, ovl_error *err)
{
	wire w = {bytes, bytes, (const uint8_t *)bytes + size};
	ovl_str thin = {0};
	ovl_status st;
	*out = NULL;
	OVL_TRY(walk(kind, w, 0, err));
	if (!lean)
		return unpack(kind, bytes, size, out, err);
	make_lean(kind, w, &thin);
	st = thin.failed ? ovl_fail(err, OVL_E_MEMORY, "not enough memory for a message of %zu bytes", size) : unpack(kind, thin.at, thin.n, out, err);
	ovl_str_free(&thin);
	return st;
}

void ovl_pb_free(ProtobufCMessage *message)
{
	budget b = {0};
	ProtobufCAllocator allocator = {budget_alloc, budget_free, &b};
	if (message)
		protobuf_c_message_free_unpacked(message, &allocator);
}

/* ---- tensors ---- */

/* ONNX's number, its name, ours (OVL_DYNAMIC: none) */
#define TYPES(X)                                                                                                                           \
	X(1, "float", OVL_F32) X(2, "uint8", OVL_U8) X(3, "int8", OVL_I8) X(4, "uint16", OVL_U16) X(5, "int16", OVL_I16) X(6, "int32", OVL_I32)    \
	X(7, "int64", OVL_I64) X(8, "string", OVL_STRING) X(9, "bool", OVL_BOOLEAN) X(10, "float16", OVL_F16) X(11, "double", OVL_F64)        \
	X(12, "uint32", OVL_U32) X(13, "uint64", OVL_U64) X(14, "complex64", OVL_DYNAMIC) X(15, "complex128", OVL_DYNAMIC)                     \
	X(16, "bfloat16", OVL_BF16) X(17, "float8e4m3fn", OVL_F8E4M3) X(18, "float8e4m3fnuz", OVL_F8E4M3FNUZ) X(19, "float8e5m2", OVL_F8E5M2)     \
	X(20, "float8e5m2fnuz", OVL_F8E5M2FNUZ) X(21, "uint4", OVL_U4) X(22, "int4", OVL_I4) X(23, "float4e2m1", OVL_F4E2M1)                   \
	X(24, "float8e8m0", OVL_F8E8M0) X(25, "uint2", OVL_U2) X(26, "int2", OVL_I2)

bool ovl_pb_type(int32_t data_type, ovl_type *out)
{
	*out = OVL_DYNAMIC;
	switch (data_type) {
#define CASE(number, name, type) case number: *out = type; break;
		TYPES(CASE)
#undef CASE
	default: break;
	}
	return *out != OVL_DYNAMIC;
}

const char *ovl_pb_type_name(int32_t data_type)
{
	switch (data_type) {
#define CASE(number, name, type) case number: return name;
		TYPES(CASE)
#undef CASE
	default: return "a type that is not known";
	}
}

void ovl_pb_files_close(ovl_pb_files *files)
{
	for (size_t i = 0; i < files->open.n; i++) {
		ovl_free(files->open.at[i].name);
		ovl_buffer_release(files->open.at[i].buffer);
	}
	ovl_vec_free(&files->open);
}

static ovl_status open_external(ovl_pb_files *files, const char *name, ovl_buffer **out, ovl_error *err)
{
	struct ovl_pb_file f;
	if (!files || !files->model_path)
		return ovl_fail(err, OVL_E_IO, "its data is in the file '%.200s', which a model from memory has no folder for", name);
	for (size_t i = 0; i < files->open.n; i++)
		if (strcmp(files->open.at[i].name, name) == 0) {
			*out = files->open.at[i].buffer;
			return OVL_OK;
		}
	OVL_TRY(ovl_file_map_beneath(files->model_path, name, &f.buffer, err));
	f.name = ovl_strdup(name);
	if (!f.name || !ovl_vec_push(&files->open, f)) {
		ovl_free(f.name);
		ovl_buffer_release(f.buffer);
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory");
	}
	*out = f.buffer;
	if (files->note)
		files->note->file(files->note->user, name, f.buffer);
	return OVL_OK;
}

static ovl_status external_number(const Onnx__StringStringEntryProto *e, int64_t *out, ovl_error *err)
{
	if (!e->value || !ovl_parse_i64(e->value, out) || *out < 0)
		return ovl_fail(err, OVL_E_PARSE, "the %s '%.40s' of its external data is not a number of bytes", e->key, e->value ? e->value : "");
	return OVL_OK;
}

static ovl_status external_tensor(
	Onnx__TensorProto *p, ovl_pb_files *files, ovl_type type, const ovl_shape *shape, size_t bytes, ovl_tensor **out, ovl_error *err)
{
	const char *location = NULL;
	int64_t offset = 0, length = -1;
	size_t unit = ovl_type_size(type);
	ovl_buffer *file = NULL;
	for (size_t i = 0; i < p->n_external_data; i++) {
		const Onnx__StringStringEntryProto *e = p->external_data[i];
		if (e->key && strcmp(e->key, "location") == 0)
			location = e->value;
		else if (e->key && strcmp(e->key, "offset") == 0)
			OVL_TRY(external_number(e, &offset, err));
		else if (e->key && strcmp(e->key, "length") == 0)
			OVL_TRY(external_number(e, &length, err));
	}
	if (!location || !*location)
		return ovl_fail(err, OVL_E_PARSE, "its data is external, and no location is told");
	if (type == OVL_STRING)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "strings cannot be external data");
	if (length >= 0 && (uint64_t)length != bytes)
		return ovl_fail(err, OVL_E_PARSE, "it has %lld bytes of external data, its shape needs %zu", (long long)length, bytes);
	OVL_TRY(open_external(files, location, &file, err));
	if ((uint64_t)offset > file->size || bytes > file->size - (uint64_t)offset)
		return ovl_fail(err, OVL_E_PARSE, "its external data (offset %lld, %zu bytes) lies outside '%.200s', which has %zu bytes", (long long)offset, bytes,
			location, file->size);
	if (bytes && (unit == 0 || ((uintptr_t)file->data + (uint64_t)offset) % unit == 0))
		return ovl_tensor_on(file, (size_t)offset, type, shape, out, err);
	OVL_TRY(ovl_tensor_new_raw(type, shape, out, err));
	if (bytes)
		memcpy((*out)->data, (char *)file->data + offset, bytes);
	return OVL_OK;
}

static void free_block(void *user, void *data, size_t size)
{
	(void)user, (void)size;
	ovl_free(data);
}

/* A tensor on a block of the message, which is no longer the message's. */
static ovl_status steal(void **block, size_t size, ovl_type type, const ovl_shape *shape, ovl_tensor **out, ovl_error *err)
{
	ovl_buffer *b = ovl_buffer_wrap(*block, size, free_block, NULL);
	ovl_status st;
	if (!b)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory");
	*block = NULL;
	st = ovl_tensor_on(b, 0, type, shape, out, err);
	ovl_buffer_release(b);
	return st;
}

static ovl_status wrong_count(size_t have, const char *what, uint64_t need, ovl_error *err)
{
	return ovl_fail(err, OVL_E_PARSE, "it has %zu %s, its shape needs %llu", have, what, (unsigned long long)need);
}

static ovl_status string_tensor(Onnx__TensorProto *p, const ovl_shape *shape, int64_t count, ovl_tensor **out, ovl_error *err)
{
	if (p->n_string_data != (uint64_t)count)
		return wrong_count(p->n_string_data, "strings", (uint64_t)count, err);
	OVL_TRY(ovl_tensor_new(OVL_STRING, shape, out, err));
	for (size_t i = 0; i < p->n_string_data; i++)
		OVL_TRY(ovl_tensor_set_string(*out, (int64_t)i, (const char *)p->string_data[i].data, p->string_data[i].len, err));
	return OVL_OK;
}

/* int32_data carries every type of up to 32 bits; the packed ones as many to a number as to a byte. */
static ovl_status narrow_tensor(const int32_t *from, size_t n, ovl_type type, const ovl_shape *shape, size_t bytes, ovl_tensor **out, ovl_error *err)
{
	size_t unit = ovl_type_packed(type) ? 1 : ovl_type_size(type);
	if (n != bytes / unit)
		return wrong_count(n, "numbers", bytes / unit, err);
	OVL_TRY(ovl_tensor_new_raw(type, shape, out, err));
	for (size_t i = 0; i < n; i++)
		memcpy((char *)(*out)->data + i * unit, &from[i], unit); /* little endian: the low bytes */
	return OVL_OK;
}

static ovl_status u32_tensor(const uint64_t *from, size_t n, const ovl_shape *shape, size_t bytes, ovl_tensor **out, ovl_error *err)
{
	if (n != bytes / 4)
		return wrong_count(n, "numbers", bytes / 4, err);
	OVL_TRY(ovl_tensor_new_raw(OVL_U32, shape, out, err));
	for (size_t i = 0; i < n; i++)
		((uint32_t *)(*out)->data)[i] = (uint32_t)from[i];
	return OVL_OK;
}

static ovl_status typed_tensor(Onnx__TensorProto *p, ovl_type type, const ovl_shape *shape, size_t bytes, ovl_tensor **out, ovl_error *err)
{
	void **block;
	size_t n;
	if (type == OVL_U32)
		return u32_tensor(p->uint64_data, p->n_uint64_data, shape, bytes, out, err);
	if (type == OVL_F32)
		block = (void **)&p->float_data, n = p->n_float_data;
	else if (type == OVL_F64)
		block = (void **)&p->double_data, n = p->n_double_data;
	else if (type == OVL_I64)
		block = (void **)&p->int64_data, n = p->n_int64_data;
	else if (type == OVL_U64)
		block = (void **)&p->uint64_data, n = p->n_uint64_data;
	else if (type == OVL_I32)
		block = (void **)&p->int32_data, n = p->n_int32_data;
	else
		return narrow_tensor(p->int32_data, p->n_int32_data, type, shape, bytes, out, err);
	if (n != bytes / ovl_type_size(type))
		return wrong_count(n, "numbers", bytes / ovl_type_size(type), err);
	if (n == 0)
		return ovl_tensor_new(type, shape, out, err);
	OVL_TRY(steal(block, bytes, type, shape, out, err));
	if (type == OVL_F32)
		p->n_float_data = 0;
	p->n_double_data = type == OVL_F64 ? 0 : p->n_double_data;
	p->n_int64_data = type == OVL_I64 ? 0 : p->n_int64_data;
	p->n_uint64_data = type == OVL_U64 ? 0 : p->n_uint64_data;
	p->n_int32_data = type == OVL_I32 ? 0 : p->n_int32_data;
	return OVL_OK;
}

enum { REFILL_BYTES = 1 << 16 }; /* smaller ones are not worth pages of their own */

/* Raw data that stayed in the mapped model: used there where its address suits the type, else copied, in such a way that the copy can be dropped for a while. */
static ovl_status lean_tensor(ovl_buffer *file, const lean_place *at, ovl_type type, const ovl_shape *shape, ovl_tensor **out, ovl_error *err)
{
	size_t unit = ovl_type_size(type);
	const char *data = (const char *)file->data + at->offset;
	ovl_buffer *copy;
	ovl_status st;
	if (type != OVL_BOOLEAN && at->size >= REFILL_BYTES && (unit == 0 || (uintptr_t)data % unit == 0))
		return ovl_tensor_on(file, (size_t)at->offset, type, shape, out, err);
	if (type == OVL_BOOLEAN || at->size < REFILL_BYTES) {
		OVL_TRY(ovl_tensor_new_raw(type, shape, out, err));
		memcpy((*out)->data, data, (size_t)at->size);
		return OVL_OK;
	}
	copy = ovl_refill_new(file, (size_t)at->offset, (size_t)at->size);
	if (!copy)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for %zu bytes", (size_t)at->size);
	st = ovl_tensor_on(copy, 0, type, shape, out, err);
	ovl_buffer_release(copy);
	return st;
}

static ovl_status raw_tensor(Onnx__TensorProto *p, ovl_buffer *lean, ovl_type type, const ovl_shape *shape, size_t bytes, ovl_tensor **out, ovl_error *err)
{
	lean_place at = {{0, 0}, 0, 0};
	if (lean && p->raw_data.len == LEAN_BYTES)
		memcpy(&at, p->raw_data.data, sizeof at);
	if (at.mark[0] == lean_mark[0] && at.mark[1] == lean_mark[1] && at.offset <= lean->size && at.size <= lean->size - at.offset) {
		if (at.size == bytes)
			return lean_tensor(lean, &at, type, shape, out, err);
		return ovl_fail(err, OVL_E_PARSE, "it has %llu bytes of data, its shape needs %zu", (unsigned long long)at.size, bytes);
	}
	if (p->raw_data.len != bytes)
		return ovl_fail(err, OVL_E_PARSE, "it has %zu bytes of data, its shape needs %zu", p->raw_data.len, bytes);
	if (bytes == 0)
		return ovl_tensor_new(type, shape, out, err);
	OVL_TRY(steal((void **)&p->raw_data.data, bytes, type, shape, out, err));
	p->raw_data.len = 0;
	return OVL_OK;
}

static ovl_status tensor_of(Onnx__TensorProto *p, ovl_pb_files *files, ovl_tensor **out, ovl_error *err)
{
	ovl_shape shape = {0};
	ovl_type type;
	int64_t count;
	size_t bytes;
	if (!ovl_pb_type(p->data_type, &type))
		return ovl_fail(err, p->data_type <= 0 ? OVL_E_PARSE : OVL_E_UNSUPPORTED, "its element type is %d (%s)", p->data_type,
			ovl_pb_type_name(p->data_type));
	if (p->n_dims > OVL_MAX_RANK)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "it has %zu dimensions, at most %d are supported", p->n_dims, OVL_MAX_RANK);
	for (size_t i = 0; i < p->n_dims; i++) {
		if (p->dims[i] < 0)
			return ovl_fail(err, OVL_E_PARSE, "dimension %zu is %lld", i, (long long)p->dims[i]);
		shape.dims[shape.rank++] = p->dims[i];
	}
	if (!ovl_shape_count(&shape, &count) || !ovl_type_bytes(type, count, &bytes))
		return ovl_fail(err, OVL_E_PARSE, "its shape is too large");
	if (p->segment)
		return ovl_fail(err, OVL_E_UNSUPPORTED, "it is stored in segments");
	if (p->has_data_location && p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
		return external_tensor(p, files, type, &shape, bytes, out, err);
	if (type == OVL_STRING)
		return string_tensor(p, &shape, count, out, err);
	if (p->has_raw_data)
		return raw_tensor(p, files ? files->lean : NULL, type, &shape, bytes, out, err);
	return typed_tensor(p, type, &shape, bytes, out, err);
}

/* External data stays as it is: it is mapped, and no writer of bytes other than 0 and 1 is known. */
static void tidy_booleans(ovl_tensor *t, bool own)
{
	uint8_t *p = t->data;
	if (t->type == OVL_BOOLEAN && own)
		for (int64_t i = 0, n = ovl_tensor_count(t); i < n; i++)
			p[i] = p[i] != 0;
}

ovl_status ovl_pb_tensor(Onnx__TensorProto *proto, ovl_pb_files *files, ovl_tensor **out, ovl_error *err)
{
	ovl_status st;
	*out = NULL;
	st = tensor_of(proto, files, out, err);
	if (st != OVL_OK) {
		ovl_tensor_release(*out);
		*out = NULL;
		return ovl_error_prefix(err, "tensor '%.200s'", proto->name ? proto->name : "");
	}
	tidy_booleans(*out, !proto->n_external_data);
	return OVL_OK;
}

ovl_status ovl_tensor_load_pb(const char *path, const void *bytes, size_t size, ovl_tensor **out, ovl_error *err)
{
	ovl_pb_files files = {.model_path = path};
	ovl_buffer *file = NULL;
	ProtobufCMessage *message = NULL;
	ovl_status st;
	*out = NULL;
	if (!bytes) {
		OVL_TRY(ovl_file_map(path, &file, err));
		bytes = file->data;
		size = file->size;
	}
	st = size ? ovl_pb_parse(&onnx__tensor_proto__descriptor, bytes, size, false, &message, err) : ovl_fail(err, OVL_E_PARSE, "it is empty");
	if (st == OVL_OK)
		st = ovl_pb_tensor((Onnx__TensorProto *)(void *)message, &files, out, err);
	ovl_pb_free(message);
	ovl_pb_files_close(&files);
	ovl_buffer_release(file);
	return st == OVL_OK ? st : ovl_error_prefix(err, "cannot read '%s'", path ? path : "a tensor from memory");
}
