/* log.h - OVLITE_VERBOSE=dispatch,plan,profile,passes,cache,tune,all: what the runtime tells on stderr. Nothing else is ever printed by core/. */
#ifndef OVL_BASE_LOG_H
#define OVL_BASE_LOG_H

#include <stdbool.h>

enum { OVL_LOG_DISPATCH = 1, OVL_LOG_PLAN = 2, OVL_LOG_PROFILE = 4, OVL_LOG_PASSES = 8, OVL_LOG_CACHE = 16, OVL_LOG_TUNE = 32 };

unsigned ovl_log_mask(void); /* read from the environment once */
static inline bool ovl_log_on(unsigned what) { return (ovl_log_mask() & what) != 0; }
void ovl_log(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* one line, "ovlite: " before it */
double ovl_now_us(void); /* monotonic clock, microseconds */

#endif
