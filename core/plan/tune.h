/* tune.h - choices by measurement (TUNE = "YES"): which kernel, which way of a kernel, how long a chain.
 *
 * While a plan is built, questions come up: several answers are possible, and estimates prefer the first. Equal questions (of the same operator,
 * attributes, shapes, types, instruction set, threads) have one answer. To find it, the plan with first answers (the base) and one with others (the
 * rival) are run in turns, and the steps that a question is about (its span) are timed where they are, between their neighbours. run/tune.c does
 * that; here is the book-keeping.
 *
 * Not locked: a model is tuned while it is compiled, by one thread, and only read afterwards. */
#ifndef OVL_PLAN_TUNE_H
#define OVL_PLAN_TUNE_H

#include "base/hash.h"
#include "plan/plan.h"

typedef struct ovl_tuning ovl_tuning;

ovl_tuning *ovl_tuning_new(void); /* NULL: out of memory */
void ovl_tuning_free(ovl_tuning *t);

/* ---- while a plan is built ---- */

enum { OVL_TUNE_ANSWERS = 12, OVL_TUNE_NAME = 64, OVL_TUNE_SUBJECT = 160 };
typedef enum ovl_tune_about { OVL_TUNE_CHAINS = 1, OVL_TUNE_STEPS } ovl_tune_about;

typedef struct ovl_question {
	ovl_tune_about about;
	ovl_hash key; /* all zero: it could not be told (memory); then the answer is the first */
	const char *subject; /* for the log */
	int n;
	char answers[OVL_TUNE_ANSWERS][OVL_TUNE_NAME];
} ovl_question;

/* There are answers to be found or followed: NULL gives false. */
bool ovl_tuning_active(const ovl_tuning *t);
/* Which answer this plan takes. Fills what does not tell the steps of *span; question -1: it is not known. */
int ovl_tuning_answer(ovl_tuning *t, const ovl_question *q, ovl_span *span);

/* ---- trials ---- */

/* Plans that are built from here on take the answers that are known. In round i of trials about something, however, new questions about that are
 * noted, and the i-th answer to them is taken, or the first where there are fewer; in round OVL_TUNE_FIRST the first is taken, known or not.
 * OVL_TUNE_KNOWN ends that (so it is at first). */
enum { OVL_TUNE_KNOWN = -1, OVL_TUNE_FIRST = -2 };
void ovl_tuning_ask(ovl_tuning *t, ovl_tune_about about, int round);
int ovl_tuning_rounds(const ovl_tuning *t); /* the most rivals that an open question has */
/* One turn of base and rival: times of their steps, microseconds. */
void ovl_tuning_turn(ovl_tuning *t, const ovl_plan *base, const double *base_us, const ovl_plan *rival, const double *rival_us);
void ovl_tuning_end_round(ovl_tuning *t); /* the turns since the last one were about one rival each */
void ovl_tuning_decide(ovl_tuning *t); /* open questions are answered */
double ovl_tuning_median(double *v, int n); /* n > 0; sorts them */
double ovl_tuning_total(const ovl_plan *p, const double *us); /* of a run of this plan */
int ovl_tuning_changed(const ovl_tuning *t, ovl_tune_about about); /* answers that are not the first */
void ovl_tuning_give_up(ovl_tuning *t, ovl_tune_about about); /* the first answers after all */

size_t ovl_tuning_timed(const ovl_tuning *t); /* questions that were answered by timing, by this process; NULL: 0 */

/* ---- answers that are not the first: all that has to be kept ---- */

/* The i-th; false past the end, and for NULL. */
bool ovl_tuning_at(const ovl_tuning *t, size_t i, ovl_tune_about *about, ovl_hash *key, const char **answer);
/* Of an earlier process. An answer that nobody gives any more counts as the first. Errors: memory. */
ovl_status ovl_tuning_put(ovl_tuning *t, ovl_tune_about about, ovl_hash key, const char *answer, ovl_error *err);

/* ---- for specs: an answer whose name begins so counts as if it took `factor` times as long; "" ends that. Also in ovlite.h. ---- */
void ovl_tune_handicap(const char *name, double factor);

#endif
