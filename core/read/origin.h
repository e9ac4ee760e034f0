/* origin.h - what the readers of one format get from read.c. */
#ifndef OVL_READ_ORIGIN_H
#define OVL_READ_ORIGIN_H

#include "read/read.h"

typedef struct ovl_origin {
	const char *path; /* NULL: from memory */
	const uint8_t *data;
	ovl_buffer *file; /* what data lies in; NULL: memory of the caller */
	size_t size;
	const char *weights_path; /* of IR; NULL: beside path, or in memory */
	const void *weights; /* NULL when there are none in memory */
	size_t weights_size;
	const ovl_read_note *note; /* NULL: nobody wants to know */
} ovl_origin;

ovl_status ovl_read_ir(const ovl_origin *s, ovl_graph **out, ovl_error *err);
ovl_status ovl_read_onnx(const ovl_origin *s, ovl_graph **out, ovl_error *err);

#endif
