#include "read/xml.h"
#include "base/memory.h"
#include "base/str.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

enum { MAX_DEPTH = 128, MAX_TEXT = 1 << 20, MAX_ELEMENTS = 1 << 24, CHUNK = 1 << 16 };

struct ovl_xml_chunk {
	struct ovl_xml_chunk *next;
	size_t used, size;
	max_align_t bytes[];
};

typedef struct reader {
	XML_Parser parser;
	ovl_xml_doc *doc;
	ovl_xml *open[MAX_DEPTH];
	int depth;
	size_t elements;
	ovl_str text;
	ovl_error *err;
	ovl_status status;
} reader;

static void *take(ovl_xml_doc *doc, size_t size)
{
	struct ovl_xml_chunk *c = doc->chunks;
	size = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK / 4 ? size : CHUNK;
		c = ovl_alloc(sizeof *c + room);
		if (!c)
			return NULL;
		c->size = room;
		c->used = 0;
		c->next = doc->chunks;
		doc->chunks = c;
	}
	c->used += size;
	return (char *)c->bytes + c->used - size;
}

static const char *keep(ovl_xml_doc *doc, const char *text, size_t n)
{
	char *copy = take(doc, n + 1);
	if (copy) {
		memcpy(copy, text, n);
		copy[n] = 0;
	}
	return copy;
}

static void stop(reader *r, ovl_status code, const char *what)
{
	if (r->status == OVL_OK)
		r->status = ovl_fail(r->err, code, "line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(r->parser), what);
	XML_StopParser(r->parser, XML_FALSE);
}

static const char *const *keep_attrs(ovl_xml_doc *doc, const XML_Char **attrs)
{
	size_t n = 0;
	const char **copy;
	while (attrs[n])
		n++;
	copy = take(doc, (n + 1) * sizeof *copy);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!(copy[i] = keep(doc, attrs[i], strlen(attrs[i]))))
			return NULL;
	copy[n] = NULL;
	return copy;
}

static void XMLCALL on_start(void *user, const XML_Char *tag, const XML_Char **attrs)
{
	reader *r = user;
	ovl_xml *e, *parent = r->depth ? r->open[r->depth - 1] : NULL;
	if (r->depth == MAX_DEPTH || ++r->elements > MAX_ELEMENTS) {
		stop(r, OVL_E_PARSE, r->depth == MAX_DEPTH ? "elements are nested too deeply" : "there are too many elements");
		return;
	}
	e = take(r->doc, sizeof *e);
	if (!e || !(e->tag = keep(r->doc, tag, strlen(tag))) || !(e->attrs = keep_attrs(r->doc, attrs))) {
		stop(r, OVL_E_MEMORY, "not enough memory for the XML tree");
		return;
	}
	e->text = "";
	e->first = e->last = e->next = NULL;
	e->line = (long)XML_GetCurrentLineNumber(r->parser);
	if (!parent)
		r->doc->root = e;
	else if (parent->last)
		parent->last = parent->last->next = e;
	else
		parent->first = parent->last = e;
	r->open[r->depth++] = e;
	r->text.n = 0;
}

static void XMLCALL on_end(void *user, const XML_Char *tag)
{
	reader *r = user;
	ovl_xml *e = r->open[--r->depth];
	(void)tag;
	if (!e->first && r->text.n && !(e->text = keep(r->doc, r->text.at, r->text.n)))
		stop(r, OVL_E_MEMORY, "not enough memory for the XML tree");
	r->text.n = 0;
}

static void XMLCALL on_text(void *user, const XML_Char *text, int n)
{
	reader *r = user;
	if (r->text.n + (size_t)n > MAX_TEXT) {
		stop(r, OVL_E_PARSE, "a text is too long");
		return;
	}
	ovl_str_addn(&r->text, text, (size_t)n);
	if (r->text.failed)
		stop(r, OVL_E_MEMORY, "not enough memory for the XML tree");
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int internal)
{
	(void)name, (void)sysid, (void)pubid, (void)internal;
	stop(user, OVL_E_PARSE, "a document type has no place in a model");
}

ovl_status ovl_xml_parse(const void *data, size_t size, ovl_xml_doc *doc, ovl_error *err)
{
	static const XML_Memory_Handling_Suite memory = {ovl_alloc, ovl_realloc, ovl_free};
	reader r = {.doc = doc, .err = err};
	const char *at = data;
	*doc = (ovl_xml_doc){NULL, NULL};
	r.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
	if (!r.parser)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for an XML parser");
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	while (r.status == OVL_OK) {
		int part = size > (1 << 24) ? 1 << 24 : (int)size; /* expat counts in int */
		size -= (size_t)part;
		if (XML_Parse(r.parser, at, part, size == 0) == XML_STATUS_ERROR && r.status == OVL_OK) {
			enum XML_Error code = XML_GetErrorCode(r.parser);
			r.status = ovl_fail(err, code == XML_ERROR_NO_MEMORY ? OVL_E_MEMORY : OVL_E_PARSE, "line %lu: not well-formed XML: %s",
				(unsigned long)XML_GetCurrentLineNumber(r.parser), XML_ErrorString(code));
		}
		at += part;
		if (!size)
			break;
	}
	XML_ParserFree(r.parser);
	ovl_str_free(&r.text);
	return r.status;
}

void ovl_xml_free(ovl_xml_doc *doc)
{
	while (doc->chunks) {
		struct ovl_xml_chunk *next = doc->chunks->next;
		ovl_free(doc->chunks);
		doc->chunks = next;
	}
	doc->root = NULL;
}

const char *ovl_xml_attr(const ovl_xml *e, const char *name)
{
	for (const char *const *a = e->attrs; *a; a += 2)
		if (strcmp(a[0], name) == 0)
			return a[1];
	return NULL;
}

const ovl_xml *ovl_xml_child(const ovl_xml *e, const char *tag)
{
	for (const ovl_xml *c = e ? e->first : NULL; c; c = c->next)
		if (strcmp(c->tag, tag) == 0)
			return c;
	return NULL;
}

const ovl_xml *ovl_xml_next(const ovl_xml *e)
{
	for (const ovl_xml *c = e->next; c; c = c->next)
		if (strcmp(c->tag, e->tag) == 0)
			return c;
	return NULL;
}
