#define _GNU_SOURCE
#include "run/profile.h"
#include "base/limits.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

static ovl_status no_memory(ovl_error *err) { return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a profile"); }

/* ---- life of a run ---- */

ovl_status ovl_profile_prepare(ovl_profile *f, const ovl_config *config, const ovl_plan *plan, ovl_error *err)
{
	ovl_step_time *times;
	double *sums;
	if ((!config->profiling && !ovl_log_on(OVL_LOG_PROFILE)) || (f->times && f->cap >= plan->steps.n))
		return OVL_OK;
	times = ovl_calloc(plan->steps.n + 1, sizeof *times);
	sums = ovl_calloc(plan->steps.n + 1, sizeof *sums);
	if (!times || !sums) {
		ovl_free(times);
		ovl_free(sums);
		return no_memory(err);
	}
	ovl_free(f->times);
	ovl_free(f->sums);
	f->times = times;
	f->sums = sums;
	f->cap = plan->steps.n;
	f->runs = 0;
	f->warm = false;
	f->ran = false;
	return OVL_OK;
}

ovl_step_time *ovl_profile_begin(ovl_profile *f, int stream)
{
	f->ran = false;
	f->stream = stream;
	return f->times;
}

void ovl_profile_end(ovl_profile *f, const ovl_plan *plan, bool good)
{
	f->ran = good && f->times;
	if (!f->ran)
		return;
	if (f->runs == 1 && !f->warm) {
		memset(f->sums, 0, (f->cap + 1) * sizeof *f->sums);
		f->runs = 0;
		f->warm = true;
	}
	f->runs++;
	for (size_t i = 0; i < plan->steps.n; i++)
		f->sums[i] += f->times[i].real_us;
}

/* ---- what get_profiling_info tells ---- */

static const char *port_name(const ovl_port *p) { return p->n_names ? p->names[0] : ""; }

ovl_status ovl_profile_entries(ovl_profile *f, const ovl_compiled *c, const ovl_plan *plan, const ovl_profile_entry **out, size_t *n, ovl_error *err)
{
	size_t count = plan->steps.n + c->n_ports[0] + c->n_ports[1], at = 0;
	ovl_profile_entry *list;
	for (size_t i = 0; i < plan->steps.n; i++)
		count += plan->steps.at[i].n_fused;
	list = ovl_calloc(count + 1, sizeof *list);
	if (!list)
		return no_memory(err);
	for (size_t i = 0; i < c->n_ports[0]; i++)
		list[at++] = (ovl_profile_entry){port_name(&c->ports[0][i]), "Parameter", "undef", OVL_NOT_RUN, 0, 0};
	for (size_t i = 0; i < plan->steps.n; i++) {
		const ovl_step *s = &plan->steps.at[i];
		ovl_profile_entry e = {s->name, s->type, s->exec_type, OVL_NOT_RUN, 0, 0};
		if (f->ran) {
			e.status = OVL_EXECUTED;
			e.real_us = (int64_t)(f->times[i].real_us + 0.999);
			e.cpu_us = (int64_t)(f->times[i].cpu_us + 0.999);
		}
		list[at++] = e;
		for (size_t k = 0; k < s->n_fused; k++)
			list[at++] = (ovl_profile_entry){s->fused[k], "Fused", "undef", f->ran ? OVL_OPTIMIZED_OUT : OVL_NOT_RUN, 0, 0};
	}
	for (size_t i = 0; i < c->n_ports[1]; i++)
		list[at++] = (ovl_profile_entry){port_name(&c->ports[1][i]), "Result", "undef", OVL_NOT_RUN, 0, 0};
	ovl_free(f->entries);
	f->entries = list;
	*out = list;
	*n = at;
	return OVL_OK;
}

/* ---- steps against their limits ---- */

static bool get_limits(const ovl_compiled *c, ovl_limits *out)
{
	return ovl_limits_get(ovl_cpu_isa(), ovl_program_options(c->program)->threads, out);
}

static double step_limit(const ovl_limits *l, const ovl_step *s, bool *by_bytes)
{
	return ovl_limits_us(l, s->flops, s->bytes, strstr(s->exec_type, "bf16") != NULL, by_bytes);
}

ovl_status ovl_profile_run(ovl_profile *f, const ovl_compiled *c, const ovl_plan *plan, ovl_run_profile *out, ovl_error *err)
{
	ovl_limits limits;
	double begin;
	if (!plan || !f->ran)
		return ovl_fail(err, OVL_E_ARGUMENT, "there is no profile: %s",
			c->config.profiling ? "no run of this request has finished" : "compile with ENABLE_PROFILING = true");
	ovl_free(f->steps);
	f->steps = ovl_calloc(plan->steps.n + 1, sizeof *f->steps);
	if (!f->steps || !get_limits(c, &limits))
		return no_memory(err);
	begin = plan->steps.n ? f->times[0].start_us : 0;
	*out = (ovl_run_profile){.start_us = begin,
		.stream = f->stream,
		.threads = ovl_program_options(c->program)->threads,
		.steps = f->steps,
		.n_steps = plan->steps.n};
	for (size_t i = 0; i < plan->steps.n; i++) {
		const ovl_step *s = &plan->steps.at[i];
		const ovl_step_time *t = &f->times[i];
		f->steps[i] =
			(ovl_step_profile){s->name, s->type, s->exec_type, t->start_us - begin, t->real_us, t->cpu_us, s->flops, s->bytes, 0, false};
		f->steps[i].limit_us = step_limit(&limits, s, &f->steps[i].by_bytes);
		out->real_us = t->start_us - begin + t->real_us;
	}
	return OVL_OK;
}

ovl_status ovl_machine_limits_get(int threads, ovl_machine_limits *out, ovl_error *err)
{
	ovl_limits l;
	if (threads < 1 || threads > 1024)
		return ovl_fail(err, OVL_E_ARGUMENT, "threads must be 1 to 1024, got %d", threads);
	if (!ovl_limits_get(ovl_cpu_isa(), threads, &l))
		return no_memory(err);
	*out = (ovl_machine_limits){l.flops, l.flops_bf16, l.rate[1], l.rate[OVL_LIMITS_SIZES - 1]};
	return OVL_OK;
}

/* ---- OVLITE_VERBOSE=profile ---- */

static int by_time(const void *a, const void *b, void *sums)
{
	double x = ((const double *)sums)[*(const size_t *)a], y = ((const double *)sums)[*(const size_t *)b];
	return x > y ? -1 : x < y ? 1 : *(const size_t *)a < *(const size_t *)b ? -1 : 1;
}

static void tell_steps(const ovl_profile *f, const ovl_compiled *c, const ovl_plan *plan, const ovl_limits *l, size_t *order)
{
	double all = 0, limit = 0, runs = (double)f->runs;
	for (size_t i = 0; i < plan->steps.n; i++) {
		order[i] = i;
		all += f->sums[i];
		limit += step_limit(l, &plan->steps.at[i], NULL);
	}
	qsort_r(order, plan->steps.n, sizeof *order, by_time, f->sums);
	ovl_log("profile: '%s': %llu runs of %zu steps, %d threads: %.1f us in steps a run, their limits %.1f us (%.0f GFLOP/s, %.1f GB/s from "
		"memory)",
		c->name, (unsigned long long)f->runs, plan->steps.n, ovl_program_options(c->program)->threads, all / runs, limit, l->flops / 1e9,
		l->rate[OVL_LIMITS_SIZES - 1] / 1e9);
	ovl_log("profile: %6s %10s %10s %8s %9s %8s  %s", "share", "us", "limit us", "of limit", "GFLOP/s", "GB/s", "by     operator, kernel, node");
	for (size_t k = 0; k < plan->steps.n; k++) {
		const ovl_step *s = &plan->steps.at[order[k]];
		bool by_bytes;
		double us = f->sums[order[k]] / runs, least = step_limit(l, s, &by_bytes);
		ovl_log("profile: %5.1f%% %10.2f %10.2f %7.0f%% %9.1f %8.2f  %s  %s  %s  '%s'", 100 * us * runs / (all > 0 ? all : 1), us, least,
			us > 0 ? 100 * least / us : 0, us > 0 ? s->flops / us / 1e3 : 0, us > 0 ? s->bytes / us / 1e3 : 0,
			by_bytes ? "bytes" : "flops", s->type, s->exec_type, s->name);
	}
}

void ovl_profile_leave(ovl_profile *f, const ovl_compiled *c, const ovl_plan *plan)
{
	ovl_limits limits;
	size_t *order = NULL;
	f->ran = false;
	if (plan && f->runs && ovl_log_on(OVL_LOG_PROFILE) && get_limits(c, &limits))
		order = ovl_alloc((plan->steps.n + 1) * sizeof *order);
	if (order)
		tell_steps(f, c, plan, &limits, order);
	ovl_free(order);
	if (f->sums)
		memset(f->sums, 0, (f->cap + 1) * sizeof *f->sums);
	f->runs = 0;
	f->warm = false;
}

void ovl_profile_close(ovl_profile *f, const ovl_compiled *c, const ovl_plan *plan)
{
	ovl_profile_leave(f, c, plan);
	ovl_free(f->times);
	ovl_free(f->sums);
	ovl_free(f->entries);
	ovl_free(f->steps);
}
