/* profile.h - what a request knows of the times of its steps: for get_profiling_info, for profiles against limits, and for OVLITE_VERBOSE=profile,
 * which tells on stderr, when a request ends or takes another plan, what the steps of all its runs took together. */
#ifndef OVL_RUN_PROFILE_H
#define OVL_RUN_PROFILE_H

#include "ovlite.h"
#include "run/compiled.h"

typedef struct ovl_profile {
	ovl_step_time *times; /* of the run under way or the last one; NULL: nobody wants them */
	double *sums;         /* real_us over the runs of the plan; the first one, which meets cold memory, counts only while it is the only one */
	uint64_t runs;
	bool warm;
	size_t cap; /* steps that fit */
	bool ran;   /* times are those of a finished run */
	int stream;
	ovl_profile_entry *entries;
	ovl_step_profile *steps;
} ovl_profile;

ovl_status ovl_profile_prepare(ovl_profile *f, const ovl_config *config, const ovl_plan *plan, ovl_error *err);
ovl_step_time *ovl_profile_begin(ovl_profile *f, int stream); /* for the executor */
void ovl_profile_end(ovl_profile *f, const ovl_plan *plan, bool good);
void ovl_profile_leave(ovl_profile *f, const ovl_compiled *c, const ovl_plan *plan); /* the plan is about to change; may be NULL */
void ovl_profile_close(ovl_profile *f, const ovl_compiled *c, const ovl_plan *plan);
ovl_status ovl_profile_entries(ovl_profile *f, const ovl_compiled *c, const ovl_plan *plan, const ovl_profile_entry **out, size_t *n, ovl_error *err);
ovl_status ovl_profile_run(ovl_profile *f, const ovl_compiled *c, const ovl_plan *plan, ovl_run_profile *out, ovl_error *err);

#endif
