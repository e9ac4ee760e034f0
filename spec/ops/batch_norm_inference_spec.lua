local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("batch_norm_inference", {
  { "opset 5", function(op, a, b, c, d, e) return op.batch_norm_inference(a, b, c, d, e, 0.1) end, { { "f32", { 1, 2, 3 }, { -1.7, -1.4, 1, 0.8,
    -1.3, 1.3 } }, { "f32", { 2 }, { 1.5, 1.5 } }, { "f32", { 2 }, { -0.2, 0.8 } }, { "f32", { 2 }, { 1.5, -0.4 } }, { "f32", { 2 }, { 1.3,
    1.5 } } }, { { "f32", { 1, 2, 3 }, { -4.256741, -3.876421, -0.8338658, 2.223025, -0.2672687, 2.815952 } } } },
  { "opset 1 has its data elsewhere, not in the builder", function(op, a, b, c, d, e) return ov.opset1.batch_norm_inference(a, b, c, d, e,
    0.1) end, { { "f32", { 1, 2, 3 }, { 1.2, -0.7, -0.6, -1.6, -0.2, -1.6 } }, { "f32", { 2 }, { 1.5, 1.5 } }, { "f32", { 2 }, { -0.2, 0.8 } },
    { "f32", { 2 }, { 1.5, -0.4 } }, { "f32", { 2 }, { 1.3, 1.5 } } }, { { "f32", { 1, 2, 3 }, { -0.5803195, -2.989009, -2.862236, -0.6230249,
    1.037171, -0.6230249 } } } },
  { "odd sizes", function(op, a, b, c, d, e) return op.batch_norm_inference(a, b, c, d, e, 0.001) end, { cases.random("f32", { 2, 19, 5, 7 }),
    cases.random("f32", { 19 }), cases.random("f32", { 19 }), cases.random("f32", { 19 }), cases.random("f32", { 19 }, 0.5, 2) } },
  { "as many numbers as channels", function(op, a, b) return op.batch_norm_inference(a, b, b, b, b, 0.001) end, { cases.random("f32", { 1, 3,
    2 }), cases.random("f32", { 2 }) }, fails = "shape" },
})
