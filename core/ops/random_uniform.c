/* random_uniform.c - RandomUniform: numbers in [min, max). The same seeds give the same numbers in each run; both seeds 0 give other numbers each time. */
#include "ops/support_axes.h"
#include "ops/support_random.h"
#include "tensor/convert.h"

enum { TENSORFLOW, PYTORCH };
enum { LIST = OVL_MAX_RANK * 2 };

typedef struct random_params {
	ovl_type output_type;
	int64_t global_seed, op_seed;
	int alignment;
} random_params;

#define TYPES (OVL_MASK_FLOAT | OVL_MASK_INDEX)

static ovl_status infer(ovl_infer *in)
{
	ovl_type type = ((const random_params *)in->params)->output_type;
	ovl_pshape out = ovl_pshape_any();
	int64_t sizes[LIST], value;
	bool known, scalar;
	int n;
	ovl_dim length;
	if (!(OVL_MASK(type) & TYPES))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "output_type is %s, expected f16, bf16, f32, f64, i32 or i64", ovl_type_name(type));
	OVL_TRY(ovl_infer_type_in(in, 0, OVL_MASK_INDEX));
	for (int i = 1; i < 3; i++) {
		OVL_TRY(ovl_infer_scalar(in, i, &scalar, &value));
		OVL_TRY(ovl_infer_type_in(in, i, OVL_MASK(type)));
	}
	if (in->in_value[1] && in->in_value[2] && !(ovl_tensor_f64_at(in->in_value[1], 0) < ovl_tensor_f64_at(in->in_value[2], 0)))
		return ovl_infer_fail(in, OVL_E_ARGUMENT, "min_val must be below max_val");
	OVL_TRY(ovl_infer_length(in, 0, &length));
	OVL_TRY(ovl_infer_ints(in, 0, &known, sizes, LIST, &n));
	if (known || (in->in_shape[0].ranked && ovl_dim_static(length)))
		OVL_TRY(ovl_infer_open(in, known ? n : length.min, &out));
	for (int d = 0; known && d < n; d++) {
		if (sizes[d] < 0)
			return ovl_infer_fail(in, OVL_E_SHAPE, "size %d of the output is %lld", d, (long long)sizes[d]);
		out.dims[d] = ovl_dim_of(sizes[d]);
	}
	ovl_infer_out(in, 0, type, &out);
	return OVL_OK;
}

typedef struct source {
	const random_params *p;
	ovl_tensor *out;
	double low, high;
	int64_t low_whole;
	uint64_t range;
	ovl_philox philox;
	ovl_mersenne mersenne;
} source;

/* A fraction of as many bits as the type holds. */
static float fraction(ovl_type type, uint32_t bits)
{
	uint16_t half;
	switch (type) {
	case OVL_F16: half = (uint16_t)(0x3c00u | (bits & 0x3ffu)); return ovl_f16_to_f32(half) - 1.0f;
	case OVL_BF16: half = (uint16_t)(0x3f80u | (bits & 0x7fu)); return ovl_bf16_to_f32(half) - 1.0f;
	default: return ovl_random_f32(bits);
	}
}

static float round_to(ovl_type type, float v)
{
	return type == OVL_F16 ? ovl_f16_to_f32(ovl_f32_to_f16(v)) : type == OVL_BF16 ? ovl_bf16_to_f32(ovl_f32_to_bf16(v)) : v;
}

/* fraction * (high - low) + low in the precision of the type. */
static void put_real(const source *s, int64_t i, double unit)
{
	ovl_type type = s->out->type;
	double v = unit * (s->high - s->low) + s->low;
	if (type != OVL_F64) {
		float low = (float)s->low, span = round_to(type, (float)s->high - low);
		v = round_to(type, (float)unit * span) + low;
	}
	ovl_convert(OVL_F64, &v, 0, type, s->out->data, i, 1, true);
}

