-- sequence: ONNX's sequences and optionals whose lengths are known when the model runs. A script gives and gets lists of tensors.
local ov = require("ovlite")
local onnx = require("spec.support.onnx")
local support = require("spec.support.support")
local bytes, number = onnx.bytes, onnx.number

local TENSOR = bytes(1, number(1, 1)) -- TypeProto of f32 tensors
local function sequence_of(kind) return bytes(4, bytes(1, kind)) end
local function optional_of(kind) return bytes(9, bytes(1, kind)) end
local SEQ = sequence_of(TENSOR)

-- Nodes on inputs and outputs {name, TypeProto}.
local function request(nodes, inputs, outputs, opset)
  local body = bytes(2, "graph")
  for _, n in ipairs(nodes) do body = bytes(1, n) .. body end
  for _, v in ipairs(inputs) do body = body .. bytes(11, bytes(1, v[1]) .. bytes(2, v[2])) end
  for _, v in ipairs(outputs) do body = body .. bytes(12, bytes(1, v[1]) .. bytes(2, v[2])) end
  local model = number(1, 8) .. bytes(2, "spec") .. bytes(7, body) .. bytes(8, bytes(1, "") .. number(2, opset or 17))
  return ov.Core():compile_model(ov.Core():read_model({ model = model }), "CPU"):create_infer_request()
end
local function f32(...) return ov.Tensor("f32", { select("#", ...) }, { ... }) end
local function plain(value)
  if type(value) ~= "table" then return value:totable() end
  local out = {}
  for i, v in ipairs(value) do out[i] = plain(v) end
  return out
end
local function position(v) return ov.Tensor("i64", {}, { v }) end
local I64 = bytes(1, number(1, 7) .. bytes(2, ""))
local node = onnx.node

