local cases = require("spec.support.op_cases")

cases("group_normalization", {
  { "two groups", function(op, a, b, c) return op.group_normalization(a, b, c, 2, 0.1) end, { { "f32", { 1, 4, 2 }, { 1.7, 1.8, -0.1, -1.8, 1.4,
    1, 1.9, -2 } }, { "f32", { 4 }, { -0.3, -0.9, -1.6, 0.9 } }, { "f32", { 4 }, { -0.6, -1.8, -1.5, 1.2 } } }, { { "f32", { 1, 4, 2 },
    { -0.8580011, -0.8778473, -1.502306, -0.4901485, -2.349956, -1.937856, 1.967858, -0.2922527 } } } },
  { "odd sizes", function(op, a, b, c) return op.group_normalization(a, b, c, 3, 0.001) end, { cases.random("f32", { 2, 9, 5, 7 }),
    cases.random("f32", { 9 }), cases.random("f32", { 9 }) }, bound = 2e-05 },
  { "channels that cannot be cut", function(op, a, b) return op.group_normalization(a, b, b, 2, 0.001) end, { cases.random("f32", { 1, 3, 2 }),
    cases.random("f32", { 3 }) }, fails = "shape" },
})
