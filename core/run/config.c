#include "run/config.h"
#include "base/cpu.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void ovl_config_init(ovl_config *c) { *c = (ovl_config){.precision = OVL_F32, .plan_entries = 16, .plan_megabytes = 1024, .cache_megabytes = 4096}; }
void ovl_config_free(ovl_config *c) { ovl_free(c->cache_dir); }

bool ovl_config_copy(const ovl_config *from, ovl_config *to)
{
	*to = *from;
	to->cache_dir = from->cache_dir ? ovl_strdup(from->cache_dir) : NULL;
	return !from->cache_dir || to->cache_dir;
}

static ovl_status bad(const char *key, const char *value, const char *wanted, ovl_error *err)
{
	return ovl_fail(err, OVL_E_ARGUMENT, "property %s: '%.60s' is not a value it takes; there are: %s", key, value, wanted);
}

static ovl_status set_hint(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	if (strcmp(value, "LATENCY") == 0)
		c->hint = OVL_HINT_LATENCY;
	else if (strcmp(value, "THROUGHPUT") == 0)
		c->hint = OVL_HINT_THROUGHPUT;
	else if (strcmp(value, "CUMULATIVE_THROUGHPUT") == 0)
		c->hint = OVL_HINT_CUMULATIVE;
	else if (strcmp(value, "UNDEFINED") != 0)
		return bad(key, value, "LATENCY, THROUGHPUT, CUMULATIVE_THROUGHPUT", err);
	return OVL_OK;
}

static ovl_status set_streams(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	int64_t n;
	if (strcmp(value, "AUTO") == 0 || strcmp(value, "-1") == 0)
		c->streams = -1;
	else if (ovl_parse_i64(value, &n) && n >= 0 && n <= 256)
		c->streams = (int)n;
	else
		return bad(key, value, "AUTO, -1, or a number from 0 to 256", err);
	return OVL_OK;
}

static ovl_status set_count(const char *key, const char *value, int64_t max, int64_t *out, ovl_error *err)
{
	if (!ovl_parse_i64(value, out) || *out < 0 || *out > max)
		return bad(key, value, "whole numbers from 0 on", err);
	return OVL_OK;
}

static ovl_status set_threads(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	int64_t n;
	OVL_TRY(set_count(key, value, 1 << 20, &n, err));
	c->threads = (int)n;
	return OVL_OK;
}

static ovl_status set_requests(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	int64_t n;
	OVL_TRY(set_count(key, value, 1 << 20, &n, err));
	c->requests = (int)n;
	return OVL_OK;
}

static ovl_status set_precision(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	if (strcmp(value, "f32") == 0 || strcmp(value, "undefined") == 0 || strcmp(value, "dynamic") == 0)
		c->precision = OVL_F32;
	else if (strcmp(value, "bf16") == 0)
		c->precision = OVL_BF16;
	else if (strcmp(value, "f16") == 0)
		c->precision = OVL_F16;
	else
		return bad(key, value, "f32, bf16, f16", err);
	return OVL_OK;
}

static ovl_status parse_yes(const char *key, const char *value, bool *out, ovl_error *err)
{
	if (!strcasecmp(value, "YES") || !strcasecmp(value, "true") || !strcmp(value, "1"))
		*out = true;
	else if (!strcasecmp(value, "NO") || !strcasecmp(value, "false") || !strcmp(value, "0"))
		*out = false;
	else
		return bad(key, value, "YES, NO, true, false", err);
	return OVL_OK;
}

static ovl_status set_profiling(ovl_config *c, const char *key, const char *value, ovl_error *err) { return parse_yes(key, value, &c->profiling, err); }
static ovl_status set_pinning(ovl_config *c, const char *key, const char *value, ovl_error *err) { return parse_yes(key, value, &c->pinning, err); }
static ovl_status set_tune(ovl_config *c, const char *key, const char *value, ovl_error *err) { return parse_yes(key, value, &c->tune, err); }

static ovl_status set_affinity(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	if (strcmp(value, "CORE") && strcmp(value, "NONE") && strcmp(value, "NUMA") && strcmp(value, "HYBRID_AWARE"))
		return bad(key, value, "NONE, CORE, NUMA, HYBRID_AWARE", err);
	c->pinning = strcmp(value, "CORE") == 0;
	return OVL_OK;
}

static ovl_status set_mode(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	if (strcmp(value, "PERFORMANCE") && strcmp(value, "ACCURACY"))
		return bad(key, value, "PERFORMANCE, ACCURACY", err);
	c->accuracy = strcmp(value, "ACCURACY") == 0;
	return OVL_OK;
}

static ovl_status set_cache_dir(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	char *copy = *value ? ovl_strdup(value) : NULL;
	(void)key;
	if (*value && !copy)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a property");
	ovl_free(c->cache_dir);
	c->cache_dir = copy;
	return OVL_OK;
}

static ovl_status set_cache_megabytes(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	return set_count(key, value, 1 << 30, &c->cache_megabytes, err);
}

static ovl_status set_plan_entries(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	OVL_TRY(set_count(key, value, 1 << 20, &c->plan_entries, err));
	if (c->plan_entries == 0)
		c->plan_entries = 1;
	return OVL_OK;
}

