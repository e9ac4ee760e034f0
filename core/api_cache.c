/* CACHE_DIR: compiled models as files named after what they were made of: contents, configuration, processor, build. A file that cannot be used, whatever the
 * reason, counts as none; a file that cannot be written is not. The files used least recently go when all of them take more than CACHE_MEGABYTES. */
#include "api_bundle.h"
#include "base/build.h"
#include "base/cpu.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ENDING ".ovlcache"
enum { NAME = 32 + sizeof ENDING - 1, STALE_SECONDS = 3600 };

/* What is to be done once the weights are packed. */
typedef struct cache_job {
	ovl_hash contents;
	ovl_bundle_files files;
} cache_job;

static bool path_of(const ovl_compiled *c, ovl_hash contents, char *path)
{
	ovl_plan_options options;
	uint64_t config[3];
	char name[33];
	ovl_config_plan_options(&c->config, &options);
	config[0] = (uint64_t)options.isa;
	config[1] = options.bf16;
	config[2] = c->config.accuracy;
	contents = ovl_hash_join(ovl_hash_join(contents, ovl_build_id()), ovl_hash_of(config, sizeof config, NULL));
	if (c->config.tune)
		contents = ovl_hash_join(contents, ovl_compiled_timed_on(c));
	return snprintf(path, PATH_MAX, "%s/%s" ENDING, c->config.cache_dir, ovl_hash_text(contents, name)) < PATH_MAX - 64;
}

static void tell(const char *what, const char *path, const ovl_error *err)
{
	if (ovl_log_on(OVL_LOG_CACHE))
		ovl_log("cache: %s %s%s%s", what, path, err ? ": " : "", err ? err->message : "");
}

/* ---- loading ---- */

static bool same_contents(const char *model_path, const char *name, ovl_hash want, ovl_pool *pool)
{
	char path[PATH_MAX];
	const char *slash = strrchr(model_path, '/');
	ovl_buffer *file;
	ovl_error ignored;
	bool same;
	if (snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash + 1 - model_path) : 0, model_path, name) >= (int)sizeof path ||
		ovl_file_map(path, &file, &ignored) != OVL_OK)
		return false;
	same = ovl_hash_equal(want, ovl_hash_of(file->data, file->size, pool));
	ovl_buffer_release(file);
	return same;
}

static ovl_status check_intro(const ovl_bundle_intro *intro, const char *model_path, ovl_pool *pool, ovl_error *err)
{
	for (size_t i = 0; i < intro->files.n; i++)
		if (!model_path || !same_contents(model_path, intro->files.at[i].name, intro->files.at[i].contents, pool))
			return ovl_fail(err, OVL_E_PARSE, "'%s' has other contents", intro->files.at[i].name);
	return OVL_OK;
}

static ovl_status load_bundle(ovl_compiled *c, ovl_buffer *file, const char *model_path, ovl_pool *pool, bool *packed, ovl_error *err)
{
	ovl_bundle_in in;
	ovl_bundle_intro intro = {0};
	ovl_status st;
	bool fixed;
	OVL_TRY(ovl_bundle_open(&in, file, pool, err));
	st = ovl_bundle_get_intro(&in, &intro, err);
	if (st == OVL_OK)
		st = check_intro(&intro, model_path, pool, err);
	if (st == OVL_OK)
		st = ovl_compiled_get(c, &in, packed, err);
	if (st == OVL_OK)
		st = ovl_compiled_plan(c, &fixed, err);
	ovl_vec_free(&intro.files);
	ovl_bundle_close_in(&in);
	return st;
}

static void free_job(void *p)
{
	cache_job *job = p;
	ovl_bundle_files_free(&job->files);
	ovl_free(job);
}

static void copy_files(const ovl_bundle_intro *intro, ovl_bundle_files *out)
{
	for (size_t i = 0; i < intro->files.n; i++) {
		ovl_bundle_file f = {ovl_strdup(intro->files.at[i].name), intro->files.at[i].contents};
		if (!f.name || !ovl_vec_push(&out->list, f)) {
			ovl_free(f.name);
			out->failed = true;
		}
	}
}

/* An entry that was written before any plan was made gets its packed weights now. */
static void finish_later(ovl_compiled *c, ovl_hash contents, ovl_buffer *file)
{
	ovl_bundle_in in;
	ovl_bundle_intro intro = {0};
	ovl_bundle_files files = {0};
	ovl_error ignored;
	if (ovl_bundle_open(&in, file, NULL, &ignored) != OVL_OK)
		return;
	if (ovl_bundle_get_intro(&in, &intro, &ignored) == OVL_OK) {
		copy_files(&intro, &files);
		if (!files.failed)
			ovl_cache_store(c, contents, &files, false);
		ovl_bundle_files_free(&files);
	}
	ovl_vec_free(&intro.files);
	ovl_bundle_close_in(&in);
}

