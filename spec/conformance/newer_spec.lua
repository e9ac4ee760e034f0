-- ONNX operators newer than opset 17: the node tests of onnx's own reference in spec/golden/onnx-opset*.npz (make golden), one test per case, with a table of
-- who passes at the end (make conformance). The names of members are explained in spec/golden/make_onnx.py.
local support = require("spec.support.support")
local ov = require("ovlite")
local misses = require("spec.conformance.newer_misses")
local matches = require("spec.conformance.matches")

local unpack = table.unpack or unpack
local FIRST, LAST = 18, 40

local function shape_of(text)
  local shape = {}
  for d in text:gmatch("%d+") do shape[#shape + 1] = tonumber(d) end
  return shape
end

-- "0", "0.n", "0.1.2" -> where it belongs in the tree of values: lists of tensors.
local function put(values, path, t)
  local at, key = values, nil
  for part in path:gmatch("[^.]+") do
    if part == "n" then
      at[key] = at[key] or {}
      return
    end
    if key then
      at[key] = at[key] or {}
      at = at[key]
    end
    key = tonumber(part) + 1
  end
  at[key] = t
end

local function cases_of(path, cases, opset)
  for key, t in pairs(ov.Tensor.load(path)) do
    local name, member = key:match("^([^/]+)/(.+)$")
    local case = cases[name] or { name = name, opset = opset, inputs = {}, wants = {} }
    cases[name] = case
    local list, where, element_type, shape = member:match("^(%a+)_(%S+) ?(%w*) ?([%d,]*)$")
    if list then
      case.has_data = true
      if element_type ~= "" then t = { element_type, shape, t } end -- made when it is run: not every type is one of ovlite's
      put(list == "in" and case.inputs or case.wants, where, t)
    else
      case[member] = t
    end
  end
end

local function made(v)
  if type(v) ~= "table" then return v end
  if type(v[1]) == "string" then return ov.Tensor(v[1], shape_of(v[2]), v[3]:bytes()) end
  local list = {}
  for i, element in ipairs(v) do list[i] = made(element) end
  return list
end

local function check(case, data)
  local core = ov.Core()
  local model = core:read_model({ model = case.model:bytes() })
  local request = core:compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request()
  local inputs = {}
  for i = 1, #model.inputs do
    inputs[i] = made(data.inputs[i])
  end
  local results = request:infer(inputs)
  for i = 1, #model.outputs do
    local got, want = results[i], made(data.wants[i])
    if want then matches(i, got, want) end
  end
end

local function load_all()
  local cases, names = {}, {}
  for opset = FIRST, LAST do
    local path = ("%s/spec/golden/onnx-opset%d.npz"):format(support.root, opset)
    if support.exists(path) then cases_of(path, cases, opset) end
  end
  for name in pairs(cases) do names[#names + 1] = name end
  table.sort(names)
  return cases, names
end

describe("ONNX operators newer than opset 17", function()
  local cases, names = load_all()
  if #names == 0 then return pending("skipped: spec/golden/onnx-opset18.npz and newer are not there: make golden") end
  local rows = {} -- by opset: cases, ovlite, OpenVINO, ONNX Runtime, either, either but not ovlite
  for _, name in ipairs(names) do
    it(name, function()
      local case = cases[name]
      local ok, why = pcall(check, case, case.has_data and case or cases[name:gsub("_expanded.*", "")])
      local peers, row = case.peers:flat(), rows[case.opset] or { 0, 0, 0, 0, 0, 0 }
      local either = peers[1] or peers[2]
      rows[case.opset] = row
      for i, yes in ipairs({ true, ok, peers[1], peers[2], either, either and not ok }) do row[i] = row[i] + (yes and 1 or 0) end
      local miss, by_chance = misses(name)
      if by_chance then return end
      if miss then
        assert.is_false(ok, name .. " is listed as a miss, but passes")
      else
        assert.is_true(ok, tostring(why))
      end
    end)
  end
  teardown(function()
    if not os.getenv("OVLITE_CONFORMANCE_TABLE") then return end
    local total = { 0, 0, 0, 0, 0, 0 }
    local form = "%8s %6s %7s %9s %12s %7s %s\n"
    io.write(form:format("opset", "cases", "ovlite", "OpenVINO", "ONNX Runtime", "either", "either alone"))
    for opset = FIRST, LAST do
      local row = rows[opset]
      if row then
        io.write(form:format(opset, unpack(row)))
        for i, n in ipairs(row) do total[i] = total[i] + n end
      end
    end
    io.write(form:format("all", unpack(total)))
  end)
end)
