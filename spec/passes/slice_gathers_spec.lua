local cases = require("spec.support.pass_cases")
local x = cases.random("f32", { 3, 5, 4 })

cases("slice_gathers", {
  { "one entry", function(op, a) return op.relu(op.gather(a, op.constant(1, "i64"), op.constant(0, "i64"))) end, { x }, "Relu" },
  { "the last entry", function(op, a) return op.relu(op.gather(a, op.constant(-1, "i64"), op.constant(1, "i64"))) end, { x }, "Relu" },
  { "every second", function(op, a) return op.relu(op.gather(a, op.constant({ 0, 2, 4 }, "i64"), op.constant(-2, "i64"))) end, { x }, "Relu" },
  { "no order", function(op, a) return op.relu(op.gather(a, op.constant({ 0, 2, 1 }, "i64"), op.constant(1, "i64"))) end, { x }, "Gather Relu" },
  { "falling", function(op, a) return op.relu(op.gather(a, op.constant({ 2, 1, 0 }, "i64"), op.constant(1, "i64"))) end, { x }, "Gather Relu" },
})
