-- ONNX in, IR out: every case of the newer operators saved as IR and read again gives the same answers; so do the reference models.
local support = require("spec.support.support")
local cases_of = require("spec.support.cases")
local misses = require("spec.conformance.newer_misses")
local ov = require("ovlite")

local INTERNAL = { "StringSplit", "StringConcat", "RegexFullMatch", "Optional", "Sequence", "SplitToSequence" } -- IR has no such operations

local folder = os.tmpname()
os.remove(folder)
local function saved(bytes)
  local model = ov.Core():read_model({ model = bytes })
  ov.save_model(model, folder .. "/m.xml", { compress_to_fp16 = false })
  return folder .. "/m.xml", model
end

local function is_internal(why)
  if why:find("gives a sequence", 1, true) then return ov.error_code(why) == "unsupported" end
  for _, name in ipairs(INTERNAL) do
    if why:find("(" .. name, 1, true) then return ov.error_code(why) == "unsupported" end
  end
  return false
end

describe("ONNX saved as IR", function()
  local cases, names = {}, {}
  for opset = 18, 40 do
    local path = ("%s/spec/golden/onnx-opset%d.npz"):format(support.root, opset)
    if support.exists(path) then cases_of.read(path, cases) end
  end
  for name in pairs(cases) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local case = cases[name]
    if not misses(name) then
      it(name, function()
        local ok, path = pcall(saved, case.model:bytes())
        if not ok and is_internal(tostring(path)) then return end
        assert.is_true(ok, tostring(path))
        cases_of.check(path, case.has_data and case or cases[name:gsub("_expanded.*", "")])
      end)
    end
  end

  it("reference models", function()
    local models, why = support.models()
    if not models or support.slow then return pending(why or "skipped: slow builds") end
    for _, m in ipairs(models) do
      local inputs, core = {}, ov.Core()
      for i, input in ipairs(m.case.inputs) do inputs[i] = ov.Tensor.load(m.folder .. "/" .. input.file) end
      local original = core:read_model(m.folder .. "/model.onnx")
      ov.save_model(original, folder .. "/m.xml", { compress_to_fp16 = false })
      local copy = core:read_model(folder .. "/m.xml")
      local want = core:compile_model(original, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request():infer(inputs)
      local got = core:compile_model(copy, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request():infer(inputs)
      assert.equal(#want, #got)
      for i = 1, #want do support.close(got[i], want[i], 1e-6, m.name) end
    end
  end)

  teardown(function() os.execute("rm -rf '" .. folder .. "'") end)
end)
