local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("col2im", {
  { "overlapping windows", function(op, a) return ov.opset15.col2im(a, { 3, 3 }, { 2, 2 }) end, { { "f32", { 4, 4 }, { -1.1, 1.7, -1.8, 1.5, 1.9,
    0.5, -1.2, 1.2, -0.2, 0.8, -0.7, -1.1, 1.8, -1.7, -1.8, 1.1 } } }, { { "f32", { 1, 3, 3 }, { -1.1, 3.6, 0.5, -2, 2.9, -0.5, -0.7, -2.9,
    1.1 } } } },
  { "pads and strides", function(op, a) return ov.opset15.col2im(a, { 3, 2 }, { 2, 1 }, { 2, 1 }, { 1, 1 }, { 1, 0 }, { 0, 0 }) end, { { "f32",
    { 1, 2, 4 }, { 1.1, -0.8, -0.5, 0.8, 0.4, 0.6, -0.3, 1.9 } } }, { { "f32", { 1, 1, 3, 2 }, { 0.4, 0.6, -0.5, 0.8, -0.3, 1.9 } } } },
  { "one dimension", function(_, a) return ov.opset15.col2im(a, { 4 }, { 2 }, { 1 }, { 1 }, { 0 }, { 0 }) end,
    { { "f32", { 1, 2, 3 }, { 1, 2, 3, 10, 20, 30 } } }, { { "f32", { 1, 1, 4 }, { 1, 12, 23, 30 } } } },
  { "three dimensions", function(_, a) return ov.opset15.col2im(a, { 1, 2, 2 }, { 1, 1, 2 }, { 1, 1, 1 }, { 1, 1, 1 }, { 0, 0, 0 }, { 0, 0, 0 }) end,
    { { "f32", { 1, 2, 2 }, { 1, 2, 3, 4 } } }, { { "f32", { 1, 1, 1, 2, 2 }, { 1, 3, 2, 4 } } } },
  { "as many sizes as the window has", function(_, a) return ov.opset15.col2im(a, { 3, 3, 3 }, { 2, 2 }) end, { { "f32", { 4, 4 }, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    11, 12, 13, 14, 15, 16 } } }, fails = "argument" },
})
