-- Operators that have no factory function: Identity (of opset 16), Xor and Reverse (of the oldest opsets). Models bring them.
local support = require("spec.support.support")
local ov = require("ovlite")

local function port(id, shape, precision)
  local dims = {}
  for _, d in ipairs(shape) do dims[#dims + 1] = ("<dim>%d</dim>"):format(d) end
  return ('<port id="%d" precision="%s">%s</port>'):format(id, precision, table.concat(dims))
end

-- A model of one operator: inputs are {precision, type, shape}; the result is like the first of them.
local function model(layer, inputs)
  local layers, edges, ports = {}, {}, {}
  for i, input in ipairs(inputs) do
    layers[i] = ('<layer id="%d" name="x%d" type="Parameter" version="opset1"><data shape="%s" element_type="%s"/><output>%s</output></layer>'):format(
      i - 1, i, table.concat(input[3], ","), input[2], port(0, input[3], input[1]))
    edges[i] = ('<edge from-layer="%d" from-port="0" to-layer="%d" to-port="%d"/>'):format(i - 1, #inputs, i - 1)
    ports[i] = port(i - 1, input[3], input[1])
  end
  local n, out = #inputs, inputs[1]
  layers[n + 1] = ('<layer id="%d" name="y" %s<input>%s</input><output>%s</output></layer>'):format(n, layer, table.concat(ports), port(n, out[3], out[1]))
  layers[n + 2] = ('<layer id="%d" name="r" type="Result" version="opset1"><input>%s</input></layer>'):format(n + 1, port(0, out[3], out[1]))
  edges[n + 1] = ('<edge from-layer="%d" from-port="%d" to-layer="%d" to-port="0"/>'):format(n, n, n + 1)
  return ('<?xml version="1.0"?><net name="one" version="11"><layers>%s</layers><edges>%s</edges></net>'):format(table.concat(layers), table.concat(edges))
end

local function run(layer, inputs, tensors)
  local core = ov.Core()
  local compiled = core:compile_model(core:read_model({ model = model(layer, inputs), weights = "" }), "CPU")
  return compiled:create_infer_request():infer(tensors)[1]
end

describe("identity", function()
  it("gives its input", function()
    local x = ov.Tensor("f32", { 2, 2 }, { 1, 2, 3, 4 })
    support.close(run('type="Identity" version="opset16"><data/>', { { "FP32", "f32", { 2, 2 } } }, { x }), x)
  end)
end)

describe("Xor of opset 1", function()
  it("is LogicalXor", function()
    local a, b = ov.Tensor("boolean", { 3 }, { true, true, false }), ov.Tensor("boolean", { 3 }, { true, false, false })
    local like = { "BOOL", "boolean", { 3 } }
    assert.same({ false, true, false }, run('type="Xor" version="opset1"><data auto_broadcast="numpy"/>', { like, like }, { a, b }):flat())
  end)
end)

describe("Reverse", function()
  local x = ov.Tensor("f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 })
  it("by axes", function()
    local y = run('type="Reverse" version="opset1"><data mode="index"/>', { { "FP32", "f32", { 2, 3 } }, { "I64", "i64", { 1 } } }, { x, ov.Tensor("i64", { 1 }, { -1 }) })
    assert.same({ 3, 2, 1, 6, 5, 4 }, y:flat())
  end)
  it("by a mask", function()
    local y = run('type="Reverse" version="opset1"><data mode="mask"/>', { { "FP32", "f32", { 2, 3 } }, { "BOOL", "boolean", { 2 } } },
      { x, ov.Tensor("boolean", { 2 }, { true, false }) })
    assert.same({ 4, 5, 6, 1, 2, 3 }, y:flat())
  end)
end)
