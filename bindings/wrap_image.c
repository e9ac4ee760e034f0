/* wrap_image.c - images in and out: PNG, JPEG, BMP, GIF and PNM to u8 tensors {height, width, channels}, and back. */
#include "lovl.h"
#include "stb_glue.h"
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#include <ctype.h>
#include <stdio.h>

static void free_pixels(void *user, void *data, size_t bytes)
{
	(void)user, (void)bytes;
	stbi_image_free(data);
}

static bool is_encoded(const char *s, size_t n)
{
	static const char *const HEADS[] = {"\x89PNG\r\n", "\xff\xd8\xff", "GIF8", "P5", "P6"};
	if (n > 64 && memcmp(s, "BM", 2) == 0 && memchr(s, 0, n))
		return true;
	for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++)
		if (n >= strlen(HEADS[i]) && memcmp(s, HEADS[i], strlen(HEADS[i])) == 0 && n > 16)
			return true;
	return false;
}

static int read_channels(lua_State *L, int at)
{
	int64_t channels = 0;
	if (lua_isnoneornil(L, at))
		return 0;
	if (lua_type(L, at) != LUA_TTABLE)
		lovl_type_error(L, at, "options", "a table like {channels = 3}");
	for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "channels") != 0)
			lovl_error(L, OVL_E_ARGUMENT, "unknown option '%s'; there is channels", lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : luaL_typename(L, -2));
		channels = lovl_check_whole(L, -1, "channels");
		if (channels < 1 || channels > 4)
			lovl_error(L, OVL_E_ARGUMENT, "channels must be 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA), got %lld", (long long)channels);
	}
	return (int)channels;
}

/* ov.image.load(path or bytes [, {channels = 3}]) */
static int load(lua_State *L)
{
	size_t n;
	const char *source = lovl_check_string(L, 1, "image", &n);
	int want = read_channels(L, 2), w, h, c;
	bool encoded = is_encoded(source, n);
	unsigned char *pixels;
	ovl_error err;
	lovl_object *o;
	if (encoded && n > 0x7fffffff)
		lovl_error(L, OVL_E_ARGUMENT, "an encoded image of %zu bytes is too large", n);
	o = lovl_new(L, &lovl_tensor);
	if (encoded)
		pixels = stbi_load_from_memory((const unsigned char *)source, (int)n, &w, &h, &c, want);
	else {
		FILE *f = fopen(source, "rb");
		if (!f)
			lovl_error(L, OVL_E_IO, "cannot open the image '%s'", source);
		pixels = stbi_load_from_file(f, &w, &h, &c, want);
		fclose(f);
	}
	if (!pixels)
		lovl_error(L, OVL_E_PARSE, "%s%s%s is no image that can be read: %s", encoded ? "" : "'", encoded ? "this string" : source, encoded ? "" : "'",
			   stbi_failure_reason() ? stbi_failure_reason() : "unknown format");
	const ovl_shape shape = {3, {h, w, want ? want : c}};
	if (ovl_tensor_wrap(pixels, OVL_U8, &shape, free_pixels, NULL, (ovl_tensor **)&o->c, &err) != OVL_OK) {
		stbi_image_free(pixels);
		lovl_raise(L, &err);
	}
	lovl_pressure(L, ovl_tensor_bytes(o->c));
	return 1;
}

static bool ends_with(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);
	if (n < m)
		return false;
	for (size_t i = 0; i < m; i++)
		if (tolower((unsigned char)path[n - m + i]) != ending[i])
			return false;
	return true;
}

/* ov.image.save(path, tensor): u8 {height, width} or {height, width, channels} */
static int save(lua_State *L)
{
	const char *path = lovl_check_string(L, 1, "path", NULL);
	const ovl_tensor *t = lovl_check_tensor(L, 2, "image");
	ovl_shape s;
	ovl_error err;
	lovl_object *dense;
	int ok, w, h, c;
	char text[256];
	ovl_tensor_shape(t, &s);
	if (ovl_tensor_type(t) != OVL_U8)
		lovl_error(L, OVL_E_TYPE, "an image must be of type u8, got %s", ovl_type_name(ovl_tensor_type(t)));
	if ((s.rank != 2 && s.rank != 3) || s.dims[0] < 1 || s.dims[1] < 1 || s.dims[0] > 65536 || s.dims[1] > 65536 ||
	    (s.rank == 3 && (s.dims[2] < 1 || s.dims[2] > 4)))
		lovl_error(L, OVL_E_SHAPE, "an image must be {height, width} or {height, width, channels} with 1 to 4 channels, got %s", ovl_shape_text(&s, text, sizeof text));
	dense = lovl_new(L, &lovl_tensor);
	lovl_try(L, ovl_tensor_densify(t, (ovl_tensor **)&dense->c, &err), &err);
	h = (int)s.dims[0], w = (int)s.dims[1], c = s.rank == 3 ? (int)s.dims[2] : 1;
	if (ends_with(path, ".png"))
		ok = stbi_write_png(path, w, h, c, ovl_tensor_data(dense->c), w * c);
	else if (ends_with(path, ".jpg") || ends_with(path, ".jpeg"))
		ok = stbi_write_jpg(path, w, h, c, ovl_tensor_data(dense->c), 92);
	else if (ends_with(path, ".bmp"))
		ok = stbi_write_bmp(path, w, h, c, ovl_tensor_data(dense->c));
	else
		lovl_error(L, OVL_E_ARGUMENT, "the name '%s' does not say which format; there are .png, .jpg and .bmp", path);
	if (!ok)
		lovl_error(L, OVL_E_IO, "cannot write the image '%s'", path);
	return 0;
}

static const luaL_Reg FUNCTIONS[] = {{"load", load}, {"save", save}, {NULL, NULL}};

void lovl_open_image(lua_State *L);
void lovl_open_image(lua_State *L)
{
	lua_newtable(L);
	lovl_functions(L, FUNCTIONS);
	lua_setfield(L, -2, "image");
}
