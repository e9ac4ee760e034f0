local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op1, op7 = ov.opset1, ov.opset7

cases("gather", {
  { "rows", function(op, x, i) return op.gather(x, i, 0) end, { { "f32", { 3, 2 }, { 1, 2, 3, 4, 5, 6 } }, { "i32", { 3 }, { 2, 0, -1 } } },
    { { "f32", { 3, 2 }, { 5, 6, 1, 2, 5, 6 } } } },
  { "columns by a matrix", function(op, x, i) return op.gather(x, i, 1) end,
    { { "i64", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } }, { "i64", { 2, 2 }, { 0, 2, 1, 1 } } }, { { "i64", { 2, 2, 2 }, { 1, 3, 2, 2, 4, 6, 5, 5 } } } },
  { "a scalar index takes the axis away", function(op, x, i) return op.gather(x, i, 1) end,
    { { "f32", { 2, 2 }, { 1, 2, 3, 4 } }, { "i32", {}, { 1 } } }, { { "f32", { 2 }, { 2, 4 } } } },
  { "batches", function(op, x, i) return op.gather(x, i, 1, 1) end,
    { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } }, { "i32", { 2, 2 }, { 0, 2, 1, 1 } } }, { { "f32", { 2, 2 }, { 1, 3, 5, 5 } } } },
  { "an axis from outside", function(op, x, i, a) return op.gather(x, i, a) end,
    { { "f32", { 2, 2 }, { 1, 2, 3, 4 } }, { "i32", { 1 }, { 1 } }, { "i64", {}, { 1 } } }, { { "f32", { 2, 1 }, { 2, 4 } } }, dynamic = false },
  { "strings", function(op, x, i) return op.gather(x, i, 0) end, { { "string", { 2 }, { "a", "b" } }, { "i32", { 2 }, { 1, 1 } } },
    { { "string", { 2 }, { "b", "b" } } } },
  { "versions 1 and 7", function(_, x, i) return { op1.gather(x, i, 0), op7.gather(x, i, 0) } end,
    { { "u8", { 3 }, { 5, 6, 7 } }, { "i32", { 2 }, { 2, 1 } } }, { { "u8", { 2 }, { 7, 6 } }, { "u8", { 2 }, { 7, 6 } } } },
  { "odd sizes", function(op, x, i) return op.gather(x, i, 1) end, { cases.random("f32", { 3, 11, 7 }), cases.random("i32", { 13 }, 0, 10) } },
  { "out of range", function(op, x, i) return op.gather(x, i, 0) end, { { "f32", { 2 }, { 1, 2 } }, { "i32", { 1 }, { 2 } } }, fails = "argument" },
  { "no such axis", function(op, x, i) return op.gather(x, i, 2) end, { { "f32", { 2 }, { 1, 2 } }, { "i32", { 1 }, { 0 } } }, fails = "argument" },
  { "batches that differ", function(op, x, i) return op.gather(x, i, 1, 1) end, { { "f32", { 1, 2 }, { 1, 2 } }, { "i32", { 2, 1 }, { 0, 0 } } },
    fails = "shape" },
})
