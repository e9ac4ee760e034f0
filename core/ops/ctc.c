/* CTCGreedyDecoder, CTCGreedyDecoderSeqLen, CTCLoss: sequences of classes with blanks between them. */
#include "ops/support_work.h"

typedef struct params {
	bool ctc_merge_repeated, merge_repeated, preprocess_collapse_repeated, unique;
	ovl_type classes_index_type, sequence_length_type;
} params;

/* ---- greedy decoding ---- */

static ovl_status infer_greedy(ovl_infer *in)
{
	const ovl_pshape *x = &in->in_shape[0], *mask = &in->in_shape[1];
	ovl_pshape out = ovl_pshape_rank(4);
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	OVL_TRY(ovl_infer_rank(in, 0, 3, 3));
	OVL_TRY(ovl_infer_rank(in, 1, 2, 2));
	for (int i = 0; i < 2; i++) {
		const ovl_pshape *s = i ? mask : x;
		if (s->ranked && (!ovl_dim_merge(out.dims[1], s->dims[0], &out.dims[1]) || !ovl_dim_merge(out.dims[0], s->dims[1], &out.dims[0])))
			return ovl_infer_fail(in, OVL_E_SHAPE, "data [time, batch, classes] and mask [time, batch] do not fit");
	}
	out.dims[2] = out.dims[3] = ovl_dim_of(1);
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

static int64_t best_of(const double *x, int64_t n)
{
	int64_t best = 0;
	for (int64_t i = 1; i < n; i++)
		best = x[i] > x[best] ? i : best;
	return best;
}

/* Decodes `length` rows of `classes` numbers, `step` apart; returns how many classes were written to out. */
static int64_t decode(const double *x, int64_t length, int64_t step, int64_t classes, int64_t blank, bool merge, double *out)
{
	int64_t n = 0, before = -1;
	for (int64_t t = 0; t < length; t++) {
		int64_t c = best_of(x + t * step, classes);
		if (c != blank && !(merge && c == before))
			out[n++] = (double)c;
		before = c;
	}
	return n;
}

static ovl_status greedy(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	int64_t times = s->dims[0], batch = s->dims[1], classes = s->dims[2];
	const double *x, *mask;
	double *y;
	if (ovl_tensor_count(w->run->in[1]) != times * batch || classes < 1)
		return ovl_work_fail(w, OVL_E_SHAPE, "data [time, batch, classes] and mask [time, batch] do not fit");
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_f64(w, 1, &mask));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	for (int64_t b = 0; b < batch; b++, y += times) {
		int64_t length = 0;
		OVL_RUN_CHECK_CANCEL(w->run);
		while (length < times && mask[length * batch + b] != 0)
			length++;
		for (int64_t t = 0; t < times; t++)
			y[t] = -1;
		decode(x + b * classes, length, batch * classes, classes, classes - 1, p->ctc_merge_repeated, y);
	}
	return OVL_OK;
}

static ovl_status infer_seq_len(ovl_infer *in)
{
	const params *p = in->params;
	const ovl_pshape *x = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_rank(2), lengths = ovl_pshape_rank(1);
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_rank(in, 0, 3, 3));
	OVL_TRY(ovl_infer_rank(in, 1, 1, 1));
	if ((p->classes_index_type != OVL_I32 && p->classes_index_type != OVL_I64) ||
		(p->sequence_length_type != OVL_I32 && p->sequence_length_type != OVL_I64))
		return ovl_infer_fail(in, OVL_E_TYPE, "classes_index_type and sequence_length_type must be i32 or i64");
	if (x->ranked) {
		out.dims[0] = x->dims[0];
		out.dims[1] = x->dims[1];
	}
	if (in->in_shape[1].ranked && !ovl_dim_merge(out.dims[0], in->in_shape[1].dims[0], &out.dims[0]))
		return ovl_infer_fail(in, OVL_E_SHAPE, "there are not as many lengths as sequences");
	lengths.dims[0] = out.dims[0];
	ovl_infer_out(in, 0, p->classes_index_type, &out);
	ovl_infer_out(in, 1, p->sequence_length_type, &lengths);
	return OVL_OK;
}

static ovl_status seq_len(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	int64_t batch = s->dims[0], times = s->dims[1], classes = s->dims[2], *count;
	double blank = (double)(classes - 1), *y;
	const double *x;
	const int64_t *lengths;
	if (ovl_work_has(w, 2))
		OVL_TRY(ovl_work_scalar(w, 2, &blank));
	if (ovl_tensor_count(w->run->in[1]) != batch || classes < 1 || !(blank >= -0x1p40 && blank < 0x1p40))
		return ovl_work_fail(
			w, OVL_E_SHAPE, "data [batch, time, classes] and %lld lengths do not fit", (long long)ovl_tensor_count(w->run->in[1]));
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_i64(w, 1, &lengths));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_out(w, 1, OVL_I64, &count));
	for (int64_t b = 0; b < batch; b++, y += times, x += times * classes) {
		OVL_RUN_CHECK_CANCEL(w->run);
		if (lengths[b] < 0 || lengths[b] > times)
			return ovl_work_fail(w, OVL_E_ARGUMENT, "sequence %lld has a length of %lld, expected 0 to %lld", (long long)b,
				(long long)lengths[b], (long long)times);
		for (int64_t t = 0; t < times; t++)
			y[t] = -1;
		count[b] = decode(x, lengths[b], classes, classes, (int64_t)blank, p->merge_repeated, y);
	}
	return OVL_OK;
}

