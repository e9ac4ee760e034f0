#include "kernels/chain.h"
#include "base/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { L2_BYTES = 320 << 10, HALVES_BYTES = 100 << 10, BANDS_A_THREAD = 2, FEWEST_ROWS = 7 };

typedef struct link_state {
	const ovl_kernel *kernel;
	ovl_prepared prep;
	int first_in, n_in, via;
	int64_t in_row, out_row; /* bytes of a row */
	size_t buffer;           /* its output, bytes from the start of the worker's room; of the last link: none */
} link_state;

typedef struct chain_state {
	int n, n_in;
	int64_t height, images, bands; /* rows of an image of the last output, bands of an image */
	size_t args, scratch;          /* a worker's room: rows in buffers, pointers from `args` on, `scratch` bytes for a link, buffers */
	int64_t means; /* channels of which the mean is wanted, 0: of none; bands write their sums to the call's scratch */
	double pixels; /* of an image of the last output */
	int threads;
	link_state link[OVL_CHAIN_LINKS];
} chain_state;

typedef struct rows {
	int64_t from, to;
} rows;

static size_t up(size_t n) { return (n + 63) & ~(size_t)63; }

static int64_t row_bytes(const ovl_desc *d) { return (d->dims[2] > 1 ? d->strides[2] : d->dims[3] * d->strides[3]) * (int64_t)ovl_type_size(d->type); }

static bool is_product(const ovl_chain_link *l)
{
	return !strcmp(l->p.op, "Convolution") && l->p.in[1].dims[2] == 1 && l->p.in[1].dims[3] == 1;
}

bool ovl_chain_goes_on(const ovl_chain_link *links, int n)
{
	return n < OVL_CHAIN_LINKS && !(n > 1 && is_product(&links[n - 1]));
}

/* It reads more rows than it makes: what comes before it is made twice where two threads' shares meet. */
static bool has_window(const ovl_chain_link *l)
{
	const ovl_desc *w = &l->p.in[1];
	return strstr(l->p.op, "Convolution") && w->dims[w->rank - 2] > 1;
}

/* Values of halves stay in L2 as a whole when they are not large. */
static bool stays_anyway(const ovl_chain_link *links, int n)
{
	for (int i = 0; i + 1 < n; i++)
		if (links[i].p.out[0].type != OVL_BF16 || ovl_desc_span(&links[i].p.out[0]) > HALVES_BYTES)
			return false;
	return true;
}

/* Rows of its input that so many rows in the middle of a picture depend on. */
static double rows_under(const ovl_chain_link *l, double made)
{
	const ovl_desc *in = &l->p.in[l->via], *w = &l->p.in[1];
	double height = (double)in->dims[2], stride = (double)(in->dims[2] / l->p.out[0].dims[2]);
	if (!strstr(l->p.op, "Convolution"))
		return made;
	return fmin(height, (made - 1) * stride + (double)w->dims[w->rank - 2]);
}

/* Microseconds of one thread for a row, roughly. */
static double row_us(const ovl_chain_link *l)
{
	const ovl_desc *out = &l->p.out[0], *w = &l->p.in[1];
	double numbers = (double)(out->dims[1] * out->dims[3]), taps = 1;
	if (!strstr(l->p.op, "Convolution"))
		return numbers / 10e3;
	for (int i = w->rank - 3; i < w->rank; i++)
		taps *= (double)w->dims[i];
	return numbers * taps / ((w->rank == 5 ? 20e3 : 50e3) * (l->p.precise_bf16 ? 2 : 1));
}

/* Microseconds of a thread for rows that are made twice and for the one that it has more than others. Two threads have one seam, and half of what lies
 * around it each. */
static double seam_us(const ovl_chain_link *links, int n)
{
	double threads = (double)links[0].p.threads, made = ceil((double)links[n - 1].p.out[0].dims[2] / threads), us = 0;
	for (int i = n - 1; i >= 0; i--) {
		double more = made - (double)links[i].p.out[0].dims[2] / threads;
		us += row_us(&links[i]) * (threads > 2 ? more : more / 2);
		made = rows_under(&links[i], made);
	}
	return us;
}

/* Microseconds that a step of its own costs more than a link: its threads meet, and it reads what another has written, in L2 or beyond. */
static double meeting_us(const ovl_chain_link *l) { return l->p.precise_bf16 ? 1.5 : 3; }

static double joint_us(const ovl_chain_link *l)
{
	double bytes = (double)ovl_desc_span(&l->p.out[0]) / (double)l->p.threads;
	return meeting_us(l) + 2 * bytes / (bytes < 1 << 20 ? 100e3 : 20e3);
}

bool ovl_chain_pays(const ovl_chain_link *links, int n, bool means)
{
	int64_t threads = links[0].p.threads, height = links[n - 1].p.out[0].dims[2];
	bool twice = false, stays;
	double gain = 0;
	if (n < 2)
		return false;
	for (int i = 1; i < n; i++)
		twice = twice || has_window(&links[i]);
	stays = twice && stays_anyway(links, n);
	if (threads <= 1)
		return !stays;
	for (int i = means ? 0 : 1; i < n; i++)
		gain += stays ? meeting_us(&links[i]) : joint_us(&links[i ? i - 1 : n - 1]);
	return seam_us(links, n) < gain || (!twice && (height % threads == 0 || height >= FEWEST_ROWS * threads));
}