static ovl_status set_plan_megabytes(ovl_config *c, const char *key, const char *value, ovl_error *err) { return set_count(key, value, 1 << 30, &c->plan_megabytes, err); }

static const char *yes_no(bool b) { return b ? "YES" : "NO"; }

typedef struct property {
	const char *key;
	ovl_status (*set)(ovl_config *c, const char *key, const char *value, ovl_error *err); /* NULL: read-only */
	bool core, compiled; /* where it can be read */
} property;

static const property properties[] = {
	{"PERFORMANCE_HINT", set_hint, true, true},
	{"PERFORMANCE_HINT_NUM_REQUESTS", set_requests, true, true},
	{"NUM_STREAMS", set_streams, true, true},
	{"INFERENCE_NUM_THREADS", set_threads, true, true},
	{"INFERENCE_PRECISION_HINT", set_precision, true, true},
	{"ENABLE_PROFILING", set_profiling, true, true},
	{"PERF_COUNT", set_profiling, true, true},
	{"EXECUTION_MODE_HINT", set_mode, true, true},
	{"AFFINITY", set_affinity, true, false},
	{"ENABLE_CPU_PINNING", set_pinning, true, true},
	{"CACHE_DIR", set_cache_dir, true, true},
	{"CACHE_MEGABYTES", set_cache_megabytes, true, true},
	{"TUNE", set_tune, true, true},
	{"PLAN_CACHE_ENTRIES", set_plan_entries, true, true},
	{"PLAN_CACHE_MEGABYTES", set_plan_megabytes, true, true},
	{"OPTIMAL_NUMBER_OF_INFER_REQUESTS", NULL, false, true},
	{"NETWORK_NAME", NULL, false, true},
	{"LOADED_FROM_CACHE", NULL, false, true},
	{"TUNE_TIMED", NULL, false, true},
	{"EXECUTION_DEVICES", NULL, false, true},
	{"SUPPORTED_PROPERTIES", NULL, true, true},
	{"AVAILABLE_DEVICES", NULL, true, false},
	{"FULL_DEVICE_NAME", NULL, true, false},
	{"OPTIMIZATION_CAPABILITIES", NULL, true, false},
	{"RANGE_FOR_STREAMS", NULL, true, false},
	{"RANGE_FOR_ASYNC_INFER_REQUESTS", NULL, true, false},
};
enum { N_PROPERTIES = sizeof properties / sizeof *properties };

static const property *find(const char *key)
{
	for (int i = 0; i < N_PROPERTIES; i++)
		if (strcmp(properties[i].key, key) == 0)
			return &properties[i];
	return NULL;
}

static void list_keys(int what, char *buf, size_t size) /* what 0: settable, 1: core, 2: compiled */
{
	size_t n = 0;
	buf[0] = 0;
	for (int i = 0; i < N_PROPERTIES && n < size; i++)
		if (what == 0 ? properties[i].set != NULL : what == 1 ? properties[i].core : properties[i].compiled)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "", properties[i].key);
}

ovl_status ovl_config_set(ovl_config *c, const char *key, const char *value, ovl_error *err)
{
	const property *p = find(key);
	char keys[700];
	if (p && p->set)
		return p->set(c, key, value, err);
	if (p)
		return ovl_fail(err, OVL_E_ARGUMENT, "property %s can only be read", key);
	list_keys(0, keys, sizeof keys);
	return ovl_fail(err, OVL_E_ARGUMENT, "there is no property '%.60s'; there are: %s", key, keys);
}

static const char *precision_in_force(const ovl_config *c)
{
	if (c->accuracy || c->precision == OVL_F32 || ovl_cpu_isa() < OVL_ISA_AVX512_BF16)
		return "f32";
	return "bf16";
}

void ovl_config_precision_note(const ovl_config *c, char *buf, size_t size)
{
	const char *now = precision_in_force(c), *asked = ovl_type_name(c->precision);
	if (!strcmp(now, asked))
		snprintf(buf, size, "%s", now);
	else if (c->accuracy)
		snprintf(buf, size, "%s: %s was asked for, but so was EXECUTION_MODE_HINT = ACCURACY", now, asked);
	else if (!strcmp(now, "f32"))
		snprintf(buf, size, "%s: %s was asked for, but instructions go up to %s here (avx512_bf16 is needed)", now, asked, ovl_isa_name(ovl_cpu_isa()));
	else
		snprintf(buf, size, "%s: %s was asked for, and is computed so", now, asked);
}

