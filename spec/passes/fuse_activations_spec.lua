local cases = require("spec.support.pass_cases")
local x = cases.random("f32", { 2, 3, 17 }, -6, 6)

local function gelu(op, a) return op.add(op.erf(op.divide(a, math.sqrt(2))), 1.0) end
local function cube(op, a) return op.multiply(op.add(a, op.multiply(op.power(a, 3.0), 0.044715)), math.sqrt(2 / math.pi)) end
local function relu6(op, a) return op.clamp(op.add(a, 3.0), 0, 6) end

cases("fuse_activations", {
  { "swish", function(op, a) return op.multiply(op.sigmoid(a), a) end, { x }, "Swish" },
  { "swish with beta", function(op, a) return op.multiply(a, op.sigmoid(op.multiply(a, 1.702))) end, { x }, "Swish" },
  { "swish by the exponential", function(op, a) return op.divide(a, op.add(op.exp(op.negative(a)), 1.0)) end, { x }, "Swish" },
  { "sigmoid by the exponential", function(op, a) return op.divide(1.0, op.add(1.0, op.exp(op.multiply(a, -1.0)))) end, { x }, "Sigmoid" },
  { "mish", function(op, a) return op.multiply(a, op.tanh(op.softplus(a))) end, { x }, "Mish" },
  { "mish by logarithms", function(op, a) return op.multiply(a, op.tanh(op.log(op.add(op.exp(a), 1.0)))) end, { x }, "Mish" },
  { "hswish, divided last", function(op, a) return op.divide(op.multiply(a, relu6(op, a)), 6.0) end, { x }, "HSwish" },
  { "hswish, divided first", function(op, a) return op.multiply(op.multiply(a, 1 / 6), relu6(op, a)) end, { x }, "HSwish" },
  { "hswish of hsigmoid", function(op, a) return op.multiply(a, op.divide(relu6(op, a), 6.0)) end, { x }, "HSwish" },
  { "hswish and a factor of one's own", function(op, a) return op.multiply(op.divide(op.multiply(a, relu6(op, a)), 6.0), 0.7) end, { x }, "HSwish" },
  { "hsigmoid", function(op, a) return op.divide(relu6(op, a), 6.0) end, { x }, "HSigmoid" },
  { "hard sigmoid", function(op, a) return op.clamp(op.add(op.multiply(a, 0.2), 0.5), 0, 1) end, { x }, "HardSigmoid" },
  { "hard sigmoid that is hsigmoid", function(op, a) return op.hard_sigmoid(a, op.constant(1 / 6, "f32"), op.constant(0.5, "f32")) end, { x }, "HSigmoid" },
  { "gelu, halved last", function(op, a) return op.multiply(op.multiply(a, gelu(op, a)), 0.5) end, { x }, "Gelu" },
  { "gelu, halved first", function(op, a) return op.multiply(gelu(op, a), op.multiply(0.5, a)) end, { x }, "Gelu" },
  { "gelu, halved in between", function(op, a) return op.multiply(a, op.multiply(0.5, gelu(op, a))) end, { x }, "Gelu" },
  { "gelu, half of each", function(op, a)
    return op.multiply(a, op.add(op.multiply(op.erf(op.multiply(a, 1 / math.sqrt(2))), 0.5), 0.5))
  end, { x }, "Gelu" },
  { "gelu by tanh", function(op, a) return op.multiply(op.multiply(0.5, a), op.add(op.tanh(cube(op, a)), 1.0)) end, { x }, "Gelu" },
  { "gelu by tanh, products for powers", function(op, a)
    local t = op.multiply(op.multiply(a, math.sqrt(2 / math.pi)), op.add(op.multiply(op.multiply(a, a), 0.044715), 1.0))
    return op.multiply(a, op.multiply(op.add(op.tanh(t), 1.0), 0.5))
  end, { x }, "Gelu" },
  { "a gate is none of these", function(op, a) return op.multiply(a, op.sigmoid(op.add(a, 1.0))) end, { x }, "Add" },
  { "a gated swish", function(op, a) return op.multiply(op.multiply(a, op.sigmoid(a)), op.exp(a)) end, { x }, "Exp Swish" },
})
