/* Recurrent cells and sequences, see rnn.h. */
#include "ops/rnn.h"
#include "ops/support_work.h"

#include <strings.h>

/* ---- activations ---- */

static const struct {
	const char *name;
	float alpha, beta;
} functions[] = {
	[OVL_FN_SIGMOID] = {"sigmoid", 0, 0},
	[OVL_FN_TANH] = {"tanh", 0, 0},
	[OVL_FN_RELU] = {"relu", 0, 0},
	[OVL_FN_HARD_SIGMOID] = {"hardsigmoid", 0.2f, 0.5f},
	[OVL_FN_AFFINE] = {"affine", 1, 0},
	[OVL_FN_LEAKY_RELU] = {"leakyrelu", 0.01f, 0},
	[OVL_FN_THRESHOLDED_RELU] = {"thresholdedrelu", 1, 0},
	[OVL_FN_SCALED_TANH] = {"scaledtanh", 1, 1},
	[OVL_FN_ELU] = {"elu", 1, 0},
	[OVL_FN_SOFTSIGN] = {"softsign", 0, 0},
	[OVL_FN_SOFTPLUS] = {"softplus", 0, 0},
};

double ovl_rnn_activate(const ovl_rnn_activation *a, double x)
{
	double alpha = a->alpha, beta = a->beta;
	switch (a->fn) {
	case OVL_FN_SIGMOID:
		return 1 / (1 + exp(-x));
	case OVL_FN_TANH:
		return tanh(x);
	case OVL_FN_RELU:
		return x > 0 ? x : 0;
	case OVL_FN_HARD_SIGMOID:
		return fmin(fmax(alpha * x + beta, 0), 1);
	case OVL_FN_AFFINE:
		return alpha * x + beta;
	case OVL_FN_LEAKY_RELU:
		return x < 0 ? alpha * x : x;
	case OVL_FN_THRESHOLDED_RELU:
		return x > alpha ? x : 0;
	case OVL_FN_SCALED_TANH:
		return alpha * tanh(beta * x);
	case OVL_FN_ELU:
		return x < 0 ? alpha * expm1(x) : x;
	case OVL_FN_SOFTSIGN:
		return x / (1 + fabs(x));
	default:
		return log1p(exp(x));
	}
}

static ovl_status activation_of(const char *op, const ovl_rnn_params *p, size_t i, const char *usual, ovl_rnn_activation *out, ovl_error *err)
{
	const char *name = i < p->activations.n ? p->activations.at[i] : usual;
	for (size_t k = 0; k < sizeof functions / sizeof functions[0]; k++)
		if (!strcasecmp(name, functions[k].name)) {
			out->fn = (ovl_rnn_function)k;
			out->alpha = i < p->activations_alpha.n ? p->activations_alpha.at[i] : functions[k].alpha;
			out->beta = i < p->activations_beta.n ? p->activations_beta.at[i] : functions[k].beta;
			return OVL_OK;
		}
	return ovl_fail(err, OVL_E_ARGUMENT, "%s: '%.40s' is not an activation it knows", op, name);
}

ovl_status ovl_rnn_resolve(const char *op, const ovl_rnn_params *p, ovl_rnn_cell *out, ovl_error *err)
{
	static const char *const formats[] = {"fico", "icof", "ifco", "ifoc", "iofc"};
	const char *format = formats[p->weights_format];
	ovl_rnn_cell c = {.kind = op[0] == 'L'   ? OVL_RNN_LSTM
				  : op[0] == 'G' ? OVL_RNN_GRU
						 : OVL_RNN_PLAIN,
		.sequence = strstr(op, "Sequence") != NULL};
	c.gates = c.kind == OVL_RNN_LSTM ? 4 : c.kind == OVL_RNN_GRU ? 3 : 1;
	c.biases = c.gates + (c.kind == OVL_RNN_GRU && p->linear_before_reset);
	c.directions = c.sequence && p->direction == OVL_RNN_BIDIRECTIONAL ? 2 : 1;
	if (p->hidden_size <= 0 || p->hidden_size > (int64_t)1 << 40)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: hidden_size is %lld", op, (long long)p->hidden_size);
	if (!(p->clip >= 0))
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: clip is %g, it must not be negative", op, (double)p->clip);
	OVL_TRY(activation_of(op, p, 0, c.kind == OVL_RNN_PLAIN ? "tanh" : "sigmoid", &c.activations[0], err));
	OVL_TRY(activation_of(op, p, 1, "tanh", &c.activations[1], err));
	OVL_TRY(activation_of(op, p, 2, "tanh", &c.activations[2], err));
	for (int i = 0; i < 4; i++)
		c.order[i] = (int)(strchr(format, "fico"[i]) - format);
	*out = c;
	return OVL_OK;
}

