--- What a person sees: progress on stderr, tables on stdout, sizes and times in fitting units.
local terminal = {}
local ffi = require("ffi")
ffi.cdef("int isatty(int);")

local live, shown = ffi.C.isatty(2) == 1, 0
local WIDTH = 30

--- A bar, drawn over itself, on a terminal only. `note` follows it.
function terminal.progress(done, note)
  if not live then return end
  done = math.max(0, math.min(1, done))
  local full = math.floor(WIDTH * done)
  local line = ("[%s%s] %3.0f %%  %s"):format(("#"):rep(full), (" "):rep(WIDTH - full), done * 100, note or "")
  io.stderr:write("\r", line, (" "):rep(math.max(0, shown - #line)))
  shown = #line
end

--- Says what takes a while.
function terminal.status(text) terminal.progress(0, text) end

function terminal.clear()
  if shown > 0 then io.stderr:write("\r", (" "):rep(shown), "\r") end
  shown = 0
end

local UNITS = { "B", "kB", "MB", "GB" }
function terminal.bytes(n)
  local unit = 1
  while n >= 1000 and unit < #UNITS do n, unit = n / 1000, unit + 1 end
  return (unit == 1 and "%d %s" or n < 10 and "%.2f %s" or "%.1f %s"):format(n, UNITS[unit])
end

--- A number with three digits that count and k, M, G behind it: 1.23 M.
function terminal.count(n)
  local unit, units = 1, { "", " k", " M", " G", " T" }
  while n >= 1000 and unit < #units do n, unit = n / 1000, unit + 1 end
  return ((unit == 1 and n % 1 == 0) and "%d%s" or n < 10 and "%.2f%s" or n < 100 and "%.1f%s" or "%.0f%s"):format(n, units[unit])
end

--- Microseconds.
function terminal.time(us)
  if us < 1000 then return ("%.1f us"):format(us) end
  if us < 1e6 then return (us < 1e4 and "%.3f ms" or us < 1e5 and "%.2f ms" or "%.1f ms"):format(us / 1000) end
  return ("%.2f s"):format(us / 1e6)
end

--- "[1,3,224,224]"; open dimensions are "?", bounded ones "1..8".
function terminal.shape(shape)
  if type(shape) ~= "table" then return "[...]" end
  local parts = {}
  for i, d in ipairs(shape) do
    if type(d) == "table" then
      parts[i] = (d[2] and d[2] >= 0) and d[1] .. ".." .. d[2] or d[1] .. ".."
    else
      parts[i] = d < 0 and "?" or tostring(d)
    end
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- Rows of strings and numbers; columns in `right` (a set of positions) are aligned to the right. Two blanks in front.
function terminal.table(rows, right)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, #tostring(cell)) end
  end
  for _, row in ipairs(rows) do
    local out = {}
    for i, cell in ipairs(row) do
      local text, pad = tostring(cell), (" "):rep(widths[i] - #tostring(cell))
      out[i] = right and right[i] and pad .. text or text .. pad
    end
    print("  " .. table.concat(out, "  "):gsub("%s+$", ""))
  end
end

return terminal
