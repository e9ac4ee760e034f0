/* file.c - buffers and files. */
#define _GNU_SOURCE 1
#include "base/file.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

ovl_buffer *ovl_buffer_wrap(void *data, size_t size, void (*release)(void *, void *, size_t), void *user)
{
	ovl_buffer *b = ovl_alloc(sizeof *b);
	if (b)
		*b = (ovl_buffer){.refs = 1, .data = data, .size = size, .release = release, .user = user};
	return b;
}

static void free_data(void *user, void *data, size_t size)
{
	(void)data, (void)size;
	ovl_free(user);
}

enum { PAGES_BYTES = 1 << 18 };

static void free_pages(void *user, void *data, size_t size)
{
	(void)user;
	ovl_unmap_pages(data, size);
}

ovl_buffer *ovl_buffer_new(size_t size, bool zeroed)
{
	bool pages = size >= PAGES_BYTES; /* fresh ones: zero without being touched */
	void *data = pages ? ovl_map_pages(size) : ovl_alloc_aligned(size);
	ovl_buffer *b;
	if (!data)
		return NULL;
	if (zeroed && !pages)
		memset(data, 0, size);
	b = ovl_buffer_wrap(data, size, pages ? free_pages : free_data, data);
	if (!b && pages)
		ovl_unmap_pages(data, size);
	else if (!b)
		ovl_free(data);
	return b;
}

ovl_buffer *ovl_buffer_retain(ovl_buffer *b)
{
	if (b)
		__atomic_fetch_add(&b->refs, 1, __ATOMIC_RELAXED);
	return b;
}

void ovl_buffer_release(ovl_buffer *b)
{
	if (!b || __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (b->release)
		b->release(b->user, b->data, b->size);
	ovl_free(b);
}

static void release_whole(void *user, void *data, size_t size)
{
	(void)data, (void)size;
	ovl_buffer_release(user);
}

ovl_buffer *ovl_buffer_part(ovl_buffer *whole, size_t offset, size_t size)
{
	ovl_buffer *b = ovl_buffer_wrap((char *)whole->data + offset, size, release_whole, whole);
	if (b)
		ovl_buffer_retain(whole);
	return b;
}

void ovl_file_forget(const void *data, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)data + page - 1) & ~(page - 1), to = ((uintptr_t)data + size) & ~(page - 1);
	if (from < to)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

static ovl_status fail_errno(ovl_error *err, const char *what, const char *path, int code)
{
	char text[128] = "";
	return ovl_fail(err, OVL_E_IO, "cannot %s '%s': %s", what, path, strerror_r(code, text, sizeof text));
}

static void unmap(void *user, void *data, size_t size)
{
	(void)user;
	if (size)
		munmap(data, size);
}

bool ovl_buffer_is_file(const ovl_buffer *b)
{
	if (b->release == release_whole)
		b = b->user;
	return b->release == unmap;
}

/* Maps what fd is open on, and closes it. `path` is for messages. */
static ovl_status map_fd(int fd, const char *path, ovl_buffer **out, ovl_error *err)
{
	static char nothing[64];
	struct stat st;
	void *data = nothing;
	ovl_status s = OVL_OK;
	if (fstat(fd, &st))
		s = fail_errno(err, "look at", path, errno);
	else if (!S_ISREG(st.st_mode))
		s = ovl_fail(err, OVL_E_IO, "cannot read '%s': it is %s, a regular file is needed", path, S_ISDIR(st.st_mode) ? "a folder" : "no regular file");
	else if (st.st_size > 0) {
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED)
			s = fail_errno(err, "map", path, errno);
	}
	close(fd);
	if (s)
		return s;
	*out = ovl_buffer_wrap(data, (size_t)st.st_size, unmap, NULL);
	if (*out)
		return OVL_OK;
	unmap(NULL, data, (size_t)st.st_size);
	return ovl_fail(err, OVL_E_MEMORY, "no memory for mapping '%s'", path);
}

enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY }; /* a pipe in the place of a model must not block us */

ovl_status ovl_file_map(const char *path, ovl_buffer **out, ovl_error *err)
{
	int fd = open(path, OPEN_FLAGS);
	*out = NULL;
	return fd < 0 ? fail_errno(err, "open", path, errno) : map_fd(fd, path, out, err);
}

/* Whether `relative` is made of plain names only. */
static bool stays_below(const char *relative)
{
	if (!relative[0] || relative[0] == '/')
		return false;
	for (const char *p = relative; *p;) {
		size_t n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return false;
		p += n;
		p += *p == '/';
	}
	return true;
}

