local cases = require("spec.support.pass_cases")
local x = function() return require("spec.support.support").random(1):tensor("f32", { 2, 3, 4, 4 }, -20, 20) end

-- What QuantizeLinear makes.
local function quantized(op, a, scale, zero, kind, low, high)
  local y = op.round(op.divide(a, scale), "half_to_even")
  if zero then y = op.add(y, op.convert(zero, "f32")) end
  return op.convert(op.clamp(y, low, high), kind)
end

local function dequantized(op, q, scale, zero)
  local y = op.convert(q, "f32")
  if zero then y = op.subtract(y, op.convert(zero, "f32")) end
  return op.multiply(y, scale)
end

local function both(op, a, zero, kind, low, high)
  return dequantized(op, quantized(op, a, op.constant(0.125, "f32"), zero, kind, low, high), op.constant(0.125, "f32"), zero)
end

cases("skip_integers", {
  { "i8", function(op, a) return both(op, a, op.constant(0, "i8"), "i8", -128, 127) end, { x }, "Multiply" },
  { "u8 with a zero point", function(op, a) return both(op, a, op.constant(117, "u8"), "u8", 0, 255) end, { x }, "Multiply" },
  { "without a zero point", function(op, a) return both(op, a, nil, "i16", -32768, 32767) end, { x }, "Multiply" },
  { "limits within the range", function(op, a) return both(op, a, nil, "i8", -7, 7) end, { x }, "Multiply" },
  { "a zero point for each channel", function(op, a)
    local zero = op.reshape(op.constant({ 3, 128, 250 }, "u8"), { 1, 3, 1, 1 }, false)
    return both(op, a, zero, "u8", 0, 255)
  end, { x }, "Multiply" },
  { "another reader of the integers", function(op, a)
    local q = quantized(op, a, op.constant(0.125, "f32"), op.constant(5, "i8"), "i8", -128, 127)
    return { q, dequantized(op, q, op.constant(0.125, "f32"), op.constant(5, "i8")) }
  end, { x }, "Multiply Convert Add" },
  { "behind a product", function(op, a)
    local w = op.constant(require("spec.support.support").random(2):tensor("f32", { 5, 3, 1, 1 }))
    return both(op, op.relu(op.convolution(a, w, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 })), op.constant(0, "i8"), "i8", -128, 127)
  end, { x }, "Convolution", bound = 0.02 }, -- a sum that lies between two steps may go either way
  { "limits of a wider type", function(op, a)
    return op.convert(op.convert(op.clamp(op.round(a, "half_to_even"), -20, 300), "i16"), "f32")
  end, { x }, "Round" },
  { "limits beyond the range of i8", function(op, a)
    return op.convert(op.convert(op.clamp(op.round(op.multiply(a, 10.0), "half_to_even"), -200, 127), "i8"), "f32")
  end, { x }, "Multiply Convert Convert" },
  { "fractions are cut off", function(op, a) return op.convert(op.convert(op.clamp(a, -20, 20), "i8"), "f32") end, { x }, "Clamp Convert Convert" },
  { "limits with fractions", function(op, a)
    return op.convert(op.convert(op.clamp(op.round(a, "half_to_even"), -1.5, 1.5), "i8"), "f32")
  end, { x }, "Round Convert Convert" },
})
