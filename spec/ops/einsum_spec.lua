local cases = require("spec.support.op_cases")

cases("einsum", {
  { "ij,jk->ik", function(op, a, b) return op.einsum({ a, b }, "ij,jk->ik") end, { { "f32", { 2, 2 }, { 0.5, -1.3, 1.7, -0.8 } }, { "f32", { 2,
    3 }, { 0.2, -0.3, 1.2, -1.7, -0.5, -0.2 } } }, { { "f32", { 2, 3 }, { 2.31, 0.5, 0.86, 1.7, -0.11, 2.2 } } } },
  { "ii->i", function(op, a) return op.einsum({ a }, "ii->i") end, { { "f32", { 3, 3 }, { 0.4, 1.6, -0.8, -0.6, 0.7, -1.2, 0, -0.7, 0.5 } } },
    { { "f32", { 3 }, { 0.4, 0.7, 0.5 } } } },
  { "ij->", function(op, a) return op.einsum({ a }, "ij->") end, { { "f32", { 2, 2 }, { 0.3, 0.7, -0.3, -1.1 } } }, { { "f32", {}, { -0.4 } } } },
  { "...ij,...jk->...ik", function(op, a, b) return op.einsum({ a, b }, "...ij,...jk->...ik") end, { { "f32", { 2, 1, 1, 2 }, { -1.9, 0.4, -1.1,
    -2 } }, { "f32", { 2, 2, 1 }, { -0.5, -0.9, 0.7, -0.8 } } }, { { "f32", { 2, 2, 1, 1 }, { 0.59, -1.65, 2.35, 0.83 } } } },
  { "ab,bc,cd->ad", function(op, a, b, c) return op.einsum({ a, b, c }, "ab,bc,cd->ad") end, { { "f32", { 1, 2 }, { -0.5, 0.9 } }, { "f32", { 2,
    2 }, { 0.7, -1.4, 0.3, 1.7 } }, { "f32", { 2, 1 }, { 1.6, 1.4 } } }, { { "f32", { 1, 1 }, { 2.994 } } } },
  { "ab,bc", function(op, a, b) return op.einsum({ a, b }, "ab,bc") end, { { "f32", { 2, 2 }, { -0.9, 1.8, -1.2, -0.4 } }, { "f32", { 2, 1 },
    { -1.5, 0.3 } } }, { { "f32", { 2, 1 }, { 1.89, 1.68 } } } },
  { "odd sizes", function(op, a, b) return op.einsum({ a, b }, "bij,bkj->bik") end, { cases.random("f32", { 2, 7, 13 }), cases.random("f32", { 2,
    5, 13 }) }, bound = 2e-05 },
  { "sizes that differ", function(op, a, b) return op.einsum({ a, b }, "ij,jk->ik") end, { cases.random("f32", { 2, 3 }), cases.random("f32", { 2,
    3 }) }, fails = "shape" },
  { "no equation", function(op, a) return op.einsum({ a }, "i-j") end, { cases.random("f32", { 2 }) }, fails = "argument" },
})