static int open_beneath(int folder, const char *relative)
{
	struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int fd = -1;
	for (int i = 0; i < 100; i++) { /* EAGAIN: something was renamed while the kernel walked */
		fd = (int)syscall(SYS_openat2, folder, relative, &how, sizeof how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

/* For kernels before 5.6 and sandboxes without openat2: compares resolved paths. */
static int open_by_realpath(const char *folder, const char *relative)
{
	char base[PATH_MAX], joined[2 * PATH_MAX], real[PATH_MAX];
	size_t n;
	if (!realpath(folder, base))
		return -1;
	if (snprintf(joined, sizeof joined, "%s/%s", base, relative) >= (int)sizeof joined) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!realpath(joined, real))
		return -1;
	n = strlen(base);
	if (n == 1)
		n = 0; /* "/" */
	if (strncmp(real, base, n) || real[n] != '/') {
		errno = EXDEV;
		return -1;
	}
	return open(real, OPEN_FLAGS | O_NOFOLLOW);
}

ovl_status ovl_file_map_beneath(const char *model_path, const char *relative, ovl_buffer **out, ovl_error *err)
{
	char folder[PATH_MAX], shown[PATH_MAX + 256];
	const char *slash = strrchr(model_path, '/');
	size_t n = slash ? (size_t)(slash - model_path) : 0;
	int dir, fd;
	*out = NULL;
	if (!stays_below(relative))
		return ovl_fail(err, OVL_E_IO, "external data '%s' is refused: it must be a path beneath the folder of the model '%s'", relative, model_path);
	if (n >= sizeof folder)
		return fail_errno(err, "open", model_path, ENAMETOOLONG);
	memcpy(folder, model_path, n);
	folder[n] = 0;
	if (!n)
		strcpy(folder, slash ? "/" : ".");
	snprintf(shown, sizeof shown, "%s/%.250s", folder, relative);
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail_errno(err, "open the folder", folder, errno);
	fd = open_beneath(dir, relative);
	close(dir);
	if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL))
		fd = open_by_realpath(folder, relative);
	if (fd < 0 && errno == EXDEV)
		return ovl_fail(err, OVL_E_IO, "external data '%s' is refused: a link leads out of the folder of the model", shown);
	return fd < 0 ? fail_errno(err, "open", shown, errno) : map_fd(fd, shown, out, err);
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size < (1u << 30) ? size : (1u << 30));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_parts(int fd, const ovl_file_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (write_all(fd, parts[i].data, parts[i].size))
			return -1;
	return 0;
}

/* Something that exists and is no regular file (a terminal, a pipe, /dev/null) is written to as it is, not replaced. */
static ovl_status write_special(const char *path, const ovl_file_part *parts, size_t n, ovl_error *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), code = 0;
	if (fd < 0)
		return fail_errno(err, "open for writing", path, errno);
	if (write_parts(fd, parts, n))
		code = errno;
	close(fd);
	return code ? fail_errno(err, "write", path, code) : OVL_OK;
}

/* Makes and opens a new file beside path; its name goes to temp. */
static int open_temporary(const char *path, char *temp, size_t size)
{
	static unsigned serial;
	for (int i = 0; i < 100; i++) {
		struct timespec t;
		clock_gettime(CLOCK_REALTIME, &t);
		unsigned id = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED) + (unsigned)t.tv_nsec;
		if (snprintf(temp, size, "%s.%x-%x", path, (unsigned)getpid(), id) >= (int)size) {
			errno = ENAMETOOLONG;
			return -1;
		}
		int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

ovl_status ovl_file_write(const char *path, const void *data, size_t size, ovl_error *err)
{
	ovl_file_part part = {data, size};
	return ovl_file_write_parts(path, &part, 1, err);
}

ovl_status ovl_file_write_parts(const char *path, const ovl_file_part *parts, size_t n, ovl_error *err)
{
	char real[PATH_MAX], temp[PATH_MAX];
	struct stat st;
	bool exists = !stat(path, &st);
	const char *target = exists && realpath(path, real) ? real : path; /* a link stays a link */
	int fd, code = 0;
	if (exists && S_ISDIR(st.st_mode))
		return fail_errno(err, "write", path, EISDIR);
	if (exists && !S_ISREG(st.st_mode))
		return write_special(path, parts, n, err);
	fd = open_temporary(target, temp, sizeof temp);
	if (fd < 0)
		return fail_errno(err, "write beside", path, errno);
	if (exists)
		(void)!fchmod(fd, st.st_mode & 07777);
	if (write_parts(fd, parts, n))
		code = errno;
	if (close(fd) && !code)
		code = errno;
	if (!code && rename(temp, target))
		code = errno;
	if (!code)
		return OVL_OK;
	unlink(temp);
	return fail_errno(err, "write", path, code);
}
