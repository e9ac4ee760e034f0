-- Coverage: each of the 370 observed facts about OpenVINO is named by a spec ("B123", "B120 to B125"), or listed here with the reason why it has none.
local support = require("spec.support.support")
local FACTS = 370

local python = "a fact about Python's own types; Lua has nothing in its place"
local one_thread = "one Lua state runs on one thread: no second thread can call infer or look meanwhile"
local NONE = {
  [7] = "the page's list of calls that are allowed while busy: ovlite's own list is B141 to B150",
  [8] = "the page's rule for callbacks is ovlite's: B180 names it for a cancel",
  [31] = python, [41] = python, [42] = python, [123] = python, [337] = python,
  [114] = one_thread, [152] = one_thread, [178] = one_thread,
  [290] = "two inputs of one name keep it; a lookup by that name finds the first",
  [333] = "reading a file's bytes is io.open's work in Lua",
}

local function named_facts()
  local named = {}
  local pipe = io.popen(("find '%s/spec' -name '*_spec.lua'"):format(support.root))
  for path in pipe:lines() do
    if not path:find("behaviours_spec", 1, true) then
      local file = assert(io.open(path))
      local text = file:read("*a")
      file:close()
      for first, last in text:gmatch("B(%d%d%d) to B(%d%d%d)") do
        for i = tonumber(first), tonumber(last) do named[i] = true end
      end
      for one in text:gmatch("B(%d%d%d)") do named[tonumber(one)] = true end
    end
  end
  pipe:close()
  return named
end

describe("observed behaviours", function()
  local named = named_facts()

  it("are each named by a spec, or listed with a reason", function()
    local missing = {}
    for i = 1, FACTS do
      if not named[i] and not NONE[i] then missing[#missing + 1] = ("B%03d"):format(i) end
    end
    assert.are.equal("", table.concat(missing, " "))
  end)

  it("are not both named and listed as having no spec", function()
    local twice = {}
    for i in pairs(NONE) do
      if named[i] and i ~= 7 and i ~= 8 then twice[#twice + 1] = ("B%03d"):format(i) end
    end
    assert.are.equal("", table.concat(twice, " "))
  end)
end)
