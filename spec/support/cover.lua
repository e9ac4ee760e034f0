-- What `make cover` prints: lines reached by folder, and the files with the most lines that are not. luajit spec/support/cover.lua build/cover
local build = arg[1]
local pipe = assert(io.popen(("find %s -name '*.gcda' | sort"):format(build)))
local objects = {}
for path in pipe:lines() do objects[#objects + 1] = path end
pipe:close()
if #objects == 0 then
  io.stderr:write("cover: there are no figures in ", build, "; run make cover\n")
  os.exit(1)
end

-- gcov tells a source for every object that includes it: a header's figures are those of the object that reached most of it.
local files = {}
for _, object in ipairs(objects) do
  local gcov = assert(io.popen(("gcov -n '%s' 2>/dev/null"):format(object)))
  local source
  for line in gcov:lines() do
    source = line:match("^File '(.*)'$") or source
    local percent, lines = line:match("^Lines executed:([%d%.]+)%% of (%d+)$")
    if percent and source and (source:find("^core/") or source:find("^bindings/")) then
      local reached = math.floor(percent * lines / 100 + 0.5)
      local known = files[source]
      if not known or reached > known.reached then files[source] = { name = source, lines = tonumber(lines), reached = reached } end
    end
    if percent then source = nil end
  end
  gcov:close()
end

local folders, list = {}, {}
for name, f in pairs(files) do
  local folder = name:match("^(core/[^/]+)/") or name:match("^([^/]+)/")
  folders[folder] = folders[folder] or { name = folder, lines = 0, reached = 0 }
  for _, sum in ipairs({ folders[folder], folders }) do
    sum.lines, sum.reached = (sum.lines or 0) + f.lines, (sum.reached or 0) + f.reached
  end
  list[#list + 1] = f
end

local function tell(f) print(("%7d of %7d  %5.1f %%  %s"):format(f.reached, f.lines, 100 * f.reached / f.lines, f.name)) end
local names = {}
for name, f in pairs(folders) do
  if type(f) == "table" then names[#names + 1] = name end
end
table.sort(names)
print("lines reached, by folder")
for _, name in ipairs(names) do tell(folders[name]) end
tell({ reached = folders.reached, lines = folders.lines, name = "all" })
table.sort(list, function(a, b)
  if a.lines - a.reached ~= b.lines - b.reached then return a.lines - a.reached > b.lines - b.reached end
  return a.name < b.name
end)
print("files with the most lines that are not reached")
for i = 1, math.min(20, #list) do tell(list[i]) end
