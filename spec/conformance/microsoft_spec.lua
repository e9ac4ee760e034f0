-- ONNX Runtime's own operators (domain com.microsoft) against its answers: every case of spec/golden/onnx-microsoft.npz (make golden), once with known shapes
-- and once with all dimensions open.
local support = require("spec.support.support")
local cases_of = require("spec.support.cases")

describe("ONNX Runtime's own operators", function()
  local path, cases, names = support.root .. "/spec/golden/onnx-microsoft.npz", {}, {}
  if not support.exists(path) then return pending("skipped: spec/golden/onnx-microsoft.npz is not there: make golden") end
  cases_of.read(path, cases)
  for name in pairs(cases) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    it(name, function()
      local case = cases[name]
      cases_of.check(case.model, case)
      cases_of.check(case.open, case)
    end)
  end
end)