/* ---- loss ---- */

static ovl_status infer_loss(ovl_infer *in)
{
	const ovl_pshape *x = &in->in_shape[0];
	ovl_pshape out = ovl_pshape_rank(1);
	ovl_dim same;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_FLOAT));
	OVL_TRY(ovl_infer_rank(in, 0, 3, 3));
	OVL_TRY(ovl_infer_rank(in, 2, 2, 2));
	for (int i = 1; i < in->n_in; i++) {
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK_INDEX));
		if (i == 1 || i == 3)
			OVL_TRY(ovl_infer_rank(in, i, 1, 1));
	}
	if (x->ranked)
		out.dims[0] = x->dims[0];
	for (int i = 1; i < 4; i++)
		if (in->in_shape[i].ranked && !ovl_dim_merge(out.dims[0], in->in_shape[i].dims[0], &out.dims[0]))
			return ovl_infer_fail(in, OVL_E_SHAPE, "its inputs are of different batches");
	if (x->ranked && in->in_shape[2].ranked && !ovl_dim_merge(x->dims[1], in->in_shape[2].dims[1], &same))
		return ovl_infer_fail(in, OVL_E_SHAPE, "logits and labels are of different lengths");
	ovl_infer_out(in, 0, in->in_type[0], &out);
	return OVL_OK;
}

static double add_logs(double a, double b)
{
	if (a < b) {
		double swap = a;
		a = b;
		b = swap;
	}
	return b == -INFINITY ? a : a + log1p(exp(b - a));
}

/* Labels as they are aligned. */
static int64_t prepare(const params *p, const int64_t *labels, int64_t n, int64_t *out)
{
	int64_t m = 0;
	for (int64_t i = 0; i < n; i++) {
		bool drop = false;
		for (int64_t k = 0; p->unique && !drop && k < m; k++)
			drop = out[k] == labels[i];
		if (!p->unique && p->preprocess_collapse_repeated && i > 0)
			drop = labels[i] == labels[i - 1];
		if (!drop)
			out[m++] = labels[i];
	}
	return m;
}

/* log P(targets | logp[times, classes]). State 2k: k labels are done, last came a blank (or nothing); 2k + 1: label k is being said. */
static double align(const params *p, const double *logp, int64_t times, int64_t classes, const int64_t *target, int64_t n, int64_t blank, double *now,
	double *next)
{
	int64_t states = 2 * n + 1;
	for (int64_t s = 0; s < states; s++)
		now[s] = s == 0 ? 0 : -INFINITY;
	for (int64_t t = 0; t < times; t++, logp += classes) {
		for (int64_t s = 0; s < states; s++) {
			double sum = s % 2 == 0 ? now[s] : -INFINITY;
			if (s % 2 == 0 && s > 0)
				sum = add_logs(sum, now[s - 1]);
			if (s % 2) {
				int64_t k = s / 2;
				sum = now[s - 1];
				if (p->ctc_merge_repeated)
					sum = add_logs(sum, now[s]);
				if (k > 0 && (!p->ctc_merge_repeated || target[k] != target[k - 1]))
					sum = add_logs(sum, now[s - 2]);
			}
			next[s] = sum + logp[s % 2 ? target[s / 2] : blank];
		}
		memcpy(now, next, (size_t)states * sizeof *now);
	}
	return n > 0 ? add_logs(now[states - 1], now[states - 2]) : now[0];
}

static void log_softmax(const double *x, int64_t n, double *y)
{
	double top = x[0], sum = 0;
	for (int64_t i = 1; i < n; i++)
		top = x[i] > top ? x[i] : top;
	for (int64_t i = 0; i < n; i++)
		sum += exp(x[i] - top);
	for (int64_t i = 0; i < n; i++)
		y[i] = x[i] - top - log(sum);
}

