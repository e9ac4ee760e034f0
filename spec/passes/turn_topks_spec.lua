local cases = require("spec.support.pass_cases")
local x = cases.random("f32", { 2, 5, 3, 4 })

cases("turn_topks", {
  { "values and indices", function(op, a) return op.topk(a, op.constant(3, "i64"), 1, "max", "value", "i32"):outputs() end,
    { x }, "TopK" },
  { "the first dimension, smallest", function(op, a) return op.topk(a, op.constant(1, "i64"), 0, "min", "value", "i64"):outputs() end,
    { x }, "TopK" },
  { "counted from behind, by index", function(op, a) return op.topk(a, op.constant(2, "i64"), -2, "max", "index", "i32"):outputs() end,
    { x }, "TopK" },
  { "only indices", function(op, a) return op.topk(a, op.constant(1, "i64"), 1, "max", "value", "i64"):output(2) end,
    { x }, "TopK" },
  { "the last stays", function(op, a) return op.topk(a, op.constant(2, "i64"), 3, "max", "value", "i32"):outputs() end,
    { x }, "TopK" },
  { "the last with more than one", function(op, a)
    return op.topk(op.reshape(a, { 2, 60, 1 }, false), op.constant(7, "i64"), 1, "max", "value", "i32"):outputs()
  end, { x }, "TopK" },
})
