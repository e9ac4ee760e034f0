/* select.c - Select: elements of one or the other input, as the condition says. */
#include "ops/support_axes.h"
#include "ops/support_binary.h"
#include "ops/support_move.h"
#include "ops/support_walk.h"

static const ovl_attr attrs[] = {OVL_BINARY_ATTRS, OVL_ATTR_END};

static ovl_status shape_fail(ovl_infer *in)
{
	char a[200], b[200], c[200];
	return ovl_infer_fail(in, OVL_E_SHAPE, "shapes %s (condition), %s and %s do not go together", ovl_pshape_text(&in->in_shape[0], a, sizeof a),
		ovl_pshape_text(&in->in_shape[1], b, sizeof b), ovl_pshape_text(&in->in_shape[2], c, sizeof c));
}

static ovl_status infer(ovl_infer *in)
{
	const ovl_binary_params *p = (const ovl_binary_params *)in->params;
	const ovl_pshape *cond = &in->in_shape[0], *a = &in->in_shape[1], *b = &in->in_shape[2];
	ovl_pshape shape;
	ovl_type type;
	bool ok;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK(OVL_BOOLEAN)));
	OVL_TRY(ovl_infer_merge_types(in, 1, 2, &type));
	if (p->auto_broadcast == OVL_BROADCAST_NUMPY)
		ok = ovl_pshape_broadcast(a, b, &shape) && ovl_pshape_broadcast(&shape, cond, &shape);
	else if (p->auto_broadcast == OVL_BROADCAST_PDPD) {
		OVL_TRY(ovl_binary_shape(in, 1, 2, p, &shape));
		OVL_TRY(ovl_binary_shape(in, 1, 0, p, &shape));
		ok = true;
	} else
		ok = ovl_pshape_merge(a, b, &shape) && ovl_pshape_merge(&shape, cond, &shape);
	if (!ok)
		return shape_fail(in);
	ovl_infer_out(in, 0, type, &shape);
	return OVL_OK;
}

#define PICK(T)                                                                                                  \
	do {                                                                                                     \
		const T *a = (const T *)run->in[1]->data + w->pos[1], *b = (const T *)run->in[2]->data + w->pos[2]; \
		T *to = (T *)run->out[0]->data + w->pos[3];                                                      \
		for (int64_t i = 0; i < w->inner; i++)                                                           \
			to[i] = cond[i * w->step[0]] ? a[i * w->step[1]] : b[i * w->step[2]];                    \
	} while (0)

static ovl_status pick_strings(ovl_run *run, const ovl_walk *w, const uint8_t *cond)
{
	const ovl_string *a = (const ovl_string *)run->in[1]->data + w->pos[1], *b = (const ovl_string *)run->in[2]->data + w->pos[2];
	for (int64_t i = 0; i < w->inner; i++) {
		const ovl_string *s = cond[i * w->step[0]] ? &a[i * w->step[1]] : &b[i * w->step[2]];
		OVL_TRY(ovl_tensor_set_string(run->out[0], w->pos[3] + i, s->data, s->size, run->err));
	}
	return OVL_OK;
}

static ovl_status pick_row(ovl_run *run, const ovl_walk *w)
{
	const uint8_t *cond = (const uint8_t *)run->in[0]->data + w->pos[0];
	if (run->out[0]->type == OVL_STRING)
		return pick_strings(run, w, cond);
	switch (ovl_type_size(run->out[0]->type)) {
	case 1: PICK(uint8_t); break;
	case 2: PICK(uint16_t); break;
	case 4: PICK(uint32_t); break;
	default: PICK(uint64_t); break;
	}
	return OVL_OK;
}

static ovl_status select_run(ovl_run *run)
{
	if (ovl_run_packed(run))
		return ovl_run_unpacked(run, select_run);
	const ovl_binary_params *p = (const ovl_binary_params *)run->params;
	const ovl_shape *shape = &run->out[0]->shape;
	int64_t strides[4][OVL_MAX_RANK];
	for (int i = 0; i < 3; i++)
		OVL_TRY(ovl_binary_strides(run, p, &run->in[i]->shape, i != 1, shape, strides[i]));
	ovl_dense_strides(shape, strides[3]);
	ovl_walk w;
	ovl_walk_start(&w, shape, 4, (const int64_t *const[]){strides[0], strides[1], strides[2], strides[3]});
	for (; !w.done; ovl_walk_next(&w)) {
		OVL_RUN_CHECK_CANCEL(run);
		OVL_TRY(pick_row(run, &w));
	}
	return OVL_OK;
}

static const ovl_op select_op = {.name = "Select", .since = 1, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "cond then_node else_node",
	.params_size = sizeof(ovl_binary_params), .attrs = attrs, .infer = infer, .run = select_run};

const ovl_op *const ovl_ops_select[] = {&select_op, NULL};
