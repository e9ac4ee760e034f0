-- The list of operations in the README is what the registry says.
local support = require("spec.support.support")
local readme_table = require("spec.doc.readme_table")

-- name -> {versions, types, kernels}
local function rows_of(text)
  local rows = {}
  for name, versions, types, kernels in text:gmatch("| (%w+) | ([^|]*) | ([^|]*) | ([^|]*) |\n") do rows[name] = { versions, types, kernels } end
  return rows
end

describe("the README's list of operations", function()
  local listed, known = rows_of(assert(readme_table.read(support.root .. "/README.md"), "the README has no list")), rows_of(readme_table.make())

  it("has every operation with its versions and types (make doc writes it anew)", function()
    for name, row in pairs(known) do
      assert.is_truthy(listed[name], name .. " is missing")
      assert.same({ row[1], row[2] }, { listed[name][1], listed[name][2] }, name)
    end
    for name in pairs(listed) do assert.is_truthy(known[name], name .. " is no operation") end
  end)

  it("names no kernel that is not there", function()
    if jit and jit.arch ~= "x64" then return pending("skipped: kernels differ on this processor") end
    for name, row in pairs(listed) do
      for kernel in row[3]:gmatch("([%w_]+):?[^;]*") do
        assert.is_truthy(known[name][3]:find(kernel, 1, true), name .. " has no kernel " .. kernel .. ": make doc")
      end
    end
  end)
end)
