/* read.h - bytes to graph: OpenVINO IR (XML and its .bin) and ONNX, told apart by content. */
#ifndef OVL_READ_READ_H
#define OVL_READ_READ_H

#include "graph/graph.h"

/* weights_path NULL: beside the model, the name's ending replaced by ".bin" (IR only). Errors: io, parse, unsupported, naming the file. */
ovl_status ovl_read_file(const char *path, const char *weights_path, ovl_graph **out, ovl_error *err);
/* The same, telling of every further file that was read (weights, external data): `name` is its path below the folder of the model. */
typedef struct ovl_read_note {
	void (*file)(void *user, const char *name, const ovl_buffer *contents);
	void *user;
} ovl_read_note;
ovl_status ovl_read_file_noting(const char *path, const char *weights_path, const ovl_read_note *note, ovl_graph **out, ovl_error *err);
/* From memory of the caller, which is not needed any more afterwards. weights: the contents of the .bin, NULL for ONNX. */
ovl_status ovl_read_memory(const void *model, size_t size, const void *weights, size_t weights_size, ovl_graph **out, ovl_error *err);

#endif
