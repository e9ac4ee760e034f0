/* status.c - filling error texts. */
#include "base/status.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_ROW(code, name) name,
static const char *const names[] = {OVL_STATUS_MAP(NAME_ROW)};
#undef NAME_ROW

const char *ovl_status_name(ovl_status code)
{
	return (unsigned)code < OVL_STATUS_COUNT ? names[code] : "internal";
}

/* A text that was cut may end within a UTF-8 sequence: drop the torn character. */
static void trim_torn_character(char *text, size_t n)
{
	size_t lead = n;
	while (lead > 0 && n - lead < 3 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
		lead--;
	if (lead == 0)
		return;
	unsigned char c = (unsigned char)text[lead - 1];
	size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
	if (want > 1 && n - (lead - 1) < want)
		text[lead - 1] = 0;
}

ovl_status ovl_fail(ovl_error *err, ovl_status code, const char *fmt, ...)
{
	va_list args;
	int n;
	if (!err)
		return code;
	err->code = code;
	va_start(args, fmt);
	n = vsnprintf(err->message, sizeof err->message, fmt, args);
	va_end(args);
	if (n < 0)
		err->message[0] = 0;
	else if ((size_t)n >= sizeof err->message)
		trim_torn_character(err->message, sizeof err->message - 1);
	return code;
}

ovl_status ovl_error_prefix(ovl_error *err, const char *fmt, ...)
{
	char text[sizeof err->message];
	va_list args;
	size_t n, old;
	int made;
	if (!err)
		return OVL_E_INTERNAL;
	va_start(args, fmt);
	made = vsnprintf(text, sizeof text - 2, fmt, args);
	va_end(args);
	if (made < 0)
		return err->code;
	n = strlen(text);
	if (n == sizeof text - 3) {
		trim_torn_character(text, n);
		n = strlen(text);
	}
	text[n++] = ':';
	text[n++] = ' ';
	old = strlen(err->message);
	if (n + old >= sizeof text) {
		old = sizeof text - 1 - n;
		err->message[old] = 0;
		trim_torn_character(err->message, old);
		old = strlen(err->message);
	}
	memcpy(text + n, err->message, old);
	text[n + old] = 0;
	memcpy(err->message, text, n + old + 1);
	return err->code;
}
