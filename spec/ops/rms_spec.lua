-- rms: x / sqrt(mean(x * x) + epsilon) * gamma over the last dimension; made by the pass that knows its pattern, at every instruction set against plain Lua.
local ov = require("ovlite")
local support = require("spec.support.support")
local op = ov.opset13

local function compiled_of(n, gamma)
  local x = op.parameter({ -1, n }, "f32", "x")
  local mean = op.reduce_mean(op.power(x, 2), { -1 }, true)
  local y = op.multiply(op.divide(x, op.sqrt(op.add(mean, 1e-5))), gamma)
  return ov.compile_model(ov.Model({ y }, { x }))
end

describe("rms", function()
  for _, n in ipairs({ 1, 7, 16, 33, 200 }) do
    it(("over %d elements"):format(n), function()
      local random = support.random(n)
      local gamma, x = random:tensor("f32", { n }, 0.5, 1.5), random:tensor("f32", { 3, n }, -2, 2)
      local compiled = compiled_of(n, op.constant(gamma))
      local got, rows, scale = compiled(x)[1]:totable(), x:totable(), gamma:flat()
      for i, row in ipairs(rows) do
        local sum = 0
        for _, v in ipairs(row) do sum = sum + v * v end
        local by = 1 / math.sqrt(sum / n + 1e-5)
        for k, v in ipairs(row) do assert.is_true(math.abs(got[i][k] - v * by * scale[k]) < 1e-5) end
      end
      local types = {}
      for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do types[node.attributes.layerType or node.type_name] = true end
      assert.is_true(types.RMS, "the pattern was not found")
    end)
  end
end)
