-- What only a Transpose reads is written where the transposed view wants it: no copy between attention and the product behind it.
local ov = require("ovlite")
local support = require("spec.support.support")

local function heads(o, x, order)
  local q = o.transpose(o.reshape(x, { 2, 9, 3, 8 }, false), { 0, 2, 1, 3 })
  local y = o.scaled_dot_product_attention(q, q, q, false)
  return o.reshape(o.transpose(y, order), { 2, 9, 24 }, false)
end

local function reorders(build, x)
  local compiled, n = ov.compile_model(support.model(build, { x }), "CPU", { INFERENCE_PRECISION_HINT = "f32" }), 0
  for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
    if node.attributes.layerType == "Reorder" or node.type_name == "Reorder" then n = n + 1 end
  end
  return n
end

describe("attention whose heads are put side by side", function()
  for name, order in pairs({ ["back in place"] = { 0, 2, 1, 3 }, ["another order"] = { 2, 0, 1, 3 }, ["rows turned around"] = { 0, 2, 3, 1 } }) do
    it("agrees with the reference run: " .. name, function()
      local x = support.random(3):tensor("f32", { 2, 9, 24 }, -1, 1)
      local function build(o, p) return heads(o, p, order) end
      support.close(support.run(build, { x })[1], support.reference(build, { x })[1], 1e-5)
      support.close(support.run(build, { x }, nil, true)[1], support.reference(build, { x })[1], 1e-5)
    end)
  end

  it("is copied only where the last dimension moves", function()
    local x = support.random(4):tensor("f32", { 2, 9, 24 }, -1, 1)
    local straight = reorders(function(o, p) return o.relu(heads(o, p, { 0, 2, 1, 3 })) end, x)
    local turned = reorders(function(o, p) return o.relu(heads(o, p, { 0, 2, 3, 1 })) end, x)
    if os.getenv("OVLITE_ISA") ~= "scalar" then assert.are.equal(0, straight) end
    assert.is_true(turned >= 1)
  end)
end)
