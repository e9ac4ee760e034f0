#include "kernels/kernel.h"

ovl_desc ovl_desc_dense(ovl_type type, int rank, const int64_t *dims)
{
	ovl_desc d = {.type = type, .rank = rank};
	int64_t step = 1;
	for (int i = rank - 1; i >= 0; i--) {
		d.dims[i] = dims[i];
		d.strides[i] = step;
		step *= dims[i];
	}
	return d;
}

ovl_desc ovl_desc_cl(ovl_type type, int rank, const int64_t *dims, int64_t ld)
{
	ovl_desc d = {.type = type, .rank = rank};
	int64_t step = ld;
	for (int i = rank - 1; i >= 2; i--) {
		d.dims[i] = dims[i];
		d.strides[i] = step;
		step *= dims[i];
	}
	d.dims[1] = dims[1];
	d.strides[1] = 1;
	d.dims[0] = dims[0];
	d.strides[0] = step;
	return d;
}

int64_t ovl_cl_ld(const int64_t *dims, int rank)
{
	int64_t pixels = 1, ld;
	for (int i = 2; i < rank; i++)
		pixels *= dims[i];
	if (pixels <= 1 || dims[1] < 8)
		return dims[1];
	ld = (dims[1] + 15) / 16 * 16;
	return ld % 512 == 0 ? ld + 16 : ld; /* power-of-two strides would fall into few L1 sets */
}

bool ovl_desc_is_dense(const ovl_desc *d)
{
	int64_t step = 1;
	for (int i = d->rank - 1; i >= 0; i--) {
		if (d->dims[i] == 0)
			return true;
		if (d->dims[i] != 1 && d->strides[i] != step)
			return false;
		step *= d->dims[i];
	}
	return true;
}

/* The pixel distance is read off the innermost spatial dimension that has more than one entry, else off the batch; with one pixel in all it is C. */
bool ovl_desc_is_cl(const ovl_desc *d, int64_t *ld)
{
	int64_t step = 0, scale = 1, found = 0;
	if (d->rank < 3 || (d->dims[1] != 1 && d->strides[1] != 1))
		return false;
	for (int k = d->rank - 1; k >= 1 && !found; k--) {
		int i = k == 1 ? 0 : k;
		if (d->dims[i] == 0)
			return *ld = d->dims[1], true;
		if (d->dims[i] > 1) {
			if (d->strides[i] % scale)
				return false;
			found = d->strides[i] / scale;
		}
		scale *= d->dims[i];
	}
	*ld = found ? found : d->dims[1];
	if (*ld < d->dims[1])
		return false;
	step = *ld;
	for (int k = d->rank - 1; k >= 1; k--) {
		int i = k == 1 ? 0 : k;
		if (d->dims[i] != 1 && d->strides[i] != step)
			return false;
		step *= d->dims[i];
	}
	return true;
}

bool ovl_desc_has_form(const ovl_desc *d, ovl_form form)
{
	int64_t ld;
	return form == OVL_FORM_ANY || (form == OVL_FORM_DENSE && ovl_desc_is_dense(d)) || (form == OVL_FORM_CL && ovl_desc_is_cl(d, &ld));
}

int64_t ovl_desc_count(const ovl_desc *d)
{
	int64_t n = 1;
	for (int i = 0; i < d->rank; i++)
		n *= d->dims[i];
	return n;
}

size_t ovl_desc_span(const ovl_desc *d)
{
	int64_t last = 0;
	size_t bytes = 0;
	for (int i = 0; i < d->rank; i++) {
		if (d->dims[i] == 0)
			return 0;
		last += (d->dims[i] - 1) * d->strides[i];
	}
	return ovl_type_bytes(d->type, last + 1, &bytes) ? bytes : SIZE_MAX;
}

bool ovl_desc_same_dims(const ovl_desc *a, const ovl_desc *b)
{
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dims[i] != b->dims[i])
			return false;
	return true;
}

bool ovl_desc_per_channel(const ovl_desc *operand, const ovl_desc *out, int axis, int64_t *channels)
{
	int shift = out->rank - operand->rank;
	*channels = 1;
	for (int i = 0; i < operand->rank; i++) {
		if (operand->dims[i] == 1)
			continue;
		if (i + shift != axis || operand->dims[i] != out->dims[axis])
			return false;
		*channels = operand->dims[i];
	}
	return shift >= 0;
}

bool ovl_desc_broadcast_strides(const ovl_desc *operand, const ovl_desc *out, int64_t *strides)
{
	int shift = out->rank - operand->rank;
	if (shift < 0)
		return false;
	for (int i = 0; i < out->rank; i++) {
		int k = i - shift;
		strides[i] = 0;
		if (k < 0 || operand->dims[k] == 1)
			continue;
		if (operand->dims[k] != out->dims[i])
			return false;
		strides[i] = operand->strides[k];
	}
	return true;
}
