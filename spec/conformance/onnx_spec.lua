-- The ONNX conformance suite: Debian's package libonnx-testdata, one test per model, with a table per operator at the end (make conformance).
local misses = require("spec.conformance.misses")
local suite = require("spec.support.suite")

local function operator_of(name) -- "test_reduce_mean_keepdims" -> "reduce": a rough grouping for the table
  return name:match("^test_([%a%d]+)") or name
end

describe("ONNX conformance suite", function()
  local list = suite.folders()
  if #list == 0 then return pending("skipped: " .. suite.root .. " is not there (Debian: libonnx-testdata)") end
  local table_of, passed = {}, 0
  for _, folder in ipairs(list) do
    local name = folder:match("([^/]+)$")
    it(name, function()
      local ok, why = pcall(suite.check, folder)
      local row = table_of[operator_of(name)] or { 0, 0 }
      table_of[operator_of(name)] = row
      row[1], row[2], passed = row[1] + (ok and 1 or 0), row[2] + 1, passed + (ok and 1 or 0)
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
    local names = {}
    for name in pairs(table_of) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do io.write(("%-28s %3d of %3d\n"):format(name, table_of[name][1], table_of[name][2])) end
    io.write(("conformance: %d of %d pass\n"):format(passed, #list))
  end)
end)
