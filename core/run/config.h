/* config.h - properties under OpenVINO's names: parsing, checking, reading back, and what they come down to. */
#ifndef OVL_RUN_CONFIG_H
#define OVL_RUN_CONFIG_H

#include "base/status.h"
#include "plan/plan.h"

typedef enum ovl_hint { OVL_HINT_LATENCY, OVL_HINT_THROUGHPUT, OVL_HINT_CUMULATIVE } ovl_hint;

typedef struct ovl_config {
	ovl_hint hint;
	int streams; /* 0: not set; -1: automatic */
	int threads; /* 0: all there are */
	int requests; /* PERFORMANCE_HINT_NUM_REQUESTS; 0: not set */
	ovl_type precision; /* OVL_F32, OVL_BF16, OVL_F16 */
	bool profiling, accuracy, pinning, tune;
	int64_t plan_entries, plan_megabytes;
	char *cache_dir; /* NULL: none */
	int64_t cache_megabytes; /* what its files may take together */
	bool from_cache; /* not a setting: the model came from there */
	int64_t timed; /* not a setting: how many choices were made by timing when it was compiled */
} ovl_config;

typedef enum ovl_config_scope { OVL_SCOPE_CORE, OVL_SCOPE_COMPILED } ovl_config_scope;

void ovl_config_init(ovl_config *c);
void ovl_config_free(ovl_config *c);
bool ovl_config_copy(const ovl_config *from, ovl_config *to);
ovl_status ovl_config_set(ovl_config *c, const char *key, const char *value, ovl_error *err);

/* A property read back: kind 's' text, 'i' integer, 'b' boolean, 'l' a list of blank-separated words; text into buf. */
ovl_status ovl_config_get(const ovl_config *c, ovl_config_scope scope, const char *model_name, const char *key, char *kind, char *buf, size_t size, ovl_error *err);

/* The precision that products are computed in, and why it is not the one that was asked for, where that is so. */
void ovl_config_precision_note(const ovl_config *c, char *buf, size_t size);

int ovl_config_streams(const ovl_config *c);
int ovl_config_threads_per_stream(const ovl_config *c);
void ovl_config_plan_options(const ovl_config *c, ovl_plan_options *out);

#endif
