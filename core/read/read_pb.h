/* read_pb.h - protobuf as ONNX uses it: checked parsing, and tensors out of TensorProto. */
#ifndef OVL_READ_READ_PB_H
#define OVL_READ_READ_PB_H

#include "onnx.pb-c.h"
#include "read/read.h"
#include "tensor/tensor.h"

#include "base/vec.h"

/* Parses `size` bytes as a message of this kind. Memory comes from ovl_alloc and is bounded by the size of the input. Errors: parse, memory.
 * `lean`: raw data of tensors stays in the bytes; what the message has in its place says where (see raw_tensor), and the bytes must stay mapped. */
ovl_status ovl_pb_parse(const ProtobufCMessageDescriptor *kind, const void *bytes, size_t size, bool lean, ProtobufCMessage **out, ovl_error *err);
void ovl_pb_free(ProtobufCMessage *message); /* NULL is fine */

/* Files of external data that a model has opened so far. */
typedef struct ovl_pb_files {
	const char *model_path; /* NULL: from memory, there is no external data */
	const ovl_read_note *note; /* NULL: nobody wants to know of them */
	ovl_buffer *lean; /* the mapped model, when its message was parsed so; NULL */
	OVL_VEC(struct ovl_pb_file {
		char *name;
		ovl_buffer *buffer;
	}) open;
} ovl_pb_files;
void ovl_pb_files_close(ovl_pb_files *files);

bool ovl_pb_type(int32_t data_type, ovl_type *out); /* false: a type that ovlite does not have */
const char *ovl_pb_type_name(int32_t data_type);
/* The tensor's data is taken out of the message where the layout allows it (a second call would find none), not copied. */
ovl_status ovl_pb_tensor(Onnx__TensorProto *proto, ovl_pb_files *files, ovl_tensor **out, ovl_error *err);

/* A serialised TensorProto, from a file (bytes NULL) or from memory. */
ovl_status ovl_tensor_load_pb(const char *path, const void *bytes, size_t size, ovl_tensor **out, ovl_error *err);

#endif
