local cases = require("spec.support.op_cases")

cases("reverse", {
  { "sequences", function(op, x, n) return op.reverse_sequence(x, n, 0, 1) end,
    { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } }, { "i32", { 2 }, { 2, 3 } } }, { { "f32", { 2, 3 }, { 2, 1, 3, 6, 5, 4 } } } },
  { "other axes", function(op, x, n) return op.reverse_sequence(x, n, 1, 0) end,
    { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } }, { "i64", { 3 }, { 1, 2, 0 } } }, { { "f32", { 2, 3 }, { 1, 5, 3, 4, 2, 6 } } } },
  { "strings", function(op, x, n) return op.reverse_sequence(x, n, 0, 1) end, { { "string", { 1, 2 }, { "a", "b" } }, { "i32", { 1 }, { 2 } } },
    { { "string", { 1, 2 }, { "b", "a" } } } },
  { "longer than there is", function(op, x, n) return op.reverse_sequence(x, n, 0, 1) end,
    { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } }, { "i32", { 2 }, { 2, 4 } } }, fails = "argument" },
  { "a length for each batch", function(op, x, n) return op.reverse_sequence(x, n, 0, 1) end,
    { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } }, { "i32", { 1 }, { 2 } } }, fails = "shape" },
})
