#include "run/tune.h"
#include "base/log.h"
#include "ovlite.h"
#include "plan/tune.h"
#include "run/exec.h"

#include <string.h>

enum { LEAST_TURNS = 3, FEW_TURNS = 7, MOST_TURNS = 25 };
static const double round_us = 250e3, long_us = 400e3; /* what a round takes where runs are short; two runs that are long */
static const double worth = 0.99; /* of the time of a run, all answers together */

/* Plans and what they are run with. */
typedef struct trials {
	ovl_compiled *c;
	const ovl_shape *shapes;
	ovl_pool *pool;
	ovl_exec *exec;
	ovl_tensor **in, **out;
	ovl_error err;
} trials;

/* A plan in a trial, and times of its steps. */
typedef struct contender {
	ovl_plan *plan;
	ovl_step_time *times;
	double *us;
} contender;

/* ---- made-up data ---- */

/* Numbers between -1 and 1, bytes, and zeros for all others: indices that are always allowed. */
static void fill(ovl_tensor *t)
{
	uint32_t x = 12345;
	size_t n = (size_t)ovl_tensor_count(t);
	for (size_t i = 0; i < n && (t->type == OVL_F32 || t->type == OVL_U8); i++) {
		x = x * 1664525 + 1013904223;
		if (t->type == OVL_F32)
			((float *)t->data)[i] = (float)(x >> 8) / (1 << 23) - 1;
		else
			((uint8_t *)t->data)[i] = (uint8_t)(x >> 24);
	}
}

static ovl_status make_inputs(trials *t)
{
	for (size_t i = 0; i < t->c->n_ports[OVL_INPUT]; i++) {
		OVL_TRY(ovl_tensor_new(t->c->ports[OVL_INPUT][i].type, &t->shapes[i], &t->in[i], &t->err));
		fill(t->in[i]);
	}
	return OVL_OK;
}

static void drop(ovl_tensor **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++) {
		ovl_tensor_release(list[i]);
		list[i] = NULL;
	}
}

/* State is what it is at first. */
static ovl_status variable_get(void *user, const char *id, ovl_tensor **out, ovl_error *err)
{
	(void)user, (void)id, (void)err;
	*out = NULL;
	return OVL_OK;
}

static ovl_status variable_set(void *user, const char *id, ovl_tensor *value, ovl_error *err)
{
	(void)user, (void)id, (void)value, (void)err;
	return OVL_OK;
}

static bool open_trials(trials *t)
{
	size_t n_in = t->c->n_ports[OVL_INPUT], n_out = t->c->n_ports[OVL_OUTPUT];
	t->pool = ovl_pool_new(ovl_config_threads_per_stream(&t->c->config));
	t->exec = t->pool ? ovl_exec_new(t->pool, 0) : NULL;
	t->in = ovl_calloc(n_in + 1, sizeof *t->in);
	t->out = ovl_calloc(n_out + 1, sizeof *t->out);
	return t->exec && t->in && t->out && make_inputs(t) == OVL_OK;
}

static void close_trials(trials *t)
{
	if (t->in)
		drop(t->in, t->c->n_ports[OVL_INPUT]);
	if (t->out)
		drop(t->out, t->c->n_ports[OVL_OUTPUT]);
	ovl_free(t->in);
	ovl_free(t->out);
	ovl_exec_free(t->exec);
	ovl_pool_free(t->pool);
}

/* ---- runs ---- */

static void dismiss(trials *t, contender *x)
{
	ovl_exec_trim(t->exec); /* its arena */
	ovl_plan_release(x->plan);
	ovl_free(x->times);
	ovl_free(x->us);
	*x = (contender){0};
}

static double run(trials *t, contender *x)
{
	ovl_exec_io io = {.inputs = t->in, .outputs = t->out, .user = t, .variable_get = variable_get, .variable_set = variable_set, .times = x->times};
	ovl_status st = ovl_exec_run(t->exec, x->plan, &io, &t->err);
	drop(t->out, t->c->n_ports[OVL_OUTPUT]);
	for (size_t i = 0; i < x->plan->steps.n; i++)
		x->us[i] = x->times[i].real_us;
	return st == OVL_OK ? ovl_tuning_total(x->plan, x->us) : -1;
}

