-- The reference models end to end: ONNX and IR, at each ISA level, with one and two threads, one by one and through an AsyncInferQueue, at f32.
local support = require("spec.support.support")

local BOUND = { ppocr_det = 1e-3 }
local function levels()
  if support.slow then return { "native" } end
  local out, have = { "native" }, table.concat(support.isas(), " ")
  if have:find("avx512", 1, true) then out[#out + 1] = "avx2" end
  if have:find("avx2", 1, true) then out[#out + 1] = "scalar" end
  return out
end

local function check(model, file, isa)
  local bound, lines = BOUND[model.name] or 1e-4, 0
  local report = support.child({ isa = isa ~= "native" and isa or nil, seconds = 600 }, function(...)
    return require("spec.support.reference_model")(...)
  end, model.folder, file, support.slow and 1 or 2)
  for threads, way, output, difference in report:gmatch("(%d+) (%a+) (%d+) ([^\n]+)") do
    lines = lines + 1
    assert.is_true(tonumber(difference) <= bound, ("%s threads, %s, output %s: difference %s, bound %g"):format(threads, way, output, difference, bound))
  end
  assert.is_true(lines > 0, report)
end

describe("reference models", function()
  local models, why = support.models()
  if not models then return pending(why) end
  for _, model in ipairs(models) do
    for _, file in ipairs(model.files) do
      for _, isa in ipairs(levels()) do
        it(("%s/%s (%s)"):format(model.name, file, isa), function() check(model, file, isa) end)
      end
    end
  end
end)
