-- bit_cast, and cum_prod: operators that ONNX alone has.
local ov = require("ovlite")
local onnx = require("spec.support.onnx")
local support = require("spec.support.support")

local function request(node, inputs, outputs, opset)
  local model = onnx.model({ nodes = { node }, inputs = inputs, outputs = outputs, opset = opset })
  return ov.Core():compile_model(ov.Core():read_model({ model = model }), "CPU"):create_infer_request()
end

describe("bit_cast", function()
  local function cast(t, number)
    return request(onnx.node("BitCast", { "x" }, { "y" }, { to = number }), { { "x", { "n" }, t.element_type } }, { { "y" } }, 26):infer({ t })[1]
  end

  it("reads the same bits as another type", function()
    local y = cast(ov.Tensor("f32", { 3 }, { 1, -0.0, -2.5 }), 6)
    assert.equal("i32", y.element_type)
    assert.same({ 0x3f800000, -2147483648, -1071644672 }, y:flat())
    assert.same({ 255, 128, 1 }, cast(ov.Tensor("i8", { 3 }, { -1, -128, 1 }), 2):flat())
    assert.same({ 1, 0 }, cast(ov.Tensor("boolean", { 2 }, { true, false }), 2):flat())
  end)

  it("refuses a type of another size, or without bits", function()
    support.broken(function() cast(ov.Tensor("f32", { 1 }, { 1 }), 7) end, "type")
    support.broken(function() cast(ov.Tensor("f32", { 1 }, { 1 }), 8) end, "type")
  end)
end)

describe("cum_prod", function()
  local function product(t, axis, attributes)
    local ports = { { "x", { "a", "b" }, t.element_type }, { "axis", {}, "i64" } }
    local r = request(onnx.node("CumProd", { "x", "axis" }, { "y" }, attributes), ports, { { "y" } }, 26)
    return r:infer({ t, ov.Tensor("i64", {}, { axis }) })[1]:flat()
  end
  local t = ov.Tensor("f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 })

  it("multiplies along an axis that is known in the run only", function()
    assert.same({ 1, 2, 6, 4, 20, 120 }, product(t, 1))
    assert.same({ 1, 2, 3, 4, 10, 18 }, product(t, -2))
    assert.same({ 1, 1, 2, 1, 4, 20 }, product(t, 1, { exclusive = 1 }))
    assert.same({ 6, 6, 3, 120, 30, 6 }, product(t, 1, { reverse = 1 }))
    assert.same({ 2, -4 }, product(ov.Tensor("i32", { 1, 2 }, { 2, -2 }), 1))
  end)

  it("checks the axis", function() support.broken(function() product(t, 2) end, "argument") end)
end)
