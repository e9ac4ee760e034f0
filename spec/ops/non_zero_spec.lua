local cases = require("spec.support.op_cases")

cases("non_zero", {
  { "a matrix", function(op, x) return op.non_zero(x) end, { { "f32", { 2, 2 }, { 0, 1, 2, 0 } } }, { { "i64", { 2, 2 }, { 0, 1, 1, 0 } } } },
  { "booleans", function(op, x) return op.non_zero(x, "i32") end, { { "boolean", { 3 }, { true, false, true } } },
    { { "i32", { 1, 2 }, { 0, 2 } } } },
  { "nothing", function(op, x) return op.non_zero(x) end, { { "i32", { 2 }, { 0, 0 } } }, { { "i64", { 1, 0 }, {} } } },
  { "feeds a gather", function(op, x) return op.gather_nd(x, op.transpose(op.non_zero(x), { 1, 0 })) end, { { "f32", { 4 }, { 0, 5, 0, 6 } } },
    { { "f32", { 2 }, { 5, 6 } } } },
  { "another type", function(op, x) return op.non_zero(x, "u8") end, { { "f32", { 1 }, { 1 } } }, fails = "argument" },
})
