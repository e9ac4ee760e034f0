/* math_nms.c - of boxes that overlap, the one with the best score stays. */
#include "base/memory.h"
#include "tensor/math.h"
#include "tensor/target.h"

typedef struct box {
	double left, top, right, bottom, area;
	int64_t class, at;
} box;

static double overlap(const box *a, const box *b)
{
	double w = (a->right < b->right ? a->right : b->right) - (a->left > b->left ? a->left : b->left);
	double h = (a->bottom < b->bottom ? a->bottom : b->bottom) - (a->top > b->top ? a->top : b->top);
	double both = w > 0 && h > 0 ? w * h : 0, all = a->area + b->area - both;
	return all > 0 ? both / all : 0;
}

static box read_box(const double *v, bool centred, int64_t class, int64_t at)
{
	double x = v[0], y = v[1], w = v[2], h = v[3];
	box b = centred ? (box){x - w / 2, y - h / 2, x + w / 2, y + h / 2, 0, class, at} : (box){x, y, w, h, 0, class, at};
	double width = b.right - b.left, height = b.bottom - b.top;
	b.area = width > 0 && height > 0 ? width * height : 0;
	return b;
}

static ovl_status check_list(const ovl_tensor *t, int64_t n, const char *what, ovl_error *err)
{
	char text[256];
	if (ovl_tensor_count(t) == n && t->shape.rank == 1)
		return OVL_OK;
	return ovl_fail(err, OVL_E_SHAPE, "nms: %s must be [%lld], one for each box, got %s", what, (long long)n,
		ovl_shape_text(&t->shape, text, sizeof text));
}

/* Looks at the boxes in the order of their scores; those that stay come to the front. */
static int64_t suppress(
	const double *boxes, const double *scores, const int64_t *order, const int64_t *classes, int64_t n, const ovl_nms *how, box *kept)
{
	int64_t have = 0;
	for (int64_t i = 0; i < n && (!how->most || have < how->most); i++) {
		int64_t at = order[i], k = 0;
		box b;
		if (!(scores[i] >= how->score)) /* NaN is not */
			continue;
		b = read_box(boxes + 4 * at, how->centred, classes ? classes[at] : 0, at);
		while (k < have && !(kept[k].class == b.class && overlap(kept + k, &b) > how->iou))
			k++;
		if (k == have)
			kept[have++] = b;
	}
	return have;
}

static ovl_status fill(const box *kept, int64_t n, const ovl_tensor *from, ovl_tensor **out, ovl_error *err)
{
	ovl_target target;
	ovl_shape shape = {1, {n}};
	OVL_TRY(ovl_target_open(&target, *out, OVL_I64, &shape, from, true, "nms", err));
	for (int64_t i = 0; i < n; i++)
		((int64_t *)target.t->data)[i] = kept[i].at;
	return ovl_target_close(&target, OVL_OK, out, err);
}

ovl_status ovl_math_nms(
	const ovl_tensor *boxes, const ovl_tensor *scores, const ovl_tensor *classes, const ovl_nms *how, ovl_tensor **out, ovl_error *err)
{
	ovl_tensor *b = NULL, *values = NULL, *order = NULL, *best = NULL, *kinds = NULL;
	int64_t n = boxes->shape.dims[0];
	box *kept = NULL;
	size_t bytes;
	char text[256];
	ovl_status s;
	if (boxes->shape.rank != 2 || boxes->shape.dims[1] != 4)
		return ovl_fail(err, OVL_E_SHAPE, "nms: boxes must be [n,4], got %s", ovl_shape_text(&boxes->shape, text, sizeof text));
	OVL_TRY(check_list(scores, n, "scores", err));
	if (classes)
		OVL_TRY(check_list(classes, n, "classes", err));
	if (!ovl_mul_ok((size_t)n + 1, sizeof *kept, &bytes) || !(kept = ovl_alloc(bytes)))
		return ovl_fail(err, OVL_E_MEMORY, "no memory for nms of %lld boxes", (long long)n);
	s = ovl_tensor_astype(boxes, OVL_F64, &b, err);
	if (!s && classes)
		s = ovl_tensor_astype(classes, OVL_I64, &kinds, err);
	if (!s)
		s = ovl_math_sort(scores, 0, true, &best, &order, err);
	if (!s)
		s = ovl_tensor_astype(best, OVL_F64, &values, err);
	if (!s)
		s = fill(kept, suppress(b->data, values->data, order->data, kinds ? kinds->data : NULL, n, how, kept), boxes, out, err);
	ovl_free(kept);
	ovl_tensor_release(b);
	ovl_tensor_release(values);
	ovl_tensor_release(order);
	ovl_tensor_release(best);
	ovl_tensor_release(kinds);
	return s;
}
