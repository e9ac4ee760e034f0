/* Comparisons, truth values, choices. */
#include "read/onnx/rule.h"

#include <string.h>

static void compare(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), b = ovl_x_second(x, a);
	const char *type = x->op;
	if (strcmp(type, "GreaterOrEqual") == 0)
		type = "GreaterEqual";
	else if (strcmp(type, "LessOrEqual") == 0)
		type = "LessEqual";
	ovl_x_out(x, 0, ovl_x_op(x, type, a, b));
}

static void logical(ovl_onnx *x)
{
	ovl_end a = ovl_x_in(x, 0), b = ovl_x_second(x, a);
	ovl_x_out(x, 0, ovl_x_op(x, ovl_x_text(x, "Logical%s", x->op), a, b));
}

static void logical_not(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_op(x, "LogicalNot", ovl_x_in(x, 0))); }

static void where(ovl_onnx *x) { ovl_x_out(x, 0, ovl_x_op(x, "Select", ovl_x_in(x, 0), ovl_x_in(x, 1), ovl_x_in(x, 2))); }

const ovl_onnx_rule ovl_onnx_logic[] = {
	{"Equal", NULL, 1, compare}, {"Greater", NULL, 1, compare}, {"Less", NULL, 1, compare}, {"GreaterOrEqual", NULL, 12, compare},
	{"LessOrEqual", NULL, 12, compare}, {"And", NULL, 1, logical}, {"Or", NULL, 1, logical}, {"Xor", NULL, 1, logical}, {"Not", NULL, 1, logical_not},
	{"Where", NULL, 9, where}, {NULL, NULL, 0, NULL},
};
