local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op5 = ov.opset5

cases("gather_nd", {
  { "elements", function(op, x, i) return op.gather_nd(x, i) end, { { "f32", { 2, 2 }, { 1, 2, 3, 4 } }, { "i32", { 2, 2 }, { 0, 1, 1, -2 } } },
    { { "f32", { 2 }, { 2, 3 } } } },
  { "slices", function(op, x, i) return op.gather_nd(x, i) end, { { "f32", { 2, 2 }, { 1, 2, 3, 4 } }, { "i64", { 2, 1 }, { 1, 0 } } },
    { { "f32", { 2, 2 }, { 3, 4, 1, 2 } } } },
  { "batches", function(op, x, i) return op.gather_nd(x, i, 2) end,
    { { "f32", { 2, 2, 3 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 } }, { "i32", { 2, 2, 1 }, { 0, 1, 2, 0 } } },
    { { "f32", { 2, 2 }, { 0, 4, 8, 9 } } } },
  { "batches of version 5 become one", function(_, x, i) return op5.gather_nd(x, i, 2) end,
    { { "f32", { 2, 2, 3 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 } }, { "i32", { 2, 2, 1 }, { 0, 1, 2, 0 } } },
    { { "f32", { 4 }, { 0, 4, 8, 9 } } } },
  { "out of range", function(op, x, i) return op.gather_nd(x, i) end, { { "f32", { 2 }, { 1, 2 } }, { "i32", { 1, 1 }, { 2 } } },
    fails = "argument" },
  { "too many coordinates", function(op, x, i) return op.gather_nd(x, i) end, { { "f32", { 2 }, { 1, 2 } }, { "i32", { 1, 2 }, { 0, 0 } } },
    fails = "shape" },
})