bool ovl_cache_load(ovl_compiled *c, ovl_hash contents, const char *model_path)
{
	char path[PATH_MAX];
	ovl_buffer *file;
	ovl_error err;
	ovl_pool *pool;
	bool packed = false;
	ovl_status st;
	if (!path_of(c, contents, path) || ovl_file_map(path, &file, &err) != OVL_OK)
		return false;
	pool = ovl_pool_new(file->size > 4u << 20 ? ovl_cpu_threads() : 1);
	st = pool ? load_bundle(c, file, model_path, pool, &packed, &err) : ovl_fail(&err, OVL_E_MEMORY, "not enough memory");
	ovl_pool_free(pool);
	if (st == OVL_OK) {
		tell("loaded", path, NULL);
		c->config.from_cache = true;
		(void)!utimensat(AT_FDCWD, path, NULL, 0); /* used just now */
		if (!packed)
			finish_later(c, contents, file);
	} else {
		tell("not usable:", path, &err);
		ovl_compiled_clear(c);
	}
	ovl_buffer_release(file);
	return st == OVL_OK;
}

/* ---- storing ---- */

/* mkdir -p */
static void make_folder(const char *folder)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s", folder) >= (int)sizeof path)
		return;
	for (char *p = path + 1; *p; p++)
		if (*p == '/') {
			*p = 0;
			mkdir(path, 0777);
			*p = '/';
		}
	mkdir(path, 0777);
}

typedef struct entry {
	char name[NAME + 1];
	struct timespec used;
	uint64_t size;
} entry;

static bool is_entry(const char *name) { return strlen(name) == NAME && strspn(name, "0123456789abcdef") == 32 && strcmp(name + 32, ENDING) == 0; }

/* A write that was cut off left a file with a longer name. */
static void drop_stale(int folder, const char *name, const struct stat *st)
{
	if (strlen(name) > NAME && strspn(name, "0123456789abcdef") == 32 && strncmp(name + 32, ENDING ".", sizeof ENDING) == 0 &&
		time(NULL) - st->st_mtime > STALE_SECONDS)
		unlinkat(folder, name, 0);
}

static bool older(const entry *a, const entry *b)
{
	return a->used.tv_sec != b->used.tv_sec ? a->used.tv_sec < b->used.tv_sec : a->used.tv_nsec < b->used.tv_nsec;
}

static void make_room(const char *folder, uint64_t room)
{
	OVL_VEC(entry) list = {0};
	DIR *d = opendir(folder);
	uint64_t total = 0;
	for (struct dirent *e; d && (e = readdir(d));) {
		entry one = {.name = ""};
		struct stat st;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		drop_stale(dirfd(d), e->d_name, &st);
		if (!is_entry(e->d_name))
			continue;
		memcpy(one.name, e->d_name, NAME);
		one.used = st.st_mtim;
		one.size = (uint64_t)st.st_size;
		if (ovl_vec_push(&list, one))
			total += one.size;
	}
	while (total > room && list.n) {
		size_t oldest = 0;
		for (size_t i = 1; i < list.n; i++)
			if (older(&list.at[i], &list.at[oldest]))
				oldest = i;
		unlinkat(dirfd(d), list.at[oldest].name, 0);
		total -= list.at[oldest].size;
		list.at[oldest] = list.at[--list.n];
	}
	ovl_vec_free(&list);
	if (d)
		closedir(d);
}

static ovl_status write_entry(ovl_compiled *c, const char *path, const ovl_bundle_files *files, bool packs, ovl_pool *pool, ovl_error *err)
{
	ovl_bundle_out bundle = {0};
	ovl_bundle_blob *parts = NULL;
	size_t n, total;
	uint64_t room = (uint64_t)c->config.cache_megabytes << 20;
	ovl_status st = ovl_compiled_put(c, files, packs, &bundle, pool, err);
	if (st == OVL_OK)
		st = ovl_bundle_parts(&bundle, &parts, &n, &total, err);
	if (st == OVL_OK && total > room)
		st = ovl_fail(err, OVL_E_UNSUPPORTED, "%zu bytes are more than CACHE_MEGABYTES allows", total);
	if (st == OVL_OK) {
		make_folder(c->config.cache_dir);
		make_room(c->config.cache_dir, room - total);
		st = ovl_file_write_parts(path, parts, n, err);
	}
	ovl_free(parts);
	ovl_bundle_free(&bundle);
	return st;
}

static void store(ovl_compiled *c, ovl_hash contents, const ovl_bundle_files *files, bool packs)
{
	char path[PATH_MAX];
	ovl_error err;
	ovl_pool *pool;
	if (!path_of(c, contents, path))
		return;
	pool = ovl_pool_new(ovl_cpu_threads());
	if (write_entry(c, path, files, packs, pool, &err) == OVL_OK)
		tell("stored", path, NULL);
	else
		tell("not stored:", path, &err);
	ovl_pool_free(pool);
}

static void store_planned(ovl_compiled *c)
{
	const cache_job *job = c->cache;
	store(c, job->contents, &job->files, true);
}

void ovl_cache_store(ovl_compiled *c, ovl_hash contents, ovl_bundle_files *files, bool planned)
{
	cache_job *job;
	if (!c->config.from_cache)
		store(c, contents, files, planned);
	job = planned ? NULL : ovl_calloc(1, sizeof *job);
	if (!job)
		return;
	job->contents = contents;
	if (files) {
		job->files = *files;
		memset(files, 0, sizeof *files);
	}
	c->cache = job;
	c->free_cache = free_job;
	__atomic_store_n(&c->planned, store_planned, __ATOMIC_RELEASE);
}
