/* image_file.c - pictures in and out: PNG, JPEG, BMP, GIF (its first frame) and PNM to u8 tensors {height, width, channels}, and back.
 *
 * stb_image reads what is cut off as if zeros followed, and does not look at checksums: both are errors here. */
#include "image.h"
#include "stb_glue.h"
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <zlib.h>

enum { MAX_PIXELS = 1 << 27 };

static void free_pixels(void *user, void *data, size_t bytes)
{
	(void)user, (void)bytes;
	stbi_image_free(data);
}

/* ---- the bytes ---- */

typedef struct source {
	const unsigned char *bytes;
	size_t size, at;
	bool past; /* more was wanted than there is */
} source;

static int source_read(void *user, char *to, int n)
{
	source *s = user;
	size_t left = s->size - s->at, got = (size_t)n < left ? (size_t)n : left;
	s->past |= got == 0 && n > 0;
	memcpy(to, s->bytes + s->at, got);
	s->at += got;
	return (int)got;
}

static void source_skip(void *user, int n)
{
	source *s = user;
	if (n < 0)
		return;
	s->past |= (size_t)n > s->size - s->at;
	s->at += (size_t)n > s->size - s->at ? s->size - s->at : (size_t)n;
}

static int source_eof(void *user) { return ((source *)user)->at == ((source *)user)->size; }

static const stbi_io_callbacks READER = {source_read, source_skip, source_eof};

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

