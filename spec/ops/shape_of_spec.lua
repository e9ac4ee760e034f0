local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op1 = ov.opset1

cases("shape_of", {
  { "sizes", function(op, x) return op.shape_of(x) end, { { "f32", { 2, 0, 3 }, {} } }, { { "i64", { 3 }, { 2, 0, 3 } } } },
  { "i32", function(op, x) return op.shape_of(x, "i32") end, { { "f32", { 1, 2 }, { 1, 2 } } }, { { "i32", { 2 }, { 1, 2 } } } },
  { "a scalar", function(op, x) return op.shape_of(x) end, { { "f32", {}, { 1 } } }, { { "i64", { 0 }, {} } } },
  { "version 1", function(_, x) return op1.shape_of(x) end, { { "f32", { 3 }, { 1, 2, 3 } } }, { { "i64", { 1 }, { 3 } } } },
  { "feeds a reshape", function(op, x, y) return op.reshape(x, op.shape_of(y), false) end,
    { { "f32", { 6 }, { 1, 2, 3, 4, 5, 6 } }, { "f32", { 3, 2 }, { 1, 2, 3, 4, 5, 6 } } }, { { "f32", { 3, 2 }, { 1, 2, 3, 4, 5, 6 } } } },
  { "another type", function(op, x) return op.shape_of(x, "f32") end, { { "f32", { 1 }, { 1 } } }, fails = "argument" },
})
