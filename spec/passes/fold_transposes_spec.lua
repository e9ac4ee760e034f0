local cases = require("spec.support.pass_cases")
local a, b = cases.random("f32", { 2, 5, 7 }), cases.random("f32", { 2, 5, 3 })

cases("fold_transposes", {
  { "of the first", function(op, x, y) return op.matmul(op.transpose(x, { 0, 2, 1 }), y, false, false) end, { a, b }, "MatMul" },
  { "of the second", function(op, x, y) return op.matmul(x, op.transpose(y, { 0, 2, 1 }), true, true) end, { a, b }, "MatMul" },
  { "of constants", function(op, x)
    local w = op.constant(require("spec.support.support").random(1):tensor("f32", { 3, 7 }))
    return op.matmul(x, op.transpose(w, { 1, 0 }), false, false)
  end, { a }, "MatMul" },
  { "of other dimensions", function(op, x, y) return op.matmul(op.transpose(x, { 1, 0, 2 }), y, false, false) end,
    { cases.random("f32", { 5, 2, 7 }), cases.random("f32", { 2, 7, 3 }) }, "MatMul" },
})
