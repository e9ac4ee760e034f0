/* npy.h - numpy's files: one array (.npy, versions 1 to 3) and archives of them (.npz).
 *
 * Read: every type with a numpy descr in type.h, either byte order, C and Fortran order; byte strings (S) and unicode (U) become string tensors.
 * Everything in a file is checked before it is believed: sizes against the bytes that are there, before any memory is taken.
 * Errors: io, parse (naming what is wrong and where), unsupported (structured types, objects, encrypted archives), memory. */
#ifndef OVL_READ_NPY_H
#define OVL_READ_NPY_H

#include "tensor/tensor.h"

ovl_status ovl_npy_load(const char *path, ovl_tensor **out, ovl_error *err); /* a tensor with memory of its own */
ovl_status ovl_npy_parse(const void *bytes, size_t size, const char *name, ovl_tensor **out, ovl_error *err); /* name is for messages; bytes are copied */
ovl_status ovl_npy_save(const char *path, const ovl_tensor *t, ovl_error *err); /* C order, little endian; replaces the file as a whole */

/* All arrays of an archive, in its order, names without ".npy". Members that are no .npy are left out. The caller owns both lists and ends them with
 * ovl_npz_free; a tensor that is to live on is retained, or taken out by setting its entry to NULL. */
ovl_status ovl_npz_load(const char *path, char ***names, ovl_tensor ***tensors, size_t *n, ovl_error *err);
ovl_status ovl_npz_parse(const void *bytes, size_t size, const char *name, char ***names, ovl_tensor ***tensors, size_t *n, ovl_error *err);
void ovl_npz_free(char **names, ovl_tensor **tensors, size_t n); /* NULLs are fine */

#endif
