local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("max_pool", {
  { "opset 1", function(op, a) return ov.opset1.max_pool(a, { 2, 2 }, { 0, 0 }, { 0, 0 }, { 2, 2 }) end, { { "f32", { 1, 2, 4, 4 }, { 0.2, 1.6,
    0.9, -0.4, -0.1, -0.1, 1.5, -1.4, -0.3, 0.1, -0.3, 0.4, -0, -0.3, 0.7, -0.7, 0.4, 0.9, -1.5, -0.7, 1.8, 1.9, 2, -1.8, 1.3, 1.7, 1.6, 0.9,
    0.7, 0.9, 0.3, 1.2 } } }, { { "f32", { 1, 2, 2, 2 }, { 1.6, 1.5, 0.1, 0.7, 1.9, 2, 1.7, 1.6 } } } },
  { "rounding floor", function(op, a) return ov.opset14.max_pool(a, { 2 }, { 1 }, { 1 }, { 0 }, { 2 }, "floor"):outputs() end, { { "f32", { 1, 1,
    4 }, { 0, -1.1, -1.6, 1.6 } } }, { { "f32", { 1, 1, 2 }, { 0, -1.1 } }, { "i64", { 1, 1, 2 }, { 0, 1 } } } },
  { "rounding ceil", function(op, a) return ov.opset14.max_pool(a, { 2 }, { 1 }, { 1 }, { 0 }, { 2 }, "ceil"):outputs() end, { { "f32", { 1, 1,
    4 }, { 1, -1.3, 1.3, -0.8 } } }, { { "f32", { 1, 1, 3 }, { 1, 1.3, -0.8 } }, { "i64", { 1, 1, 3 }, { 0, 2, 3 } } } },
  { "rounding ceil_torch", function(op, a) return ov.opset14.max_pool(a, { 2 }, { 1 }, { 1 }, { 0 }, { 2 }, "ceil_torch"):outputs() end,
    { { "f32", { 1, 1, 4 }, { 0.5, -0.6, -1.1, -1.3 } } }, { { "f32", { 1, 1, 3 }, { 0.5, -0.6, -1.3 } }, { "i64", { 1, 1, 3 }, { 0, 1,
    3 } } } },
  { "positions from an axis on", function(op, a) return op.max_pool(a, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 2, 2 }, "floor", "explicit",
    "i32", 2):outputs() end, { { "f32", { 2, 1, 3, 3 }, { -1.7, -1.7, -1.7, -1.6, 1.3, 0.1, -1.5, 0.1, 0.2, -0, -1.2, -0.3, 1.5, -0.5, 0, 1.7,
    -1.1, 0.9 } } }, { { "f32", { 2, 1, 2, 2 }, { 1.3, 1.3, 1.3, 1.3, 1.5, 0, 1.7, 0.9 } }, { "i32", { 2, 1, 2, 2 }, { 4, 4, 4, 4, 3, 5, 6,
    8 } } } },
  { "dilations", function(op, a) return op.max_pool(a, { 1 }, { 2 }, { 1 }, { 1 }, { 2 }):outputs() end, { { "f32", { 1, 1, 5 }, { -0.1, 1.1,
    -0.6, 0.2, -0.5 } } }, { { "f32", { 1, 1, 5 }, { 1.1, -0.1, 1.1, -0.5, 0.2 } }, { "i64", { 1, 1, 5 }, { 1, 0, 1, 4, 3 } } } },
  { "odd sizes", function(op, a) return ov.opset1.max_pool(a, { 2, 2 }, { 1, 1 }, { 1, 1 }, { 3, 3 }) end, { cases.random("f32", { 2, 19, 13,
    11 }) } },
  { "whole numbers", function(op, a) return op.max_pool(a, { 1 }, { 1 }, { 0 }, { 0 }, { 3 }) end, { cases.random("u8", { 2, 3, 9 }) } },
  { "a kernel of another rank", function(op, a) return ov.opset1.max_pool(a, { 1 }, { 0 }, { 0 }, { 2 }) end, { cases.random("f32", { 1, 1, 4,
    4 }) }, fails = "shape" },
})