/* ---- bands ---- */

static rows band_of(const chain_state *s, int64_t i)
{
	int64_t image = i / s->bands * s->height, band = i % s->bands;
	return (rows){image + s->height * band / s->bands, image + s->height * (band + 1) / s->bands};
}

/* What each link has to make for this band, when the buffers hold `have`; `want`: what they will hold. */
static void plan_band(const chain_state *s, rows last, const rows *have, rows *make, rows *want)
{
	make[s->n - 1] = last;
	for (int i = s->n - 1; i > 0; i--) {
		rows w = make[i], *m = &make[i - 1];
		if (make[i].from < make[i].to)
			s->link[i].kernel->rows->need(s->link[i].prep.state, make[i].from, make[i].to, &w.from, &w.to);
		want[i - 1] = *m = w;
		if (have[i - 1].from <= w.from && w.from <= have[i - 1].to) /* goes on where the buffer ends */
			m->from = have[i - 1].to < w.to ? have[i - 1].to : w.to;
		if (m->from == m->to)
			want[i - 1] = have[i - 1];
	}
}

static size_t buffers_size(const chain_state *s, int64_t *most)
{
	size_t size = 0;
	memset(most, 0, OVL_CHAIN_LINKS * sizeof *most);
	for (int64_t i = 0; i < s->bands; i++) {
		rows have[OVL_CHAIN_LINKS] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}}, make[OVL_CHAIN_LINKS], want[OVL_CHAIN_LINKS];
		plan_band(s, band_of(s, i), have, make, want);
		for (int k = 0; k + 1 < s->n; k++)
			most[k] = want[k].to - want[k].from > most[k] ? want[k].to - want[k].from : most[k];
	}
	for (int k = 0; k + 1 < s->n; k++)
		size += up((size_t)(most[k] * s->link[k].out_row) + 64);
	return size;
}

static const char *const ways[] = {"half as many bands", "twice as many bands", NULL};

static size_t set_bands(chain_state *s, int64_t a_thread, int64_t *most)
{
	s->bands = a_thread * s->threads < s->height ? a_thread * s->threads : s->height;
	return buffers_size(s, most);
}

/* As few bands as leave the buffers in L2, the same number for each thread, and not one alone: others may have to take over. */
static void choose_bands(chain_state *s, int way, int64_t *most)
{
	int64_t a_thread = s->threads == 1 ? 1 : BANDS_A_THREAD;
	while (set_bands(s, a_thread, most) > L2_BYTES && s->bands < s->height)
		a_thread++;
	if (way)
		set_bands(s, way == 1 ? (a_thread + 1) / 2 : 2 * a_thread, most);
}

/* ---- prepare ---- */

static ovl_status prepare_links(chain_state *s, const ovl_chain_link *links, ovl_error *err)
{
	for (int i = 0; i < s->n; i++) {
		link_state *l = &s->link[i];
		*l = (link_state){.first_in = s->n_in, .n_in = links[i].p.n_in, .via = links[i].via, .in_row = row_bytes(&links[i].p.in[links[i].via]),
			.out_row = row_bytes(&links[i].p.out[0])};
		ovl_problem p = links[i].p;
		p.accurate = true; /* by rows: algorithms over the whole do not apply */
		OVL_TRY(links[i].kernel->prepare(&p, &l->prep, err));
		l->kernel = links[i].kernel;
		s->n_in += l->n_in;
		if (l->kernel->rows->scratch && l->kernel->rows->scratch(l->prep.state) > s->scratch)
			s->scratch = l->kernel->rows->scratch(l->prep.state);
	}
	return OVL_OK;
}

static ovl_status set_up(chain_state *s, const ovl_chain_link *links, bool means, int way, ovl_prepared *out, ovl_error *err)
{
	const ovl_desc *last = &links[s->n - 1].p.out[0];
	int64_t most[OVL_CHAIN_LINKS];
	size_t at;
	OVL_TRY(prepare_links(s, links, err));
	s->height = last->dims[2];
	s->images = last->dims[0];
	s->pixels = (double)(last->dims[2] * last->dims[3]);
	s->means = means ? last->dims[1] : 0;
	choose_bands(s, way, most);
	if (!ovl_mul_ok((size_t)s->means * sizeof(float), (size_t)(s->images * s->bands), &out->scratch))
		return ovl_fail(err, OVL_E_MEMORY, "the sums of channels are too large");
	s->args = up(OVL_CHAIN_LINKS * sizeof(rows));
	at = s->args + up((size_t)s->n_in * sizeof(void *));
	s->scratch = up(s->scratch);
	at += s->scratch;
	for (int i = 0; i + 1 < s->n; i++) {
		s->link[i].buffer = at;
		at += up((size_t)(most[i] * s->link[i].out_row) + 64);
	}
	out->room = at;
	snprintf(out->detail, sizeof out->detail, "%lld bands", (long long)s->bands);
	for (int i = 0; i < s->n; i++) {
		size_t n = strlen(out->detail);
		snprintf(out->detail + n, sizeof out->detail - n, "%s%s", i ? ", " : " of ", s->link[i].prep.detail);
	}
	return OVL_OK;
}

