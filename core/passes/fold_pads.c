/* Zeros that a Pad puts around pictures in front of a convolution are the convolution's own pads. */
#include "ops/conv.h"
#include "ops/pad.h"
#include "passes/pass.h"

/* Pads of the spatial dimensions alone, none of them negative. */
static bool spatial_pads(ovl_end source, int rank, int64_t *pads)
{
	const ovl_tensor *t = ovl_node_value(source);
	if (!t || ovl_tensor_count(t) != rank)
		return false;
	for (int i = 0; i < rank; i++) {
		pads[i] = ovl_tensor_i64_at(t, i);
		if (pads[i] < 0 || pads[i] > 1 << 20 || (i < 2 && pads[i] != 0))
			return false;
	}
	return true;
}

static bool pads_zeros(const ovl_node *pad)
{
	double value;
	if (((const ovl_pad_params *)pad->params)->pad_mode != OVL_PAD_CONSTANT)
		return false;
	return pad->in.n < 4 || !pad->in.at[3].node || (ovl_match_scalar(pad->in.at[3], &value) && value == 0);
}

static bool add_pads(ovl_ints *to, const int64_t *pads, int spatial)
{
	int64_t sum[OVL_MAX_RANK];
	for (int i = 0; i < spatial; i++)
		sum[i] = ovl_ints_get(to, (size_t)i, 0) + pads[2 + i];
	return ovl_ints_assign(to, sum, (size_t)spatial);
}

static ovl_status fold(ovl_node *n, bool *changed, ovl_error *err)
{
	ovl_node *pad = ovl_match_source(n, 0, "Pad");
	ovl_conv_params *p = n->params;
	int rank = pad && ovl_source(pad, 0)->shape.ranked ? ovl_source(pad, 0)->shape.rank : 0;
	int64_t begin[OVL_MAX_RANK], end[OVL_MAX_RANK];
	if (rank < 3 || (p->auto_pad != OVL_PAD_EXPLICIT && p->auto_pad != OVL_PAD_VALID) || !pads_zeros(pad) || !ovl_match_float(pad->in.at[0]))
		return OVL_OK;
	if (!spatial_pads(pad->in.at[1], rank, begin) || !spatial_pads(pad->in.at[2], rank, end))
		return OVL_OK;
	if (p->auto_pad == OVL_PAD_VALID) /* whatever is written there counts for nothing */
		p->pads_begin.n = p->pads_end.n = 0;
	p->auto_pad = OVL_PAD_EXPLICIT;
	if (!add_pads(&p->pads_begin, begin, rank - 2) || !add_pads(&p->pads_end, end, rank - 2))
		return ovl_fail(err, OVL_E_MEMORY, "not enough memory for pads");
	*changed = true;
	if (ovl_match_used_once(n->in.at[0]))
		OVL_TRY(ovl_pass_note_fused(n, pad, err));
	return ovl_node_set_input(n, 0, pad->in.at[0], err);
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	for (size_t i = 0; i < g->nodes.n; i++) {
		ovl_node *n = g->nodes.at[i];
		if (ovl_match_live(n) && (ovl_node_is(n, "Convolution") || ovl_node_is(n, "GroupConvolution")))
			OVL_TRY(fold(n, changed, err));
	}
	return OVL_OK;
}

const ovl_pass ovl_pass_fold_pads = {"fold_pads", 215, run};
