local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("avg_pool", {
  { "padding counted", function(op, a) return op.avg_pool(a, { 2, 2 }, { 1, 1 }, { 0, 0 }, { 2, 2 }, false) end, { { "f32", { 1, 1, 3, 3 }, { 1.5,
    1.7, 0.5, 1.9, 0.9, 1.3, 1.6, -0.9, 1.9 } } }, { { "f32", { 1, 1, 2, 2 }, { 0.375, 0.55, 0.875, 0.8 } } } },
  { "padding left out", function(op, a) return op.avg_pool(a, { 2, 2 }, { 1, 1 }, { 0, 0 }, { 2, 2 }, true) end, { { "f32", { 1, 1, 3, 3 },
    { -0.4, -0, -1.3, 1.3, -0.7, 0.8, -1.1, -0.6, -0.5 } } }, { { "f32", { 1, 1, 2, 2 }, { -0.4, -0.65, 0.09999996, -0.25 } } } },
  { "rounding ceil", function(op, a) return ov.opset14.avg_pool(a, { 2 }, { 1 }, { 0 }, { 2 }, false, "ceil") end, { { "f32", { 1, 1, 4 }, { -1.1,
    -1.9, 1.1, 1.8 } } }, { { "f32", { 1, 1, 3 }, { -0.55, -0.4, 0.9 } } } },
  { "rounding ceil_torch", function(op, a) return ov.opset14.avg_pool(a, { 2 }, { 1 }, { 0 }, { 2 }, false, "ceil_torch") end, { { "f32", { 1, 1,
    4 }, { -1.1, -1.3, -0.6, -1.7 } } }, { { "f32", { 1, 1, 3 }, { -0.55, -0.95, -0.85 } } } },
  { "without padding windows are cut", function(op, a) return op.avg_pool(a, { 2 }, { 0 }, { 0 }, { 3 }, false, "ceil") end, { { "f32", { 1, 1,
    6 }, { 0.6, -0.5, 0.2, 1.6, 1.4, 1.7 } } }, { { "f32", { 1, 1, 3 }, { 0.1, 1.066667, 1.55 } } } },
  { "odd sizes", function(op, a) return op.avg_pool(a, { 2, 2 }, { 1, 1 }, { 1, 1 }, { 3, 3 }, true) end, { cases.random("f32", { 2, 19, 13,
    11 }) } },
  { "all of an image", function(op, a) return op.avg_pool(a, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 7, 7 }, false) end, { cases.random("f32", { 1, 33, 7,
    7 }) } },
})
