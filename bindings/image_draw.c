/* image_draw.c - ov.image: drawing into pictures. */
#include "image.h"
#include <math.h>

typedef struct pen {
	double width, alpha, size;
	bool fill;
	int color_at, background_at;
	uint8_t color[4], background[4];
} pen;

static void read_color(lua_State *L, int at, const char *what, const ovl_tensor *image, double otherwise, uint8_t color[4])
{
	double values[4];
	lovl_image_values(L, at, what, lovl_image_channels(image), otherwise, values);
	for (int i = 0; i < 4; i++) {
		if (!(values[i] >= 0 && values[i] <= 255))
			lovl_error(L, OVL_E_ARGUMENT, "%s: expected numbers from 0 to 255, got %g", what, values[i]);
		color[i] = (uint8_t)(values[i] + 0.5);
	}
}

static pen take_pen(lua_State *L, int first, const ovl_tensor *image, bool text)
{
	pen p = {.width = 2, .alpha = 1, .size = 14};
	const lovl_option lines[] = {{"color", LOVL_OPT_VALUE, &p.color_at}, {"alpha", LOVL_OPT_NUMBER, &p.alpha},
		{"width", LOVL_OPT_NUMBER, &p.width}, {"fill", LOVL_OPT_BOOLEAN, &p.fill}, {NULL, 0, NULL}};
	const lovl_option letters[] = {{"color", LOVL_OPT_VALUE, &p.color_at}, {"alpha", LOVL_OPT_NUMBER, &p.alpha},
		{"size", LOVL_OPT_NUMBER, &p.size}, {"background", LOVL_OPT_VALUE, &p.background_at}, {NULL, 0, NULL}};
	lovl_take_options(L, first, text ? letters : lines);
	read_color(L, p.color_at, "color", image, text ? 0 : 255, p.color);
	read_color(L, p.background_at, "background", image, 255, p.background);
	return p;
}

static void lines(lua_State *L, ovl_tensor *image, const double *xy, int n, bool closed, const pen *p)
{
	ovl_error err;
	for (int i = 0; i + !closed < n; i++) {
		const double *a = xy + 2 * i, *b = xy + 2 * ((i + 1) % n);
		lovl_try(L, ovl_image_line(image, a[0], a[1], b[0], b[1], p->width, p->color, p->alpha, &err), &err);
	}
	lua_settop(L, 1);
}

/* ov.image.draw_line(image, x0, y0, x1, y1 [, {color =, width =, alpha =}]) */
static int draw_line(lua_State *L)
{
	ovl_tensor *image = lovl_check_tensor(L, 1, "image");
	double xy[4];
	for (int i = 0; i < 4; i++)
		xy[i] = lovl_check_number(L, i + 2, "coordinates");
	pen p = take_pen(L, 6, image, false);
	lines(L, image, xy, 2, false, &p);
	return 1;
}

/* ov.image.draw_polygon(image, points [, {color =, width =, alpha =}]) */
static int draw_polygon(lua_State *L)
{
	enum { MOST = 1024 };
	ovl_tensor *image = lovl_check_tensor(L, 1, "image");
	double *xy;
	int n;
	pen p = take_pen(L, 3, image, false);
	xy = lua_newuserdata(L, 2 * MOST * sizeof *xy);
	n = lovl_image_points(L, 2, "points", xy, MOST);
	lines(L, image, xy, n, true, &p);
	return 1;
}

/* ov.image.draw_rect(image, left, top, width, height [, {color =, width =, fill =, alpha =}]) */
static int draw_rect(lua_State *L)
{
	ovl_tensor *image = lovl_check_tensor(L, 1, "image");
	double r[4];
	ovl_error err;
	for (int i = 0; i < 4; i++)
		r[i] = lovl_check_number(L, i + 2, "coordinates");
	pen p = take_pen(L, 6, image, false);
	if (p.fill) {
		lovl_try(L, ovl_image_fill(image, r[0], r[1], r[2], r[3], p.color, p.alpha, &err), &err);
		lua_settop(L, 1);
	} else {
		const double xy[] = {r[0], r[1], r[0] + r[2], r[1], r[0] + r[2], r[1] + r[3], r[0], r[1] + r[3]};
		lines(L, image, xy, 4, true, &p);
	}
	return 1;
}

/* ---- text ---- */

/* The font knows ASCII: each other character becomes '?'. Returns the number of bytes without the 0. */
static size_t plain(const char *from, size_t n, char *to)
{
	size_t have = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)from[i];
		if (c >= 0x80 && c < 0xc0) /* goes on with a character */
			continue;
		to[have++] = c == '\n' || (c >= 32 && c < 127) ? (char)c : '?';
	}
	to[have] = 0;
	return have;
}

typedef struct quad { /* of stb_easy_font: four corners with a colour each, clockwise */
	struct {
		float x, y, z;
		unsigned char color[4];
	} corner[4];
} quad;

/* The font's lines are 12 high. */
static void draw_quads(lua_State *L, ovl_tensor *image, const quad *quads, int n, double left, double top, const pen *p)
{
	double scale = p->size / 12, right = 0, bottom = 0;
	ovl_error err;
	for (int i = 0; i < n; i++) {
		right = fmax(right, quads[i].corner[2].x);
		bottom = fmax(bottom, quads[i].corner[2].y);
	}
	if (p->background_at)
		lovl_try(L, ovl_image_fill(image, left - 2, top - 2, right * scale + 4, fmax(bottom, 10) * scale + 4, p->background, p->alpha, &err),
			&err);
	for (int i = 0; i < n; i++) {
		double x = quads[i].corner[0].x, y = quads[i].corner[0].y, w = quads[i].corner[2].x - x, h = quads[i].corner[2].y - y;
		lovl_try(L, ovl_image_fill(image, left + x * scale, top + y * scale, w * scale, h * scale, p->color, p->alpha, &err), &err);
	}
}

/* ov.image.draw_text(image, left, top, text [, {color =, size =, background =, alpha =}]) */
static int draw_text(lua_State *L)
{
	enum { QUADS_EACH = 24, MOST = 4096 };
	ovl_tensor *image = lovl_check_tensor(L, 1, "image");
	double left = lovl_check_number(L, 2, "left"), top = lovl_check_number(L, 3, "top");
	size_t n;
	const char *text = lovl_check_string(L, 4, "text", &n);
	pen p = take_pen(L, 5, image, true);
	char *copy, *quads;
	int bytes;
	if (n > MOST)
		lovl_error(L, OVL_E_ARGUMENT, "a text of %zu bytes is too long to draw, at most %d are possible", n, MOST);
	if (!(p.size > 0 && p.size <= 10000))
		lovl_error(L, OVL_E_ARGUMENT, "size must be above 0 and at most 10000, got %g", p.size);
	copy = lua_newuserdata(L, n + 1);
	bytes = (int)((plain(text, n, copy) + 1) * QUADS_EACH * sizeof(quad));
	quads = lua_newuserdata(L, (size_t)bytes);
	draw_quads(L, image, (const quad *)quads, lovl_image_text(quads, bytes, copy), left, top, &p);
	lua_settop(L, 1);
	return 1;
}

void lovl_image_draws(lua_State *L)
{
	static const luaL_Reg FUNCTIONS[] = {
		{"draw_line", draw_line}, {"draw_polygon", draw_polygon}, {"draw_rect", draw_rect}, {"draw_text", draw_text}, {NULL, NULL}};
	lovl_functions(L, FUNCTIONS);
}
