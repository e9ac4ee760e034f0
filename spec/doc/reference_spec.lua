-- The API reference has every function of the annotations.
local support = require("spec.support.support")

describe("the API reference", function()
  it("has a heading for each annotated function, and the op builder's factories", function()
    local meta = support.root .. "/lua/ovlite/meta.lua"
    local pipe = io.popen(("'%s' '%s/spec/doc/reference.lua' '%s'"):format(support.lua, support.root, meta))
    local text = pipe:read("*a")
    pipe:close()
    local missing = {}
    for line in io.lines(meta) do
      local name = line:match("^function [%w_.]-[.:]([%w_]+)%(")
      if name and not text:find("[.:]" .. name .. "%(") then missing[#missing + 1] = name end
    end
    assert.are.equal("", table.concat(missing, " "))
    for _, heading in ipairs({ "## ov.InferRequest", "### `ov.InferRequest:start_async(", "| `matmul` |" }) do
      assert.is_truthy(text:find(heading, 1, true), heading)
    end
  end)
end)