/* ---- inference ---- */

/* Positions of the inputs; -1: there is none. */
typedef struct places {
	int x, h, c, lengths, w, r, b, p;
} places;

static places places_of(const ovl_rnn_cell *cell)
{
	places at = {.x = 0, .h = 1, .c = -1, .lengths = -1, .p = -1};
	int i = 2;
	if (cell->kind == OVL_RNN_LSTM)
		at.c = i++;
	if (cell->sequence)
		at.lengths = i++;
	at.w = i++;
	at.r = i++;
	at.b = i++;
	if (cell->kind == OVL_RNN_LSTM)
		at.p = i;
	return at;
}

/* Checks that input i, where its shape is known, has these dims (-1: any), and merges dim `learn` of it into *d. */
static ovl_status check(ovl_infer *in, int i, int rank, const int64_t *dims, int learn, ovl_dim *d)
{
	const ovl_pshape *s;
	if (i < 0 || i >= in->n_in || !in->in_shape[i].ranked)
		return OVL_OK;
	s = &in->in_shape[i];
	OVL_TRY(ovl_infer_rank(in, i, rank, rank));
	for (int k = 0; k < rank; k++)
		if (dims[k] >= 0 && (s->dims[k].min > dims[k] || s->dims[k].max < dims[k])) {
			char buf[200];
			return ovl_infer_fail(in, OVL_E_SHAPE, "input %d has shape %s, expected %lld in dimension %d", i,
				ovl_pshape_text(s, buf, sizeof buf), (long long)dims[k], k);
		}
	if (learn >= 0 && !ovl_dim_merge(*d, s->dims[learn], d))
		return ovl_infer_fail(in, OVL_E_SHAPE, "input %d does not agree with the others in dimension %d", i, learn);
	return OVL_OK;
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_rnn_params *p = in->params;
	ovl_rnn_cell cell;
	places at;
	ovl_dim batch = OVL_DIM_ANY, time = OVL_DIM_ANY, input = OVL_DIM_ANY;
	ovl_pshape state;
	ovl_type type;
	int64_t h, dirs;
	int s;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_rnn_resolve(in->op->name, p, &cell, in->err));
	at = places_of(&cell);
	h = p->hidden_size;
	dirs = cell.directions;
	s = cell.sequence;
	for (int i = 1; i < in->n_in; i++)
		if (i != at.lengths)
			OVL_TRY(ovl_infer_merge_types(in, 0, i, &type));
	OVL_TRY(check(in, at.x, 2 + s, (const int64_t[]){-1, -1, -1}, 0, &batch));
	OVL_TRY(check(in, at.x, 2 + s, (const int64_t[]){-1, -1, -1}, 1 + s, &input));
	if (s)
		OVL_TRY(check(in, at.x, 3, (const int64_t[]){-1, -1, -1}, 1, &time));
	OVL_TRY(check(in, at.h, 2 + s, s ? (const int64_t[]){-1, dirs, h} : (const int64_t[]){-1, h}, 0, &batch));
	OVL_TRY(check(in, at.c, 2 + s, s ? (const int64_t[]){-1, dirs, h} : (const int64_t[]){-1, h}, 0, &batch));
	OVL_TRY(check(in, at.lengths, 1, (const int64_t[]){-1}, 0, &batch));
	OVL_TRY(check(in, at.w, 2 + s, s ? (const int64_t[]){dirs, cell.gates * h, -1} : (const int64_t[]){cell.gates * h, -1}, 1 + s, &input));
	OVL_TRY(check(in, at.r, 2 + s, s ? (const int64_t[]){dirs, cell.gates * h, h} : (const int64_t[]){cell.gates * h, h}, -1, NULL));
	OVL_TRY(check(in, at.b, 1 + s, s ? (const int64_t[]){dirs, cell.biases * h} : (const int64_t[]){cell.biases * h}, -1, NULL));
	OVL_TRY(check(in, at.p, 1 + s, s ? (const int64_t[]){dirs, 3 * h} : (const int64_t[]){3 * h}, -1, NULL));
	state = ovl_pshape_rank(2 + s);
	state.dims[0] = batch;
	state.dims[1] = ovl_dim_of(dirs);
	state.dims[1 + s] = ovl_dim_of(h);
	for (int i = 0; i < in->n_out; i++)
		ovl_infer_out(in, i, in->in_type[0], &state);
	if (s) {
		ovl_pshape y = {.ranked = true, .rank = 4, .dims = {batch, ovl_dim_of(dirs), time, ovl_dim_of(h)}};
		ovl_infer_out(in, 0, in->in_type[0], &y);
	}
	return OVL_OK;
}

