-- ReadValue and Assign: what is kept from one run to the next.
local support = require("spec.support.support")
local ov = require("ovlite")
local op = ov.opset13

-- y = x + state; state = y
local function accumulator(opset, shape, initial)
  local x = op.parameter(shape, "f32", "x")
  local read = opset == 3 and ov.opset3.read_value(initial(x), "sum") or op.read_value(initial and initial(x), "sum", "f32", shape)
  local y = op.add(read, x)
  return ov.Core():compile_model(ov.Model({ y, (opset == 3 and ov.opset3 or op).assign(y, "sum") }, { x }))
end

local function steps(request, x, wants)
  for _, want in ipairs(wants) do
    request:infer({ x })
    support.close(request:get_output_tensor(1), want)
  end
end

describe("state", function()
  local x = ov.Tensor("f32", { 1, 2 }, { 1, 10 })
  for _, opset in ipairs({ 3, 13 }) do
    it("begins with its initial value, opset " .. opset, function()
      local request = accumulator(opset, { 1, 2 }, function() return op.constant({ { 5, 5 } }, "f32") end):create_infer_request()
      steps(request, x, { ov.Tensor("f32", { 1, 2 }, { 6, 15 }), ov.Tensor("f32", { 1, 2 }, { 7, 25 }) })
    end)
  end
  it("begins with zeros when there is none", function()
    local request = accumulator(13, { 1, 2 }):create_infer_request()
    steps(request, x, { x, ov.Tensor("f32", { 1, 2 }, { 2, 20 }) })
  end)
  it("may have open dimensions", function()
    local request = accumulator(13, { -1, 2 }, function(p) return p end):create_infer_request()
    steps(request, x, { ov.Tensor("f32", { 1, 2 }, { 2, 20 }), ov.Tensor("f32", { 1, 2 }, { 3, 30 }) })
  end)
  it("belongs to the request", function()
    local compiled = accumulator(13, { 1, 2 })
    local a, b = compiled:create_infer_request(), compiled:create_infer_request()
    a:infer({ x })
    steps(b, x, { x })
    steps(a, x, { ov.Tensor("f32", { 1, 2 }, { 2, 20 }) })
  end)
  it("needs an id, and a value that fits", function()
    local p = op.parameter({ 1, 2 }, "f32")
    support.broken(function() return op.read_value(p, "", "f32", { 1, 2 }) end, "argument")
    support.broken(function() return op.read_value(p, "v", "f32", { 1, 3 }) end, "shape")
    support.broken(function() return op.read_value(p, "v", "i32", { 1, 2 }) end, "type")
  end)
end)
