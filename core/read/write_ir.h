/* write_ir.h - graph to OpenVINO IR, version 11. */
#ifndef OVL_READ_WRITE_IR_H
#define OVL_READ_WRITE_IR_H

#include "base/str.h"
#include "graph/graph.h"

/* Writes xml_path, which ends in ".xml", and the ".bin" beside it, each in one step; folders that are missing are made. compress_to_fp16: f32
 * constants become f16 with a Convert behind, where f16 can hold them. Errors: argument, io, unsupported (operators that exist inside of ovlite
 * only). */
ovl_status ovl_write_ir(const ovl_graph *g, const char *xml_path, bool compress_to_fp16, ovl_error *err);
/* The same into memory; both texts are to be freed by ovl_str_free in any case. */
ovl_status ovl_write_ir_memory(const ovl_graph *g, bool compress_to_fp16, ovl_str *xml, ovl_str *bin, ovl_error *err);

#endif