/* ---- run ---- */

/* One direction of one operator: weights in the working type, states in double. */
typedef struct layer {
	const ovl_rnn_params *p;
	const ovl_rnn_cell *cell;
	ovl_type as;
	int64_t hidden, input;
	const void *w, *r;
	const double *b, *peep; /* NULL: none */
	double *gates, *part;   /* scratch: [gates * hidden] each */
} layer;

/* y[row] += dot(m[row], x) */
static void add_product(ovl_type as, const void *m, int64_t rows, int64_t cols, const double *x, double *y)
{
	for (int64_t i = 0; i < rows; i++) {
		double sum = 0;
		if (as == OVL_F32)
			for (int64_t k = 0; k < cols; k++)
				sum += (double)((const float *)m)[i * cols + k] * x[k];
		else
			for (int64_t k = 0; k < cols; k++)
				sum += ((const double *)m)[i * cols + k] * x[k];
		y[i] += sum;
	}
}

static double squeeze(const layer *l, int activation, double x)
{
	double clip = l->p->clip;
	if (clip > 0)
		x = x < -clip ? -clip : x > clip ? clip : x;
	return ovl_rnn_activate(&l->cell->activations[activation], x);
}

/* gates = x W + bias, of `rows` gates */
static void start_gates(const layer *l, const double *x, int rows)
{
	int64_t n = rows * l->hidden;
	for (int64_t i = 0; i < n; i++)
		l->gates[i] = l->b ? l->b[i] : 0;
	add_product(l->as, l->w, n, l->input, x, l->gates);
}

static void step_lstm(const layer *l, const double *x, double *h, double *c)
{
	const int *order = l->cell->order;
	int64_t n = l->hidden;
	const double *f = l->gates + order[0] * n, *i = l->gates + order[1] * n, *g = l->gates + order[2] * n, *o = l->gates + order[3] * n;
	start_gates(l, x, 4);
	add_product(l->as, l->r, 4 * n, n, h, l->gates);
	for (int64_t k = 0; k < n; k++) {
		double in = squeeze(l, 0, i[k] + (l->peep ? l->peep[k] * c[k] : 0));
		double forget = l->p->input_forget ? 1 - in : squeeze(l, 0, f[k] + (l->peep ? l->peep[2 * n + k] * c[k] : 0));
		c[k] = forget * c[k] + in * squeeze(l, 1, g[k]);
		h[k] = squeeze(l, 0, o[k] + (l->peep ? l->peep[n + k] * c[k] : 0)) * ovl_rnn_activate(&l->cell->activations[2], c[k]);
	}
}

