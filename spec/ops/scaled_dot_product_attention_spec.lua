local cases = require("spec.support.op_cases")

cases("scaled_dot_product_attention", {
  { "plain", function(op, a, b, c) return op.scaled_dot_product_attention(a, b, c) end, { { "f32", { 1, 1, 2, 2 }, { -0.7, 0.6, -0.7, 0.4 } },
    { "f32", { 1, 1, 3, 2 }, { -0.5, 1.5, -1.4, -1.9, -1.6, 0.1 } }, { "f32", { 1, 1, 3, 2 }, { 0.4, 1.3, 1.8, -0.4, 1.3, -0.4 } } }, { { "f32",
    { 1, 1, 2, 2 }, { 0.9916809, 0.3325424, 1.08178, 0.2166401 } } } },
  { "causal", function(op, a, b, c) return op.scaled_dot_product_attention(a, b, c, { causal = true }) end, { { "f32", { 1, 2, 2 }, { -0.5, -1.5,
    1.5, -0.7 } }, { "f32", { 1, 3, 2 }, { 0.6, 0.1, 2, -1, 0.2, 1.2 } }, { "f32", { 1, 3, 2 }, { -1.2, 1.3, 0.2, -1.6, 1.9, -0.4 } } },
    { { "f32", { 1, 2, 2 }, { -1.2, 1.3, 0.03738875, -1.263162 } } } },
  { "a mask to add", function(op, a, b, c, d) return op.scaled_dot_product_attention(a, b, c, d) end, { { "f32", { 1, 1, 2, 2 }, { -0.1, 1.1, 1.9,
    -1 } }, { "f32", { 1, 1, 2, 2 }, { -1.5, 1, 0.7, -0.2 } }, { "f32", { 1, 1, 2, 1 }, { 0.6, 1.8 } }, { "f32", { 2, 2 }, { 1.4, 0.3, 1.6,
    1.7 } } }, { { "f32", { 1, 1, 2, 1 }, { 0.7208973, 1.77629 } } } },
  { "a mask of booleans", function(op, a, b, c, d) return op.scaled_dot_product_attention(a, b, c, d) end, { { "f32", { 1, 1, 2, 2 }, { 1.1, -1.5,
    0.2, 0.4 } }, { "f32", { 1, 1, 2, 2 }, { 1.5, 0.1, 0.5, 0.9 } }, { "f32", { 1, 1, 2, 1 }, { -1.7, -1.8 } }, { "boolean", { 2, 2 }, { true,
    false, true, true } } }, { { "f32", { 1, 1, 2, 1 }, { -1.7, -1.75212 } } } },
  { "a scale", function(op, a, b, c, d, e) return op.scaled_dot_product_attention(a, b, c, d, e) end, { { "f32", { 1, 1, 2, 2 }, { -1.9, -1.6, -1,
    -1.8 } }, { "f32", { 1, 1, 2, 2 }, { 0.4, 0.3, -0.2, -2 } }, { "f32", { 1, 1, 2, 1 }, { 0.1, -1.5 } }, { "f32", { 2, 2 }, { -2, 1.2, 1.6,
    -1.7 } }, { "f32", {}, { 0.3 } } }, { { "f32", { 1, 1, 2, 1 }, { -1.484786, -0.11219 } } } },
  { "odd sizes", function(op, a, b, c, d) return op.scaled_dot_product_attention(a, b, c, d) end, { cases.random("f32", { 2, 3, 17, 24 }),
    cases.random("f32", { 2, 3, 33, 24 }), cases.random("f32", { 2, 3, 33, 24 }), cases.random("f32", { 2, 1, 1, 33 }) }, bound = 2e-05 },
  { "keys of another size", function(op, a, b) return op.scaled_dot_product_attention(a, b, b) end, { cases.random("f32", { 1, 2, 2 }),
    cases.random("f32", { 1, 2, 3 }) }, fails = "shape" },
})
