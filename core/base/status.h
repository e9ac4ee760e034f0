/* status.h - what a function reports: a status code, and an error text filled at the spot.
 *
 * Every function of core/ that can fail returns ovl_status and takes an ovl_error* as its last argument (never NULL inside core/).
 * The message says what happened, with the node or port, what was expected and what was got, and what to do. */
#ifndef OVL_BASE_STATUS_H
#define OVL_BASE_STATUS_H

/* code, name seen by scripts */
#define OVL_STATUS_MAP(X)            \
	X(OVL_OK, "ok")              \
	X(OVL_E_ARGUMENT, "argument")  \
	X(OVL_E_TYPE, "type")          \
	X(OVL_E_SHAPE, "shape")        \
	X(OVL_E_NOT_FOUND, "not_found")\
	X(OVL_E_BUSY, "busy")          \
	X(OVL_E_CANCELLED, "cancelled")\
	X(OVL_E_IO, "io")              \
	X(OVL_E_PARSE, "parse")        \
	X(OVL_E_UNSUPPORTED, "unsupported") \
	X(OVL_E_MEMORY, "memory")      \
	X(OVL_E_INTERNAL, "internal")

#define OVL_STATUS_ENUM(code, name) code,
typedef enum ovl_status { OVL_STATUS_MAP(OVL_STATUS_ENUM) OVL_STATUS_COUNT } ovl_status;
#undef OVL_STATUS_ENUM

/* A filled error. Plain memory: nothing to free, may be copied by assignment. */
typedef struct ovl_error {
	ovl_status code;
	char message[1016];
} ovl_error;

const char *ovl_status_name(ovl_status code);

/* Fills err (when not NULL) and returns code, so that failing reads: return ovl_fail(err, OVL_E_SHAPE, "...", ...); */
ovl_status ovl_fail(ovl_error *err, ovl_status code, const char *fmt, ...) __attribute__((format(printf, 3, 4), cold));

/* Puts "prefix: " before the message of an error that is on its way up (e.g. the node's name). Returns err->code. */
ovl_status ovl_error_prefix(ovl_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* Shorthand for a call chain: returns from the enclosing function when the call did not succeed. */
#define OVL_TRY(call)                              \
	do {                                       \
		ovl_status ovl_try_ = (call);      \
		if (ovl_try_ != OVL_OK)            \
			return ovl_try_;           \
	} while (0)

#endif
