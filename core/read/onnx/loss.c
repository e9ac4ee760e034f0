/* Losses: likelihood of the right class, with weights and a class to be left out. */
#include "read/onnx/rule.h"

#include <string.h>

/* scores [N, C, ...] are logarithms of probabilities, target [N, ...] names classes */
static ovl_end nll(ovl_onnx *x, ovl_end scores, ovl_end target, ovl_end weight)
{
	const char *reduction = ovl_x_attr_text(x, "reduction", "mean");
	bool ignores = ovl_x_attr(x, "ignore_index") != NULL;
	ovl_end index = ovl_x_convert(x, target, OVL_I64), kept = {NULL, 0}, picked, w, all;
	if (ignores) { /* an index that may lie outside of the classes */
		kept = ovl_x_op(x, "NotEqual", index, ovl_x_i64(x, ovl_x_attr_int(x, "ignore_index", 0)));
		index = ovl_x_op(x, "Select", kept, index, ovl_x_i64(x, 0));
	}
	picked = ovl_x_squeeze(x, ovl_x_opa(x, "GatherElements", "axis=1", scores, ovl_x_unsqueeze(x, index, 1)), 1);
	picked = ovl_x_op(x, "Negative", picked);
	if (weight.node)
		w = ovl_x_gather(x, weight, index, 0);
	else
		w = ovl_x_opa(x, "Broadcast", "mode=numpy", ovl_x_like(x, scores, 1), ovl_x_shape(x, index));
	if (ignores)
		w = ovl_x_op(x, "Select", kept, w, ovl_x_like(x, scores, 0));
	picked = ovl_x_op(x, "Multiply", picked, w);
	if (ignores) /* a class that is left out counts as zero even where its score is infinite */
		picked = ovl_x_op(x, "Select", kept, picked, ovl_x_like(x, scores, 0));
	if (strcmp(reduction, "none") == 0)
		return picked;
	all = ovl_x_all_axes(x, picked);
	picked = ovl_x_reduce(x, "ReduceSum", picked, all, false);
	return strcmp(reduction, "sum") == 0 ? picked : ovl_x_op(x, "Divide", picked, ovl_x_reduce(x, "ReduceSum", w, all, false));
}

static void negative_log_likelihood(ovl_onnx *x) { ovl_x_out(x, 0, nll(x, ovl_x_in(x, 0), ovl_x_in(x, 1), ovl_x_maybe(x, 2))); }

static void softmax_cross_entropy(ovl_onnx *x)
{
	ovl_end logs = ovl_x_opa(x, "LogSoftmax", "axis=1", ovl_x_in(x, 0));
	ovl_x_out(x, 0, nll(x, logs, ovl_x_in(x, 1), ovl_x_maybe(x, 2)));
	ovl_x_out(x, 1, logs);
}

const ovl_onnx_rule ovl_onnx_loss[] = {
	{"NegativeLogLikelihoodLoss", NULL, 12, negative_log_likelihood},
	{"SoftmaxCrossEntropyLoss", NULL, 12, softmax_cross_entropy},
	{NULL, NULL, 0, NULL},
};
