-- Specs of passes: little graphs, what is left of them to be executed, and equal results.
--
--   local cases = require("spec.support.pass_cases")
--   cases("fuse_activations", {
--     { "x * sigmoid(x)", function(op, x) return op.multiply(x, op.sigmoid(x)) end, { cases.random("f32", { 2, 5 }) }, "Swish" },
--   })
--
-- A case is {name, build, inputs, steps [, bound = 1e-5]}: steps are the operators of the plan in their order, without copies (a word alone per
-- operator, "" for none); what became a post or a view is not among them. Each case runs with known shapes and with open ones, and is held against
-- the same graph of constants, which no pass but folding ever sees.
local support = require("spec.support.support")
local op_cases = require("spec.support.op_cases")
local pass_cases = { random = op_cases.random }

local function steps(compiled)
  local out = {}
  for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
    local kind = node.type_name == "ExecutionNode" and node.attributes.layerType
    if kind and kind ~= "Reorder" then out[#out + 1] = kind end
  end
  return table.concat(out, " ")
end

local function check(case, open)
  local ov, assert = require("ovlite"), require("luassert")
  local inputs = {}
  for i, make in ipairs(case[3]) do inputs[i] = make() end
  local want = support.reference(case[2], inputs)
  local compiled = ov.Core():compile_model(support.model(case[2], inputs, open), "CPU", { INFERENCE_PRECISION_HINT = "f32" })
  local got = {}
  for i, t in ipairs(compiled:create_infer_request():infer(inputs)) do got[i] = t end
  local which = open and "open dimensions" or "known shapes"
  assert.are.equal(#want, #got)
  for i, t in ipairs(want) do support.close(got[i], t, case.bound or 1e-5, which) end
  assert.are.equal(case[4], steps(compiled), which)
end

return setmetatable(pass_cases, {
  __call = function(_, name, cases)
    local busted = require("busted")
    busted.describe("pass " .. name, function()
      for _, case in ipairs(cases) do
        busted.it(case[1], function() check(case, false) end)
        busted.it(case[1] .. ", open dimensions", function() check(case, true) end)
      end
    end)
  end,
})
