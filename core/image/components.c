/* components.c - what is connected in a map: a box and an area for each part. */
#include "image/image.h"
#include "image/runs.h"

static void measure(const ovl_runs *r, int32_t part, int64_t box[4], int64_t *area)
{
	const ovl_run *first = r->list + r->start[part], *last = r->list + r->start[part + 1] - 1;
	box[0] = first->from, box[1] = first->y, box[2] = first->to, box[3] = last->y + 1;
	*area = 0;
	for (const ovl_run *run = first; run <= last; run++) {
		box[0] = run->from < box[0] ? run->from : box[0];
		box[2] = run->to > box[2] ? run->to : box[2];
		*area += run->to - run->from;
	}
}

ovl_status ovl_image_components(const ovl_tensor *map, double threshold, ovl_tensor **boxes, ovl_tensor **areas, ovl_error *err)
{
	ovl_tensor *dense, *b = NULL, *a = NULL;
	ovl_runs runs = {NULL, NULL, 0};
	ovl_status s;
	OVL_TRY(ovl_runs_map(map, "components", &dense, err));
	s = ovl_runs_find(dense->data, map->shape.dims[0], map->shape.dims[1], (float)threshold, false, &runs, err);
	const ovl_shape list = {1, {runs.parts}}, table = {2, {runs.parts, 4}};
	if (!s)
		s = ovl_tensor_new_raw(OVL_I64, &table, &b, err);
	if (!s)
		s = ovl_tensor_new_raw(OVL_I64, &list, &a, err);
	for (int32_t k = 0; !s && k < runs.parts; k++)
		measure(&runs, k, (int64_t *)b->data + 4 * k, (int64_t *)a->data + k);
	ovl_runs_free(&runs);
	ovl_tensor_release(dense);
	if (s) {
		ovl_tensor_release(b);
		ovl_tensor_release(a);
		return s;
	}
	*boxes = b;
	*areas = a;
	return OVL_OK;
}
