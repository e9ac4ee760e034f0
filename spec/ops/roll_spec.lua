local cases = require("spec.support.op_cases")

cases("roll", {
  { "one axis", function(op, x) return op.roll(x, { 1 }, { 1 }) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 2, 3 }, { 3, 1, 2, 6, 4, 5 } } } },
  { "two axes, back and far", function(op, x) return op.roll(x, { -1, 7 }, { 0, -1 }) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 2, 3 }, { 6, 4, 5, 3, 1, 2 } } } },
  { "one shift for all", function(op, x) return op.roll(x, 1, { 0, 1 }) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 2, 3 }, { 6, 4, 5, 3, 1, 2 } } } },
  { "an axis twice", function(op, x) return op.roll(x, { 1, 1 }, { 1, 1 }) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 2, 3 }, { 2, 3, 1, 5, 6, 4 } } } },
  { "strings", function(op, x) return op.roll(x, { 1 }, { 0 }) end, { { "string", { 3 }, { "a", "b", "c" } } },
    { { "string", { 3 }, { "c", "a", "b" } } } },
  { "odd sizes", function(op, x) return op.roll(x, { 3, -2 }, { 1, 2 }) end, { cases.random("f32", { 2, 7, 5 }) } },
  { "no such axis", function(op, x) return op.roll(x, { 1 }, { 2 }) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } }, fails = "argument" },
  { "lengths that differ", function(op, x) return op.roll(x, { 1, 2 }, { 0 }) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } }, fails = "shape" },
})
