local cases = require("spec.support.op_cases")

cases("cum_sum", {
  { "inclusive", function(op, x) return op.cum_sum(x, 1, false, false) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 2, 3 }, { 1, 3, 6, 4, 9, 15 } } } },
  { "inclusive, reverse", function(op, x) return op.cum_sum(x, 1, false, true) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 2, 3 }, { 6, 5, 3, 15, 11, 6 } } } },
  { "exclusive", function(op, x) return op.cum_sum(x, 1, true, false) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 2, 3 }, { 0, 1, 3, 0, 4, 9 } } } },
  { "exclusive, reverse", function(op, x) return op.cum_sum(x, 1, true, true) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 2, 3 }, { 5, 3, 0, 11, 6, 0 } } } },
  { "the first axis", function(op, x) return op.cumsum(x, 0) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 2, 3 }, { 1, 2, 3, 5, 7, 9 } } } },
  { "i64", function(op, x) return op.cum_sum(x, -1) end, { { "i64", { 2 }, { 9007199254740990, 1 } } },
    { { "i64", { 2 }, { 9007199254740990, 9007199254740991 } } } },
  { "no such axis", function(op, x) return op.cum_sum(x, 2) end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } }, fails = "argument" },
  { "no booleans", function(op, x) return op.cum_sum(x, 0) end, { { "boolean", { 1 }, { true } } }, fails = "type" },
  { "odd sizes", function(op, x) return op.cum_sum(x, 1) end, { cases.random("f32", { 3, 37, 5 }) } },
})
