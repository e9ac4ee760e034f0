-- ONNX operators newer than opset 17: the node tests of onnx's own reference in spec/golden/onnx-opset*.npz (make golden), one test per case, with a table of
-- who passes at the end (make conformance). The names of members are explained in spec/golden/make_onnx.py.
local support = require("spec.support.support")
local misses = require("spec.conformance.newer_misses")
local cases_of = require("spec.support.cases")

local unpack = table.unpack or unpack
local FIRST, LAST = 18, 40

local function load_all()
  local cases, names = {}, {}
  for opset = FIRST, LAST do
    local path = ("%s/spec/golden/onnx-opset%d.npz"):format(support.root, opset)
    if support.exists(path) then cases_of.read(path, cases) end
    for _, case in pairs(cases) do case.opset = case.opset or opset end
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
      local ok, why = pcall(cases_of.check, case.model, case.has_data and case or cases[name:gsub("_expanded.*", "")])
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
