local cases = require("spec.support.op_cases")

cases("multinomial", {
  { "certain classes", function(op, p) return op.multinomial(p, 3, "i64", true, false, 1, 2) end, { { "f32", { 2, 3 }, { 0, 1, 0, 0, 0, 5 } } },
    { { "i64", { 2, 3 }, { 1, 1, 1, 2, 2, 2 } } } },
  { "all of them, each once", function(op, p) return op.topk(op.multinomial(p, 3, "i32", false, false, 1, 2), 3, 1, "min", "value"):output(1) end,
    { { "f32", { 1, 3 }, { 0.200000003, 0.300000012, 0.5 } } }, { { "i32", { 1, 3 }, { 0, 1, 2 } } } },
  { "logarithms", function(op, p) return op.multinomial(p, 2, "i32", true, true, 1, 2) end, { { "f32", { 1, 2 }, { -math.huge, 0 } } },
    { { "i32", { 1, 2 }, { 1, 1 } } } },
  { "more than there are", function(op, p) return op.multinomial(p, 4, "i64", false, false) end, { { "f32", { 1, 3 }, { 1, 1, 1 } } },
    fails = "argument" },
  { "nothing to draw", function(op, p) return op.multinomial(p, 1, "i64", true, false) end, { { "f32", { 1, 2 }, { 0, 0 } } }, fails = "argument" },
  { "rows of classes", function(op, p) return op.multinomial(p, 1, "i64", true, false) end, { { "f32", { 2 }, { 1, 1 } } }, fails = "shape" },
})
