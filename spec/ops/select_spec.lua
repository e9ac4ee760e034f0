local cases = require("spec.support.op_cases")

cases("select", {
  { "all three broadcast", function(op, c, a, b) return op.select(c, a, b) end,
    { { "boolean", { 2, 1 }, { true, false } }, { "f32", { 3 }, { 1, 2, 3 } }, { "f32", { 1, 3 }, { -1, -2, -3 } } },
    { { "f32", { 2, 3 }, { 1, 2, 3, -1, -2, -3 } } } },
  { "scalars", function(op, c, a, b) return op.select(c, a, b) end,
    { { "boolean", { 2 }, { true, false } }, { "i64", {}, { 1 } }, { "i64", {}, { 0 } } }, { { "i64", { 2 }, { 1, 0 } } } },
  { "strings", function(op, c, a, b) return op.select(c, a, b) end,
    { { "boolean", { 2 }, { true, false } }, { "string", { 1 }, { "yes" } }, { "string", { 1 }, { "no" } } },
    { { "string", { 2 }, { "yes", "no" } } } },
  { "none does not broadcast", function(op, c, a, b) return op.select(c, a, b, "none") end,
    { { "boolean", { 2, 1 }, { true, false } }, { "f32", { 2 }, { 1, 2 } }, { "f32", { 2 }, { 1, 2 } } }, fails = "shape" },
  { "the condition is boolean", function(op, c, a, b) return op.select(c, a, b) end,
    { { "f32", { 1 }, { 1 } }, { "f32", { 1 }, { 1 } }, { "f32", { 1 }, { 2 } } }, fails = "type" },
  { "one type", function(op, c, a, b) return op.select(c, a, b) end,
    { { "boolean", { 2, 1 }, { true, false } }, { "f32", { 1 }, { 1 } }, { "i32", { 1 }, { 2 } } }, fails = "type" },
  { "odd sizes", function(op, c, a, b) return op.select(c, a, b) end,
    { cases.random("boolean", { 3, 1, 7 }), cases.random("f32", { 5, 7 }), cases.random("f32", { 3, 5, 1 }) } },
})
