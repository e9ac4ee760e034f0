local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("col2im", {
  { "overlapping windows", function(op, a) return ov.opset15.col2im(a, { 3, 3 }, { 2, 2 }) end, { { "f32", { 4, 4 }, { -1.1, 1.7, -1.8, 1.5, 1.9,
    0.5, -1.2, 1.2, -0.2, 0.8, -0.7, -1.1, 1.8, -1.7, -1.8, 1.1 } } }, { { "f32", { 1, 3, 3 }, { -1.1, 3.6, 0.5, -2, 2.9, -0.5, -0.7, -2.9,
    1.1 } } } },
  { "pads and strides", function(op, a) return ov.opset15.col2im(a, { 3, 2 }, { 2, 1 }, { 2, 1 }, { 1, 1 }, { 1, 0 }, { 0, 0 }) end, { { "f32",
    { 1, 2, 4 }, { 1.1, -0.8, -0.5, 0.8, 0.4, 0.6, -0.3, 1.9 } } }, { { "f32", { 1, 1, 3, 2 }, { 0.4, 0.6, -0.5, 0.8, -0.3, 1.9 } } } },
})
