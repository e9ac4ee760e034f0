-- Every operation of OpenVINO's opsets 1 to 15, in every version, is in the registry and among the golden data.
local support = require("spec.support.support")
local ov = require("ovlite")
local opsets = require("spec.golden.opsets")

local IR_NAMES = { Constant = "Const", PRelu = "PReLU", Relu = "ReLU", Softmax = "SoftMax" } -- where the files say it otherwise
local VERSIONS = { ["LogicalXor-1"] = 2 } -- where OpenVINO writes another opset
local WITHOUT = { -- no golden data, and why
  Multinomial = "OpenVINO's CPU draws from another generator than the operation's reference",
}

local function operations()
  local list = {}
  for n = 1, 15 do
    for name in opsets[n]:gmatch("%S+") do list[#list + 1] = { name, n } end
  end
  return list
end

-- name -> opset -> true, of every layer in every model
local function in_golden_data()
  local found = {}
  for _, family in ipairs({ "eltwise", "reduce", "move", "conv", "norm", "recurrent", "detection", "various", "types" }) do
    for key, t in pairs(ov.Tensor.load(("%s/spec/golden/%s.npz"):format(support.root, family))) do
      if key:find("/xml$") then
        for name, n in t:bytes():gmatch('<layer [^>]-type="(%w+)" version="opset(%d+)"') do
          found[name] = found[name] or {}
          found[name][tonumber(n)] = true
        end
      end
    end
  end
  return found
end

describe("OpenVINO's operations", function()
  local list = operations()

  it("are known in every version", function()
    local missing = {}
    for _, op in ipairs(list) do
      local there = false
      for _, mine in ipairs(require("ovlite_core").op_table()) do
        there = there or mine.name == op[1] and mine.since <= op[2] and (mine["until"] == 0 or mine["until"] >= op[2])
      end
      if not there then missing[#missing + 1] = op[1] .. "-" .. op[2] end
    end
    assert.same({}, missing)
    assert.is_true(#list > 200)
  end)

  it("have golden data in every version", function()
    if not support.exists(support.root .. "/spec/golden/types.npz") then return pending("skipped: spec/golden/types.npz is not there: make golden") end
    local found, missing = in_golden_data(), {}
    for _, op in ipairs(list) do
      local versions = found[IR_NAMES[op[1]] or op[1]] or {}
      if not versions[VERSIONS[op[1] .. "-" .. op[2]] or op[2]] and not WITHOUT[op[1]] then missing[#missing + 1] = op[1] .. "-" .. op[2] end
    end
    assert.same({}, missing)
  end)
end)
