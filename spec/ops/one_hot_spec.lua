local cases = require("spec.support.op_cases")

cases("one_hot", {
  { "a row for each index", function(op, i) return op.one_hot(i, 3, 1, 0, -1) end, { { "i64", { 4 }, { 2, 0, 5, -1 } } },
    { { "f32", { 4, 3 }, { 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0 } } } },
  { "in front", function(op, i, on, off) return op.one_hot(i, 2, on, off, 0) end,
    { { "i32", { 3 }, { 1, 0, 1 } }, { "f32", {}, { 5 } }, { "f32", {}, { -1 } } }, { { "f32", { 2, 3 }, { -1, 5, -1, 5, -1, 5 } } } },
  { "booleans", function(op, i, on, off) return op.one_hot(i, 2, on, off, 1) end,
    { { "i32", { 1 }, { 1 } }, { "boolean", {}, { true } }, { "boolean", {}, { false } } }, { { "boolean", { 1, 2 }, { false, true } } } },
  { "depth from outside", function(op, i, d) return op.one_hot(i, d, 1, 0, 1) end, { { "i64", { 1 }, { 1 } }, { "i64", {}, { 2 } } },
    { { "f32", { 1, 2 }, { 0, 1 } } }, dynamic = false },
  { "no such axis", function(op, i) return op.one_hot(i, 2, 1, 0, 3) end, { { "i64", { 1 }, { 1 } } }, fails = "argument" },
  { "depth below zero", function(op, i) return op.one_hot(i, -2, 1, 0, 0) end, { { "i64", { 1 }, { 1 } } }, fails = "argument" },
  { "indices are whole", function(op, i) return op.one_hot(i, 2, 1, 0, 0) end, { { "f32", { 1 }, { 1 } } }, fails = "type" },
})
