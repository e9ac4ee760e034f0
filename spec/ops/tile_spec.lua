local cases = require("spec.support.op_cases")

cases("tile", {
  { "each dimension", function(op, x) return op.tile(x, { 2, 2 }) end, { { "f32", { 2, 2 }, { 1, 2, 3, 4 } } },
    { { "f32", { 4, 4 }, { 1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4 } } } },
  { "more repeats than dimensions", function(op, x) return op.tile(x, { 2, 1, 2 }) end, { { "u8", { 2, 1 }, { 1, 2 } } },
    { { "u8", { 2, 2, 2 }, { 1, 1, 2, 2, 1, 1, 2, 2 } } } },
  { "fewer", function(op, x) return op.tile(x, { 2 }) end, { { "f32", { 1, 2 }, { 1, 2 } } }, { { "f32", { 1, 4 }, { 1, 2, 1, 2 } } } },
  { "none", function(op, x) return op.tile(x, { 0 }) end, { { "f32", { 2 }, { 1, 2 } } }, { { "f32", { 0 }, {} } } },
  { "strings", function(op, x) return op.tile(x, { 2 }) end, { { "string", { 2 }, { "a", "b" } } }, { { "string", { 4 }, { "a", "b", "a", "b" } } } },
  { "odd sizes", function(op, x) return op.tile(x, { 2, 1, 3 }) end, { cases.random("f32", { 3, 5, 7 }) } },
  { "repeats are whole", function(op, x, n) return op.tile(x, n) end, { { "f32", { 1 }, { 1 } }, { "f32", { 1 }, { 2 } } }, fails = "type" },
})
