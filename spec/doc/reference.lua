-- Writes the API reference from lua/ovlite/meta.lua (the same annotations that editors read) and the operator registry: make doc.
--   luajit spec/doc/reference.lua META.lua > reference.md
local ov = require("ovlite")

local function lines_of(path)
  local file = assert(io.open(path))
  local out = {}
  for line in file:lines() do out[#out + 1] = line end
  file:close()
  return out
end

-- "integer|nil the text" -> type, text: a type has no blanks outside of brackets.
local function type_and_text(s)
  local depth = 0
  for i = 1, #s do
    local c = s:sub(i, i)
    if c:find("[%(%[{<]") then depth = depth + 1 elseif c:find("[%)%]}>]") then depth = depth - 1 end
    local before, after = s:sub(i - 1, i - 1), s:sub(i + 1, i + 1)
    if c == " " and depth == 0 and not before:find("[,|:]") and not after:find("|") then return s:sub(1, i - 1), s:sub(i + 1) end
  end
  return s, ""
end

-- Blocks of annotations, each with the function or class that it stands above.
local function parse(lines)
  local classes, aliases, by_name, block = {}, {}, {}, { text = {}, params = {}, returns = {}, overloads = {} }
  local class
  local function fresh() block = { text = {}, params = {}, returns = {}, overloads = {} } end
  local function class_of(name)
    if not by_name[name] then
      by_name[name] = { name = name, text = {}, fields = {}, functions = {} }
      classes[#classes + 1] = by_name[name]
    end
    return by_name[name]
  end
  local locals = {}
  for _, line in ipairs(lines) do
    local tag, rest = line:match("^%-%-%-@(%w+)%s*(.*)$")
    if tag == "class" then
      class = class_of(rest:match("^([%w_.]+)"))
      class.text, block.text = block.text, {}
    elseif tag == "alias" then
      aliases[#aliases + 1] = { rest:match("^([%w_.]+)%s+(.*)$") }
    elseif tag == "field" and class then
      local name, what = rest:match("^(%[?[^%s]+)%s+(.*)$")
      local kind, text = type_and_text(what or "")
      class.fields[#class.fields + 1] = { name = name, type = kind, text = text }
    elseif tag == "param" then
      local name, what = rest:match("^(%S+)%s+(.*)$")
      local kind, text = type_and_text(what or "")
      block.params[#block.params + 1] = { name = name, type = kind, text = text }
    elseif tag == "return" then
      local kind, text = type_and_text(rest)
      block.returns[#block.returns + 1] = { type = kind, text = text }
    elseif tag == "overload" then
      block.overloads[#block.overloads + 1] = rest
    elseif line:find("^%-%-%-[^@]") or line == "---" then
      block.text[#block.text + 1] = (line:gsub("^%-%-%-%s?", ""))
    else
      local variable = line:match("^local ([%w_]+)%s*=")
      if variable and class then locals[variable] = class end
      local owner, sign, name, args = line:match("^function ([%w_.]-)([.:])([%w_]+)%((.-)%) end")
      if name then
        local target = locals[owner] or class_of(owner)
        block.name, block.sign, block.args = name, sign, args
        target.functions[#target.functions + 1] = block
      end
      fresh()
    end
  end
  return classes, aliases
end

local function cell(s) return (s:gsub("|", "\\|")) end

local function write_function(class, f)
  io.write(("### `%s%s%s(%s)`\n\n"):format(class.name, f.sign, f.name, f.args))
  if #f.text > 0 then io.write(table.concat(f.text, " "), "\n\n") end
  for _, o in ipairs(f.overloads) do io.write("also `", o, "`\n\n") end
  for _, p in ipairs(f.params) do io.write(("- `%s`: `%s`%s\n"):format(p.name, p.type, p.text ~= "" and ", " .. p.text:gsub("^%-%-%s*", "") or "")) end
  for _, r in ipairs(f.returns) do io.write(("- returns `%s`%s\n"):format(r.type, r.text ~= "" and ": " .. r.text:gsub("^%-%-%s*", "") or "")) end
  if #f.params + #f.returns > 0 then io.write("\n") end
end

local function write_class(class)
  io.write("## ", class.name, "\n\n")
  if #class.text > 0 then io.write(table.concat(class.text, " "), "\n\n") end
  if #class.fields > 0 then
    io.write("| property | type | |\n| --- | --- | --- |\n")
    for _, f in ipairs(class.fields) do io.write(("| `%s` | `%s` | %s |\n"):format(f.name, cell(f.type), cell((f.text:gsub("^%-%-%s*", ""))))) end
    io.write("\n")
  end
  for _, f in ipairs(class.functions) do write_function(class, f) end
end

-- Which opsets have a factory: "abs: 1 to 15".
local function write_operators()
  local first, last, names = {}, {}, {}
  for n = 1, 15 do
    for name, factory in pairs(ov["opset" .. n]) do
      if type(factory) == "function" then
        if not first[name] then first[name], names[#names + 1] = n, name end
        last[name] = n
      end
    end
  end
  table.sort(names)
  io.write("## Factories of the op builder\n\n| function | opsets |\n| --- | --- |\n")
  for _, name in ipairs(names) do io.write(("| `%s` | %d to %d |\n"):format(name, first[name], last[name])) end
end

local classes, aliases = parse(lines_of(arg[1]))
io.write("# ovlite ", ov.version, ": API reference\n\nMade by `make doc` from `lua/ovlite/meta.lua`. Positions count from 1; errors are raised as `file:line: ovlite: CODE: message`.\n\n")
io.write("## Types\n\n| name | is |\n| --- | --- |\n")
for _, a in ipairs(aliases) do io.write(("| `%s` | %s |\n"):format(a[1], cell(a[2]))) end
io.write("\n")
for _, class in ipairs(classes) do write_class(class) end
write_operators()
