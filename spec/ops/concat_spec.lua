local cases = require("spec.support.op_cases")

cases("concat", {
  { "along an axis", function(op, a, b, c) return op.concat({ a, b, c }, 1) end,
    { { "f32", { 2, 1 }, { 1, 2 } }, { "f32", { 2, 2 }, { 3, 4, 5, 6 } }, { "f32", { 2, 0 }, {} } }, { { "f32", { 2, 3 }, { 1, 3, 4, 2, 5, 6 } } },
    dynamic = false },
  { "an axis from the end", function(op, a, b) return op.concat({ a, b }, -2) end,
    { { "i64", { 1, 2 }, { 1, 2 } }, { "i64", { 2, 2 }, { 3, 4, 5, 6 } } }, { { "i64", { 3, 2 }, { 1, 2, 3, 4, 5, 6 } } } },
  { "strings", function(op, a, b) return op.concat({ a, b }, 0) end, { { "string", { 1 }, { "a" } }, { "string", { 2 }, { "b", "c" } } },
    { { "string", { 3 }, { "a", "b", "c" } } } },
  { "images", function(op, a, b) return op.concat({ a, b }, 1) end, { cases.random("f32", { 2, 5, 3, 7 }), cases.random("f32", { 2, 17, 3, 7 }) } },
  { "shapes that differ elsewhere", function(op, a, b) return op.concat({ a, b }, 0) end,
    { { "f32", { 1, 2 }, { 1, 2 } }, { "f32", { 1, 1 }, { 1 } } }, fails = "shape" },
  { "types that differ", function(op, a, b) return op.concat({ a, b }, 0) end, { { "f32", { 1 }, { 1 } }, { "i32", { 1 }, { 1 } } }, fails = "type" },
  { "no such axis", function(op, a) return op.concat({ a, a }, 2) end, { { "f32", { 1 }, { 1 } } }, fails = "argument" },
})
