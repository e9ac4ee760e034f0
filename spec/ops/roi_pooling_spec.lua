local cases = require("spec.support.op_cases")

cases("roi_pooling", {
  { "maxima", function(op, a, b) return op.roi_pooling(a, b, { output_roi = { 2, 2 }, spatial_scale = 0.5 }) end, { { "f32", { 1, 1, 4, 4 },
    { -0.5, 1, -1.2, -1.6, -1.8, 0.7, 0.6, 0.7, 0.7, 0.3, 1.8, -0.2, -1.5, -1, -0.4, 0.4 } }, { "f32", { 2, 5 }, { 0, 1, 0, 5, 7, 0, 2, 2, 3,
    3 } } }, { { "f32", { 2, 1, 2, 2 }, { 1.8, 1.8, 1.8, 1.8, 0.7, 0.6, 0.3, 1.8 } } } },
  { "bilinear samples", function(op, a, b) return op.roi_pooling(a, b, { output_roi = { 2, 1 }, spatial_scale = 1, method = "bilinear" }) end,
    { { "f32", { 1, 1, 3, 3 }, { -0.6, -0.3, -0.8, 0.9, 1.4, -0.6, 1.2, -1.2, 1.9 } }, { "f32", { 1, 5 }, { 0, 0.1, 0.2, 0.9, 0.7 } } },
    { { "f32", { 1, 1, 2, 1 }, { 0.38, 0.3600001 } } } },
  { "an image that is not there", function(op, a, b) return op.roi_pooling(a, b, { output_roi = { 1, 1 }, spatial_scale = 1 }) end,
    { cases.random("f32", { 1, 1, 2, 2 }), { "f32", { 1, 5 }, { 1, 0, 0, 1, 1 } } }, fails = "argument" },
})
