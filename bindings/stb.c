/* stb.c - the implementations of Debian's stb_image headers, which decode PNG, JPEG, BMP, GIF and PNM and write PNG, JPEG and BMP, and of its font. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wextra"
#include "image.h"
#include "stb_glue.h"
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>
#include <stb/stb_easy_font.h>
#pragma GCC diagnostic pop

int lovl_image_text(char *quads, int size, const char *text)
{
	return stb_easy_font_print(0, 0, (char *)(size_t)text, NULL, quads, size);
}
