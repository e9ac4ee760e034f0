-- PrePostProcessor against OpenVINO's own results: every case of preprocess.npz, which make_preprocess.py writes (make golden). A case is a list of calls on a
-- PrePostProcessor of y = -x; inputs' shapes are compared, and the output of a run on the processor's best instructions and on the plain reference.
local ov = require("ovlite")
local json = require("spec.support.json")
local support = require("spec.support.support")
local op = ov.opset13
local unpack = table.unpack or unpack

local function model(case)
  local x = op.parameter(case.shape, case.type, "x")
  local y = op.negative(x)
  y:output(1):set_names({ "y" })
  return ov.Model({ y }, { x }, "golden")
end

local PARTS = {
  tensor = function(ppp) return ppp:input():tensor() end, preprocess = function(ppp) return ppp:input():preprocess() end,
  model = function(ppp) return ppp:input():model() end, output_tensor = function(ppp) return ppp:output():tensor() end,
  postprocess = function(ppp) return ppp:output():postprocess() end, output_model = function(ppp) return ppp:output():model() end,
}

-- What a case does, as a name for it: "1,3,5,4 f32: set_element_type u8, ...".
local function title(case)
  local out = {}
  for i, call in ipairs(case.calls) do
    local words = {}
    for k = 2, #call do words[#words + 1] = type(call[k]) == "table" and "{" .. table.concat(call[k], ",") .. "}" or tostring(call[k]) end
    out[i] = table.concat(words, " ")
  end
  return ("%s %s: %s"):format(case.name, table.concat(case.shape, ","), table.concat(out, ", "))
end

local function worst(got, want)
  local a, b, most = got:astype("f64"):flat(), want:astype("f64"):flat(), 0
  for i = 1, #b do
    if a[i] ~= b[i] then most = math.max(most, math.abs(a[i] - b[i])) end
  end
  return most
end

local function built(case)
  local ppp = ov.preprocess.PrePostProcessor(model(case))
  for _, call in ipairs(case.calls) do
    local object = PARTS[call[1]](ppp)
    object[call[2]](object, unpack(call, 3))
  end
  return ppp:build()
end

-- The same graph of constants: folded by the operators' plain runs.
local function reference(m, inputs)
  local clone = m:clone()
  for i, node in ipairs(clone.parameters) do require("ovlite_core").replace_output(node, op.constant(inputs[i])) end
  return ov.compile_model(ov.Model(clone.results, {}, "reference"))({})[1]
end

local function check(case, tensors)
  local m, inputs = built(case), {}
  for i, shape in ipairs(case.shapes) do
    assert.are.same(shape, m:input(i).partial_shape)
    inputs[i] = tensors[("%s/in_%d"):format(case.name, i - 1)]
  end
  local want = tensors[case.name .. "/out"]
  for way, got in pairs({ compiled = ov.compile_model(m, "CPU", { INFERENCE_PRECISION_HINT = "f32" })(inputs)[1], reference = reference(m, inputs) }) do
    assert.are.equal(want.element_type, got.element_type)
    assert.are.same(want.shape, got.shape)
    local d = worst(got, want)
    if not (d <= case.bound) then error(("%s: difference %.4g, bound %.4g"):format(way, d, case.bound), 0) end
  end
end

describe("golden preprocessing", function()
  local path = support.root .. "/spec/golden/preprocess.npz"
  if not support.exists(path) then return pending("skipped: " .. path .. " is not there: make golden") end
  local tensors = ov.Tensor.load(path)
  for _, case in ipairs(json.parse(tensors.cases:bytes())) do
    it(title(case), function() check(case, tensors) end)
  end
end)