static void put_whole(const source *s, int64_t i, uint64_t bits)
{
	int64_t v = (int64_t)(bits % s->range + (uint64_t)s->low_whole);
	ovl_convert(OVL_I64, &v, 0, s->out->type, s->out->data, i, 1, true);
}

/* Elements i, i + 1, ... of four random words; returns how many. */
static int64_t put_philox(source *s, int64_t i, int64_t left)
{
	uint32_t r[4];
	bool wide = ovl_type_size(s->out->type) > 4;
	int64_t n = wide ? 2 : 4;
	ovl_philox_next(&s->philox, r);
	for (int64_t k = 0; k < n && k < left; k++) {
		if (s->out->type == OVL_F64)
			put_real(s, i + k, ovl_random_f64(r[2 * k], r[2 * k + 1]));
		else if (s->out->type == OVL_I64)
			put_whole(s, i + k, (uint64_t)r[2 * k + 1] << 32 | r[2 * k]);
		else if (s->out->type == OVL_I32)
			put_whole(s, i + k, r[k]);
		else
			put_real(s, i + k, fraction(s->out->type, r[k]));
	}
	return n;
}

/* PyTorch takes the low bits, as many as the type holds; wide types take two words, the high one first. */
static int64_t put_mersenne(source *s, int64_t i)
{
	static const int digits[OVL_TYPE_COUNT] = {[OVL_F32] = 24, [OVL_F16] = 11, [OVL_BF16] = 8, [OVL_F64] = 53};
	ovl_type type = s->out->type;
	uint64_t bits = ovl_mersenne_next(&s->mersenne);
	if (type == OVL_F64 || (type == OVL_I64 && s->range > UINT32_MAX))
		bits = bits << 32 | ovl_mersenne_next(&s->mersenne);
	if (digits[type])
		put_real(s, i, ldexp((double)(bits & (((uint64_t)1 << digits[type]) - 1)), -digits[type]));
	else
		put_whole(s, i, bits);
	return 1;
}

static ovl_status random_run(ovl_run *run)
{
	source s = {.p = (const random_params *)run->params, .out = run->out[0], .low = ovl_tensor_f64_at(run->in[1], 0), .high = ovl_tensor_f64_at(run->in[2], 0),
		.low_whole = ovl_tensor_i64_at(run->in[1], 0)};
	int64_t count = ovl_tensor_count(s.out);
	if (!(s.low < s.high))
		return ovl_fail(run->err, OVL_E_ARGUMENT, "%s: min_val must be below max_val", run->op->name);
	s.range = (uint64_t)ovl_tensor_i64_at(run->in[2], 0) - (uint64_t)s.low_whole;
	s.range = s.range ? s.range : 1;
	s.philox = ovl_philox_new((uint64_t)s.p->global_seed, (uint64_t)s.p->op_seed);
	if (s.p->alignment == PYTORCH)
		ovl_mersenne_seed(&s.mersenne, (uint32_t)s.philox.key);
	for (int64_t i = 0, n = 0; i < count; i += n) {
		if (i % 4096 == 0)
			OVL_RUN_CHECK_CANCEL(run);
		n = s.p->alignment == PYTORCH ? put_mersenne(&s, i) : put_philox(&s, i, count - i);
	}
	return OVL_OK;
}

static const ovl_attr attrs[] = {OVL_ATTR_TYPE(random_params, output_type, NULL), OVL_ATTR_INT(random_params, global_seed, "0"), OVL_ATTR_INT(random_params, op_seed, "0"),
	OVL_ATTR_ENUM(random_params, alignment, "tensorflow", "tensorflow pytorch"), OVL_ATTR_END};
static const ovl_op random_uniform = {.name = "RandomUniform", .since = 8, .min_inputs = 3, .max_inputs = 3, .outputs = 1, .inputs = "output_shape min_val max_val",
	.params_size = sizeof(random_params), .attrs = attrs, .flags = OVL_OP_RANDOM, .infer = infer, .run = random_run};

const ovl_op *const ovl_ops_random_uniform[] = {&random_uniform, NULL};