static void step_gru(const layer *l, const double *x, double *h)
{
	int64_t n = l->hidden;
	double *z = l->gates, *r = z + n, *g = r + n, *part = l->part;
	const char *r_h = (const char *)l->r + (size_t)(2 * n * n) * ovl_type_size(l->as);
	start_gates(l, x, 3);
	add_product(l->as, l->r, 2 * n, n, h, l->gates);
	for (int64_t k = 0; k < n; k++) {
		z[k] = squeeze(l, 0, z[k]);
		r[k] = squeeze(l, 0, r[k]);
	}
	for (int64_t k = 0; k < n; k++) {
		part[k] = l->p->linear_before_reset ? (l->b ? l->b[3 * n + k] : 0) : 0;
		part[n + k] = r[k] * h[k];
	}
	add_product(l->as, r_h, n, n, l->p->linear_before_reset ? h : part + n, part);
	for (int64_t k = 0; k < n; k++) {
		g[k] = squeeze(l, 1, g[k] + (l->p->linear_before_reset ? r[k] * part[k] : part[k]));
		h[k] = (1 - z[k]) * g[k] + z[k] * h[k];
	}
}

static void step(const layer *l, const double *x, double *h, double *c)
{
	if (l->cell->kind == OVL_RNN_LSTM)
		step_lstm(l, x, h, c);
	else if (l->cell->kind == OVL_RNN_GRU)
		step_gru(l, x, h);
	else {
		start_gates(l, x, 1);
		add_product(l->as, l->r, l->hidden, l->hidden, h, l->gates);
		for (int64_t k = 0; k < l->hidden; k++)
			h[k] = squeeze(l, 0, l->gates[k]);
	}
}

static ovl_status expect(ovl_work *w, int i, int64_t count)
{
	if (ovl_work_has(w, i) && ovl_tensor_count(w->run->in[i]) != count)
		return ovl_work_fail(
			w, OVL_E_SHAPE, "input %d has %lld elements, expected %lld", i, (long long)ovl_tensor_count(w->run->in[i]), (long long)count);
	return OVL_OK;
}

typedef struct job {
	ovl_rnn_cell cell;
	places at;
	ovl_type as;
	int64_t batch, time, input, hidden;
	const double *x, *b, *peep;
	const char *w, *r;
	const int64_t *lengths;
	double *y, *h, *c;
} job;

