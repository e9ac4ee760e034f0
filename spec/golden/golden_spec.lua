-- Operations of OpenVINO's opsets against OpenVINO's own outputs: every case of the .npz files beside this one, which make_golden.py writes (make golden).
-- A case is read from memory, compiled and run, once with its shapes known and once, where the file has it, with all dimensions of its inputs open.
local support = require("spec.support.support")
local ov = require("ovlite")

local FAMILIES = { "eltwise", "reduce", "move", "conv", "norm", "recurrent", "detection", "various", "types" }
local BOUND = 1e-4

-- Cases that do not give OpenVINO's answer yet: name -> reason.
local PENDING = {
}

local function cases_of(path)
  local cases, names = {}, {}
  for key, t in pairs(ov.Tensor.load(path)) do
    local name, member = key:match("^(.*)/([^/]+)$")
    if not cases[name] then
      cases[name] = { inputs = {}, wants = {} }
      names[#names + 1] = name
    end
    local case, list, i = cases[name], member:match("^(%a+)_(%d+)$")
    if list then
      (list == "in" and case.inputs or case.wants)[tonumber(i) + 1] = t
    else
      case[member] = t
    end
  end
  table.sort(names)
  return cases, names
end

local FLOAT = { f32 = true, f16 = true, bf16 = true, f64 = true }

local function check(case, xml, what)
  local model = ov.Core():read_model({ model = xml:bytes(), weights = case.bin:bytes() })
  local request = ov.Core():compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request()
  local inputs = {}
  for i, t in ipairs(case.inputs) do inputs[i] = t end
  local results = request:infer(inputs)
  if #results ~= #case.wants then error(("%s: %d outputs, want %d"):format(what, #results, #case.wants), 2) end
  for i, want in ipairs(case.wants) do
    local got = results[i]
    if got.element_type ~= want.element_type then error(("%s: output %d is %s, want %s"):format(what, i, got.element_type, want.element_type), 2) end
    local bound = not FLOAT[want.element_type] and 0 or case.bound and case.bound:flat()[1] or BOUND
    support.close(got, want, bound, ("%s, output %d"):format(what, i))
  end
end

for _, family in ipairs(FAMILIES) do
  describe("golden " .. family, function()
    local path = support.root .. "/spec/golden/" .. family .. ".npz"
    if not support.exists(path) then return pending("skipped: " .. path .. " is not there: make golden") end
    local cases, names = cases_of(path)
    for _, name in ipairs(names) do
      it(name, function()
        if PENDING[name] then return pending(PENDING[name]) end
        check(cases[name], cases[name].xml, "known shapes")
        if cases[name].open then check(cases[name], cases[name].open, "open shapes") end
      end)
    end
  end)
end
