local cases = require("spec.support.pass_cases")
local support = require("spec.support.support")
local image = cases.random("f32", { 2, 4, 5, 6 }, -1, 1)
local rows = cases.random("f32", { 2, 5, 7 }, -1, 1)
local function weights(op, shape, seed) return op.constant(support.random(seed):tensor("f32", shape)) end
local one, none = { 1, 1 }, { 0, 0 }

cases("fold_scale", {
  { "convolution", function(op, a)
    return op.multiply(op.convolution(a, weights(op, { 3, 4, 3, 3 }, 1), one, none, none, one), weights(op, { 1, 3, 1, 1 }, 2))
  end, { image }, "Convolution" },
  { "convolution, through its bias", function(op, a)
    local y = op.add(op.convolution(a, weights(op, { 3, 4, 3, 3 }, 1), one, none, none, one), weights(op, { 1, 3, 1, 1 }, 2))
    return op.add(op.multiply(op.multiply(y, weights(op, { 3, 1, 1 }, 3)), 0.25), weights(op, { 3, 1, 1 }, 4))
  end, { image }, "Convolution" },
  { "groups", function(op, a)
    return op.multiply(op.group_convolution(a, weights(op, { 2, 3, 2, 3, 3 }, 1), one, none, none, one), weights(op, { 1, 6, 1, 1 }, 2))
  end, { image }, "GroupConvolution" },
  { "transposed convolution", function(op, a)
    local y = op.convolution_backprop_data(a, weights(op, { 4, 3, 2, 2 }, 1), { 2, 2 }, nil, none, none, one)
    return op.divide(y, op.constant(support.random(2):tensor("f32", { 3, 1, 1 }, 1, 2)))
  end, { image }, "ConvolutionBackpropData" },
  { "groups of a transposed convolution", function(op, a)
    local y = op.group_convolution_backprop_data(a, weights(op, { 2, 2, 3, 2, 2 }, 1), { 2, 2 }, nil, none, none, one)
    return op.multiply(y, weights(op, { 6, 1, 1 }, 2))
  end, { image }, "GroupConvolutionBackpropData" },
  { "matrix product", function(op, a) return op.multiply(op.matmul(a, weights(op, { 7, 3 }, 1), false, false), weights(op, { 3 }, 2)) end, { rows }, "MatMul" },
  { "matrix product, turned weights", function(op, a)
    return op.multiply(op.add(op.matmul(a, weights(op, { 3, 7 }, 1), false, true), weights(op, { 1, 1, 3 }, 3)), weights(op, { 3 }, 2))
  end, { rows }, "MatMul" },
  { "a factor that belongs to no channel stays", function(op, a)
    return op.multiply(op.matmul(a, weights(op, { 7, 3 }, 1), false, false), weights(op, { 5, 1 }, 2))
  end, { rows }, "MatMul" },
  { "weights that two products share", function(op, a)
    local w = weights(op, { 7, 3 }, 1)
    local first = op.matmul(a, w, false, false)
    return op.subtract(op.multiply(first, weights(op, { 3 }, 2)), op.matmul(op.relu(a), w, false, false))
  end, { rows }, "MatMul Relu MatMul" },
})
