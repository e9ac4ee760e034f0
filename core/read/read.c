#include "read/read.h"
#include "read/origin.h"

#include <string.h>

/* XML starts with '<' after a byte order mark and blanks. No protobuf of a model does: field 7 with wire type 4 does not exist. */
static bool looks_like_xml(const uint8_t *p, size_t n)
{
	if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return true; /* UTF-16: expat reads it */
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3, n -= 3;
	while (n && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++, n--;
	return n && *p == '<';
}

static ovl_status read_source(const ovl_origin *s, ovl_graph **out, ovl_error *err)
{
	*out = NULL;
	if (!s->size)
		return ovl_fail(err, OVL_E_PARSE, "it is empty");
	return looks_like_xml(s->data, s->size) ? ovl_read_ir(s, out, err) : ovl_read_onnx(s, out, err);
}

ovl_status ovl_read_file(const char *path, const char *weights_path, ovl_graph **out, ovl_error *err)
{
	return ovl_read_file_noting(path, weights_path, NULL, out, err);
}

ovl_status ovl_read_file_noting(const char *path, const char *weights_path, const ovl_read_note *note, ovl_graph **out, ovl_error *err)
{
	ovl_buffer *file = NULL;
	ovl_origin s = {.path = path, .weights_path = weights_path, .note = note};
	ovl_status st = ovl_file_map(path, &file, err);
	*out = NULL;
	if (st != OVL_OK)
		return st;
	s.data = file->data;
	s.size = file->size;
	s.file = file;
	st = read_source(&s, out, err);
	ovl_buffer_release(file);
	return st == OVL_OK ? st : ovl_error_prefix(err, "cannot read '%s'", path);
}

ovl_status ovl_read_memory(const void *model, size_t size, const void *weights, size_t weights_size, ovl_graph **out, ovl_error *err)
{
	ovl_origin s = {.data = model, .size = size, .weights = weights, .weights_size = weights ? weights_size : 0};
	ovl_status st = read_source(&s, out, err);
	return st == OVL_OK ? st : ovl_error_prefix(err, "cannot read the model from memory");
}