static void get_text(const ovl_config *c, ovl_config_scope scope, const char *model_name, const char *key, char *kind, char *buf, size_t size)
{
	static const char *const hints[] = {"LATENCY", "THROUGHPUT", "CUMULATIVE_THROUGHPUT"};
	int threads = ovl_cpu_threads();
	*kind = 's';
	buf[0] = 0;
#define IS(name) (strcmp(key, name) == 0)
#define TEXT(...) snprintf(buf, size, __VA_ARGS__)
	if (IS("PERFORMANCE_HINT"))
		TEXT("%s", hints[c->hint]);
	else if (IS("INFERENCE_PRECISION_HINT"))
		TEXT("%s", precision_in_force(c));
	else if (IS("ENABLE_PROFILING") || IS("PERF_COUNT"))
		TEXT("%s", yes_no(c->profiling));
	else if (IS("ENABLE_CPU_PINNING"))
		*kind = 'b', TEXT("%s", yes_no(c->pinning));
	else if (IS("TUNE"))
		TEXT("%s", yes_no(c->tune));
	else if (IS("EXECUTION_MODE_HINT"))
		TEXT("%s", c->accuracy ? "ACCURACY" : "PERFORMANCE");
	else if (IS("AFFINITY"))
		TEXT("%s", c->pinning ? "CORE" : "NONE");
	else if (IS("CACHE_DIR"))
		TEXT("%s", c->cache_dir ? c->cache_dir : "");
	else if (IS("LOADED_FROM_CACHE"))
		*kind = 'b', TEXT("%s", yes_no(c->from_cache));
	else if (IS("NETWORK_NAME"))
		TEXT("%s", model_name);
	else if (IS("FULL_DEVICE_NAME"))
		TEXT("%s", ovl_cpu_name());
	else if (IS("EXECUTION_DEVICES") || IS("AVAILABLE_DEVICES"))
		*kind = 'l', TEXT("CPU");
	else if (IS("OPTIMIZATION_CAPABILITIES"))
		*kind = 'l', TEXT("FP32%s", ovl_cpu_isa() >= OVL_ISA_AVX512_BF16 ? " BF16" : "");
	else if (IS("SUPPORTED_PROPERTIES"))
		*kind = 'l', list_keys(scope == OVL_SCOPE_CORE ? 1 : 2, buf, size);
	else if (IS("RANGE_FOR_STREAMS"))
		*kind = 'l', TEXT("1 %d", threads);
	else if (IS("RANGE_FOR_ASYNC_INFER_REQUESTS"))
		*kind = 'l', TEXT("1 %d 1", threads);
	else {
		*kind = 'i';
		if (IS("NUM_STREAMS"))
			TEXT("%d", scope == OVL_SCOPE_CORE ? c->streams : ovl_config_streams(c));
		else if (IS("INFERENCE_NUM_THREADS"))
			TEXT("%d", scope == OVL_SCOPE_CORE ? c->threads : ovl_config_streams(c) * ovl_config_threads_per_stream(c));
		else if (IS("PERFORMANCE_HINT_NUM_REQUESTS"))
			TEXT("%d", c->requests);
		else if (IS("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
			TEXT("%d", c->requests > 0 && c->requests < ovl_config_streams(c) ? c->requests : ovl_config_streams(c));
		else if (IS("PLAN_CACHE_ENTRIES"))
			TEXT("%lld", (long long)c->plan_entries);
		else if (IS("TUNE_TIMED"))
			TEXT("%lld", (long long)c->timed);
		else if (IS("CACHE_MEGABYTES"))
			TEXT("%lld", (long long)c->cache_megabytes);
		else if (IS("PLAN_CACHE_MEGABYTES"))
			TEXT("%lld", (long long)c->plan_megabytes);
	}
#undef IS
#undef TEXT
}

ovl_status ovl_config_get(const ovl_config *c, ovl_config_scope scope, const char *model_name, const char *key, char *kind, char *buf, size_t size, ovl_error *err)
{
	const property *p = find(key);
	char keys[700];
	if (!p || !(scope == OVL_SCOPE_CORE ? p->core : p->compiled)) {
		list_keys(scope == OVL_SCOPE_CORE ? 1 : 2, keys, sizeof keys);
		return ovl_fail(err, OVL_E_ARGUMENT, "there is no property '%.60s' here; there are: %s", key, keys);
	}
	get_text(c, scope, model_name, key, kind, buf, size);
	return OVL_OK;
}

static int threads_in_all(const ovl_config *c)
{
	int all = ovl_cpu_threads();
	return c->threads > 0 && c->threads < all ? c->threads : all;
}

/* In throughput mode one thread a stream: nothing is shared, so nothing waits for anything. */
int ovl_config_streams(const ovl_config *c)
{
	int all = threads_in_all(c), n = c->streams;
	if (n == 0)
		n = c->hint == OVL_HINT_LATENCY ? 1 : -1;
	if (n < 0)
		n = c->requests > 0 && c->requests < all ? c->requests : all;
	return n < 1 ? 1 : n;
}

int ovl_config_threads_per_stream(const ovl_config *c)
{
	int n = threads_in_all(c) / ovl_config_streams(c);
	return n < 1 ? 1 : n;
}

void ovl_config_plan_options(const ovl_config *c, ovl_plan_options *out)
{
	*out = (ovl_plan_options){.threads = ovl_config_threads_per_stream(c), .isa = ovl_cpu_isa(), .cache_entries = (size_t)c->plan_entries,
		.cache_bytes = (size_t)c->plan_megabytes << 20};
	out->bf16 = strcmp(precision_in_force(c), "bf16") == 0;
	out->accurate = c->accuracy;
}
