-- The list of operations in the README, between its two marks: versions, element types of the first input, kernels.
--   luajit spec/doc/readme_table.lua README.md        writes it anew (make doc)
--   require("spec.doc.readme_table")                  {make = fn() -> text, read = fn(path) -> text or nil}
local BEGIN, END = "<!-- operations -->\n", "<!-- end of operations -->\n"
local table_of = {}

local GROUPS = { -- in this order; a group stands for all of its types
  { "f", "f32 f16 bf16 f64" }, { "i", "i8 i16 i32 i64" }, { "u", "u8 u16 u32 u64" }, { "b", "boolean" }, { "p", "i2 i4 u1 u2 u4" },
  { "s", "f8e4m3 f8e5m2 f8e4m3fnuz f8e5m2fnuz f8e8m0 f4e2m1" }, { "t", "string" },
}

local function types_of(list)
  local has, out = {}, {}
  for _, t in ipairs(list) do has[t] = true end
  for _, group in ipairs(GROUPS) do
    local some, all = {}, true
    for t in group[2]:gmatch("%S+") do
      if has[t] then some[#some + 1] = t else all = false end
    end
    if all then out[#out + 1] = group[1] elseif #some > 0 then out[#out + 1] = table.concat(some, " ") end
  end
  return table.concat(out, " ")
end

-- "conv_avx512", "conv_avx2", "gather" -> "conv: avx2 avx512; gather"
local function kernels_of(list)
  local levels, names = {}, {}
  for i = #list, 1, -1 do
    local name, level = list[i]:match("^(.-)_(avx.*)$")
    if not name then name, level = list[i]:match("^(.-)_(onednn)$") end
    name = name or list[i]
    if not levels[name] then
      levels[name] = {}
      names[#names + 1] = name
    end
    levels[name][#levels[name] + 1] = level
  end
  table.sort(names)
  for i, name in ipairs(names) do names[i] = #levels[name] > 0 and name .. ": " .. table.concat(levels[name], " ") or name end
  return table.concat(names, "; ")
end

function table_of.make()
  local rows, names, out = {}, {}, {}
  for _, op in ipairs(require("ovlite_core").op_table()) do
    if not rows[op.name] then
      rows[op.name] = {}
      names[#names + 1] = op.name
    end
    table.insert(rows[op.name], op)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local versions, list = {}, rows[name]
    table.sort(list, function(a, b) return a.since < b.since end)
    for i, op in ipairs(list) do versions[i] = tostring(op.since) end
    local last = list[#list]
    out[#out + 1] = ("| %s | %s | %s | %s |\n"):format(name, table.concat(versions, ", "), types_of(last.types), kernels_of(last.kernels))
  end
  return "| operation | since opset | types | kernels |\n| --- | --- | --- | --- |\n" .. table.concat(out)
end

local function parts(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  local a, b = text:find(BEGIN, 1, true)
  local c = b and text:find(END, b, true)
  if c then return text:sub(1, b), text:sub(b + 1, c - 1), text:sub(c), a end
end

function table_of.read(path) return (select(2, parts(path))) end

function table_of.write(path)
  local before, _, after = parts(path)
  assert(before, path .. " has no marks for the list of operations")
  local file = assert(io.open(path, "wb"))
  file:write(before, table_of.make(), after)
  file:close()
end

if arg and arg[0] and arg[0]:find("readme_table.lua$") then table_of.write(arg[1]) end
return table_of
