/* convert.c - Convert, ConvertLike, ConvertPromoteTypes: changes of the element type. */
#include "ops/convert.h"
#include "ops/support_axes.h"
#include "ops/support_move.h"
#include "tensor/convert.h"

/* Whole numbers keep their low bits, floats are truncated and saturate (tensor/convert.h). */
static ovl_status convert_one(ovl_run *run, const ovl_tensor *from, ovl_tensor *to)
{
	enum { CHUNK = 1 << 18 };
	int64_t count = ovl_tensor_count(from);
	if (from->type == OVL_STRING && to->type == OVL_STRING)
		return ovl_move_row(run, to, 0, from, 0, count);
	for (int64_t i = 0; i < count; i += CHUNK) {
		OVL_RUN_CHECK_CANCEL(run);
		if (!ovl_convert(from->type, from->data, i, to->type, to->data, i, count - i < CHUNK ? count - i : CHUNK, true))
			return ovl_fail(run->err, OVL_E_UNSUPPORTED, "%s: %s cannot be converted to %s", run->op->name, ovl_type_name(from->type), ovl_type_name(to->type));
	}
	return OVL_OK;
}

static ovl_status check_pair(ovl_infer *in, ovl_type from, ovl_type to)
{
	if (from != OVL_DYNAMIC && to != OVL_DYNAMIC && (from == OVL_STRING) != (to == OVL_STRING))
		return ovl_infer_fail(in, OVL_E_TYPE, "%s cannot be converted to %s", ovl_type_name(from), ovl_type_name(to));
	return OVL_OK;
}

static ovl_status convert_run(ovl_run *run) { return convert_one(run, run->in[0], run->out[0]); }

static ovl_status convert_infer(ovl_infer *in)
{
	ovl_type to = ((const ovl_convert_params *)in->params)->destination_type;
	OVL_TRY(check_pair(in, in->in_type[0], to));
	ovl_infer_out(in, 0, to, &in->in_shape[0]);
	return OVL_OK;
}

static const ovl_attr convert_attrs[] = {OVL_ATTR_TYPE(ovl_convert_params, destination_type, NULL), OVL_ATTR_END};
static const ovl_op convert = {.name = "Convert", .since = 1, .min_inputs = 1, .max_inputs = 1, .outputs = 1, .inputs = "data",
	.params_size = sizeof(ovl_convert_params), .attrs = convert_attrs, .infer = convert_infer, .run = convert_run};

static ovl_status like_infer(ovl_infer *in)
{
	OVL_TRY(check_pair(in, in->in_type[0], in->in_type[1]));
	ovl_infer_out(in, 0, in->in_type[1], &in->in_shape[0]);
	return OVL_OK;
}

static const ovl_op convert_like = {.name = "ConvertLike", .since = 1, .min_inputs = 2, .max_inputs = 2, .outputs = 1, .inputs = "data like", .infer = like_infer,
	.run = convert_run};

/* ---- ConvertPromoteTypes: brings both inputs to one type that suits them ---- */

typedef struct promote_params {
	bool promote_unsafe, pytorch_scalar_promotion;
	ovl_type u64_integer_promotion_target;
} promote_params;

static bool is_half(ovl_type t) { return t == OVL_F16 || t == OVL_BF16; }

static ovl_status promote_floats(ovl_infer *in, ovl_type a, ovl_type b, bool unsafe, ovl_type *out)
{
	int x = ovl_type_bits(a), y = ovl_type_bits(b);
	*out = x > y ? a : b;
	if (x == y) {
		if (!unsafe)
			return ovl_infer_fail(in, OVL_E_TYPE, "%s and %s have no common type that holds both; promote_unsafe would allow a wider one", ovl_type_name(a), ovl_type_name(b));
		*out = is_half(a) ? OVL_F32 : OVL_F16;
	}
	return OVL_OK;
}

static ovl_status promote_mixed(ovl_infer *in, ovl_type real, ovl_type whole, bool unsafe, ovl_type *out)
{
	*out = real;
	if (!unsafe && ovl_type_bits(real) < ovl_type_bits(whole) * 2)
		return ovl_infer_fail(in, OVL_E_TYPE, "%s does not hold all values of %s; promote_unsafe would allow it", ovl_type_name(real), ovl_type_name(whole));
	return OVL_OK;
}

static ovl_status promote_whole(ovl_infer *in, ovl_type a, ovl_type b, const promote_params *p, ovl_type *out)
{
	static const ovl_type signed_of[] = {OVL_I2, OVL_I4, OVL_I8, OVL_I16, OVL_I32, OVL_I64};
	int x = ovl_type_bits(a), y = ovl_type_bits(b), unsigned_bits;
	if (ovl_type_is_signed(a) == ovl_type_is_signed(b)) {
		*out = x >= y ? a : b;
		return OVL_OK;
	}
	unsigned_bits = ovl_type_is_signed(a) ? y : x;
	if (unsigned_bits == 64) {
		if (!p->promote_unsafe)
			return ovl_infer_fail(in, OVL_E_TYPE, "u64 and a signed type have no common type; promote_unsafe would allow %s", ovl_type_name(p->u64_integer_promotion_target));
		*out = p->u64_integer_promotion_target;
		return OVL_OK;
	}
	int bits = x > y ? x : y;
	if (bits < unsigned_bits * 2) {
		if (!p->promote_unsafe)
			return ovl_infer_fail(in, OVL_E_TYPE, "neither of %s and %s holds both; promote_unsafe would allow a wider type", ovl_type_name(a), ovl_type_name(b));
		bits = unsigned_bits * 2;
	}
	for (size_t i = 0; i < sizeof signed_of / sizeof *signed_of; i++)
		if (ovl_type_bits(signed_of[i]) >= bits) {
			*out = signed_of[i];
			return OVL_OK;
		}
	*out = OVL_I64;
	return OVL_OK;
}