static ovl_status loss(ovl_work *w)
{
	const params *p = w->params;
	const ovl_shape *s = ovl_work_shape(w, 0);
	int64_t batch = s->dims[0], times = s->dims[1], classes = s->dims[2], *target, n;
	double blank = (double)(classes - 1), *y, *logp, *now, *next;
	const double *x;
	const int64_t *lengths, *labels, *label_lengths;
	if (ovl_work_has(w, 4))
		OVL_TRY(ovl_work_scalar(w, 4, &blank));
	if (ovl_tensor_count(w->run->in[1]) != batch || ovl_tensor_count(w->run->in[2]) != batch * times ||
		ovl_tensor_count(w->run->in[3]) != batch || !(blank >= 0 && blank < (double)classes))
		return ovl_work_fail(w, OVL_E_SHAPE, "logits [batch, time, classes], lengths, labels and blank do not fit");
	OVL_TRY(ovl_work_f64(w, 0, &x));
	OVL_TRY(ovl_work_i64(w, 1, &lengths));
	OVL_TRY(ovl_work_i64(w, 2, &labels));
	OVL_TRY(ovl_work_i64(w, 3, &label_lengths));
	OVL_TRY(ovl_work_out(w, 0, OVL_F64, &y));
	OVL_TRY(ovl_work_take(w, times, sizeof *target, &target));
	OVL_TRY(ovl_work_take(w, times * classes, sizeof *logp, &logp));
	OVL_TRY(ovl_work_take(w, 2 * times + 1, sizeof *now, &now));
	OVL_TRY(ovl_work_take(w, 2 * times + 1, sizeof *next, &next));
	for (int64_t b = 0; b < batch; b++) {
		OVL_RUN_CHECK_CANCEL(w->run);
		if (lengths[b] < 0 || lengths[b] > times || label_lengths[b] < 0 || label_lengths[b] > lengths[b])
			return ovl_work_fail(w, OVL_E_ARGUMENT, "sequence %lld has %lld entries and %lld labels, of %lld", (long long)b,
				(long long)lengths[b], (long long)label_lengths[b], (long long)times);
		n = prepare(p, labels + b * times, label_lengths[b], target);
		for (int64_t i = 0; i < n; i++)
			if (target[i] < 0 || target[i] >= classes)
				return ovl_work_fail(
					w, OVL_E_ARGUMENT, "label %lld is none of %lld classes", (long long)target[i], (long long)classes);
		for (int64_t t = 0; t < lengths[b]; t++)
			log_softmax(x + (b * times + t) * classes, classes, logp + t * classes);
		y[b] = -align(p, logp, lengths[b], classes, target, n, (int64_t)blank, now, next);
	}
	return OVL_OK;
}

static ovl_status greedy_run(ovl_run *run) { return ovl_work_run(run, greedy); }

static ovl_status seq_len_run(ovl_run *run) { return ovl_work_run(run, seq_len); }

static ovl_status loss_run(ovl_run *run) { return ovl_work_run(run, loss); }

static const ovl_attr greedy_attrs[] = {OVL_ATTR_BOOL(params, ctc_merge_repeated, "true"), OVL_ATTR_END};
static const ovl_attr seq_len_attrs[] = {
	OVL_ATTR_BOOL(params, merge_repeated, "true"),
	OVL_ATTR_TYPE(params, classes_index_type, "i32"),
	OVL_ATTR_TYPE(params, sequence_length_type, "i32"),
	OVL_ATTR_END,
};
static const ovl_attr loss_attrs[] = {
	OVL_ATTR_BOOL(params, preprocess_collapse_repeated, "false"),
	OVL_ATTR_BOOL(params, ctc_merge_repeated, "true"),
	OVL_ATTR_BOOL(params, unique, "false"),
	OVL_ATTR_END,
};

static const ovl_op ctc_greedy_decoder_v1 = {
	.name = "CTCGreedyDecoder",
	.factory = "ctc_greedy_decoder",
	.since = 1,
	.min_inputs = 2,
	.max_inputs = 2,
	.outputs = 1,
	.inputs = "data sequence_mask",
	.params_size = sizeof(params),
	.attrs = greedy_attrs,
	.infer = infer_greedy,
	.run = greedy_run,
};

static const ovl_op ctc_greedy_decoder_seq_len_v6 = {
	.name = "CTCGreedyDecoderSeqLen",
	.factory = "ctc_greedy_decoder_seq_len",
	.since = 6,
	.min_inputs = 2,
	.max_inputs = 3,
	.outputs = 2,
	.inputs = "data sequence_length blank_index",
	.params_size = sizeof(params),
	.attrs = seq_len_attrs,
	.infer = infer_seq_len,
	.run = seq_len_run,
};

static const ovl_op ctc_loss_v4 = {
	.name = "CTCLoss",
	.factory = "ctc_loss",
	.since = 4,
	.min_inputs = 4,
	.max_inputs = 5,
	.outputs = 1,
	.inputs = "logits logit_length labels label_length blank_index",
	.params_size = sizeof(params),
	.attrs = loss_attrs,
	.infer = infer_loss,
	.run = loss_run,
};

const ovl_op *const ovl_ops_ctc[] = {&ctc_greedy_decoder_v1, &ctc_greedy_decoder_seq_len_v6, &ctc_loss_v4, NULL};
