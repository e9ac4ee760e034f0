/* bundle.h - a graph as bytes that are used where they lie: records of nodes, and blobs of weights aligned to 64 bytes.
 *
 *     head: "OVLBUNDL" u32 format u32 0   u64 size   u64 records   u64 blobs   hash of the records
 *     table: for each blob u64 offset, u64 size, hash
 *     records, then the blobs
 *
 * All numbers are little-endian. The reader believes nothing: every length is checked, contents against their hashes, and types and shapes are inferred anew.
 * What else belongs to a compiled model is put into the same records by those who know it. */
#ifndef OVL_GRAPH_BUNDLE_H
#define OVL_GRAPH_BUNDLE_H

#include "base/hash.h"
#include "base/str.h"
#include "graph/graph.h"

typedef ovl_file_part ovl_bundle_blob;

/* ---- writing: ovl_bundle_out o = {0}; puts...; ovl_bundle_close; ovl_bundle_parts or ovl_bundle_hash; ovl_bundle_free ---- */

typedef struct ovl_bundle_out {
	ovl_str records;
	OVL_VEC(ovl_bundle_blob) blobs; /* borrowed memory: what is put must stay until the bundle is written */
	OVL_VEC(ovl_tensor *) kept; /* the constants, so that nobody drops their memory meanwhile; dense copies of strided ones */
	uint32_t *slots; /* open hashing of blobs by address */
	size_t n_slots;
	ovl_str head;
	bool failed; /* memory ran out */
	bool closed;
} ovl_bundle_out;

void ovl_bundle_put(ovl_bundle_out *o, uint64_t v);
void ovl_bundle_put_text(ovl_bundle_out *o, const char *s); /* NULL too */
void ovl_bundle_put_shape(ovl_bundle_out *o, const ovl_pshape *s);
void ovl_bundle_put_blob(ovl_bundle_out *o, const void *data, size_t size); /* the same memory again is the same blob */
bool ovl_bundle_blob_of(const ovl_bundle_out *o, const void *data, uint64_t *index); /* a blob that starts there */
/* Errors: unsupported (sequences as constants), memory. */
ovl_status ovl_bundle_put_graph(ovl_bundle_out *o, const ovl_graph *g, ovl_error *err);
ovl_status ovl_bundle_close(ovl_bundle_out *o, ovl_pool *pool, ovl_error *err); /* nothing is put any more */
/* The bundle as pieces to be written one after the other (to be freed by ovl_free). */
ovl_status ovl_bundle_parts(ovl_bundle_out *o, ovl_bundle_blob **parts, size_t *n, size_t *total, ovl_error *err);
ovl_hash ovl_bundle_hash(const ovl_bundle_out *o); /* of everything in it */
void ovl_bundle_free(ovl_bundle_out *o);

/* ---- reading ---- */

typedef struct ovl_bundle_in {
	ovl_buffer *file; /* retained */
	const uint8_t *p, *end;
	const uint8_t *table, *blobs;
	size_t n_blobs, blob_bytes;
	bool bad; /* something did not fit: what was read since is zero */
} ovl_bundle_in;

/* Errors: parse, telling what is wrong; with `pool` also the contents are checked, by its threads. */
ovl_status ovl_bundle_open(ovl_bundle_in *in, ovl_buffer *file, ovl_pool *pool, ovl_error *err);
void ovl_bundle_close_in(ovl_bundle_in *in);
uint64_t ovl_bundle_get(ovl_bundle_in *in);
const char *ovl_bundle_get_text(ovl_bundle_in *in); /* in the bundle, which keeps it; NULL as it was put */
void ovl_bundle_get_shape(ovl_bundle_in *in, ovl_pshape *s);
bool ovl_bundle_blob_at(ovl_bundle_in *in, uint64_t index, const void **data, size_t *size);
ovl_status ovl_bundle_get_graph(ovl_bundle_in *in, ovl_graph **out, ovl_error *err);
ovl_status ovl_bundle_bad(ovl_error *err); /* the error of a bundle whose records do not fit */

#endif
