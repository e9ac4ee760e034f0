-- One output of a PrePostProcessor: the steps behind a Result's source, and the new Result.
local steps = require("ovlite.preprocess.steps")
local Layout = require("ovlite.layout")
local op = require("ovlite.builder").opset(13)
local output = {}

local NOTHING = Layout.of("")

local function touched(info) return #info.steps > 0 or info.element_type ~= nil or info.layout ~= nil or info.model_layout ~= nil end

--- port: an output of the model, the i-th.
function output.new(port, i)
  local name, shape = port.names[1] or tostring(i), port.partial_shape
  return { port = port, name = name, what = ("output '%s'"):format(name), rank = type(shape) == "table" and #shape or nil, steps = {}, touched = touched }
end

local function context(info, source)
  local layout = info.model_layout or NOTHING
  return steps.context({ layout = layout, color = "UNDEFINED", target_layout = info.layout or NOTHING, target_type = info.element_type or source.element_type,
    model_shape = source.partial_shape })
end

local function implicit(info, ctx, nodes)
  local list = {}
  if info.element_type and nodes[1].element_type ~= info.element_type then list[1] = steps.make.convert_element_type(info.element_type) end
  if not ctx.target_layout:empty() and ctx.target_layout ~= ctx.layout then list[#list + 1] = steps.make.convert_layout(ctx.target_layout) end
  return list
end

local function run(info, source, told)
  local ctx = context(info, source)
  local nodes = steps.run(info.steps, ctx, { source }, info.what, told and told(""))
  return steps.run(implicit(info, ctx, nodes), ctx, nodes, info.what .. ", implicit steps", told and told("(implicit) ")), ctx
end

-- Tensor names go with the value that the user sees; an input of the model keeps its own.
local function move_names(from, to)
  local names = from.names
  if #names == 0 or from == to then return end
  to:set_names(names)
  if from.node.type_name ~= "Parameter" then from:set_names({}) end
end

--- A Result of the same name behind the steps.
function output.make(info, result)
  local source = result:input(1)
  local out = steps.as_output(run(info, source)[1])
  if out == source then return result end
  move_names(source, out)
  return op.result(out, { name = result.friendly_name })
end

local function add(lines, ...) lines[#lines + 1] = string.format(...) end

--- Lines of text about the output.
function output.describe(info, lines, result)
  local source = result:input(1)
  add(lines, "  %s:", info.what)
  add(lines, "    model %s", steps.describe(context(info, source), { source }))
  local nodes, ctx = run(info, source, function(prefix)
    return function(step, before, after) add(lines, "    %s%s %s: %s -> %s", prefix, step[1], step.argument or "", before, after) end
  end)
  add(lines, "    tensor %s", steps.describe(ctx, nodes))
end

return output
