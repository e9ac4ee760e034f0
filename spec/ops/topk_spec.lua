local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op1, op3 = ov.opset1, ov.opset3

cases("topk", {
  { "largest", function(op, x) local y = op.topk(x, 2, 1, "max", "value"); return { y:output(1), y:output(2) } end,
    { { "f32", { 2, 4 }, { 3, 1, 2, 3, -1, 5, 0, 5 } } }, { { "f32", { 2, 2 }, { 3, 3, 5, 5 } }, { "i32", { 2, 2 }, { 0, 3, 1, 3 } } } },
  { "smallest", function(op, x) local y = op.topk(x, 3, -1, "min", "value", "i64"); return { y:output(1), y:output(2) } end,
    { { "f32", { 2, 4 }, { 3, 1, 2, 3, -1, 5, 0, 5 } } }, { { "f32", { 2, 3 }, { 1, 2, 3, -1, 0, 5 } }, { "i64", { 2, 3 }, { 1, 2, 0, 0, 2, 1 } } } },
  { "in the order of positions", function(op, x) local y = op.topk(x, 2, 1, "max", "index"); return { y:output(1), y:output(2) } end,
    { { "f32", { 2, 4 }, { 3, 1, 2, 3, -1, 5, 0, 5 } } }, { { "f32", { 2, 2 }, { 3, 3, 5, 5 } }, { "i32", { 2, 2 }, { 0, 3, 1, 3 } } } },
  { "the first axis", function(op, x) local y = op.topk(x, 1, 0, "max", "value"); return { y:output(1), y:output(2) } end,
    { { "f32", { 2, 4 }, { 3, 1, 2, 3, -1, 5, 0, 5 } } }, { { "f32", { 1, 4 }, { 3, 5, 2, 5 } }, { "i32", { 1, 4 }, { 0, 1, 0, 1 } } } },
  { "i64", function(op, x) local y = op.topk(x, 2, 0, "max", "value"); return { y:output(1), y:output(2) } end,
    { { "i64", { 3 }, { 9007199254740991, -5, 9007199254740990 } } },
    { { "i64", { 2 }, { 9007199254740991, 9007199254740990 } }, { "i32", { 2 }, { 0, 2 } } } },
  { "of version 1 and 3", function(_, x) return { op1.topk(x, 1, 1, "max", "value"):output(2), op3.topk(x, 1, 1, "max", "value"):output(2) } end,
    { { "f32", { 2, 4 }, { 3, 1, 2, 3, -1, 5, 0, 5 } } }, { { "i32", { 2, 1 }, { 0, 1 } }, { "i32", { 2, 1 }, { 0, 1 } } } },
  { "k from outside", function(op, x, k) return op.topk(x, k, 1, "max", "value"):output(1) end,
    { { "f32", { 2, 4 }, { 3, 1, 2, 3, -1, 5, 0, 5 } }, { "i64", {}, { 1 } } }, { { "f32", { 2, 1 }, { 3, 5 } } }, dynamic = false },
  { "all of them", function(op, x) return op.topk(x, 4, 1, "min", "value"):output(1) end, { { "f32", { 2, 4 }, { 3, 1, 2, 3, -1, 5, 0, 5 } } },
    { { "f32", { 2, 4 }, { 1, 2, 3, 3, -1, 0, 5, 5 } } } },
  { "odd sizes", function(op, x) local y = op.topk(x, 5, 1, "max", "value"); return { y:output(1), y:output(2) } end,
    { cases.random("f32", { 3, 67, 5 }) } },
  { "one across", function(op, x) local y = op.topk(x, 1, 1, "max", "value", "i64"); return { y:output(1), y:output(2) } end,
    { cases.random("f32", { 3, 67, 37 }) } },
  { "one across, smallest", function(op, x) local y = op.topk(x, 1, 0, "min", "value"); return { y:output(1), y:output(2) } end,
    { cases.random("f32", { 5, 9, 16 }) } },
  { "one across, some equal", function(op, x)
    local y = op.topk(op.round(op.multiply(x, 3.0), "half_to_even"), 1, -2, "max", "index")
    return { y:output(1), y:output(2) }
  end, { cases.random("f32", { 2, 31, 130 }) } },
  { "one across few", function(op, x) local y = op.topk(x, 1, 1, "max", "value"); return { y:output(1), y:output(2) } end,
    { cases.random("f32", { 3, 67, 5 }) } },
  { "no such axis", function(op, x) return op.topk(x, 1, 2, "max", "value") end, { { "f32", { 2, 4 }, { 3, 1, 2, 3, -1, 5, 0, 5 } } },
    fails = "argument" },
  { "k below zero", function(op, x) return op.topk(x, -1, 0, "max", "value") end, { { "f32", { 2, 4 }, { 3, 1, 2, 3, -1, 5, 0, 5 } } },
    fails = "argument" },
})
