local cases = require("spec.support.op_cases")

cases("scatter_update", {
  { "columns", function(op, x, i, u) return op.scatter_update(x, i, u, 1) end,
    { { "f32", { 3, 3 }, { 0, 0, 0, 0, 0, 0, 0, 0, 0 } }, { "i32", { 2 }, { 2, -3 } }, { "f32", { 3, 2 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 3, 3 }, { 2, 0, 1, 4, 0, 3, 6, 0, 5 } } } },
  { "i64 rows", function(op, x, i, u) return op.scatter_update(x, i, u, 0) end,
    { { "i64", { 2, 2 }, { 1, 2, 3, 4 } }, { "i64", { 1 }, { 1 } }, { "i64", { 1, 2 }, { 9, 9 } } }, { { "i64", { 2, 2 }, { 1, 2, 9, 9 } } } },
  { "strings", function(op, x, i, u) return op.scatter_update(x, i, u, 0) end,
    { { "string", { 2 }, { "a", "b" } }, { "i32", { 1 }, { 0 } }, { "string", { 1 }, { "z" } } }, { { "string", { 2 }, { "z", "b" } } } },
  { "out of range", function(op, x, i, u) return op.scatter_update(x, i, u, 0) end,
    { { "f32", { 2 }, { 1, 2 } }, { "i32", { 1 }, { 2 } }, { "f32", { 1 }, { 1 } } }, fails = "argument" },
  { "updates of another shape", function(op, x, i, u) return op.scatter_update(x, i, u, 0) end,
    { { "f32", { 2 }, { 1, 2 } }, { "i32", { 1 }, { 0 } }, { "f32", { 2 }, { 1, 2 } } }, fails = "shape" },
})