/* Pushes the file's bytes. */
static source read_file(lua_State *L, const char *path)
{
	FILE *f = fopen(path, "rb");
	long size = -1;
	void *bytes;
	size_t got;
	if (!f)
		lovl_error(L, OVL_E_IO, "cannot open the image '%s': %s", path, strerror(errno));
	if (fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	rewind(f);
	if (size < 0 || size > 0x7fffffff) {
		fclose(f);
		lovl_error(L, OVL_E_IO, "'%s' is no image file that can be read", path);
	}
	fclose(f);
	bytes = lua_newuserdata(L, (size_t)size + 1); /* may raise, so the file is closed */
	if (!(f = fopen(path, "rb")))
		lovl_error(L, OVL_E_IO, "cannot open the image '%s': %s", path, strerror(errno));
	got = fread(bytes, 1, (size_t)size, f);
	fclose(f);
	return (source){bytes, got, 0, false};
}

/* ---- what stb_image does not check ---- */

static unsigned long big_endian(const unsigned char *p)
{
	return (unsigned long)p[0] << 24 | (unsigned long)p[1] << 16 | (unsigned long)p[2] << 8 | p[3];
}

/* Whether the checksums of a PNG's chunks are right, as far as they are there. */
static bool png_is_sound(const source *s)
{
	size_t at = 8;
	while (s->size - at >= 12) {
		unsigned long n = big_endian(s->bytes + at);
		if (n > s->size - at - 12)
			return true; /* cut off: the reader will say so */
		if (crc32(crc32(0, NULL, 0), s->bytes + at + 4, (uInt)n + 4) != big_endian(s->bytes + at + 8 + n))
			return false;
		if (memcmp(s->bytes + at + 4, "IEND", 4) == 0)
			return true;
		at += 12 + n;
	}
	return true;
}

static const char *fault_of(const source *s, const unsigned char *pixels)
{
	if (s->past)
		return "the file is cut off";
	if (!pixels)
		return stbi_failure_reason() ? stbi_failure_reason() : "unknown format";
	return NULL;
}

/* ---- loading ---- */

typedef struct load_options {
	int64_t channels, max_pixels;
} load_options;

static load_options read_load_options(lua_State *L, int at)
{
	load_options o = {0, MAX_PIXELS};
	const lovl_option list[] = {{"channels", LOVL_OPT_WHOLE, &o.channels}, {"max_pixels", LOVL_OPT_WHOLE, &o.max_pixels}, {NULL, 0, NULL}};
	if (!lua_isnoneornil(L, at) && lua_type(L, at) != LUA_TTABLE)
		lovl_type_error(L, at, "options", "a table like {channels = 3}");
	lovl_take_options(L, at, list);
	if (o.channels < 0 || o.channels > 4)
		lovl_error(L, OVL_E_ARGUMENT, "channels must be 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA), got %lld", (long long)o.channels);
	if (o.max_pixels < 1)
		lovl_error(L, OVL_E_ARGUMENT, "max_pixels must be 1 or more, got %lld", (long long)o.max_pixels);
	return o;
}

static void load_error(lua_State *L, const char *name, const char *why) __attribute__((noreturn));
static void load_error(lua_State *L, const char *name, const char *why)
{
	if (name)
		lovl_error(L, OVL_E_PARSE, "'%s' is no image that can be read: %s", name, why);
	lovl_error(L, OVL_E_PARSE, "this string is no image that can be read: %s", why);
}

/* ov.image.load(path or bytes [, {channels = 3, max_pixels =}]) */
static int load(lua_State *L)
{
	size_t n;
	const char *given = lovl_check_string(L, 1, "image", &n), *name = is_encoded(given, n) ? NULL : given, *fault;
	load_options o = read_load_options(L, 2);
	source s = name ? read_file(L, name) : (source){(const unsigned char *)given, n, 0, false};
	unsigned char *pixels;
	int w, h, c;
	ovl_error err;
	lovl_object *made = lovl_new(L, &lovl_tensor);
	if (s.size > 0x7fffffff)
		lovl_error(L, OVL_E_ARGUMENT, "an encoded image of %zu bytes is too large", s.size);
	if (!stbi_info_from_callbacks(&READER, &s, &w, &h, &c))
		load_error(L, name, fault_of(&s, NULL));
	if (w < 1 || h < 1 || h > o.max_pixels / w)
		lovl_error(L, OVL_E_SHAPE, "an image of %dx%d pixels is larger than max_pixels, %lld", w, h, (long long)o.max_pixels);
	if (s.size > 8 && memcmp(s.bytes, "\x89PNG\r\n", 6) == 0 && !png_is_sound(&s))
		load_error(L, name, "a checksum is wrong");
	s = (source){s.bytes, s.size, 0, false};
	pixels = stbi_load_from_callbacks(&READER, &s, &w, &h, &c, (int)o.channels);
	if ((fault = fault_of(&s, pixels))) {
		stbi_image_free(pixels);
		load_error(L, name, fault);
	}
	const ovl_shape shape = {3, {h, w, o.channels ? o.channels : c}};
	if (ovl_tensor_wrap(pixels, OVL_U8, &shape, free_pixels, NULL, (ovl_tensor **)&made->c, &err) != OVL_OK) {
		stbi_image_free(pixels);
		lovl_raise(L, &err);
	}
	lovl_pressure(L, ovl_tensor_bytes(made->c));
	return 1;
}

/* ---- saving ---- */

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

static void check_picture(lua_State *L, const ovl_tensor *t, ovl_shape *s)
{
	char text[256];
	ovl_tensor_shape(t, s);
	if (ovl_tensor_type(t) != OVL_U8)
		lovl_error(L, OVL_E_TYPE, "an image must be of type u8, got %s", ovl_type_name(ovl_tensor_type(t)));
	if ((s->rank != 2 && s->rank != 3) || s->dims[0] < 1 || s->dims[1] < 1 || s->dims[0] > 65536 || s->dims[1] > 65536 ||
		(s->rank == 3 && (s->dims[2] < 1 || s->dims[2] > 4)) || s->dims[0] * s->dims[1] > 0x1fffffff)
		lovl_error(L, OVL_E_SHAPE, "an image must be {height, width} or {height, width, channels} with 1 to 4 channels, got %s",
			ovl_shape_text(s, text, sizeof text));
}

/* ov.image.save(path, tensor [, {quality = 92}]): u8 {height, width} or {height, width, channels} */
static int save(lua_State *L)
{
	const char *path = lovl_check_string(L, 1, "path", NULL);
	const ovl_tensor *t = lovl_check_tensor(L, 2, "image");
	int64_t quality = 92;
	const lovl_option list[] = {{"quality", LOVL_OPT_WHOLE, &quality}, {NULL, 0, NULL}};
	ovl_shape s;
	ovl_error err;
	lovl_object *dense;
	int ok, w, h, c;
	lovl_take_options(L, 3, list);
	if (quality < 1 || quality > 100)
		lovl_error(L, OVL_E_ARGUMENT, "quality must be 1 to 100, got %lld", (long long)quality);
	check_picture(L, t, &s);
	dense = lovl_new(L, &lovl_tensor);
	lovl_try(L, ovl_tensor_densify(t, (ovl_tensor **)&dense->c, &err), &err);
	h = (int)s.dims[0], w = (int)s.dims[1], c = s.rank == 3 ? (int)s.dims[2] : 1;
	if (ends_with(path, ".png"))
		ok = stbi_write_png(path, w, h, c, ovl_tensor_data(dense->c), w * c);
	else if (ends_with(path, ".jpg") || ends_with(path, ".jpeg"))
		ok = stbi_write_jpg(path, w, h, c, ovl_tensor_data(dense->c), (int)quality);
	else if (ends_with(path, ".bmp"))
		ok = stbi_write_bmp(path, w, h, c, ovl_tensor_data(dense->c));
	else
		lovl_error(L, OVL_E_ARGUMENT, "the name '%s' does not say which format; there are .png, .jpg and .bmp", path);
	if (!ok)
		lovl_error(L, OVL_E_IO, "cannot write the image '%s'", path);
	return 0;
}

void lovl_image_files(lua_State *L)
{
	static const luaL_Reg FUNCTIONS[] = {{"load", load}, {"save", save}, {NULL, NULL}};
	lovl_functions(L, FUNCTIONS);
}
