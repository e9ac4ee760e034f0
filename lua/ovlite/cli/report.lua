--- The page of ovlite profile: one HTML file without outside links, made of the data that profile.lua collected.
local json = require("ovlite.cli.json")
local svg = require("ovlite.cli.svg")
local terminal = require("ovlite.cli.terminal")
local report = {}
local escape, format = svg.escape, string.format

local WIDTH = 1220

-- ---- sums over steps ----

--- Rows {name, count, us, limit_us, flops, bytes} by key(step), the longest first.
local function grouped(steps, key)
  local rows, at = {}, {}
  for _, s in ipairs(steps) do
    local name = key(s)
    local row = at[name]
    if not row then
      row = { name = name, type = s.type, count = 0, us = 0, limit_us = 0, flops = 0, bytes = 0 }
      at[name], rows[#rows + 1] = row, row
    end
    row.count = row.count + 1
    for _, field in ipairs({ "us", "limit_us", "flops", "bytes" }) do row[field] = row[field] + s[field] end
  end
  table.sort(rows, function(a, b)
    if a.us ~= b.us then return a.us > b.us end
    return a.name < b.name
  end)
  return rows
end

local function percent(part, whole) return whole > 0 and format("%.1f %%", 100 * part / whole) or "-" end

-- ---- pieces of the page ----

local function card(id, value, text) return format('<div class="card"><b id="%s">%s</b><span>%s</span></div>', id, escape(value), escape(text)) end

local function legend(rows, colour, with_mark)
  local out = {}
  for i = 1, math.min(#rows, 9) do out[i] = format('<span><i style="background:%s"></i>%s</span>', colour(rows[i].name), escape(rows[i].name)) end
  if #rows > 9 then out[#out + 1] = format('<span><i style="background:%s"></i>others</span>', colour("")) end
  if with_mark then out[#out + 1] = '<span><i class="tick"></i>what the machine needs at least</span>' end
  return '<div class="legend">' .. table.concat(out) .. "</div>"
end

--- columns: {title, function(row, i) -> text [, number to sort by]}; a second value makes the column one of numbers.
local function html_table(id, columns, rows)
  local out, numeric = { format('<table id="%s"><thead><tr>', id) }, {}
  for c, column in ipairs(columns) do
    numeric[c] = rows[1] and select(2, column[2](rows[1], 1)) ~= nil
    out[#out + 1] = format("<th%s>%s</th>", numeric[c] and ' class="number"' or "", escape(column[1]))
  end
  out[#out + 1] = "</tr></thead><tbody>"
  for i, row in ipairs(rows) do
    out[#out + 1] = "<tr>"
    for c, column in ipairs(columns) do
      local text, value = column[2](row, i)
      if numeric[c] then
        out[#out + 1] = format('<td class="number" data-value="%.17g">%s</td>', value, escape(text))
      else
        out[#out + 1] = format('<td class="name">%s</td>', escape(text))
      end
    end
    out[#out + 1] = "</tr>"
  end
  out[#out + 1] = "</tbody></table>"
  return table.concat(out)
end

local function speed_columns(total)
  return { "time", function(r) return terminal.time(r.us), r.us end }, { "share", function(r) return percent(r.us, total), r.us end },
    { "at least", function(r) return terminal.time(r.limit_us), r.limit_us end },
    { "of the limit", function(r) return percent(r.limit_us, r.us), r.us > 0 and r.limit_us / r.us or 0 end },
    { "GFLOP/s", function(r) return r.us > 0 and format("%.1f", r.flops / r.us / 1e3) or "-", r.us > 0 and r.flops / r.us or 0 end },
    { "GB/s", function(r) return r.us > 0 and format("%.1f", r.bytes / r.us / 1e3) or "-", r.us > 0 and r.bytes / r.us or 0 end }
end

local function section(title, text, ...)
  return format("<section><h2>%s</h2><p>%s</p>%s</section>", escape(title), escape(text), table.concat({ ... }))
end

-- ---- pictures ----

-- 1.500 ms is 1.5 ms.
local function tick(us)
  if us == 0 then return "0" end
  return (terminal.time(us):gsub("(%.%d-)0+ ", "%1 "):gsub("%. ", " "))
end

local function time_axis(parts, left, width, most, top, bottom)
  for _, t in ipairs(svg.ticks(most, 8)) do
    local x = left + t / most * width
    parts[#parts + 1] = svg.line(x, top, x, bottom, "grid")
    parts[#parts + 1] = svg.text(x, top - 5, tick(t), "middle")
  end
end

local function shortened(text, length)
  if #text <= length then return text end
  return "..." .. text:sub(#text - length + 4):gsub("^[\128-\191]+", "")
end

--- One bar per layer in the order of execution, with a mark at its limit.
local function layers(steps, colour)
  local left, row, top, most = 330, 17, 22, 1e-9
  for _, s in ipairs(steps) do most = math.max(most, s.us, s.limit_us) end
  local width, parts = WIDTH - left - 80, {}
  time_axis(parts, left, width, most, top, top + row * #steps)
  for i, s in ipairs(steps) do
    local y, length = top + (i - 1) * row, s.us / most * width
    parts[#parts + 1] = svg.text(left - 8, y + 12, shortened(s.name, 50), "right")
    local title = format("%s\n%s, %s\n%s, at least %s (%s)", s.name, s.type, s.kernel, terminal.time(s.us), terminal.time(s.limit_us), s.limited_by)
    parts[#parts + 1] = svg.rect(left, y + 2, length, row - 4, colour(s.type), title, format('class="row" data-us="%.6g"', s.us))
    parts[#parts + 1] = svg.line(left + s.limit_us / most * width, y + 1, left + s.limit_us / most * width, y + row - 1, "mark")
    parts[#parts + 1] = svg.text(left + math.max(length, s.limit_us / most * width) + 6, y + 12, terminal.time(s.us), "soft")
  end
  return svg.picture("layers", WIDTH, top + row * #steps + 4, parts)
end

--- The same for operators, summed up.
local function operators(rows, colour, total)
  local left, row, top, most = 210, 24, 22, 1e-9
  for _, r in ipairs(rows) do most = math.max(most, r.us, r.limit_us) end
  local width, parts = WIDTH - left - 150, {}
  time_axis(parts, left, width, most, top, top + row * #rows)
  for i, r in ipairs(rows) do
    local y, mark = top + (i - 1) * row, left + r.limit_us / most * width
    parts[#parts + 1] = svg.text(left - 8, y + 16, format("%s (%d)", r.name, r.count), "right")
    parts[#parts + 1] = svg.rect(left, y + 3, r.us / most * width, row - 6, colour(r.name),
      format("%s: %d steps, %s", r.name, r.count, terminal.time(r.us)), 'class="row"')
    parts[#parts + 1] = svg.line(mark, y + 2, mark, y + row - 2, "mark")
    parts[#parts + 1] = svg.text(math.max(mark, left + r.us / most * width) + 7, y + 16, format("%s, %s", terminal.time(r.us), percent(r.us, total)),
      "soft")
  end
  return svg.picture("operators", WIDTH, top + row * #rows + 4, parts)
end

--- A lane per stream; a run is a bar, cut into its steps.
local function timeline(runs, streams, colour)
  local left, lane, top, first, last = 90, 46, 22, math.huge, 0
  for _, run in ipairs(runs) do first, last = math.min(first, run.start), math.max(last, run.start + run.us) end
  local span, width, parts = math.max(last - first, 1e-9), WIDTH - left - 20, {}
  time_axis(parts, left, width, span, top, top + lane * streams)
  for i = 1, streams do parts[#parts + 1] = svg.text(left - 10, top + (i - 0.5) * lane + 4, "stream " .. i, "right") end
  for number, run in ipairs(runs) do
    local y, x = top + (run.stream - 1) * lane + 5, left + (run.start - first) / span * width
    parts[#parts + 1] = svg.rect(x, y, run.us / span * width, lane - 12, "#eceff3", format("run %d: %s", number, terminal.time(run.us)),
      'class="run"')
    for _, s in ipairs(run.steps) do
      parts[#parts + 1] = svg.rect(x + s.start / span * width, y + 4, s.us / span * width, lane - 20, colour(s.type), s.name .. "\n" .. s.type ..
        ", " .. terminal.time(s.us), 'class="row"')
    end
    parts[#parts + 1] = svg.line(x, y, x, y + lane - 12, "mark")
  end
  return svg.picture("timeline", WIDTH, top + lane * streams + 6, parts)
end

--- Bytes in use at each step: the outline over the slots.
local function occupied(plan)
  local used, highest = {}, 0
  for i = 1, plan.steps do used[i] = 0 end
  for _, s in ipairs(plan.slots) do
    for i = s.first, math.min(s.last, plan.steps) do used[i] = used[i] + s.bytes end
  end
  for _, bytes in ipairs(used) do highest = math.max(highest, bytes) end
  return used, highest
end

--- Steps to the right, addresses upwards; a rectangle is memory that one value (or several in place) holds.
local function memory(plan, steps, colour)
  local left, top, height = 90, 12, 330
  local width, parts = WIDTH - left - 20, {}
  local most = math.max(plan.arena, 1)
  for _, bytes in ipairs(svg.ticks(most, 6)) do
    local y = top + height - bytes / most * height
    parts[#parts + 1] = svg.line(left, y, left + width, y, "grid")
    parts[#parts + 1] = svg.text(left - 8, y + 4, terminal.bytes(bytes), "right")
  end
  local step = width / math.max(plan.steps, 1)
  for _, s in ipairs(plan.slots) do
    local h = s.bytes / most * height
    local kind = steps[s.first] and steps[s.first].type or ""
    parts[#parts + 1] = svg.rect(left + (s.first - 1) * step, top + height - s.offset / most * height - h,
      (math.min(s.last, plan.steps) - s.first + 1) * step, h, colour(kind),
      format("%s\n%s at %s, steps %d to %d", s.node_name, terminal.bytes(s.bytes), terminal.bytes(s.offset), s.first, s.last),
        format('class="slot" data-bytes="%d"', s.bytes))
  end
  local used, path = occupied(plan), {}
  for i, bytes in ipairs(used) do
    local y = top + height - math.min(bytes / most, 1) * height
    path[#path + 1] = format("%s%.1f %.1f L%.1f %.1f", i == 1 and "M" or "L", left + (i - 1) * step, y, left + i * step, y)
  end
  parts[#parts + 1] = '<path class="used" d="' .. table.concat(path, " ") .. '"/>'
  for _, i in ipairs(svg.ticks(plan.steps, 10)) do
    if i > 0 then parts[#parts + 1] = svg.text(left + (i - 0.5) * step, top + height + 16, i, "middle") end
  end
  parts[#parts + 1] = svg.text(left - 8, top + height + 16, "step", "right soft")
  return svg.picture("memory", WIDTH, top + height + 24, parts)
end

-- ---- the page ----

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local function part(name)
  local file = assert(io.open(here .. name, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function cards(d, total, limit)
  local plan = d.memory
  local _, highest = occupied(plan)
  return '<div class="cards">' .. card("total", terminal.time(total), format("a run: all steps, median of %d runs", d.runs)) ..
    card("limit", percent(limit, total), format("of the limit: arithmetic and memory need %s at least", terminal.time(limit))) ..
    card("steps", #d.steps, format("steps, %s a run", terminal.count(d.flops) .. "FLOP")) ..
    card("arena", terminal.bytes(plan.arena), format("arena; %s in use at most, %s without sharing", terminal.bytes(highest),
      terminal.bytes(plan.side_by_side))) ..
    card("throughput", format("%.1f", d.throughput), format("runs a second on %d streams", d.streams)) ..
    card("compile", terminal.time(d.compile_ms * 1e3), format("compiling; reading %s", terminal.time(d.read_ms * 1e3))) .. "</div>"
end

local function tables(d, total, kernels)
  local kernel_columns = { { "kernel", function(r) return r.name end }, { "steps", function(r) return tostring(r.count), r.count end },
    speed_columns(total) }
  local step_columns = { { "", function(_, i) return tostring(i), i end }, { "node", function(r) return r.name end },
    { "operator", function(r) return r.type end },
    { "kernel", function(r) return r.kernel end }, speed_columns(total) }
  return section("Kernels", "Where several steps run on one kernel, their times are added up. A click on a heading sorts.",
    html_table("kernels", kernel_columns, kernels)) ..
    section("All steps", "In the order of execution.", '<div class="scroll">', html_table("all", step_columns, d.steps), "</div>")
end

local function introduction(d)
  local title = escape(d.name ~= "" and d.name or d.file)
  local machine = format("The machine was measured at %sFLOP/s (%sFLOP/s in bf16) and %s/s from memory.", terminal.count(d.limits.flops),
    terminal.count(d.limits.flops_bf16), terminal.bytes(d.limits.memory_bytes))
  return format("<h1>%s</h1><p>%s (%s) on %s, %d threads, %s; inputs %s. %s</p>", title, escape(d.file), escape(d.origin), escape(d.processor),
    d.threads,
    escape(d.precision), escape(d.shapes), machine), title
end

local function pictures(d, by_type, colour, total)
  local streams = format("%d runs through a queue, compiled for throughput: %d stream%s, threads of each: %d.", #d.timeline, d.streams,
    d.streams == 1 and "" or "s", d.stream_threads)
  return section("Where the time goes",
    "Bars are times by operator; a mark is what the arithmetic and the memory traffic of these steps take at least on this machine.",
    operators(by_type, colour, total)) ..
    section("Layers", "In the order of execution. Kernels that save arithmetic (Winograd) may be under their mark.", legend(by_type, colour, true),
      '<div class="scroll">', layers(d.steps, colour), "</div>") ..
    section("Timeline of streams", streams, legend(by_type, colour), timeline(d.timeline, d.streams, colour)) ..
    section("Memory", "The arena of one stream: each rectangle is memory from its first step to its last, in the colour of the operator that " ..
      "writes it. The line is what is in use.", memory(d.memory, d.steps, colour))
end

local HEAD = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">' ..
  '<meta name="viewport" content="width=device-width, initial-scale=1"><title>%s - ovlite profile</title>\n<style>\n'

--- The whole page. data: what profile.collect gives.
function report.page(d)
  local total, limit, names = 0, 0, {}
  for _, s in ipairs(d.steps) do total, limit = total + s.us, limit + s.limit_us end
  local by_type = grouped(d.steps, function(s) return s.type end)
  for i, row in ipairs(by_type) do names[i] = row.name end
  local intro, title = introduction(d)
  local kernels = grouped(d.steps, function(s) return s.kernel:match("^%S+") or s.kernel end)
  local body = { intro, cards(d, total, limit), pictures(d, by_type, svg.colours(names), total), tables(d, total, kernels) }
  return table.concat({ HEAD:format(title), part("report.css"), "</style></head>\n<body><main>\n", table.concat(body, "\n"),
    "\n<footer>ovlite ", escape(d.version), "</footer></main>\n", '<script type="application/json" id="data">',
    (json.encode(d):gsub("<", "\\u003c")), "</script>\n<script>\n", part("report.js"), "</script></body></html>\n" })
end

return report