static ovl_status open_job(ovl_work *w, job *j)
{
	const ovl_rnn_params *p = w->params;
	const ovl_shape *x = ovl_work_shape(w, 0);
	const double *from;
	int64_t states, d;
	OVL_TRY(ovl_rnn_resolve(w->run->op->name, p, &j->cell, w->err));
	j->at = places_of(&j->cell);
	j->as = w->run->in[0]->type == OVL_F64 ? OVL_F64 : OVL_F32;
	j->batch = x->dims[0];
	j->time = j->cell.sequence ? x->dims[1] : 1;
	j->input = x->dims[x->rank - 1];
	j->hidden = p->hidden_size;
	d = j->cell.directions;
	states = j->batch * d * j->hidden;
	OVL_TRY(expect(w, j->at.h, states));
	OVL_TRY(expect(w, j->at.c, states));
	OVL_TRY(expect(w, j->at.lengths, j->batch));
	OVL_TRY(expect(w, j->at.w, d * j->cell.gates * j->hidden * j->input));
	OVL_TRY(expect(w, j->at.r, d * j->cell.gates * j->hidden * j->hidden));
	OVL_TRY(expect(w, j->at.b, d * j->cell.biases * j->hidden));
	OVL_TRY(expect(w, j->at.p, d * 3 * j->hidden));
	OVL_TRY(ovl_work_f64(w, 0, &j->x));
	OVL_TRY(ovl_work_read(w, w->run->in[j->at.w], j->as, (const void **)&j->w));
	OVL_TRY(ovl_work_read(w, w->run->in[j->at.r], j->as, (const void **)&j->r));
	if (ovl_work_has(w, j->at.b))
		OVL_TRY(ovl_work_f64(w, j->at.b, &j->b));
	if (j->at.p >= 0 && ovl_work_has(w, j->at.p))
		OVL_TRY(ovl_work_f64(w, j->at.p, &j->peep));
	if (j->cell.sequence)
		OVL_TRY(ovl_work_i64(w, j->at.lengths, &j->lengths));
	/* states live in the outputs */
	OVL_TRY(ovl_work_out(w, j->cell.sequence ? 1 : 0, OVL_F64, &j->h));
	OVL_TRY(ovl_work_f64(w, j->at.h, &from));
	memcpy(j->h, from, (size_t)states * sizeof *from);
	if (j->at.c >= 0) {
		OVL_TRY(ovl_work_out(w, j->cell.sequence ? 2 : 1, OVL_F64, &j->c));
		OVL_TRY(ovl_work_f64(w, j->at.c, &from));
		memcpy(j->c, from, (size_t)states * sizeof *from);
	}
	if (j->cell.sequence) {
		OVL_TRY(ovl_work_out(w, 0, OVL_F64, &j->y));
		memset(j->y, 0, (size_t)(states * j->time) * sizeof *j->y);
	}
	return OVL_OK;
}

static ovl_status recurrent(ovl_work *w)
{
	const ovl_rnn_params *p = w->params;
	job j = {0};
	size_t item;
	OVL_TRY(open_job(w, &j));
	item = ovl_type_size(j.as);
	for (int64_t d = 0; d < j.cell.directions; d++) {
		int64_t rows = j.cell.gates * j.hidden;
		bool back = j.cell.sequence && (p->direction == OVL_RNN_REVERSE || d == 1);
		layer l = {.p = p, .cell = &j.cell, .as = j.as, .hidden = j.hidden, .input = j.input};
		l.w = j.w + (size_t)(d * rows * j.input) * item;
		l.r = j.r + (size_t)(d * rows * j.hidden) * item;
		l.b = j.b ? j.b + d * j.cell.biases * j.hidden : NULL;
		l.peep = j.peep ? j.peep + d * 3 * j.hidden : NULL;
		OVL_TRY(ovl_work_take(w, rows, sizeof *l.gates, &l.gates));
		OVL_TRY(ovl_work_take(w, 2 * j.hidden, sizeof *l.part, &l.part));
		for (int64_t b = 0; b < j.batch; b++) {
			int64_t length = j.lengths ? j.lengths[b] : 1, state = (b * j.cell.directions + d) * j.hidden;
			if (length < 0 || length > j.time)
				return ovl_work_fail(w, OVL_E_ARGUMENT, "sequence %lld has a length of %lld, expected 0 to %lld", (long long)b,
					(long long)length, (long long)j.time);
			for (int64_t t = 0; t < length; t++) {
				int64_t at = back ? length - 1 - t : t;
				OVL_RUN_CHECK_CANCEL(w->run);
				step(&l, j.x + (b * j.time + at) * j.input, j.h + state, j.c ? j.c + state : NULL);
				if (j.y)
					memcpy(j.y + ((b * j.cell.directions + d) * j.time + at) * j.hidden, j.h + state,
						(size_t)j.hidden * sizeof *j.y);
			}
		}
	}
	return OVL_OK;
}

static ovl_status recurrent_run(ovl_run *run) { return ovl_work_run(run, recurrent); }

/* ---- tables ---- */

