/* file.h - bytes with an owner: mapped files, heap blocks, memory of the caller. */
#ifndef OVL_BASE_FILE_H
#define OVL_BASE_FILE_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* Reference-counted bytes. `data` stays where it is for the buffer's life. */
typedef struct ovl_buffer {
	int refs; /* atomic */
	void *data;
	size_t size;
	void (*release)(void *user, void *data, size_t size); /* called once, when the last reference goes; may be NULL */
	void *user;
} ovl_buffer;

ovl_buffer *ovl_buffer_new(size_t size, bool zeroed); /* 64-byte aligned own memory; NULL when memory is short */
ovl_buffer *ovl_buffer_wrap(void *data, size_t size, void (*release)(void *, void *, size_t), void *user);
ovl_buffer *ovl_buffer_retain(ovl_buffer *b);
void ovl_buffer_release(ovl_buffer *b); /* NULL is fine */

/* Maps a whole file read-only (private). Errors: io, with the path. An empty file gives size 0. */
ovl_status ovl_file_map(const char *path, ovl_buffer **out, ovl_error *err);

/* Opens external data of a model: `relative` must stay beneath the folder of `model_path`: no "..", no absolute path, no symlink that leads
 * out of the folder. Errors: io. */
ovl_status ovl_file_map_beneath(const char *model_path, const char *relative, ovl_buffer **out, ovl_error *err);

/* Writes through a temporary file beside `path` and renames it. Errors: io. */
ovl_status ovl_file_write(const char *path, const void *data, size_t size, ovl_error *err);
typedef struct ovl_file_part {
	const void *data;
	size_t size;
} ovl_file_part;
ovl_status ovl_file_write_parts(const char *path, const ovl_file_part *parts, size_t n, ovl_error *err); /* the same, one after the other */

/* A part of a buffer as a buffer that keeps the whole. NULL when memory is short. */
ovl_buffer *ovl_buffer_part(ovl_buffer *whole, size_t offset, size_t size);

bool ovl_buffer_is_file(const ovl_buffer *b); /* a file as it is mapped: not to be written to, and there again whenever it is wanted */
/* Lets go of the resident pages of a mapped file that [data, data + size) covers in full: they are read again when they are touched. */
void ovl_file_forget(const void *data, size_t size);

#endif
