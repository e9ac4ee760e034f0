#include "kernels/loops.h"

static void put_before(ovl_loops *w, int at, int from)
{
	int64_t d = w->dims[from];
	for (int i = from; i > at; i--)
		w->dims[i] = w->dims[i - 1];
	w->dims[at] = d;
	for (int v = 0; v < w->n_values; v++) {
		int64_t s = w->strides[v][from];
		for (int i = from; i > at; i--)
			w->strides[v][i] = w->strides[v][i - 1];
		w->strides[v][at] = s;
	}
}

static bool joins(const ovl_loops *w, int i) /* loop i with loop i + 1 */
{
	for (int v = 0; v < w->n_values; v++)
		if (w->strides[v][i] != w->strides[v][i + 1] * w->dims[i + 1])
			return false;
	return true;
}

static void join(ovl_loops *w, int i)
{
	w->dims[i] *= w->dims[i + 1];
	for (int v = 0; v < w->n_values; v++)
		w->strides[v][i] = w->strides[v][i + 1];
	w->rank--;
	for (int k = i + 1; k < w->rank; k++) {
		w->dims[k] = w->dims[k + 1];
		for (int v = 0; v < w->n_values; v++)
			w->strides[v][k] = w->strides[v][k + 1];
	}
}

void ovl_loops_make(ovl_loops *w, int rank, const int64_t *dims, int n_values, const int64_t *const *strides)
{
	w->rank = 0;
	w->n_values = n_values;
	for (int i = 0; i < rank; i++) {
		int at = w->rank;
		if (dims[i] == 1)
			continue;
		w->dims[w->rank] = dims[i];
		for (int v = 0; v < n_values; v++)
			w->strides[v][w->rank] = strides[v][i];
		while (at > 0 && w->strides[0][at - 1] < strides[0][i])
			at--;
		put_before(w, at, w->rank++);
	}
	for (int i = w->rank - 2; i >= 0; i--)
		if (joins(w, i))
			join(w, i);
}

bool ovl_loops_broadcast(ovl_loops *w, const ovl_desc *out, int n_operands, const ovl_desc *const *operands)
{
	int64_t strides[OVL_LOOPS_MAX][OVL_MAX_RANK];
	const int64_t *rows[OVL_LOOPS_MAX] = {out->strides};
	if (n_operands + 1 > OVL_LOOPS_MAX)
		return false;
	for (int i = 0; i < n_operands; i++) {
		if (!ovl_desc_broadcast_strides(operands[i], out, strides[i]))
			return false;
		rows[i + 1] = strides[i];
	}
	ovl_loops_make(w, out->rank, out->dims, n_operands + 1, rows);
	return true;
}

int64_t ovl_loops_count(const ovl_loops *w, int loops)
{
	int64_t n = 1;
	for (int i = 0; i < loops; i++)
		n *= w->dims[i];
	return n;
}

void ovl_loops_at(const ovl_loops *w, int loops, int64_t index, int64_t *offsets)
{
	for (int v = 0; v < w->n_values; v++)
		offsets[v] = 0;
	for (int i = loops - 1; i >= 0; i--) {
		int64_t k = index % w->dims[i];
		index /= w->dims[i];
		for (int v = 0; v < w->n_values; v++)
			offsets[v] += k * w->strides[v][i];
	}
}
