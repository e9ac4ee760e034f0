/* string_tensor.c - StringTensorPack and StringTensorUnpack: strings as one run of bytes with the begin and the end of each, and back. */
#include "base/memory.h"
#include "ops/support_axes.h"

static ovl_status pack_infer(ovl_infer *in)
{
	ovl_pshape out;
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_INDEX));
	OVL_TRY(ovl_infer_merge_types(in, 0, 1, &type));
	OVL_TRY(ovl_infer_type_in(in, 2, OVL_MASK(OVL_U8)));
	OVL_TRY(ovl_infer_rank(in, 2, 1, 1));
	if (!ovl_pshape_merge(&in->in_shape[0], &in->in_shape[1], &out))
		return ovl_infer_fail(in, OVL_E_SHAPE, "begins and ends must be of one shape");
	ovl_infer_out(in, 0, OVL_STRING, &out);
	return OVL_OK;
}

static ovl_status pack_run(ovl_run *run)
{
	int64_t count = ovl_tensor_count(run->out[0]), size = ovl_tensor_count(run->in[2]);
	const char *bytes = (const char *)run->in[2]->data;
	for (int64_t i = 0; i < count; i++) {
		int64_t first = ovl_tensor_i64_at(run->in[0], i), last = ovl_tensor_i64_at(run->in[1], i);
		if (first < 0 || last < first || last > size)
			return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: string %lld would reach from %lld to %lld of %lld bytes", run->op->name, (long long)i, (long long)first,
				(long long)last, (long long)size);
		OVL_TRY(ovl_tensor_set_string(run->out[0], i, bytes + first, (size_t)(last - first), run->err));
	}
	return OVL_OK;
}

static const ovl_op pack = {.name = "StringTensorPack", .since = 15, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "begins ends symbols", .infer = pack_infer,
	.run = pack_run};

static ovl_status unpack_infer(ovl_infer *in)
{
	ovl_pshape bytes = ovl_pshape_rank(1);
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK(OVL_STRING)));
	ovl_infer_out(in, 0, OVL_I32, &in->in_shape[0]);
	ovl_infer_out(in, 1, OVL_I32, &in->in_shape[0]);
	ovl_infer_out(in, 2, OVL_U8, &bytes);
	return OVL_OK;
}

static ovl_status unpack_run(ovl_run *run)
{
	const ovl_tensor *x = run->in[0];
	const ovl_string *s = (const ovl_string *)x->data;
	int64_t count = ovl_tensor_count(x);
	size_t total = 0;
	ovl_tensor *begins, *ends, *symbols;
	for (int64_t i = 0; i < count; i++)
		if (!ovl_add_ok(total, s[i].size, &total) || total > INT32_MAX)
			return ovl_fail(run->err, OVL_E_UNSUPPORTED, "%s: the strings have more than 2 GB together", run->op->name);
	OVL_TRY(ovl_run_output(run, 0, OVL_I32, &x->shape, &begins));
	OVL_TRY(ovl_run_output(run, 1, OVL_I32, &x->shape, &ends));
	OVL_TRY(ovl_run_output(run, 2, OVL_U8, &(ovl_shape){.rank = 1, .dims = {(int64_t)total}}, &symbols));
	total = 0;
	for (int64_t i = 0; i < count; i++) {
		((int32_t *)begins->data)[i] = (int32_t)total;
		if (s[i].size)
			memcpy((char *)symbols->data + total, s[i].data, s[i].size);
		total += s[i].size;
		((int32_t *)ends->data)[i] = (int32_t)total;
	}
	return OVL_OK;
}

static const ovl_op unpack = {.name = "StringTensorUnpack", .since = 15, .min_inputs = 1, .max_inputs = 1, .outputs = 3, .inputs = "data", .flags = OVL_OP_LATE,
	.infer = unpack_infer, .run = unpack_run};

const ovl_op *const ovl_ops_string_tensor[] = {&pack, &unpack, NULL};
