local cases = require("spec.support.pass_cases")
local support = require("spec.support.support")
local image = cases.random("f32", { 2, 4, 5, 6 })
local one = { 1, 1 }
local function weights(op) return op.constant(support.random(1):tensor("f32", { 3, 4, 3, 3 })) end
local function padded(op, a, value) return op.pad(a, { 0, 0, 1, 2 }, { 0, 0, 0, 1 }, "constant", value and op.constant(value, "f32")) end

cases("fold_pads", {
  { "zeros", function(op, a) return op.convolution(padded(op, a), weights(op), one, { 0, 0 }, { 0, 0 }, one) end, { image }, "Convolution" },
  { "zeros by name, and pads of its own", function(op, a)
    return op.convolution(padded(op, a, 0), weights(op), { 2, 1 }, { 1, 0 }, { 0, 1 }, one)
  end, { image }, "Convolution" },
  { "valid", function(op, a) return op.convolution(padded(op, a), weights(op), one, { 7, 7 }, { 7, 7 }, one, "valid") end, { image }, "Convolution" },
  { "other numbers stay", function(op, a) return op.convolution(padded(op, a, 1), weights(op), one, { 0, 0 }, { 0, 0 }, one) end, { image }, "Pad Convolution" },
  { "channels stay", function(op, a)
    return op.convolution(op.pad(a, { 0, 1, 0, 0 }, { 0, 0, 0, 0 }, "constant"), weights(op), one, { 0, 0 }, { 0, 0 }, one)
  end, { cases.random("f32", { 2, 3, 5, 6 }) }, "Pad Convolution" },
})
