#include "plan/tune.h"
#include "base/log.h"
#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 32, OPEN = -1 };
static const double worth = 0.97, worth_us = 1; /* another answer than the first has to gain that much */

typedef struct entry {
	ovl_question q;
	char subject[OVL_TUNE_SUBJECT];
	int answer; /* OPEN; else a position in q.answers */
	int pick; /* what the rival of this round takes; 0: it is not about this question */
	int turns;
	double base[TURNS], quotient[TURNS]; /* microseconds, and of them; of this round */
	double us, ratio[OVL_TUNE_ANSWERS]; /* of the first answer, and of it; 0: not known */
} entry;

struct ovl_tuning {
	OVL_VEC(entry *) list;
	ovl_tune_about about;
	int round;
	size_t timed;
};

static char handicap_name[OVL_TUNE_NAME];
static double handicap_factor = 1;

void ovl_tune_handicap(const char *name, double factor)
{
	snprintf(handicap_name, sizeof handicap_name, "%s", name);
	handicap_factor = factor;
}

static double handicap(const char *name)
{
	return *handicap_name && !strncmp(name, handicap_name, strlen(handicap_name)) ? handicap_factor : 1;
}

ovl_tuning *ovl_tuning_new(void)
{
	ovl_tuning *t = ovl_calloc(1, sizeof *t);
	if (t)
		t->round = OVL_TUNE_KNOWN;
	return t;
}

void ovl_tuning_free(ovl_tuning *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->list.n; i++)
		ovl_free(t->list.at[i]);
	ovl_vec_free(&t->list);
	ovl_free(t);
}

bool ovl_tuning_active(const ovl_tuning *t) { return t && (t->list.n || t->round >= 0); }
size_t ovl_tuning_timed(const ovl_tuning *t) { return t ? t->timed : 0; }

/* ---- while a plan is built ---- */

static int find(const ovl_tuning *t, ovl_hash key)
{
	for (size_t i = 0; i < t->list.n; i++)
		if (ovl_hash_equal(t->list.at[i]->q.key, key))
			return (int)i;
	return -1;
}

static entry *add(ovl_tuning *t, ovl_hash key)
{
	entry *e = ovl_calloc(1, sizeof *e);
	if (!e || !ovl_vec_push(&t->list, e)) {
		ovl_free(e);
		return NULL;
	}
	e->q.key = key;
	return e;
}

/* A new question. Without memory for it nobody asks. */
static int note(ovl_tuning *t, const ovl_question *q)
{
	entry *e = add(t, q->key);
	if (!e)
		return -1;
	e->q = *q;
	snprintf(e->subject, sizeof e->subject, "%s", q->subject);
	e->q.subject = e->subject;
	e->answer = OPEN;
	return (int)t->list.n - 1;
}

static int position(const ovl_question *q, const char *name)
{
	for (int i = 0; i < q->n; i++)
		if (!strcmp(q->answers[i], name))
			return i;
	return 0;
}

int ovl_tuning_answer(ovl_tuning *t, const ovl_question *q, ovl_span *span)
{
	int i = q->n < 2 || (!q->key.a && !q->key.b) ? -1 : find(t, q->key), answer = 0;
	bool trial = t->round >= 0 && t->about == q->about;
	entry *e;
	if (i < 0 && q->n > 1 && (q->key.a || q->key.b) && trial)
		i = note(t, q);
	e = i < 0 ? NULL : t->list.at[i];
	if (e && e->answer == OPEN)
		answer = e->pick = trial && t->round < e->q.n ? t->round : 0;
	else if (e && !(t->round == OVL_TUNE_FIRST && t->about == q->about))
		answer = position(q, e->q.answers[e->answer]);
	*span = (ovl_span){.question = i, .handicap = handicap(q->answers[answer])};
	return answer;
}

/* ---- trials ---- */

void ovl_tuning_ask(ovl_tuning *t, ovl_tune_about about, int round)
{
	t->about = about;
	t->round = round;
}

int ovl_tuning_rounds(const ovl_tuning *t)
{
	int most = 0;
	for (size_t i = 0; i < t->list.n; i++)
		if (t->list.at[i]->answer == OPEN && t->list.at[i]->q.n - 1 > most)
			most = t->list.at[i]->q.n - 1;
	return most;
}

static double span_us(const ovl_span *s, const double *us)
{
	double sum = 0;
	for (int i = 0; i < s->n; i++)
		sum += us[s->first + i];
	return sum * s->handicap;
}

/* All spans of a question together; *like: one of them. */
static double sum_of(const ovl_plan *p, int question, const double *us, const ovl_span **like)
{
	double sum = 0;
	*like = NULL;
	for (size_t i = 0; i < p->spans.n; i++)
		if (p->spans.at[i].question == question) {
			*like = &p->spans.at[i];
			sum += span_us(*like, us);
		}
	return sum;
}

