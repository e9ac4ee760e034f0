local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op15 = ov.opset15

cases("scatter_nd", {
  { "elements", function(op, x, i, u) return op.scatter_nd_update(x, i, u) end,
    { { "f32", { 4 }, { 1, 2, 3, 4 } }, { "i32", { 2, 1 }, { 3, 1 } }, { "f32", { 2 }, { 30, 10 } } }, { { "f32", { 4 }, { 1, 10, 3, 30 } } } },
  { "slices", function(op, x, i, u) return op.scatter_nd_update(x, i, u) end,
    { { "i64", { 2, 2 }, { 1, 2, 3, 4 } }, { "i64", { 1, 1 }, { -1 } }, { "i64", { 1, 2 }, { 8, 9 } } }, { { "i64", { 2, 2 }, { 1, 2, 8, 9 } } } },
  { "sum", function(_, x, i, u) return op15.scatter_nd_update(x, i, u, "sum") end,
    { { "f32", { 3 }, { 1, 2, 3 } }, { "i32", { 3, 1 }, { 1, 1, 2 } }, { "f32", { 3 }, { 5, -7, 2 } } }, { { "f32", { 3 }, { 1, 0, 5 } } } },
  { "sub", function(_, x, i, u) return op15.scatter_nd_update(x, i, u, "sub") end,
    { { "f32", { 3 }, { 1, 2, 3 } }, { "i32", { 3, 1 }, { 1, 1, 2 } }, { "f32", { 3 }, { 5, -7, 2 } } }, { { "f32", { 3 }, { 1, 4, 1 } } } },
  { "prod", function(_, x, i, u) return op15.scatter_nd_update(x, i, u, "prod") end,
    { { "f32", { 3 }, { 1, 2, 3 } }, { "i32", { 3, 1 }, { 1, 1, 2 } }, { "f32", { 3 }, { 5, -7, 2 } } }, { { "f32", { 3 }, { 1, -70, 6 } } } },
  { "min", function(_, x, i, u) return op15.scatter_nd_update(x, i, u, "min") end,
    { { "f32", { 3 }, { 1, 2, 3 } }, { "i32", { 3, 1 }, { 1, 1, 2 } }, { "f32", { 3 }, { 5, -7, 2 } } }, { { "f32", { 3 }, { 1, -7, 2 } } } },
  { "max", function(_, x, i, u) return op15.scatter_nd_update(x, i, u, "max") end,
    { { "f32", { 3 }, { 1, 2, 3 } }, { "i32", { 3, 1 }, { 1, 1, 2 } }, { "f32", { 3 }, { 5, -7, 2 } } }, { { "f32", { 3 }, { 1, 5, 3 } } } },
  { "out of range", function(op, x, i, u) return op.scatter_nd_update(x, i, u) end,
    { { "f32", { 1 }, { 1 } }, { "i32", { 1, 1 }, { 1 } }, { "f32", { 1 }, { 1 } } }, fails = "argument" },
  { "updates of another shape", function(op, x, i, u) return op.scatter_nd_update(x, i, u) end,
    { { "f32", { 2 }, { 1, 2 } }, { "i32", { 1, 1 }, { 1 } }, { "f32", { 2 }, { 1, 2 } } }, fails = "shape" },
})
