/* wrap_image.c - ov.image: pictures as u8 tensors {height, width, channels}. What its functions share is here. */
#include "image.h"

void lovl_image_values(lua_State *L, int at, const char *what, int channels, double otherwise, double values[4])
{
	for (int i = 0; i < 4; i++)
		values[i] = otherwise;
	if (!at || lua_isnoneornil(L, at))
		return;
	if (lua_type(L, at) != LUA_TTABLE) {
		for (int i = 0; i < 4; i++)
			values[i] = lovl_check_number(L, at, what);
		return;
	}
	if ((int)lua_rawlen(L, at) != channels)
		lovl_error(L, OVL_E_ARGUMENT, "%s: expected a number, or a list of %d, one for each channel, got a list of %d", what, channels,
			(int)lua_rawlen(L, at));
	for (int i = 0; i < channels && i < 4; i++) {
		lua_rawgeti(L, at, i + 1);
		values[i] = lovl_check_number(L, -1, what);
		lua_pop(L, 1);
	}
}

int lovl_image_points(lua_State *L, int at, const char *what, double *xy, int most)
{
	lovl_array a;
	ovl_error err;
	ovl_pshape any = ovl_pshape_any();
	ovl_shape shape;
	ovl_tensor **t;
	int64_t n;
	lovl_try(L, lovl_array_read(L, at, false, &a, &err), &err);
	lovl_try(L, lovl_array_fit(&a, OVL_F64, &any, &shape, &err), &err);
	n = ovl_shape_elements(&shape);
	if (n < 2 || n % 2 || n > 2 * (int64_t)most || (shape.rank == 2 && shape.dims[1] != 2))
		lovl_error(L, OVL_E_SHAPE, "%s: expected up to %d points {x, y}, got %lld numbers", what, most, (long long)n);
	t = lovl_out(L, 0);
	lovl_try(L, ovl_tensor_new(OVL_F64, &shape, t, &err), &err);
	lovl_try(L, lovl_array_write(L, &a, *t, &err), &err);
	memcpy(xy, ovl_tensor_data(*t), (size_t)n * sizeof *xy);
	lua_pop(L, 1);
	return (int)(n / 2);
}

int lovl_image_channels(const ovl_tensor *image)
{
	ovl_shape s;
	ovl_tensor_shape(image, &s);
	return s.rank == 3 ? s.dims[2] < 4 ? (int)s.dims[2] : 4 : 1;
}

void lovl_open_image(lua_State *L);
void lovl_open_image(lua_State *L)
{
	lua_newtable(L);
	lovl_image_files(L);
	lovl_image_shapes(L);
	lovl_image_draws(L);
	lua_setfield(L, -2, "image");
}