/* Another answer by name, but the same is done. */
static bool is_same(const ovl_plan *a, const ovl_span *x, const ovl_plan *b, const ovl_span *y)
{
	bool same = x->n == y->n && x->handicap == y->handicap;
	for (int i = 0; same && i < x->n; i++)
		same = !strcmp(a->steps.at[x->first + i].exec_type, b->steps.at[y->first + i].exec_type);
	return same;
}

void ovl_tuning_turn(ovl_tuning *t, const ovl_plan *base, const double *base_us, const ovl_plan *rival, const double *rival_us)
{
	for (size_t i = 0; i < t->list.n; i++) {
		entry *e = t->list.at[i];
		const ovl_span *x, *y;
		double first, other;
		if (e->answer != OPEN || e->pick == 0 || e->turns == TURNS)
			continue;
		first = sum_of(base, (int)i, base_us, &x);
		other = sum_of(rival, (int)i, rival_us, &y);
		if (!x || !y || first <= 0 || is_same(base, x, rival, y))
			continue;
		e->base[e->turns] = first;
		e->quotient[e->turns++] = other / first;
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double ovl_tuning_median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof *v, by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

void ovl_tuning_end_round(ovl_tuning *t)
{
	for (size_t i = 0; i < t->list.n; i++) {
		entry *e = t->list.at[i];
		if (e->turns) {
			e->us = ovl_tuning_median(e->base, e->turns);
			e->ratio[e->pick] = ovl_tuning_median(e->quotient, e->turns);
		}
		e->turns = e->pick = 0;
	}
}

static void tell(const entry *e)
{
	ovl_log("tune: %s: %s %.1f us%s", e->subject, e->q.answers[0], e->us, e->answer ? "" : ", taken");
	for (int i = 1; i < e->q.n; i++)
		if (e->ratio[i] > 0)
			ovl_log("tune:     %s %.1f us%s", e->q.answers[i], e->us * e->ratio[i], i == e->answer ? ", taken" : "");
}

void ovl_tuning_decide(ovl_tuning *t)
{
	for (size_t i = 0; i < t->list.n; i++) {
		entry *e = t->list.at[i];
		double best = worth;
		if (e->answer != OPEN)
			continue;
		e->answer = 0;
		for (int k = 1; k < e->q.n; k++)
			if (e->ratio[k] > 0 && e->ratio[k] < best && (1 - e->ratio[k]) * e->us >= worth_us) {
				best = e->ratio[k];
				e->answer = k;
			}
		t->timed += e->us > 0;
		if (e->us > 0 && ovl_log_on(OVL_LOG_TUNE))
			tell(e);
	}
}

double ovl_tuning_total(const ovl_plan *p, const double *us)
{
	double sum = 0;
	for (size_t i = 0; i < p->steps.n; i++)
		sum += us[i];
	for (size_t i = 0; i < p->spans.n; i++)
		sum += span_us(&p->spans.at[i], us) * (1 - 1 / p->spans.at[i].handicap);
	return sum;
}

/* Not the first answer; of those that come from an earlier process nothing else is known. */
static bool is_other(const entry *e) { return e->answer > 0 || e->q.n == 1; }

int ovl_tuning_changed(const ovl_tuning *t, ovl_tune_about about)
{
	int n = 0;
	for (size_t i = 0; i < t->list.n; i++)
		n += t->list.at[i]->q.about == about && is_other(t->list.at[i]);
	return n;
}

void ovl_tuning_give_up(ovl_tuning *t, ovl_tune_about about)
{
	for (size_t i = 0; i < t->list.n; i++)
		if (t->list.at[i]->q.about == about)
			t->list.at[i]->answer = 0;
}

/* ---- what is kept ---- */

bool ovl_tuning_at(const ovl_tuning *t, size_t i, ovl_tune_about *about, ovl_hash *key, const char **answer)
{
	for (size_t k = 0; t && k < t->list.n; k++) {
		const entry *e = t->list.at[k];
		if (is_other(e) && i-- == 0) {
			*about = e->q.about;
			*key = e->q.key;
			*answer = e->q.answers[e->answer];
			return true;
		}
	}
	return false;
}

ovl_status ovl_tuning_put(ovl_tuning *t, ovl_tune_about about, ovl_hash key, const char *answer, ovl_error *err)
{
	entry *e;
	if (find(t, key) >= 0)
		return OVL_OK;
	e = add(t, key);
	if (!e)
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for choices");
	e->q.about = about;
	e->q.n = 1; /* the one that was taken */
	snprintf(e->q.answers[0], sizeof e->q.answers[0], "%s", answer);
	return OVL_OK;
}
