/* image_shape.c - ov.image: other sizes, parts and perspectives of pictures, and what is found in maps. */
#include "image.h"
#include <math.h>

static const char *const FILTERS[] = {"nearest", "linear", "cubic", "area", NULL}; /* as ovl_filter */

/* The options that functions which make a picture have in common, and what they say. */
typedef struct shaping {
	const char *method;
	int fill, out; /* places on the stack */
	ovl_filter filter;
} shaping;

static shaping take_shaping(lua_State *L, int first, const char *method)
{
	shaping s = {.method = method};
	const lovl_option list[] = {
		{"out", LOVL_OPT_TENSOR, &s.out}, {"method", LOVL_OPT_STRING, &s.method}, {"fill", LOVL_OPT_VALUE, &s.fill}, {NULL, 0, NULL}};
	lovl_take_options(L, first, method ? list : (const lovl_option[]){list[0], list[2], list[3]});
	if (method)
		s.filter = (ovl_filter)lovl_choose(L, s.method, "method", FILTERS);
	return s;
}

static void read_fill(lua_State *L, int at, const ovl_tensor *image, float fill[4])
{
	double values[4];
	lovl_image_values(L, at, "fill", lovl_image_channels(image), 0, values);
	for (int i = 0; i < 4; i++)
		fill[i] = (float)values[i];
}

/* A picture whose channels all get a fill. */
static void few_channels(lua_State *L, const ovl_tensor *image, const char *what)
{
	ovl_shape s;
	ovl_tensor_shape(image, &s);
	if (s.rank == 3 && s.dims[2] > 4)
		lovl_error(L, OVL_E_SHAPE, "%s: a picture of 1 to 4 channels is expected, got %lld", what, (long long)s.dims[2]);
}

/* ov.image.resize(image, height, width [, {method =, out =}]) */
static int resize(lua_State *L)
{
	const ovl_tensor *image = lovl_check_tensor(L, 1, "image");
	int64_t h = lovl_check_whole(L, 2, "height"), w = lovl_check_whole(L, 3, "width");
	shaping s = take_shaping(L, 4, "linear");
	ovl_error err;
	return lovl_made(L, s.out, ovl_image_resize(image, h, w, s.filter, lovl_out(L, s.out), &err), &err);
}

/* ov.image.crop(image, left, top, height, width [, {fill =, out =}]) */
static int crop(lua_State *L)
{
	const ovl_tensor *image = lovl_check_tensor(L, 1, "image");
	int64_t left = lovl_check_whole(L, 2, "left"), top = lovl_check_whole(L, 3, "top"), h = lovl_check_whole(L, 4, "height"),
		w = lovl_check_whole(L, 5, "width");
	shaping s = take_shaping(L, 6, NULL);
	float fill[4];
	ovl_error err;
	if (s.fill) {
		few_channels(L, image, "crop");
		read_fill(L, s.fill, image, fill);
	}
	return lovl_made(L, s.out, ovl_image_crop(image, left, top, h, w, s.fill ? fill : NULL, lovl_out(L, s.out), &err), &err);
}

static void set_number(lua_State *L, const char *key, double v)
{
	lua_pushnumber(L, (lua_Number)v);
	lua_setfield(L, -2, key);
}

/* ov.image.letterbox(image, height, width [, {fill =, method =, out =}]): the picture, and where the given one is in it */
static int letterbox(lua_State *L)
{
	const ovl_tensor *image = lovl_check_tensor(L, 1, "image");
	int64_t h = lovl_check_whole(L, 2, "height"), w = lovl_check_whole(L, 3, "width");
	shaping s = take_shaping(L, 4, "linear");
	ovl_placement p;
	float fill[4];
	ovl_error err;
	few_channels(L, image, "letterbox");
	read_fill(L, s.fill, image, fill);
	lovl_made(L, s.out, ovl_image_letterbox(image, h, w, fill, s.filter, lovl_out(L, s.out), &p, &err), &err);
	lua_createtable(L, 0, 6);
	set_number(L, "scale_x", p.scale_x), set_number(L, "scale_y", p.scale_y);
	set_number(L, "left", (double)p.left), set_number(L, "top", (double)p.top);
	set_number(L, "width", (double)p.width), set_number(L, "height", (double)p.height);
	return 2;
}

/* ov.image.warp(image, corners, height, width [, {method =, out =}]) */
static int warp(lua_State *L)
{
	const ovl_tensor *image = lovl_check_tensor(L, 1, "image");
	double corners[8];
	int64_t h = lovl_check_whole(L, 3, "height"), w = lovl_check_whole(L, 4, "width");
	shaping s = take_shaping(L, 5, "linear");
	ovl_error err;
	if (lovl_image_points(L, 2, "corners", corners, 4) != 4)
		lovl_error(L, OVL_E_SHAPE, "corners: expected 4 points {x, y}");
	if (s.filter == OVL_AREA) /* places are averaged with every method */
		s.filter = OVL_LINEAR;
	return lovl_made(L, s.out, ovl_image_warp(image, corners, h, w, s.filter, lovl_out(L, s.out), &err), &err);
}

