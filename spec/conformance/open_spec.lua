-- Both conformance suites again with every dimension of every input open: shapes are inferred as far as they go, and planned when a run brings them.
local support = require("spec.support.support")
local suite = require("spec.support.suite")
local cases_of = require("spec.support.cases")
local open_model = require("spec.support.open_model")
local misses = require("spec.conformance.misses")
local newer_misses = require("spec.conformance.newer_misses")

-- What needs a size to be known, by pattern of the name: it is refused with code "unsupported".
local NEEDS = {
  { "^test_affine_grid", "whether the grid is of two or three dimensions" },
  { "^test_averagepool_2d_dilations$", "padding that depends on the size" },
  { "^test_averagepool_3d_dilations_small", "padding that depends on the size" },
  { "^test_convtranspose_autopad_same$", "the size of the kernel" }, { "^test_convtranspose_kernel_shape", "the size of the kernel" },
  { "^test_convtranspose_output_shape", "the size of the kernel" }, { "^test_convtranspose_with_kernel", "the size of the kernel" },
  { "^test_det_", "the size of the matrix" },
  { "^test_dft", "whether the last dimension is 1 or 2" }, { "^test_stft", "whether the last dimension is 1 or 2" },
  { "^test_lstm_with_peepholes", "the number of steps" },
  { "^test_maxunpool", "sizes, for the places that the indices mean" },
  { "^test_scan_sum", "that the batch is 1" },
}

local function needed(name)
  for _, need in ipairs(NEEDS) do
    if name:find(need[1]) and not name:find("_expanded") then return need[2] end
  end
end

local function try(name, fn)
  it(name, function()
    local ok, why = pcall(fn)
    if needed(name) then
      assert.is_false(ok, name .. " is listed as one that needs sizes, but passes")
      assert.equal("unsupported", require("ovlite").error_code(why))
    else
      assert.is_true(ok, tostring(why))
    end
  end)
end

describe("ONNX conformance suite, open dimensions", function()
  local list = suite.folders()
  if #list == 0 then return pending("skipped: " .. suite.root .. " is not there (Debian: libonnx-testdata)") end
  for _, folder in ipairs(list) do
    local name = folder:match("([^/]+)$")
    if not misses(name) then try(name, function() suite.check(folder, open_model) end) end
  end
end)

describe("ONNX operators newer than opset 17, open dimensions", function()
  local cases, names = {}, {}
  for opset = 18, 40 do
    local path = ("%s/spec/golden/onnx-opset%d.npz"):format(support.root, opset)
    if support.exists(path) then cases_of.read(path, cases) end
  end
  for name in pairs(cases) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local case = cases[name]
    if not newer_misses(name) then
      try(name, function() cases_of.check(open_model(case.model:bytes()), case.has_data and case or cases[name:gsub("_expanded.*", "")]) end)
    end
  end
end)
