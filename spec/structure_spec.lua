-- The house's rules that a compiler does not know: who includes whom, who takes memory, what core/ never calls.
local support = require("spec.support.support")

-- Folder -> folders it may include from. ops.h stands for the headers of core/ops (an operator's parameters).
local SEES = {
  base = {},
  tensor = { "base" },
  image = { "base", "tensor" },
  graph = { "base", "tensor" },
  ops = { "base", "tensor", "graph" },
  read = { "base", "tensor", "graph" },
  passes = { "base", "tensor", "graph", "ops" },
  kernels = { "base", "tensor", "ops" },
  plan = { "base", "tensor", "graph", "kernels", "ops", "passes" },
  run = { "base", "tensor", "kernels", "plan" },
}
-- What must not be seen even through another header. An operator's parameters are made of graph/attr.h's value types: that one may be.
local NEVER = { run = "graph", kernels = "graph" }
local VALUES = "core/graph/attr.h"

local function lines_of(command)
  local out, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do out[#out + 1] = line end
  pipe:close()
  return out
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- Without comments and the contents of strings, so that words in them do not count.
local function code_of(text)
  text = text:gsub("/%*.-%*/", function(c) return (c:gsub("[^\n]", "")) end):gsub("//[^\n]*", "")
  return (text:gsub("\\.", "  "):gsub('"[^"\n]*"', '""'))
end

local function includes(path)
  local out = {}
  for name in (read(path):gsub("/%*.-%*/", "")):gmatch('#%s*include%s*"([^"]+)"') do out[#out + 1] = name end
  return out
end

local core = lines_of(("cd %s && find core -name '*.[ch]' | sort"):format(support.root))
local bindings = lines_of(("cd %s && find bindings -name '*.[ch]' | sort"):format(support.root))
local function at(path) return support.root .. "/" .. path end

-- "core/kernels/conv.h" -> "kernels"; files right in core/ give nil.
local function folder_of(path) return path:match("^core/([^/]+)/") end

-- The file that an include means, as a path from the root; nil for generated headers.
local function resolve(from, name)
  for _, path in ipairs({ "core/" .. name, from:match("^(.*/)") .. name }) do
    if support.exists(at(path)) then return path end
  end
end

-- run/ defines what the public header declares of requests, so it may see that one file above it.
local function may(from, to, header)
  if from == to or (from == "run" and header == "core/ovlite.h") then return true end
  for _, f in ipairs(SEES[from] or {}) do if f == to then return true end end
  return false
end

-- The chain of includes from `path` to a header of `folder`, as text, or nil.
local function chain_to(path, folder, seen)
  if seen[path] then return nil end
  seen[path] = true
  for _, name in ipairs(includes(at(path))) do
    local header = resolve(path, name)
    if header and header ~= VALUES then
      if folder_of(header) == folder then return header end
      local further = chain_to(header, folder, seen)
      if further then return header .. " -> " .. further end
    end
  end
end

local function expect_none(found, what)
  if #found > 0 then error(what .. ":\n  " .. table.concat(found, "\n  "), 2) end
end

describe("the house", function()
  it("has folders that are known to this spec", function()
    local found = {}
    for _, path in ipairs(core) do
      local folder = folder_of(path)
      if folder and not SEES[folder] then found[#found + 1] = path end
    end
    expect_none(found, "files in folders without a rule")
  end)

  it("includes one way", function()
    local found = {}
    for _, path in ipairs(core) do
      local folder = folder_of(path)
      for _, name in ipairs(folder and includes(at(path)) or {}) do
        local header = resolve(path, name)
        local generated = not header and folder == "read" and name == "onnx.pb-c.h"
        if not generated and not (header and may(folder, folder_of(header), header)) then found[#found + 1] = path .. " includes " .. name end
      end
    end
    expect_none(found, "includes against the direction")
  end)

  it("hides the graph from kernels and from run, also behind other headers", function()
    local found = {}
    for _, path in ipairs(core) do
      local never = NEVER[folder_of(path)]
      local chain = never and chain_to(path, never, {})
      if chain then found[#found + 1] = path .. " -> " .. chain end
    end
    expect_none(found, "the graph is seen")
  end)

  it("shows bindings nothing but ovlite.h", function()
    local found = {}
    for _, path in ipairs(bindings) do
      for _, name in ipairs(includes(at(path))) do
        if name ~= "ovlite.h" and not support.exists(at("bindings/" .. name)) then found[#found + 1] = path .. " includes " .. name end
      end
    end
    expect_none(found, "bindings look inside")
    for _, name in ipairs(includes(at("core/ovlite.h"))) do
      local folder = folder_of("core/" .. name)
      if folder ~= "base" and folder ~= "tensor" and folder ~= "image" then found[#found + 1] = name end
    end
    expect_none(found, "ovlite.h includes more than the headers of statuses, types, shapes, tensors and pictures")
  end)

  local function calls(names, where)
    local found = {}
    for _, path in ipairs(core) do
      if path ~= where then
        local number = 0
        for line in (code_of(read(at(path))) .. "\n"):gmatch("(.-)\n") do
          number = number + 1
          for name in (" " .. line):gmatch("[^%w_%.>]([%a_][%w_]*)%s*%(") do
            if names[name] then found[#found + 1] = ("%s:%d calls %s"):format(path, number, name) end
          end
        end
      end
    end
    return found
  end

  it("takes memory in base/memory.c only", function()
    local names = { malloc = true, calloc = true, realloc = true, free = true, posix_memalign = true, aligned_alloc = true, strdup = true, strndup = true,
      memalign = true, asprintf = true, vasprintf = true }
    expect_none(calls(names, "core/base/memory.c"), "memory taken elsewhere")
  end)

  it("never ends the process and prints only through the log", function()
    expect_none(calls({ abort = true, exit = true, _exit = true, assert = true }), "core ends the process")
    expect_none(calls({ printf = true, puts = true, fprintf = true, perror = true, fputs = true }, "core/base/log.c"), "core prints")
  end)

  it("knows no Lua in core", function()
    local found = {}
    for _, path in ipairs(core) do
      if read(at(path)):find('#%s*include%s*[<"]lua') or read(at(path)):find('#%s*include%s*[<"]lauxlib') then found[#found + 1] = path end
    end
    expect_none(found, "Lua in core")
  end)

  it("mentions every operator in a spec of spec/ops", function()
    local specs, found = {}, {}
    for _, path in ipairs(lines_of(("find %s/spec/ops -name '*.lua' 2>/dev/null"):format(support.root))) do
      specs[#specs + 1] = path:match("([^/]+)$") .. "\n" .. read(path)
    end
    specs = table.concat(specs, "\n")
    for _, path in ipairs(core) do
      local name = path:match("^core/ops/([^/]+)%.c$")
      if name and read(at(path)):find("ovl_ops_" .. name, 1, true) and not (" " .. specs):find("%f[%w]" .. name .. "%f[^%w]") then found[#found + 1] = name end
    end
    expect_none(found, "operators without a spec")
  end)
end)