static void release(void *state)
{
	chain_state *s = state;
	for (int i = 0; s && i < s->n; i++) {
		const ovl_kernel *k = s->link[i].kernel;
		if (k && k->release)
			k->release(s->link[i].prep.state);
		else if (k)
			ovl_free(s->link[i].prep.state);
	}
	ovl_free(s);
}

ovl_status ovl_chain_prepare(const ovl_chain_link *links, int n, bool means, int way, ovl_prepared *out, ovl_error *err)
{
	chain_state *s = ovl_calloc(1, sizeof *s);
	ovl_status st;
	if (!s)
		return ovl_fail(err, OVL_E_MEMORY, "no memory for a chain of kernels");
	s->n = n;
	s->threads = links[0].p.threads < 1 ? 1 : links[0].p.threads;
	st = set_up(s, links, means, way, out, err);
	if (st != OVL_OK)
		release(s);
	else
		out->state = s;
	return st;
}

/* ---- run ---- */

typedef struct chain_job {
	const chain_state *s;
	const ovl_call *call;
} chain_job;

/* The address that row 0 would have if the buffer went on to it. */
static void *row_zero(char *buffer, int64_t first, int64_t row) { return (void *)((uintptr_t)buffer - (uintptr_t)(first * row)); }

/* What the next band needs of the rows in a buffer moves to its front. */
static void keep(rows *have, rows want, rows make, char *buffer, int64_t row)
{
	if (want.from > have->from && want.from < make.from)
		memmove(buffer, buffer + (want.from - have->from) * row, (size_t)((make.from - want.from) * row));
	*have = want;
}

static void run_link(const chain_state *s, const ovl_call *call, int i, rows make, const rows *have, char *mine, float *sums)
{
	const link_state *l = &s->link[i];
	void **in = (void **)(void *)(mine + s->args) + l->first_in, *out = call->out[0];
	ovl_call one = {.state = l->prep.state, .in = in, .out = &out, .scratch = mine + s->args + up((size_t)s->n_in * sizeof(void *)), .cancel = call->cancel,
		.err = call->err};
	if (i > 0)
		in[l->via] = row_zero(mine + s->link[i - 1].buffer, have[i - 1].from, l->in_row);
	if (i + 1 < s->n)
		out = row_zero(mine + l->buffer, have[i].from, l->out_row);
	l->kernel->rows->run(&one, make.from, make.to);
	if (sums)
		l->kernel->rows->sum(&one, make.from, make.to, sums);
}

static void do_band(void *arg, int64_t chunk, int worker)
{
	const chain_job *job = arg;
	const chain_state *s = job->s;
	char *mine = ovl_call_room(job->call, worker);
	rows *have = (void *)mine, make[OVL_CHAIN_LINKS], want[OVL_CHAIN_LINKS];
	if (job->call->cancel && __atomic_load_n(job->call->cancel, __ATOMIC_RELAXED))
		return;
	plan_band(s, band_of(s, chunk), have, make, want);
	for (int i = 0; i < s->n; i++) {
		if (make[i].from >= make[i].to)
			continue;
		if (i + 1 < s->n)
			keep(&have[i], want[i], make[i], mine + s->link[i].buffer, s->link[i].out_row);
		run_link(s, job->call, i, make[i], have, mine, s->means && i + 1 == s->n ? (float *)job->call->scratch + chunk * s->means : NULL);
	}
}

/* Always in the order of the bands, so that the result does not depend on who did them. */
static void finish_means(const chain_state *s, const ovl_call *call)
{
	const float *sums = call->scratch;
	float *mean = call->out[1];
	for (int64_t image = 0; image < s->images; image++, mean += s->means)
		for (int64_t c = 0; c < s->means; c++) {
			float sum = 0;
			for (int64_t band = 0; band < s->bands; band++)
				sum += sums[(image * s->bands + band) * s->means + c];
			mean[c] = (float)(sum / s->pixels);
		}
}

static ovl_status run(const ovl_call *call)
{
	const chain_state *s = call->state;
	chain_job job = {s, call};
	for (int t = 0; t < s->threads; t++) {
		char *mine = ovl_call_room(call, t);
		memset(mine, 0xff, OVL_CHAIN_LINKS * sizeof(rows)); /* no rows: from -1 to -1 */
		memcpy(mine + s->args, call->in, (size_t)s->n_in * sizeof(void *));
	}
	ovl_pool_run(call->pool, s->images * s->bands, do_band, &job);
	if (call->cancel && __atomic_load_n(call->cancel, __ATOMIC_RELAXED))
		return ovl_fail(call->err, OVL_E_CANCELLED, "the run was cancelled");
	if (s->means)
		finish_means(s, call);
	return OVL_OK;
}

const ovl_kernel ovl_chain = {.name = "chain", .run = run, .release = release, .ways = ways};
