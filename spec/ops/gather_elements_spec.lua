local cases = require("spec.support.op_cases")

cases("gather_elements", {
  { "along an axis", function(op, x, i) return op.gather_elements(x, i, 1) end,
    { { "f32", { 2, 2 }, { 1, 2, 3, 4 } }, { "i32", { 2, 3 }, { 1, 0, -1, 0, 0, 1 } } }, { { "f32", { 2, 3 }, { 2, 1, 2, 3, 3, 4 } } } },
  { "strings", function(op, x, i) return op.gather_elements(x, i, 0) end, { { "string", { 2 }, { "a", "b" } }, { "i64", { 3 }, { 1, 0, 1 } } },
    { { "string", { 3 }, { "b", "a", "b" } } } },
  { "f16", function(op, x, i) return op.gather_elements(x, i, 0) end, { { "f16", { 2, 2 }, { 1, 2, 3, 4 } }, { "i64", { 1, 2 }, { 1, 0 } } },
    { { "f16", { 1, 2 }, { 3, 2 } } } },
  { "odd sizes", function(op, x, i) return op.gather_elements(x, i, 1) end,
    { cases.random("f32", { 3, 11, 5 }), cases.random("i32", { 3, 4, 5 }, 0, 10) } },
  { "out of range", function(op, x, i) return op.gather_elements(x, i, 0) end, { { "f32", { 2 }, { 1, 2 } }, { "i32", { 1 }, { 5 } } },
    fails = "argument" },
  { "ranks that differ", function(op, x, i) return op.gather_elements(x, i, 0) end, { { "f32", { 1, 2 }, { 1, 2 } }, { "i32", { 1 }, { 0 } } },
    fails = "shape" },
})