/* ov.image.blob(image, height, width [, {mean =, scale =, reverse =, method =, out =}]): (value - mean) / scale */
static int blob(lua_State *L)
{
	const ovl_tensor *image = lovl_check_tensor(L, 1, "image");
	ovl_blob how = {.height = lovl_check_whole(L, 2, "height"), .width = lovl_check_whole(L, 3, "width")};
	const char *method = "linear";
	int mean_at = 0, scale_at = 0, out = 0, channels = lovl_image_channels(image);
	const lovl_option list[] = {{"mean", LOVL_OPT_VALUE, &mean_at}, {"scale", LOVL_OPT_VALUE, &scale_at},
		{"reverse", LOVL_OPT_BOOLEAN, &how.reverse}, {"method", LOVL_OPT_STRING, &method}, {"out", LOVL_OPT_TENSOR, &out}, {NULL, 0, NULL}};
	double mean[4], scale[4];
	ovl_error err;
	lovl_take_options(L, 4, list);
	how.filter = (ovl_filter)lovl_choose(L, method, "method", FILTERS);
	lovl_image_values(L, mean_at, "mean", channels, 0, mean);
	lovl_image_values(L, scale_at, "scale", channels, 1, scale);
	for (int i = 0; i < 4; i++) {
		if (scale[i] == 0)
			lovl_error(L, OVL_E_ARGUMENT, "scale: values are divided by it, so it cannot be 0");
		how.scale[i] = (float)(1 / scale[i]);
		how.shift[i] = (float)(-mean[i] / scale[i]);
	}
	return lovl_made(L, out, ovl_image_blob(image, &how, lovl_out(L, out), &err), &err);
}

/* ov.image.components(map [, {threshold = 0}]): boxes, areas */
static int components(lua_State *L)
{
	const ovl_tensor *map = lovl_check_tensor(L, 1, "map");
	double threshold = 0;
	const lovl_option list[] = {{"threshold", LOVL_OPT_NUMBER, &threshold}, {NULL, 0, NULL}};
	ovl_tensor **boxes, **areas;
	ovl_error err;
	lovl_take_options(L, 2, list);
	boxes = lovl_out(L, 0);
	areas = lovl_out(L, 0);
	lovl_try(L, ovl_image_components(map, threshold, boxes, areas, &err), &err);
	return 2;
}

/* ov.image.gap(image): x */
static int gap(lua_State *L)
{
	double middle = 0;
	ovl_error err;
	lovl_try(L, ovl_image_gap(lovl_check_tensor(L, 1, "image"), &middle, &err), &err);
	lua_pushnumber(L, (lua_Number)middle);
	return 1;
}

/* ov.image.text_boxes(map [, {threshold =, score =, unclip =, min_side =, max =, dilate =}]): boxes, scores */
static int text_boxes(lua_State *L)
{
	const ovl_tensor *map = lovl_check_tensor(L, 1, "map");
	ovl_text_boxes how = {.threshold = 0.3, .score = 0.5, .unclip = 1.6, .min_side = 3, .most = 1000, .dilate = true};
	const lovl_option list[] = {{"threshold", LOVL_OPT_NUMBER, &how.threshold}, {"score", LOVL_OPT_NUMBER, &how.score},
		{"unclip", LOVL_OPT_NUMBER, &how.unclip}, {"min_side", LOVL_OPT_NUMBER, &how.min_side}, {"max", LOVL_OPT_WHOLE, &how.most},
		{"dilate", LOVL_OPT_BOOLEAN, &how.dilate}, {NULL, 0, NULL}};
	ovl_tensor **boxes, **scores;
	ovl_error err;
	lovl_take_options(L, 2, list);
	if (how.most < 0 || !(how.unclip >= 0 && how.unclip <= 1000))
		lovl_error(L, OVL_E_ARGUMENT, how.most < 0 ? "max must be 0 (any number) or more" : "unclip must be 0 to 1000");
	boxes = lovl_out(L, 0);
	scores = lovl_out(L, 0);
	lovl_try(L, ovl_image_text_boxes(map, &how, boxes, scores, &err), &err);
	return 2;
}

void lovl_image_shapes(lua_State *L)
{
	static const luaL_Reg FUNCTIONS[] = {{"resize", resize}, {"crop", crop}, {"letterbox", letterbox}, {"warp", warp}, {"blob", blob},
		{"components", components}, {"gap", gap}, {"text_boxes", text_boxes}, {NULL, NULL}};
	lovl_functions(L, FUNCTIONS);
}
