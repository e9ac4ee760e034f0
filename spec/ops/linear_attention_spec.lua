-- linear_attention: what the reference of onnx says is in spec/golden; here is what an eye can check, and what must be refused.
local ov = require("ovlite")
local onnx = require("spec.support.onnx")
local support = require("spec.support.support")

local SHAPE = { "b", "t", "n" }
local NAMES = { "q", "k", "v", "s", "g", "r" }

-- inputs: tensors by name
local function infer(rule, inputs)
  local names, ports, list = {}, {}, {}
  for i, name in ipairs(NAMES) do
    names[i] = inputs[name] and name or ""
    if inputs[name] then
      ports[#ports + 1] = { name, name == "s" and { "b", "h", "m", "n" } or SHAPE }
      list[#list + 1] = inputs[name]
    end
  end
  local node = onnx.node("LinearAttention", names, { "y", "state" }, { q_num_heads = 1, kv_num_heads = 1, update_rule = rule, scale = 0.5 })
  local model = ov.Core():read_model({ model = onnx.model({ nodes = { node }, inputs = ports, outputs = { { "y" }, { "state" } }, opset = 27 }) })
  return ov.Core():compile_model(model, "CPU"):create_infer_request():infer(list)
end

local function row(...) return ov.Tensor("f32", { 1, select("#", ...), 1 }, { ... }) end

describe("linear_attention", function()
  it("sums keys times values", function()
    local out = infer("linear", { q = row(1, 1, 2), k = row(1, 2, 3), v = row(1, 1, 1) })
    assert.same({ 0.5, 1.5, 6 }, out[1]:flat()) -- states 1, 3, 6
    assert.same({ 6 }, out[2]:flat())
    assert.same({ 1, 1, 1, 1 }, out[2].shape)
  end)

  it("goes on from a state, forgets, and corrects", function()
    local state = ov.Tensor("f32", { 1, 1, 1, 1 }, { 4 })
    assert.same({ 2.5 }, infer("linear", { q = row(1), k = row(1), v = row(1), s = state })[1]:flat())
    local out = infer("gated", { q = row(1), k = row(1), v = row(1), s = state, g = row(math.log(0.5)) })
    support.close(out[2], ov.Tensor("f32", { 1, 1, 1, 1 }, { 3 }), 1e-6)
    out = infer("delta", { q = row(1), k = row(1), v = row(1), s = state, r = row(0.5) })
    support.close(out[2], ov.Tensor("f32", { 1, 1, 1, 1 }, { 2.5 }), 1e-6) -- half way from 4 to 1
  end)

  it("refuses inputs that do not fit", function()
    support.broken(function() infer("gated", { q = row(1), k = row(1), v = row(1) }) end, "parse")
    support.broken(function() infer("linear", { q = row(1, 2), k = row(1), v = row(1, 2) }) end, "shape")
    support.broken(function() infer("linear", { q = row(1), k = row(1), v = row(1), s = ov.Tensor("f32", { 1, 1, 1, 2 }, { 1, 2 }) }) end, "shape")
    support.broken(function() infer("gated", { q = row(1, 1), k = row(1, 1), v = row(1, 1), g = row(1) }) end, "shape")
  end)
end)
