/* image.h - what the files of ov.image share. */
#ifndef LOVL_IMAGE_H
#define LOVL_IMAGE_H

#include "lovl.h"

void lovl_image_files(lua_State *L);  /* image_file.c: load, save, into the table on top */
void lovl_image_shapes(lua_State *L); /* image_shape.c: resize, crop, letterbox, warp, blob, components, text_boxes */
void lovl_image_draws(lua_State *L);  /* image_draw.c: draw_rect, draw_line, draw_polygon, draw_text */

/* Up to 4 numbers, from a number (for all) or a list as long as there are channels; nil gives `otherwise`. */
void lovl_image_values(lua_State *L, int at, const char *what, int channels, double otherwise, double values[4]);
/* n points as 2 n numbers, from a flat list, a list of {x, y} or a Tensor. most: room, in points. Returns n. */
int lovl_image_points(lua_State *L, int at, const char *what, double *xy, int most);
int lovl_image_channels(const ovl_tensor *image);             /* 1 for {height, width}; at most 4 */
int lovl_image_text(char *quads, int size, const char *text); /* stb.c: text in stb_easy_font's quads */

#endif
