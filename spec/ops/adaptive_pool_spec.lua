local cases = require("spec.support.op_cases")

cases("adaptive_pool", {
  { "averages", function(op, a, b) return op.adaptive_avg_pool(a, b) end, { { "f32", { 1, 2, 5 }, { 1.7, 0.4, 0, -1.8, -1.6, 0.1, 1.4, -0.3, -2,
    -1.2 } }, { "i64", { 1 }, { 3 } } }, { { "f32", { 1, 2, 3 }, { 1.05, -0.4666667, -1.7, 0.75, -0.3, -1.6 } } } },
  { "averages of images", function(op, a, b) return op.adaptive_avg_pool(a, b) end, { { "f32", { 1, 1, 4, 5 }, { 1, -1.4, -1.2, -0.9, 0.4, 1.3,
    -1.1, 0.4, 0.1, -0.2, 0.3, 1.3, -1.1, -0, -1.6, 0.1, 1.2, 2, -0.1, -0.8 } }, { "i64", { 2 }, { 2, 3 } } }, { { "f32", { 1, 1, 2, 3 },
    { -0.05000001, -0.6833333, -0.15, 0.725, 0.55, -0.625 } } } },
  { "maxima and where they were", function(op, a, b) return op.adaptive_max_pool(a, b, "i32"):outputs() end, { { "f32", { 1, 2, 5 }, { 0.3, -0.5,
    -1.5, 0.1, 1.2, 1.6, 1.9, -0.5, -1, -1.6 } }, { "i32", { 1 }, { 3 } } }, { { "f32", { 1, 2, 3 }, { 0.3, 0.1, 1.2, 1.9, 1.9, -1 } }, { "i32",
    { 1, 2, 3 }, { 0, 3, 4, 1, 1, 3 } } } },
  { "as many sizes as dimensions", function(op, a, b) return op.adaptive_avg_pool(a, b) end, { cases.random("f32", { 1, 1, 5 }), { "i64", { 2 },
    { 2, 2 } } }, fails = "shape" },
})