/* 0: boolean, 1: whole, 2: real. */
static int rank_of(ovl_type t) { return ovl_type_is_float(t) ? 2 : t == OVL_BOOLEAN ? 0 : 1; }

static bool is_scalar(const ovl_pshape *s) { return s->ranked && s->rank == 0; }

/* As PyTorch does it: a scalar of a kind that is not above the tensor's has no say. */
static bool promote_scalar(ovl_infer *in, ovl_type a, ovl_type b, ovl_type *out)
{
	bool sa = is_scalar(&in->in_shape[0]), sb = is_scalar(&in->in_shape[1]);
	if (sa == sb)
		return false;
	ovl_type tensor = sa ? b : a, scalar = sa ? a : b;
	if (rank_of(tensor) < rank_of(scalar))
		return false;
	*out = tensor;
	return true;
}

/* Both are numbers and differ. */
static ovl_status promote_pair(ovl_infer *in, ovl_type a, ovl_type b, ovl_type *out)
{
	const promote_params *p = (const promote_params *)in->params;
	if (rank_of(a) == 2 && rank_of(b) == 2)
		return promote_floats(in, a, b, p->promote_unsafe, out);
	if (rank_of(a) == 2 || rank_of(b) == 2)
		return rank_of(a) == 2 ? promote_mixed(in, a, b, p->promote_unsafe, out) : promote_mixed(in, b, a, p->promote_unsafe, out);
	return promote_whole(in, a, b, p, out);
}

/* As far as the number of bits tells. */
static bool holds(ovl_type type, ovl_type scalar)
{
	int bits = ovl_type_bits(type), needed = ovl_type_bits(scalar);
	if (rank_of(type) != rank_of(scalar))
		return bits >= 2 * needed;
	return bits >= needed && (ovl_type_is_signed(type) || !ovl_type_is_signed(scalar));
}

static ovl_status promote(ovl_infer *in, ovl_type a, ovl_type b, ovl_type *out)
{
	const promote_params *p = (const promote_params *)in->params;
	ovl_type scalar;
	*out = a;
	if (a == b)
		return OVL_OK;
	if (a == OVL_DYNAMIC || b == OVL_DYNAMIC) {
		*out = OVL_DYNAMIC;
		return OVL_OK;
	}
	if (a == OVL_BOOLEAN || b == OVL_BOOLEAN) {
		*out = a == OVL_BOOLEAN ? b : a;
		return OVL_OK;
	}
	if (!p->pytorch_scalar_promotion || !promote_scalar(in, a, b, out))
		return promote_pair(in, a, b, out);
	if (p->promote_unsafe)
		return OVL_OK;
	if (!holds(*out, scalar = *out == a ? b : a))
		return ovl_infer_fail(in, OVL_E_TYPE, "%s does not hold the scalar's %s; promote_unsafe would allow it", ovl_type_name(*out), ovl_type_name(scalar));
	return OVL_OK;
}

static ovl_status promote_infer(ovl_infer *in)
{
	ovl_type type;
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_NOT_STRING));
	OVL_TRY(ovl_infer_type_in(in, 1, OVL_MASK_NOT_STRING));
	OVL_TRY(promote(in, in->in_type[0], in->in_type[1], &type));
	ovl_infer_out(in, 0, type, &in->in_shape[0]);
	ovl_infer_out(in, 1, type, &in->in_shape[1]);
	return OVL_OK;
}

static ovl_status promote_run(ovl_run *run)
{
	OVL_TRY(convert_one(run, run->in[0], run->out[0]));
	return convert_one(run, run->in[1], run->out[1]);
}

static const ovl_attr promote_attrs[] = {OVL_ATTR_BOOL(promote_params, promote_unsafe, "false"), OVL_ATTR_BOOL(promote_params, pytorch_scalar_promotion, "false"),
	OVL_ATTR_TYPE(promote_params, u64_integer_promotion_target, "f32"), OVL_ATTR_END};
static const ovl_op convert_promote = {.name = "ConvertPromoteTypes", .since = 14, .min_inputs = 2, .max_inputs = 2, .outputs = 2, .inputs = "left_node right_node",
	.params_size = sizeof(promote_params), .attrs = promote_attrs, .infer = promote_infer, .run = promote_run};

const ovl_op *const ovl_ops_convert[] = {&convert, &convert_like, &convert_promote, NULL};
