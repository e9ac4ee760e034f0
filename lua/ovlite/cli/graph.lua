--- ovlite graph MODEL -o graph.svg: a picture of a model, by graphviz.
local fail = require("ovlite.cli.fail")
local model = require("ovlite.cli.model")
local svg = require("ovlite.cli.svg")
local terminal = require("ovlite.cli.terminal")
local graph = { name = "graph", summary = "a picture of a model's graph (by graphviz)" }

local FORMATS = { svg = true, png = true, pdf = true, dot = true }

function graph.define(command)
  model.define(command)
  model.define_config(command)
  command:option("-o --output", "ends in .svg, .png, .pdf or .dot (text for graphviz)"):default("graph.svg"):argname("FILE")
  command:flag("-r --runtime", "what runs, after fusions, with kernels, instead of the model's own operators")
end

-- ---- what is drawn: list of {type, lines, from = {{position, label}, ...}} ----

local function port_shape(node, index) return terminal.shape(node:get_output_partial_shape(index)) end

local function source_label(source) return source.element_type .. " " .. terminal.shape(source.partial_shape) end

-- A constant is told in its reader's box: small ones by value, others by shape.
local function constant_text(node)
  local value = node.value
  if value.size > 6 then return source_label(node:output(1)) end
  local parts = {}
  for i, v in ipairs(value:flat()) do parts[i] = type(v) == "number" and ("%.4g"):format(v) or tostring(v) end
  return #value.shape == 0 and parts[1] or "{" .. table.concat(parts, ", ") .. "}"
end

local function lines_of(node)
  local lines = { node.friendly_name }
  local a = node.type_name == "ExecutionNode" and node.attributes
  if a then
    lines[#lines + 1] = a.execType
    local originals = {}
    for name in a.originalLayersNames:gmatch("[^,]+") do originals[#originals + 1] = name end
    if #originals > 1 then lines[#lines + 1] = ("does %d nodes of the model"):format(#originals) end
  end
  return lines, a and a.layerType or node.type_name
end

local function boxes_of(m)
  local boxes, at = {}, {}
  local nodes = m:get_ops() -- kept, so that sources are these very objects
  for _, node in ipairs(nodes) do
    if node.type_name ~= "Constant" then
      local lines, kind = lines_of(node)
      boxes[#boxes + 1] = { node = node, type = kind, lines = lines, from = {} }
      at[node] = #boxes
    end
  end
  for _, box in ipairs(boxes) do
    local constants = {}
    for _, source in ipairs(box.node:inputs()) do
      local from = source and source.node
      if from and at[from] then
        box.from[#box.from + 1] = { at[from], source_label(source) }
      elseif from then
        constants[#constants + 1] = constant_text(from)
      end
    end
    if #constants > 0 then box.lines[#box.lines + 1] = "with " .. table.concat(constants, ", ") end
    if box.type == "Parameter" then box.lines[#box.lines + 1] = box.node.element_type .. " " .. port_shape(box.node, 1) end
  end
  return boxes
end

-- ---- graphviz' language ----

local function cut(text, length) return #text <= length and text or text:sub(1, length - 3):gsub("[\192-\255]?[\128-\191]*$", "") .. "..." end

local function label(box)
  local out = { "<b>" .. svg.escape(box.type) .. "</b>" }
  for _, line in ipairs(box.lines) do out[#out + 1] = '<font point-size="9">' .. svg.escape(cut(line, 60)) .. "</font>" end
  return "<" .. table.concat(out, "<br/>") .. ">"
end

local ENDS = { Parameter = true, Result = true }

local function dot_of(boxes, title)
  local counts, names = {}, {}
  for _, box in ipairs(boxes) do
    if not counts[box.type] then names[#names + 1] = box.type end
    counts[box.type] = (counts[box.type] or 0) + 1
  end
  table.sort(names, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  local colour, out = svg.colours(names), {}
  out[1] = ('digraph model {\n  graph [label=<%s>, labelloc=t, fontname="Helvetica", nodesep=0.25, ranksep=0.35];'):format(svg.escape(title))
  out[2] = '  node [shape=box, style="rounded,filled", fillcolor=white, penwidth=1.6, fontname="Helvetica", fontsize=11, margin="0.12,0.06"];'
  out[3] = '  edge [color="#9498a0", fontcolor="#667085", fontname="Helvetica", fontsize=8, arrowsize=0.6];'
  for i, box in ipairs(boxes) do
    out[#out + 1] = ('  n%d [label=%s, color="%s"%s];'):format(i, label(box), ENDS[box.type] and "#1d2430" or colour(box.type), ENDS[box.type] and
      ', fillcolor="#eceff3"' or "")
  end
  for i, box in ipairs(boxes) do
    for _, from in ipairs(box.from) do out[#out + 1] = ('  n%d -> n%d [label=<&#160;%s>];'):format(from[1], i, svg.escape(from[2])) end
  end
  return table.concat(out, "\n") .. "\n}\n"
end

-- ---- writing ----

local function write(path, text)
  local file, err = io.open(path, "wb")
  if not file then fail.now("cannot write %s", err) end
  file:write(text)
  file:close()
end

local function quoted(path) return "'" .. path:gsub("'", "'\\''") .. "'" end

local function draw(text, kind, path)
  local source = os.tmpname()
  write(source, text)
  local said = io.popen(("dot -T%s -o %s %s 2>&1; echo status $?"):format(kind, quoted(path), quoted(source)))
  local answer = said:read("*a")
  said:close()
  os.remove(source)
  local status = answer:match("status (%d+)%s*$")
  if status == "127" then fail.now("graphviz is missing: install Debian's graphviz, or write -o FILE.dot") end
  if status ~= "0" then fail.now("graphviz failed: %s", (answer:gsub("%s*status %d+%s*$", ""))) end
end

function graph.run(options)
  local kind = options.output:match("%.(%w+)$")
  if not FORMATS[kind] then fail.usage("the picture must end in .svg, .png, .pdf or .dot, got '%s'", options.output) end
  local m = model.read(options)
  local title = options.model .. (m.friendly_name ~= "" and ": " .. m.friendly_name or "")
  if options.runtime then
    if not model.close_shapes(m) then fail.usage("the model has open shapes that cannot be guessed: give -shape") end
    local config = model.config(options)
    config.PERFORMANCE_HINT = "LATENCY"
    m = model.compile(m, config):get_runtime_model()
  end
  local boxes = boxes_of(m)
  terminal.status("drawing")
  local text = dot_of(boxes, title)
  if kind == "dot" then write(options.output, text) else draw(text, kind, options.output) end
  terminal.clear()
  print(("%s: %d nodes -> %s"):format(options.model, #boxes, options.output))
end

return graph
