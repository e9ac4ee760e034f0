-- execution_node: what get_runtime_model() is made of. It tells steps, kernels, precisions and layouts, in order, and cannot be run.
local ov = require("ovlite")
local support = require("spec.support.support")
local op = ov.opset13

describe("execution_node", function()
  it("tells what runs: a convolution with its bias and activation is one step", function()
    local x = op.parameter({ 1, 3, 8, 8 }, "f32", "x")
    local w = op.constant(support.random(1):tensor("f32", { 16, 3, 3, 3 }))
    local conv = op.convolution(x, w, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
    local y = op.relu(op.add(conv, op.constant(support.random(2):tensor("f32", { 1, 16, 1, 1 }))))
    y:set_friendly_name("last")
    local compiled = ov.compile_model(ov.Model({ y }, { x }))
    local found, orders = nil, {}
    for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
      if node.type_name == "ExecutionNode" then
        local a = node.attributes
        orders[#orders + 1] = a.execOrder
        assert.is_string(a.execType)
        assert.is_string(a.outputLayouts)
        if a.layerType == "Convolution" then found = a end
      end
    end
    assert.is_truthy(found)
    assert.are.equal("f32", found.runtimePrecision)
    assert.is_truthy(found.originalLayersNames:find("last", 1, true))
    table.sort(orders)
    for i, order in ipairs(orders) do assert.are.equal(i - 1, order) end
    support.broken(function() ov.compile_model(compiled:get_runtime_model()):create_infer_request():infer() end, "unsupported")
  end)
end)