#define HIDDEN OVL_ATTR_INT(ovl_rnn_params, hidden_size, NULL)
#define DIRECTION OVL_ATTR_ENUM(ovl_rnn_params, direction, "forward", "forward reverse bidirectional")
#define COMMON                                                                                                                         \
	OVL_ATTR_STRINGS(ovl_rnn_params, activations, OVL_OPTIONAL), OVL_ATTR_FLOATS(ovl_rnn_params, activations_alpha, OVL_OPTIONAL), \
		OVL_ATTR_FLOATS(ovl_rnn_params, activations_beta, OVL_OPTIONAL), OVL_ATTR_FLOAT(ovl_rnn_params, clip, "0")
#define OLD_LSTM \
	OVL_ATTR_BOOL(ovl_rnn_params, input_forget, "false"), OVL_ATTR_ENUM(ovl_rnn_params, weights_format, "fico", "fico icof ifco ifoc iofc")

static const ovl_attr cell_attrs[] = {HIDDEN, COMMON, OVL_ATTR_END};
static const ovl_attr sequence_attrs[] = {HIDDEN, DIRECTION, COMMON, OVL_ATTR_END};
static const ovl_attr gru_cell_attrs[] = {HIDDEN, COMMON, OVL_ATTR_BOOL(ovl_rnn_params, linear_before_reset, "false"), OVL_ATTR_END};
static const ovl_attr gru_sequence_attrs[] = {HIDDEN, DIRECTION, COMMON, OVL_ATTR_BOOL(ovl_rnn_params, linear_before_reset, "false"), OVL_ATTR_END};
static const ovl_attr lstm_cell_v1_attrs[] = {HIDDEN, COMMON, OLD_LSTM, OVL_ATTR_END};
static const ovl_attr lstm_sequence_v1_attrs[] = {HIDDEN, DIRECTION, COMMON, OLD_LSTM, OVL_ATTR_END};

#define OP(var, op_name, first, last, few, many, outs, names, table) \
	static const ovl_op var = {                                  \
		.name = op_name,                                     \
		.since = first,                                      \
		.until = last,                                       \
		.min_inputs = few,                                   \
		.max_inputs = many,                                  \
		.outputs = outs,                                     \
		.inputs = names,                                     \
		.params_size = sizeof(ovl_rnn_params),               \
		.attrs = table,                                      \
		.infer = infer,                                      \
		.run = recurrent_run,                                \
	}

OP(lstm_cell_v1, "LSTMCell", 1, 3, 5, 7, 2, "X initial_hidden_state initial_cell_state W R B P", lstm_cell_v1_attrs);
OP(lstm_cell_v4, "LSTMCell", 4, 0, 5, 6, 2, "X initial_hidden_state initial_cell_state W R B", cell_attrs);
OP(gru_cell_v3, "GRUCell", 3, 0, 4, 5, 1, "X initial_hidden_state W R B", gru_cell_attrs);
OP(rnn_cell_v1, "RNNCell", 1, 0, 4, 5, 1, "X initial_hidden_state W R B", cell_attrs);
OP(lstm_sequence_v1, "LSTMSequence", 1, 4, 6, 8, 3, "X initial_hidden_state initial_cell_state sequence_lengths W R B P", lstm_sequence_v1_attrs);
OP(lstm_sequence_v5, "LSTMSequence", 5, 0, 6, 7, 3, "X initial_hidden_state initial_cell_state sequence_lengths W R B", sequence_attrs);
OP(gru_sequence_v5, "GRUSequence", 5, 0, 5, 6, 2, "X initial_hidden_state sequence_lengths W R B", gru_sequence_attrs);
OP(rnn_sequence_v5, "RNNSequence", 5, 0, 5, 6, 2, "X initial_hidden_state sequence_lengths W R B", sequence_attrs);

const ovl_op *const ovl_ops_recurrent[] = {
	&lstm_cell_v1,
	&lstm_cell_v4,
	&gru_cell_v3,
	&rnn_cell_v1,
	&lstm_sequence_v1,
	&lstm_sequence_v5,
	&gru_sequence_v5,
	&rnn_sequence_v5,
	NULL,
};
