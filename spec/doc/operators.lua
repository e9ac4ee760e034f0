-- The operations that this build has, from its registry, as a Markdown table: which opsets each version serves, its inputs and attributes.
--   luajit spec/doc/operators.lua > operators.md
local list = require("ovlite_core").op_list()
local rows = {}
for _, op in ipairs(list) do rows[#rows + 1] = op end
table.sort(rows, function(a, b)
  if a.name ~= b.name then return a.name < b.name end
  return a.since < b.since
end)

local ends = {} -- name-since -> the last opset before the next version
local function opsets_of(op)
  local last = op["until"] > 0 and op["until"] or ends[op.name .. "-" .. op.since]
  return last == op.since and tostring(last) or op.since .. (last and "-" .. last or "+")
end
for i, op in ipairs(rows) do
  local after = rows[i + 1]
  if after and after.name == op.name then ends[op.name .. "-" .. op.since] = after.since - 1 end
end

local function inputs_of(op)
  local number = op.max < 0 and op.min .. " or more" or op.min == op.max and tostring(op.min) or op.min .. " to " .. op.max
  return op.inputs ~= "" and number .. ": " .. op.inputs:gsub(" ", ", ") or number
end

local function attributes_of(op)
  local out = {}
  for i, a in ipairs(op.attributes) do out[i] = a.name .. (a.required and "*" or "") end
  return table.concat(out, ", ")
end

io.write("| operation | opsets | inputs | attributes (* required) |\n| --- | --- | --- | --- |\n")
local names, count = {}, 0
for _, op in ipairs(rows) do
  if not names[op.name] then names[op.name], count = true, count + 1 end
  io.write(("| %s | %s | %s | %s |\n"):format(op.name, opsets_of(op), inputs_of(op), attributes_of(op)))
end
io.write(("\n%d operations in %d versions.\n"):format(count, #rows))
