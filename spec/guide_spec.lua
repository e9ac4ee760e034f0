-- The programs of the guides: the Lua blocks of a page are one program, and so are the Python blocks. Each `--> text` behind a print is what it prints.
local support = require("spec.support.support")

local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- Blocks of a language in order: {code, info}; info is what stands behind the language ("needs=luv").
local function blocks(page, language)
  local out = {}
  for info, code in ("\n" .. slurp(page)):gmatch("\n```" .. language .. "([^\n]*)\n(.-)\n```") do out[#out + 1] = { code = code, info = info } end
  return out
end

local function expected(code, mark)
  local out = {}
  for text in code:gmatch(mark .. "> ([^\n]*)") do out[#out + 1] = text end
  return out
end

local function shell(command)
  local out = os.tmpname()
  local status = io.popen(("cd '%s' && %s >'%s' 2>&1; echo $?"):format(support.root, command, out))
  local code = tonumber(status:read("*a"):match("(%d+)%s*$"))
  status:close()
  local said = slurp(out)
  os.remove(out)
  return code, said
end

-- What was printed, line by line, holds what was promised, in the same order; nothing is promised that is not printed.
local function check(said, promised)
  local at = 1
  for line in said:gmatch("[^\n]*") do
    if promised[at] == line then at = at + 1 end
  end
  if at <= #promised then error(("expected the line\n  %s\nof:\n%s"):format(promised[at], said), 0) end
end

local function have(module) return (pcall(require, module)) end

local function program(list)
  local code, skipped = {}, {}
  for _, block in ipairs(list) do
    local need = block.info:match("needs=(%S+)")
    if not need or have(need) then code[#code + 1] = block.code else skipped[#skipped + 1] = need end
  end
  return table.concat(code, "\n"), skipped
end

local function run_page(name)
  local page = support.root .. "/examples/guide/" .. name
  local code = program(blocks(page, "lua"))
  local path = os.tmpname()
  write(path, code)
  local status, said = shell(("timeout 120 '%s' %s"):format(support.lua, path))
  os.remove(path)
  assert.are.equal(0, status, said)
  local promised = expected(code, "%-%-")
  assert.is_true(#promised > 5)
  check(said, promised)
end

describe("the guide", function()
  it("from OpenVINO: what stands in Lua runs and prints what it says", function() run_page("from_openvino.md") end)

  it("from OpenVINO: what stands in Python runs and prints what it says", function()
    local python = support.root .. "/build/venv/bin/python"
    local status = os.execute("'" .. python .. "' -c 'import openvino' >/dev/null 2>&1")
    support.need(status == 0 or status == true, "skipped: no OpenVINO in build/venv (make compare sets it up)")
    local code = program(blocks(support.root .. "/examples/guide/from_openvino.md", "python"))
    local path = os.tmpname()
    write(path, code)
    local result, said = shell(("timeout 120 '%s' %s"):format(python, path))
    os.remove(path)
    assert.are.equal(0, result, said)
    check(said, expected(code, "#%-%-"))
  end)

  it("pairs each Python block with a Lua block", function()
    local page = support.root .. "/examples/guide/from_openvino.md"
    assert.are.equal(#blocks(page, "python"), #blocks(page, "lua"))
  end)

  it("for pipelines runs and prints what it says", function() run_page("pipelines.md") end)
end)
