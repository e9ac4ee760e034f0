local cases = require("spec.support.pass_cases")
local support = require("spec.support.support")
local x, r = cases.random("f32", { 6, 8 }), cases.random("f32", { 1, 6, 4 })
local function product(op, a) return op.matmul(a, op.constant(support.random(1):tensor("f32", { 8, 4 })), false, false) end

cases("sink_reshapes", {
  { "a residual branch of another rank", function(op, a, b)
    local y = op.transpose(op.reshape(product(op, a), { 6, 1, 4 }, false), { 1, 0, 2 })
    return op.relu(op.add(y, b))
  end, { x, r }, "MatMul" },
  { "a row and a number", function(op, a)
    local y = op.reshape(product(op, a), { 2, 3, 4 }, false)
    return op.gelu(op.multiply(op.add(y, op.constant({ 1, 2, 3, 4 }, "f32")), 2.0), "ERF")
  end, { x }, "MatMul" },
  { "an operand of another shape stays behind", function(op, a)
    return op.add(op.reshape(product(op, a), { 2, 3, 4 }, false), op.constant(support.random(2):tensor("f32", { 3, 1 })))
  end, { x }, "MatMul Add" },
  { "channels last behind a convolution", function(op, a, b)
    local w = op.constant(support.random(1):tensor("f32", { 8, 4, 1, 1 }))
    local y = op.transpose(op.convolution(a, w, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }), { 0, 2, 3, 1 })
    return op.add(op.relu(op.add(op.multiply(y, 0.5), op.constant(support.random(2):tensor("f32", { 8 })))), b)
  end, { cases.random("f32", { 2, 4, 5, 6 }), cases.random("f32", { 2, 5, 6, 8 }) }, "Convolution" },
  { "an operand that makes it larger stays behind", function(op, a, b) return op.add(op.transpose(product(op, a), { 1, 0 }), b) end,
    { x, cases.random("f32", { 2, 4, 6 }) }, "MatMul Add" },
})
