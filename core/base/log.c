/* log.c - OVLITE_VERBOSE and the clock. */
#include "base/log.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned mask;
static pthread_once_t mask_once = PTHREAD_ONCE_INIT;

static void read_mask(void)
{
	static const struct {
		const char *word;
		unsigned bits;
	} words[] = {{"dispatch", OVL_LOG_DISPATCH}, {"plan", OVL_LOG_PLAN}, {"profile", OVL_LOG_PROFILE}, {"passes", OVL_LOG_PASSES}, {"cache", OVL_LOG_CACHE},
		{"tune", OVL_LOG_TUNE}, {"all", ~0u}};
	const char *p = getenv("OVLITE_VERBOSE");
	while (p && *p) {
		size_t n = strcspn(p, ", ");
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (n == strlen(words[i].word) && !memcmp(p, words[i].word, n))
				mask |= words[i].bits;
		p += n;
		p += strspn(p, ", ");
	}
}

unsigned ovl_log_mask(void)
{
	pthread_once(&mask_once, read_mask);
	return mask;
}

void ovl_log(const char *fmt, ...)
{
	char line[2048];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	fprintf(stderr, "ovlite: %s\n", line);
}

double ovl_now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}
