/* str.c - text that grows, and numbers as text in the C locale whatever locale the host program has set. */
#include "base/str.h"
#include "base/memory.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Switches this thread to the C locale; gives what uselocale must get back. */
static locale_t enter_c_locale(void)
{
	pthread_once(&c_locale_once, make_c_locale);
	return c_locale ? uselocale(c_locale) : uselocale((locale_t)0);
}

void ovl_str_addn(ovl_str *s, const char *bytes, size_t n)
{
	size_t need;
	if (s->failed)
		return;
	if (!ovl_add_ok(s->n, n, &need) || !ovl_add_ok(need, 1, &need) || !ovl_grow(&s->at, &s->cap, need, 1)) {
		s->failed = true;
		return;
	}
	if (n)
		memcpy(s->at + s->n, bytes, n);
	s->n += n;
	s->at[s->n] = 0;
}

void ovl_str_add(ovl_str *s, const char *text)
{
	ovl_str_addn(s, text, strlen(text));
}

void ovl_str_addf(ovl_str *s, const char *fmt, ...)
{
	char small[256];
	va_list args;
	locale_t host = enter_c_locale();
	int n;
	va_start(args, fmt);
	n = vsnprintf(small, sizeof small, fmt, args);
	va_end(args);
	if (n < 0)
		s->failed = true;
	else if ((size_t)n < sizeof small)
		ovl_str_addn(s, small, (size_t)n);
	else if (!s->failed) {
		size_t need;
		if (ovl_add_ok(s->n, (size_t)n + 1, &need) && ovl_grow(&s->at, &s->cap, need, 1)) {
			va_start(args, fmt);
			vsnprintf(s->at + s->n, (size_t)n + 1, fmt, args);
			va_end(args);
			s->n += (size_t)n;
		} else
			s->failed = true;
	}
	uselocale(host);
}

void ovl_str_free(ovl_str *s)
{
	ovl_free(s->at);
	*s = (ovl_str){0};
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *p)
{
	while (blank(*p))
		p++;
	return p;
}

bool ovl_parse_i64(const char *text, int64_t *out)
{
	const char *p = skip_blanks(text);
	bool minus = *p == '-';
	int64_t v = 0;
	if (*p == '-' || *p == '+')
		p++;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		int digit = *p - '0';
		if (__builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_add_overflow(v, (int64_t)(minus ? -digit : digit), &v))
			return false;
	}
	if (*skip_blanks(p))
		return false;
	*out = v;
	return true;
}

/* inf, infinity, nan, in any case; gives the end, or NULL. */
static const char *parse_word(const char *p, double *out)
{
	static const struct {
		const char *word;
		double value;
	} words[] = {{"infinity", INFINITY}, {"inf", INFINITY}, {"nan", NAN}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t k = 0;
		while (words[i].word[k] && (p[k] | 32) == words[i].word[k])
			k++;
		if (!words[i].word[k]) {
			*out = words[i].value;
			return p + k;
		}
	}
	return NULL;
}

bool ovl_parse_f64(const char *text, double *out)
{
	const char *start = skip_blanks(text), *p = start, *end;
	double v;
	if (*p == '-' || *p == '+')
		p++;
	end = parse_word(p, &v);
	if (end)
		v = *start == '-' ? -v : v;
	else {
		char *stop;
		locale_t host;
		int saved = errno;
		if (!((*p >= '0' && *p <= '9') || *p == '.') || (p[0] == '0' && (p[1] | 32) == 'x'))
			return false;
		host = enter_c_locale();
		v = strtod(start, &stop);
		uselocale(host);
		errno = saved; /* too large gives inf, too small gives 0: both are fine */
		if (stop == start)
			return false;
		end = stop;
	}
	if (*skip_blanks(end))
		return false;
	*out = v;
	return true;
}

static const char *format_special(double v, char *buf)
{
	strcpy(buf, v != v ? "nan" : v > 0 ? "inf" : "-inf");
	return buf;
}

/* The first precision that reads back is the shortest text. Normal numbers keep 15 (f32: 6) digits in any case, so the search starts there. */
const char *ovl_format_f64(double v, char *buf)
{
	locale_t host;
	int saved = errno;
	if (!isfinite(v))
		return format_special(v, buf);
	host = enter_c_locale();
	for (int digits = v == 0 || isnormal(v) ? 15 : 1; digits <= 17; digits++) {
		snprintf(buf, 40, "%.*g", digits, v);
		if (strtod(buf, NULL) == v)
			break;
	}
	uselocale(host);
	errno = saved;
	return buf;
}

const char *ovl_format_f32(float v, char *buf)
{
	locale_t host;
	int saved = errno;
	if (!isfinite(v))
		return format_special((double)v, buf);
	host = enter_c_locale();
	for (int digits = v == 0 || isnormal(v) ? 6 : 1; digits <= 9; digits++) {
		snprintf(buf, 40, "%.*g", digits, (double)v);
		if (strtof(buf, NULL) == v)
			break;
	}
	uselocale(host);
	errno = saved;
	return buf;
}
