/* str.h - a growing text buffer, and parsing of numbers that does not depend on the locale. */
#ifndef OVL_BASE_STR_H
#define OVL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ovl_str {
	char *at; /* always ends in NUL once something was added; NULL before */
	size_t n, cap;
	bool failed; /* memory ran out: the text is cut */
} ovl_str;

void ovl_str_add(ovl_str *s, const char *text);
void ovl_str_addn(ovl_str *s, const char *bytes, size_t n);
void ovl_str_addf(ovl_str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ovl_str_free(ovl_str *s);

/* Whole-text parsing: false when text is not exactly one number (surrounding blanks allowed). Decimal point always '.'. */
bool ovl_parse_i64(const char *text, int64_t *out);
bool ovl_parse_f64(const char *text, double *out); /* also inf, -inf, nan */
/* Shortest text that reads back to the same value ("0.1", "1e-05", "inf"). buf of 40 bytes. */
const char *ovl_format_f64(double v, char *buf);
const char *ovl_format_f32(float v, char *buf);

#endif
