/* tune.h - choices by measurement: a model of known shapes is run in turns with what could be done otherwise (plan/tune.h). */
#ifndef OVL_RUN_TUNE_H
#define OVL_RUN_TUNE_H

#include "run/compiled.h"

/* Fills c->tuning, for inputs of these shapes, before the plan is made that is kept. What fails (memory, an operator that cannot be run with made-up
 * data) leaves the estimates' choices. Takes seconds: up to a dozen rounds, each of one more plan beside the first. */
void ovl_compiled_tune(ovl_compiled *c, const ovl_shape *inputs);

#endif
