/* target.c - results into new tensors or into given ones. */
#include "tensor/target.h"

static ovl_status check_given(const ovl_tensor *given, ovl_type type, const ovl_tensor *from, const char *what, ovl_error *err)
{
	if (given->type != type)
		return ovl_fail(
			err, OVL_E_TYPE, "%s: out is a tensor of type %s, expected %s", what, ovl_type_name(given->type), ovl_type_name(type));
	if (from && given->buffer == from->buffer && given->buffer)
		return ovl_fail(err, OVL_E_ARGUMENT, "%s: out lies on the memory that is read; give another tensor", what);
	return OVL_OK;
}

ovl_status ovl_target_open(ovl_target *target, ovl_tensor *given, ovl_type type, const ovl_shape *shape, const ovl_tensor *from, bool dense,
	const char *what, ovl_error *err)
{
	*target = (ovl_target){.given = given};
	if (given) {
		OVL_TRY(check_given(given, type, from, what, err));
		if (!ovl_shape_equal(&given->shape, shape) && ovl_tensor_set_shape(given, shape, err) != OVL_OK)
			return ovl_error_prefix(err, "%s: out", what);
		if (!dense || ovl_tensor_dense(given)) {
			target->t = given;
			return OVL_OK;
		}
	}
	if (ovl_type_packed(type) || type == OVL_STRING)
		return ovl_tensor_new(type, shape, &target->t, err);
	return ovl_tensor_new_raw(type, shape, &target->t, err);
}

ovl_status ovl_target_close(ovl_target *target, ovl_status status, ovl_tensor **out, ovl_error *err)
{
	if (!status && target->given && target->t != target->given)
		status = ovl_tensor_copy(target->t, target->given, err);
	if (target->t != target->given && (status || target->given))
		ovl_tensor_release(target->t);
	else if (!status)
		*out = target->t;
	return status;
}

ovl_status ovl_target_close_two(ovl_target *a, ovl_tensor **out_a, ovl_target *b, ovl_tensor **out_b, ovl_status status, ovl_error *err)
{
	ovl_tensor *first = *out_a;
	ovl_status s = ovl_target_close(a, status, &first, err);
	ovl_status both = ovl_target_close(b, s, out_b, err);
	if (!both)
		*out_a = first;
	else if (!s && !a->given)
		ovl_tensor_release(first);
	return both;
}