describe("sequence", function()
  local a, b, c = f32(1, 2), f32(3), f32(4, 5, 6)

  it("inserts, erases and picks", function()
    local r = request({ node("SequenceInsert", { "s", "x", "i" }, { "y" }) }, { { "s", SEQ }, { "x", TENSOR }, { "i", I64 } }, { { "y", SEQ } })
    assert.same({ { 4, 5, 6 }, { 1, 2 }, { 3 } }, plain(r:infer({ { a, b }, c, position(0) })[1]))
    assert.same({ { 1, 2 }, { 4, 5, 6 }, { 3 } }, plain(r:infer({ { a, b }, c, position(-1) })[1]))
    assert.same({ { 4, 5, 6 } }, plain(r:infer({ {}, c, position(0) })[1]))
    support.broken(function() r:infer({ { a }, c, position(2) }) end, "argument")
    r = request({ node("SequenceErase", { "s", "i" }, { "y" }) }, { { "s", SEQ }, { "i", I64 } }, { { "y", SEQ } })
    assert.same({ { 1, 2 } }, plain(r:infer({ { a, b }, position(1) })[1]))
    r = request({ node("SequenceAt", { "s", "i" }, { "y" }) }, { { "s", SEQ }, { "i", I64 } }, { { "y", TENSOR } })
    assert.same({ 3 }, plain(r:infer({ { a, b }, position(-1) })[1]))
    assert.same({ 1, 2 }, plain(r:infer({ { a, b }, position(0) })[1]))
    support.broken(function() r:infer({ {}, position(0) }) end, "argument")
  end)

  it("tells its length, and joins", function()
    local r = request({ node("SequenceLength", { "s" }, { "n" }) }, { { "s", SEQ } }, { { "n", I64 } })
    assert.same({ 2 }, r:infer({ { a, b } })[1]:flat())
    assert.same({ 0 }, r:infer({ {} })[1]:flat())
    r = request({ node("ConcatFromSequence", { "s" }, { "y" }, { axis = 0 }) }, { { "s", SEQ } }, { { "y", TENSOR } })
    assert.same({ 1, 2, 3, 4, 5, 6 }, plain(r:infer({ { a, b, c } })[1]))
    r = request({ node("ConcatFromSequence", { "s" }, { "y" }, { axis = 1, new_axis = 1 }) }, { { "s", SEQ } }, { { "y", TENSOR } })
    assert.same({ { 1, 7 }, { 2, 8 } }, plain(r:infer({ { a, f32(7, 8) } })[1]))
    support.broken(function() r:infer({ { a, b } }) end, "shape")
  end)

  it("splits by lengths that the run brings", function()
    local function split(length_type, attributes)
      local inputs = { { "x", TENSOR } }
      if length_type then inputs[2] = { "n", length_type } end
      return request({ node("SplitToSequence", { "x", length_type and "n" or nil }, { "y" }, attributes) }, inputs, { { "y", SEQ } })
    end
    local x = ov.Tensor("f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 })
    local MATRIX = bytes(1, number(1, 1) .. bytes(2, bytes(1, "") .. bytes(1, "")))
    TENSOR, MATRIX = MATRIX, TENSOR
    local r, list = split(I64, { axis = 1 }), split(bytes(1, number(1, 7) .. bytes(2, bytes(1, ""))), { axis = 1 })
    TENSOR = MATRIX
    assert.same({ { { 1, 2 }, { 4, 5 } }, { { 3 }, { 6 } } }, plain(r:infer({ x, position(2) })[1]))
    assert.same({ { { 1 }, { 4 } }, { { 2, 3 }, { 5, 6 } } }, plain(list:infer({ x, ov.Tensor("i64", { 2 }, { 1, 2 }) })[1]))
    support.broken(function() r:infer({ x, position(0) }) end, "argument")
    support.broken(function() list:infer({ x, ov.Tensor("i64", { 2 }, { 1, 1 }) }) end, "shape")
    support.broken(function() list:infer({ x, ov.Tensor("i64", { 2 }, { 4, -1 }) }) end, "shape")
  end)

  it("computes with what was in it, and leaves the script's tensors alone", function()
    local r = request({ node("SequenceAt", { "s", "i" }, { "e" }), node("Add", { "e", "e" }, { "d" }), node("SequenceInsert", { "s", "d" }, { "y" }) },
      { { "s", SEQ }, { "i", I64 } }, { { "y", SEQ } })
    local mine = f32(1, 2)
    local got = r:infer({ { mine }, position(0) })[1]
    assert.same({ { 1, 2 }, { 2, 4 } }, plain(got))
    got[1]:fill(9)
    assert.same({ 1, 2 }, plain(mine))
  end)

  it("holds optionals as lists of none or one", function()
    local r = request({ node("OptionalHasElement", { "o" }, { "y" }) }, { { "o", optional_of(TENSOR) } }, { { "y", bytes(1, number(1, 9)) } }, 15)
    assert.same({ 1, 0 }, { r:infer({ { a } })[1]:get() and 1 or 0, #r:infer({ {} })[1]:flat() - 1 })
    r = request({ node("OptionalGetElement", { "o" }, { "y" }) }, { { "o", optional_of(SEQ) } }, { { "y", SEQ } }, 15)
    assert.same({ { 1, 2 }, { 3 } }, plain(r:infer({ { { a, b } } })[1]))
    support.broken(function() r:infer({ {} }) end, "argument")
    support.broken(function() r:infer({ { { a }, { b } } }) end, "shape")
  end)

  it("is refused where a tensor is wanted", function()
    support.broken(function() request({ node("Relu", { "s" }, { "y" }) }, { { "s", SEQ } }, { { "y", TENSOR } }) end, "type")
    support.broken(function() ov.Tensor("sequence", { 1 }) end, "argument")
    local r = request({ node("OptionalGetElement", { "o" }, { "e" }), node("Relu", { "e" }, { "y" }) }, { { "o", optional_of(SEQ) } }, { { "y", TENSOR } }, 15)
    support.broken(function() r:infer({ { { a } } }) end, "type")
    r = request({ node("SequenceLength", { "s" }, { "n" }) }, { { "s", SEQ } }, { { "n", I64 } })
    support.broken(function() r:infer({ { 1, 2 } }) end, "type")
  end)
end)
