/* xml.h - a small tree of an XML file, read with expat. Elements, attributes and texts live as long as the document. */
#ifndef OVL_READ_XML_H
#define OVL_READ_XML_H

#include "base/status.h"
#include <stddef.h>

typedef struct ovl_xml {
	const char *tag;
	const char *const *attrs; /* name, value, name, value, ..., NULL */
	const char *text; /* of an element without children; "" when there is none */
	struct ovl_xml *first, *last, *next; /* children, and the next sibling */
	long line;
} ovl_xml;

typedef struct ovl_xml_doc {
	ovl_xml *root;
	struct ovl_xml_chunk *chunks;
} ovl_xml_doc;

/* Errors: parse, with the line. Document types (and with them entities) are refused. The document is to be freed in any case. */
ovl_status ovl_xml_parse(const void *data, size_t size, ovl_xml_doc *doc, ovl_error *err);
void ovl_xml_free(ovl_xml_doc *doc);
const char *ovl_xml_attr(const ovl_xml *e, const char *name); /* NULL: there is none */
const ovl_xml *ovl_xml_child(const ovl_xml *e, const char *tag); /* the first of that tag; NULL; e may be NULL */
const ovl_xml *ovl_xml_next(const ovl_xml *e); /* the next sibling of the same tag */

#endif
