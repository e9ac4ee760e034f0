local cases = require("spec.support.pass_cases")
local support = require("spec.support.support")
local x = cases.random("f32", { 2, 5, 8 })
local function weights(op, shape, seed) return op.constant(support.random(seed):tensor("f32", shape)) end
local function heads(op, a) return op.transpose(op.reshape(a, { 0, 0, 2, -1 }, true), { 0, 2, 1, 3 }) end
local function branch(op, a, n, seed, biased)
  local y = op.matmul(a, weights(op, { 8, n }, seed), false, false)
  return heads(op, biased and op.add(y, weights(op, { n }, seed + 1)) or y)
end

cases("merge_matmuls", {
  { "query, key and value", function(op, a)
    return { branch(op, a, 6, 1, true), branch(op, a, 4, 3, true), branch(op, a, 8, 5, true) }
  end, { x }, "MatMul" },
  { "one without a bias", function(op, a) return { branch(op, a, 6, 1, true), branch(op, a, 4, 3, false) } end, { x }, "MatMul" },
  { "none with a bias, weights turned", function(op, a)
    return { heads(op, op.matmul(a, weights(op, { 6, 8 }, 1), false, true)), heads(op, op.matmul(a, weights(op, { 4, 8 }, 2), false, true)) }
  end, { x }, "MatMul" },
  { "readers that are no heads keep their own", function(op, a)
    return op.multiply(op.swish(op.matmul(a, weights(op, { 8, 6 }, 1), false, false)), op.matmul(a, weights(op, { 8, 6 }, 2), false, false))
  end, { x }, "MatMul MatMul" },
})