/* Builds it with the answers that are asked for now, and runs it until its memory is there. */
static bool enter(trials *t, contender *x, ovl_tune_about about, int round)
{
	size_t n;
	ovl_status st;
	ovl_tuning_ask(t->c->tuning, about, round);
	st = ovl_program_trial(t->c->program, t->shapes, &x->plan, &t->err);
	ovl_tuning_ask(t->c->tuning, about, OVL_TUNE_KNOWN);
	if (st != OVL_OK)
		return false;
	n = x->plan->steps.n + 1;
	x->times = ovl_calloc(n, sizeof *x->times);
	x->us = ovl_calloc(n, sizeof *x->us);
	return x->times && x->us && run(t, x) >= 0 && run(t, x) >= 0;
}

static int turns_for(trials *t, contender *a, contender *b)
{
	double us = run(t, a) + run(t, b), turns = us > 0 ? round_us / us : 0;
	if (turns < FEW_TURNS)
		return us > long_us ? LEAST_TURNS : FEW_TURNS;
	return turns > MOST_TURNS ? MOST_TURNS : (int)turns;
}

/* One turn: both run, the other one first every other time. *quotient: of their totals. */
static bool turn(trials *t, contender *base, contender *rival, int number, double *quotient)
{
	double a = number % 2 ? run(t, base) : 0, b = run(t, rival);
	if (number % 2 == 0)
		a = run(t, base);
	*quotient = a > 0 ? b / a : 1;
	return a > 0 && b > 0;
}

static bool do_round(trials *t, contender *base, ovl_tune_about about, int round)
{
	contender rival = {0};
	bool good = enter(t, &rival, about, round);
	double quotient;
	for (int i = 0, n = good ? turns_for(t, base, &rival) : 0; good && i < n; i++) {
		good = turn(t, base, &rival, i, &quotient);
		if (good)
			ovl_tuning_turn(t->c->tuning, base->plan, base->us, rival.plan, rival.us);
	}
	ovl_tuning_end_round(t->c->tuning);
	dismiss(t, &rival);
	ovl_packs_trim(t->c->packs);
	return good;
}

static bool find_answers(trials *t, ovl_tune_about about)
{
	contender base = {0};
	bool good = enter(t, &base, about, 0);
	for (int round = 1, n = ovl_tuning_rounds(t->c->tuning); good && round <= n; round++)
		good = do_round(t, &base, about, round);
	if (good)
		ovl_tuning_decide(t->c->tuning);
	dismiss(t, &base);
	return good;
}

/* What gains where it is may cost its neighbours more: all answers together have to make the whole faster, too. */
static bool is_faster(trials *t, ovl_tune_about about)
{
	contender first = {0}, tuned = {0};
	double quotients[MOST_TURNS];
	bool good = enter(t, &first, about, OVL_TUNE_FIRST) && enter(t, &tuned, about, OVL_TUNE_KNOWN);
	int n = good ? turns_for(t, &first, &tuned) : 0;
	for (int i = 0; good && i < n; i++)
		good = turn(t, &first, &tuned, i, &quotients[i]);
	if (good) {
		double quotient = ovl_tuning_median(quotients, n);
		good = quotient < worth;
		if (ovl_log_on(OVL_LOG_TUNE))
			ovl_log("tune: with %d other choices of %s a run takes %.3f of the time%s", ovl_tuning_changed(t->c->tuning, about),
				about == OVL_TUNE_CHAINS ? "chains" : "kernels", quotient, good ? "" : ": dropped");
	}
	dismiss(t, &first);
	dismiss(t, &tuned);
	return good;
}

static bool tune(trials *t, ovl_tune_about about)
{
	bool good = find_answers(t, about);
	if (!good || (ovl_tuning_changed(t->c->tuning, about) && !is_faster(t, about)))
		ovl_tuning_give_up(t->c->tuning, about);
	return good;
}

void ovl_compiled_tune(ovl_compiled *c, const ovl_shape *inputs)
{
	trials t = {.c = c, .shapes = inputs};
	strcpy(t.err.message, "not enough memory");
	if (!(open_trials(&t) && tune(&t, OVL_TUNE_CHAINS) && tune(&t, OVL_TUNE_STEPS)) && ovl_log_on(OVL_LOG_TUNE))
		ovl_log("tune: '%s' cannot be timed: %s", c->name, t.err.message);
	close_trials(&t);
}
