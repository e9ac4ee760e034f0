local cases = require("spec.support.pass_cases")
local support = require("spec.support.support")
local image = cases.random("f32", { 2, 4, 5, 6 })
local rows = cases.random("f32", { 2, 5, 7 })
local one, none = { 1, 1 }, { 0, 0 }
local function weights(op, shape, seed) return op.constant(support.random(seed):tensor("f32", shape)) end
local function conv(op, a, out, seed) return op.convolution(a, weights(op, { out, 4, 1, 1 }, seed), one, none, none, one) end
local function bias(op, a, n, seed) return op.add(a, weights(op, { 1, n, 1, 1 }, seed)) end

cases("fuse_posts", {
  { "bias and activation", function(op, a) return op.hswish(bias(op, conv(op, a, 3, 1), 3, 2)) end, { image }, "Convolution" },
  { "a bias of fewer dimensions", function(op, a) return op.elu(op.add(conv(op, a, 3, 1), weights(op, { 3, 1, 1 }, 2)), 0.5) end, { image }, "Convolution" },
  { "a residual branch goes into the later product", function(op, a)
    local first = op.relu(bias(op, conv(op, a, 4, 1), 4, 2))
    return op.relu(op.add(a, bias(op, conv(op, first, 4, 3), 4, 4)))
  end, { image }, "Convolution Convolution" },
  { "two products", function(op, a) return op.relu(op.add(conv(op, a, 3, 1), conv(op, op.tanh(a), 3, 2))) end, { image }, "Convolution Tanh Convolution" },
  { "a chain behind a product", function(op, a)
    local y = op.matmul(a, weights(op, { 7, 3 }, 1), false, false)
    return op.subtract(1.0, op.abs(op.add(op.multiply(op.sigmoid(op.add(y, weights(op, { 3 }, 2))), 3.0), 0.5)))
  end, { rows }, "MatMul" },
  { "a chain of element-wise operators", function(op, a, b)
    return op.clamp(op.divide(op.exp(op.add(op.multiply(a, b), 1.0)), op.constant(support.random(1):tensor("f32", { 7 }, 1, 2))), 0.5, 2)
  end, { rows, cases.random("f32", { 2, 5, 7 }) }, "Multiply" },
  { "a result that two read stays", function(op, a)
    local y = conv(op, a, 3, 1)
    return op.add(op.sigmoid(y), op.tanh(y))
  end, { image }, "Convolution Sigmoid Tanh" },
  { "an output stays", function(op, a)
    local y = conv(op, a, 3, 1)
    return { op.relu(y), y }
  end, { image }, "Convolution Relu" },
  { "an operand that makes it larger stays outside", function(op, a, gate)
    return op.multiply(a, op.convolution(gate, weights(op, { 4, 4, 1, 1 }, 1), one, none, none, one))
  end, { image, cases.random("f32", { 2, 4, 1, 1 }) }, "Convolution Multiply" },
  { "more than a node can take", function(op, a)
    local y = conv(op, a, 3, 1)
    for i = 1, 11 do y = op.tanh(op.add(y, i / 10)) end
    return y
  end, { image }, "Convolution Add Tanh" },
  { "other types are left alone", function(op, a) return op.add(op.multiply(a, a), 1) end, { cases.random("i32", { 2, 3 }) }, "Multiply Add" },
})

describe("pass fuse_posts", function()
  local ov = require("ovlite")
  it("keeps names of outputs, and tells what was fused", function()
    local op = ov.opset13
    local p = op.parameter({ 1, 7 }, "f32", "p")
    local y = op.matmul(p, weights(op, { 7, 3 }, 1), false, false)
    y:set_friendly_name("product")
    y:output(1):set_names({ "aaa" })
    local z = op.relu(y)
    z:set_friendly_name("activation")
    z:output(1):set_names({ "z" })
    local compiled = ov.Core():compile_model(ov.Model({ z }, { p }, "m"))
    assert.are.equal("z", compiled:output(1).any_name)
    local node
    for _, n in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
      if n.type_name == "ExecutionNode" and n.attributes.layerType == "MatMul" then node = n end
    end
    assert.are.equal("product,activation", node.attributes.originalLayersNames)
  end)
end)
