-- OpenVINO IR: what the reader makes of layers, names, versions, bodies and rt_info.
local ov = require("ovlite")
local support = require("spec.support.support")

local function port(id, dims, more)
  local out = {}
  for i, d in ipairs(dims) do out[i] = "<dim>" .. d .. "</dim>" end
  return ('<port id="%d" precision="FP32"%s>%s</port>'):format(id, more or "", table.concat(out))
end
local function layer(id, name, kind, data, ins, outs, opset, more)
  return ('<layer id="%d" name="%s" type="%s" version="%s">%s%s%s%s</layer>'):format(id, name, kind, opset or "opset1", data and "<data " .. data .. "/>" or "",
    #ins > 0 and "<input>" .. table.concat(ins) .. "</input>" or "", #outs > 0 and "<output>" .. table.concat(outs) .. "</output>" or "", more or "")
end
local function edge(a, p, b, q) return ('<edge from-layer="%d" from-port="%d" to-layer="%d" to-port="%d"/>'):format(a, p, b, q) end
local function net(layers, edges, more, version)
  return ('<?xml version="1.0"?>\n<net name="net" version="%d"><layers>%s</layers><edges>%s</edges>%s</net>'):format(version or 11, table.concat(layers), table.concat(edges),
    more or "")
end
local function read(xml, weights) return ov.Core():read_model({ model = xml, weights = weights or "" }) end
local function infer(model, inputs)
  local results, out = ov.Core():compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request():infer(inputs), {}
  for i, t in ipairs(results) do out[i] = t:totable() end
  return out
end

local x = layer(0, "x", "Parameter", 'shape="2" element_type="f32"', {}, { port(0, { 2 }, ' names="x,a\\,b"') })
local function relu(id) return layer(id, "act", "ReLU", nil, { port(0, { 2 }) }, { port(1, { 2 }, ' names="y"') }) end
local function result(id) return layer(id, "out", "Result", nil, { port(0, { 2 }) }, {}) end

describe("reading IR", function()
  it("names inputs and outputs, with escaped commas", function()
    local m = read(net({ x, relu(1), result(2) }, { edge(0, 0, 1, 0), edge(1, 1, 2, 0) }))
    assert.same({ "a,b", "x" }, m.inputs[1].names)
    assert.same({ "y" }, m.outputs[1].names)
    assert.same({ { 0, 3 } }, infer(m, { { -1, 3 } }))
  end)

  it("does not need layers in any order, and keeps that of inputs and outputs", function()
    local second = layer(7, "b", "Parameter", 'shape="2" element_type="f32"', {}, { port(0, { 2 }, ' names="b"') })
    local sub = layer(5, "sub", "Subtract", nil, { port(0, { 2 }), port(1, { 2 }) }, { port(2, { 2 }, ' names="d"') })
    local m = read(net({ result(9), sub, second, x, layer(3, "out2", "Result", nil, { port(0, { 2 }) }, {}) },
      { edge(5, 2, 3, 0), edge(0, 0, 5, 1), edge(7, 0, 5, 0), edge(7, 0, 9, 0) }))
    assert.same({ "b", "a,b" }, { m.inputs[1].any_name, m.inputs[2].any_name })
    assert.same({ { 10, 20 }, { 9, 18 } }, infer(m, { { 10, 20 }, { 1, 2 } }))
  end)

  it("takes open dimensions and ranges of a Parameter", function()
    local open = layer(0, "x", "Parameter", 'shape="?,1..4,3" element_type="f16"', {}, { port(0, { -1, -1, 3 }, ' names="x"') })
    local m = read(net({ open, result(2) }, { edge(0, 0, 2, 0) }))
    assert.same({ -1, { 1, 4 }, 3 }, m.inputs[1].partial_shape)
    assert.equal("f16", m.inputs[1].element_type)
    assert.is_true(m:is_dynamic())
  end)

  it("gives names to what version 10 has none for", function()
    local bare = layer(0, "data", "Parameter", 'shape="2" element_type="f32"', {}, { port(0, { 2 }) })
    local act = layer(1, "act", "ReLU", nil, { port(0, { 2 }) }, { port(1, { 2 }) })
    local m = read(net({ bare, act, result(2) }, { edge(0, 0, 1, 0), edge(1, 1, 2, 0) }, nil, 10))
    assert.equal("data", m.inputs[1].any_name)
    assert.equal("act", m.outputs[1].any_name)
  end)

  it("reads constants from the weights, at any offset", function()
    local bytes = "\1" .. ov.Tensor("f32", { 2 }, { 10, 20 }):bytes() .. ov.Tensor("f32", { 2 }, { 1, 2 }):bytes()
    for _, offset in ipairs({ 1, 9 }) do
      local c = layer(1, "w", "Const", ('element_type="f32" shape="2" offset="%d" size="8"'):format(offset), {}, { port(0, { 2 }) })
      local m = read(net({ x, c, layer(2, "sum", "Add", nil, { port(0, { 2 }), port(1, { 2 }) }, { port(2, { 2 }) }), result(3) },
        { edge(0, 0, 2, 0), edge(1, 0, 2, 1), edge(2, 2, 3, 0) }), bytes)
      assert.same({ offset == 1 and { 10, 20 } or { 1, 2 } }, infer(m, { { 0, 0 } }))
    end
  end)

  it("takes the version of an operator that the file names", function()
    -- Softmax of opset 1 knows no negative axis
    local function soft(opset) return layer(1, "s", "SoftMax", 'axis="-1"', { port(0, { 2 }) }, { port(1, { 2 }) }, opset) end
    local edges = { edge(0, 0, 1, 0), edge(1, 1, 2, 0) }
    read(net({ x, soft("opset8"), result(2) }, edges))
    support.broken(function() read(net({ x, layer(1, "s", "Mish", nil, { port(0, { 2 }) }, { port(1, { 2 }) }, "opset1"), result(2) }, edges)) end, "unsupported")
  end)

  it("refuses what opset 16 added where that changes the answer", function()
    local function pool(extra)
      local img = layer(0, "x", "Parameter", 'shape="1,1,4,4" element_type="f32"', {}, { port(0, { 1, 1, 4, 4 }) })
      local p = layer(1, "p", "AvgPool", 'kernel="2,2" strides="1,1" pads_begin="0,0" pads_end="0,0" exclude-pad="true" ' .. extra, { port(0, { 1, 1, 4, 4 }) },
        { port(1, { 1, 1, 3, 3 }) }, "opset16")
      return net({ img, p, result(2) }, { edge(0, 0, 1, 0), edge(1, 1, 2, 0) })
    end
    read(pool('dilations="1, 1"'))
    support.broken(function() read(pool('dilations="2, 2"')) end, "unsupported")
  end)

  it("flattens rt_info into metadata", function()
    local m = read(net({ x, relu(1), result(2) }, { edge(0, 0, 1, 0), edge(1, 1, 2, 0) },
      '<rt_info><MO_version value="1"/><conversion_parameters><framework value="onnx"/></conversion_parameters><info name="a b" value="c"/></rt_info>'))
    assert.same({ MO_version = "1", ["conversion_parameters/framework"] = "onnx", ["a b"] = "c" }, m.metadata)
  end)

  it("runs the bodies of If", function()
    local flag = layer(1, "c", "Parameter", 'shape="" element_type="boolean"', {}, { '<port id="0" precision="BOOL" names="c"/>' })
    local function body(kind)
      return "<layers>" .. layer(0, "t", "Parameter", 'shape="2" element_type="f32"', {}, { port(0, { 2 }) }) .. layer(1, "f", kind, nil, { port(0, { 2 }) }, { port(1, { 2 }) }) ..
        result(2) .. "</layers><edges>" .. edge(0, 0, 1, 0) .. edge(1, 1, 2, 0) .. "</edges>"
    end
    local map = '<input external_port_id="1" internal_layer_id="0"/><output external_port_id="2" internal_layer_id="2"/>'
    local branch = layer(2, "if", "If", nil, { '<port id="0" precision="BOOL"/>', port(1, { 2 }) }, { port(2, { 2 }) }, "opset8",
      ("<then_port_map>%s</then_port_map><else_port_map>%s</else_port_map><then_body>%s</then_body><else_body>%s</else_body>"):format(map, map, body("ReLU"), body("Negative")))
    local m = read(net({ x, flag, branch, result(3) }, { edge(0, 0, 2, 1), edge(1, 0, 2, 0), edge(2, 2, 3, 0) }))
    assert.same({ { 0, 2 } }, infer(m, { x = { -1, 2 }, c = ov.Tensor("boolean", {}, { true }) }))
    assert.same({ { 1, -2 } }, infer(m, { x = { -1, 2 }, c = ov.Tensor("boolean", {}, { false }) }))
  end)

  it("runs a TensorIterator with slices, a back edge and joined outputs", function()
    local state = layer(1, "h", "Parameter", 'shape="1" element_type="f32"', {}, { port(0, { 1 }, ' names="h"') })
    local body = "<layers>" .. layer(0, "part", "Parameter", 'shape="1" element_type="f32"', {}, { port(0, { 1 }) }) ..
      layer(1, "sum", "Parameter", 'shape="1" element_type="f32"', {}, { port(0, { 1 }) }) ..
      layer(2, "add", "Add", nil, { port(0, { 1 }), port(1, { 1 }) }, { port(2, { 1 }) }) .. result(3) .. layer(4, "out2", "Result", nil, { port(0, { 1 }) }, {}) ..
      "</layers><edges>" .. edge(0, 0, 2, 0) .. edge(1, 0, 2, 1) .. edge(2, 2, 3, 0) .. edge(2, 2, 4, 0) .. "</edges>"
    local ti = layer(2, "ti", "TensorIterator", nil, { port(0, { 3 }), port(1, { 1 }) }, { port(2, { 1 }, ' names="last"'), port(3, { 3 }, ' names="all"') }, "opset1",
      '<port_map><input external_port_id="0" internal_layer_id="0" axis="0" start="0" end="-1" stride="1" part_size="1"/><input external_port_id="1" internal_layer_id="1"/>' ..
      '<output external_port_id="2" internal_layer_id="3"/><output external_port_id="3" internal_layer_id="4" axis="0" start="0" end="-1" stride="1" part_size="1"/></port_map>' ..
      '<back_edges><edge from-layer="3" to-layer="1"/></back_edges><body>' .. body .. "</body>")
    local three = layer(0, "x", "Parameter", 'shape="3" element_type="f32"', {}, { port(0, { 3 }, ' names="x"') })
    local m = read(net({ three, state, ti, layer(3, "r1", "Result", nil, { port(0, { 1 }) }, {}), layer(4, "r2", "Result", nil, { port(0, { 3 }) }, {}) },
      { edge(0, 0, 2, 0), edge(1, 0, 2, 1), edge(2, 2, 3, 0), edge(2, 3, 4, 0) }))
    assert.same({ { 106 }, { 101, 103, 106 } }, infer(m, { x = { 1, 2, 3 }, h = { 100 } }))
  end)
end)
