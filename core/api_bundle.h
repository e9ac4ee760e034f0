/* api_bundle.h - a compiled model as a bundle: the graph after its passes, ports and variables, and its packed weights for the machine at hand.
 * What CACHE_DIR keeps and what export_model gives are the same. */
#ifndef OVL_API_BUNDLE_H
#define OVL_API_BUNDLE_H

#include "api.h"
#include "base/hash.h"
#include "graph/bundle.h"

/* A file that the model was read from besides its main one. */
typedef struct ovl_bundle_file {
	char *name; /* below the folder of the model */
	ovl_hash contents;
} ovl_bundle_file;
typedef struct ovl_bundle_files {
	OVL_VEC(ovl_bundle_file) list;
	bool failed; /* one could not be noted: not to be stored */
} ovl_bundle_files;
void ovl_bundle_files_free(ovl_bundle_files *f);

/* Puts all of it, and closes the bundle. files may be NULL. */
ovl_status ovl_compiled_put(ovl_compiled *c, const ovl_bundle_files *files, bool packs, ovl_bundle_out *out, ovl_pool *pool, ovl_error *err);

/* The first part of a bundle: what it was compiled with, and from. */
typedef struct ovl_bundle_intro {
	const char *version;
	const char *config; /* KEY=VALUE lines */
	OVL_VEC(struct {
		const char *name;
		ovl_hash contents;
	}) files;
} ovl_bundle_intro;
ovl_status ovl_bundle_get_intro(ovl_bundle_in *in, ovl_bundle_intro *out, ovl_error *err); /* texts lie in the bundle; ovl_vec_free(&out->files) */
/* The rest: makes of c, which has its configuration, a compiled model. Packed weights of other builds or machines are left aside; *packed: all there were to be packed fit. */
ovl_status ovl_compiled_get(ovl_compiled *c, ovl_bundle_in *in, bool *packed, ovl_error *err);

/* What choices by measurement hold for, besides what their keys say: the build, the processor, the threads of a stream. */
ovl_hash ovl_compiled_timed_on(const ovl_compiled *c);

/* ---- api_core.c: the parts of compiling ---- */

/* A compiled model with nothing but its configuration. Errors: argument, memory. */
ovl_status ovl_compiled_open(ovl_core *core, const char *device, const char *const *keys, const char *const *values, size_t n, ovl_compiled **out, ovl_error *err);
/* Takes the graph over, also when it fails. `ready`: it has been through the passes, and variables are told by someone else. */
ovl_status ovl_compiled_build(ovl_compiled *c, ovl_graph *g, bool ready, ovl_error *err);
ovl_status ovl_compiled_plan(ovl_compiled *c, bool *fixed, ovl_error *err); /* plans ahead when all shapes are known: *fixed */

/* ---- api_cache.c: CACHE_DIR ---- */

/* Makes c (opened, with a CACHE_DIR) of the entry for `contents`, when there is a good one: true. Else c is as it was, and may be made otherwise. */
bool ovl_cache_load(ovl_compiled *c, ovl_hash contents, const char *model_path);
/* Stores c, now or after its first plan. Failures are told to the log only. Takes what is in `files` over; it may be NULL. */
void ovl_cache_store(ovl_compiled *c, ovl_hash contents, ovl_bundle_files *files, bool planned);

#endif
