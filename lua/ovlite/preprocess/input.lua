-- One input of a PrePostProcessor: what the user's tensor is, and the Parameters and nodes that stand for it.
local core = require("ovlite_core")
local color = require("ovlite.preprocess.color")
local steps = require("ovlite.preprocess.steps")
local Layout = require("ovlite.layout")
local op = require("ovlite.builder").opset(13)
local unpack = table.unpack or unpack
local input = {}

local NOTHING = Layout.of("")

local function name_of(port, i) return port.names[1] or tostring(i) end

-- Something was asked for: the input is made anew.
local function touched(info)
  return #info.steps > 0 or info.shape ~= nil or info.spatial ~= nil or info.element_type ~= nil or info.color ~= "UNDEFINED" or not info.layout:empty()
    or info.model_layout ~= nil
end

--- port: an input of the model, the i-th.
function input.new(port, i)
  local shape = port.partial_shape
  return {
    port = port, name = name_of(port, i), what = ("input '%s'"):format(name_of(port, i)), rank = type(shape) == "table" and #shape or nil,
    steps = {}, layout = NOTHING, color = "UNDEFINED", touched = touched,
  }
end

-- ---- what tensor() sets ----

local function together(info)
  if info.shape ~= nil or info.spatial ~= nil then
    core.fail("argument", "set_shape, set_from, set_spatial_static_shape and set_spatial_dynamic_shape: one of them, once")
  end
end

-- A shape as partial_shape gives it.
local function read_shape(shape) return op.parameter(shape, "f32").partial_shape end

function input.set_shape(info, shape)
  together(info)
  info.shape = read_shape(shape)
end

function input.set_spatial_static_shape(info, height, width)
  together(info)
  info.spatial = { steps.size(height, "set_spatial_static_shape: height"), steps.size(width, "set_spatial_static_shape: width") }
end

function input.set_spatial_dynamic_shape(info)
  together(info)
  info.spatial = { -1, -1 }
end

--- The type and shape of a tensor or of other data.
function input.set_from(info, data)
  together(info)
  local tensor = core.class_name(data) == "Tensor" and data or core.tensor(data)
  info.element_type, info.shape = tensor.element_type, tensor.shape
end

--- sub_names: one per plane; "y" and "uv", or "y", "u" and "v" where none are given.
function input.set_color_format(info, format, sub_names)
  format = color.one_of(color.FORMATS, format, "set_color_format")
  local planes = color.planes(format)
  if sub_names ~= nil then
    if type(sub_names) ~= "table" then core.fail("type", "set_color_format: expected a list of names, got " .. type(sub_names)) end
    if #sub_names > 0 and #sub_names ~= #planes then
      core.fail("argument", ("set_color_format: %d names for the %d planes of %s"):format(#sub_names, #planes, format))
    end
    for i, name in ipairs(sub_names) do
      if type(name) ~= "string" then core.fail("type", ("set_color_format: name %d: expected a string, got %s"):format(i, type(name))) end
    end
  end
  info.color, info.sub_names = format, sub_names and #sub_names > 0 and { unpack(sub_names) } or nil
end

-- ---- the tensor's shape and layout ----

-- Orders of axes undone, from the last to the first: what goes in, where `shape` comes out.
local function before_orders(info, shape, layout)
  for i = #info.steps, 1, -1 do
    local order = info.steps[i].order
    if order and type(shape) == "table" then
      if #order ~= #shape then core.fail("argument", ("%s: an order of %d axes for %s"):format(info.what, #order, steps.shape_text(shape))) end
      local from, back = {}, {}
      for k, axis in ipairs(order) do from[axis + 1], back[axis + 1] = shape[k], k - 1 end
      shape, layout = from, layout:permuted(back, info.what)
    end
  end
  return shape, layout
end

-- The layout that the steps' conversions end in.
local function behind_steps(info, layout)
  for _, step in ipairs(info.steps) do
    if step.layout then
      if not step.layout:empty() then layout = step.layout end
    elseif step.order then
      layout = layout:permuted(step.order, info.what)
    end
  end
  return layout
end

-- The model's dimensions in the order of the tensor's layout, without those that it has not.
local function for_layout(shape, model_layout, layout, what)
  if type(shape) ~= "table" then return shape end
  local kept, smaller = model_layout:kept(layout, what)
  if kept then
    if model_layout.left ~= #shape then
      core.fail("argument", ("%s: layout %s does not fit the model's %s"):format(what, tostring(model_layout), steps.shape_text(shape)))
    end
    local dims = {}
    for i, axis in ipairs(kept) do dims[i] = shape[axis + 1] end
    shape, model_layout = dims, smaller
  end
  local order, out = Layout.order(model_layout, layout, #shape, what), {}
  if not order then return shape end
  for i, axis in ipairs(order) do out[i] = shape[axis + 1] end
  return out
end

local function spatial_shape(info, shape, layout)
  local out = {}
  if type(shape) ~= "table" then core.fail("shape", info.what .. ": the number of the model's dimensions must be known for a spatial shape") end
  for i, d in ipairs(shape) do out[i] = d end
  out[layout:axis("H", #shape, "set_spatial_..._shape") + 1] = info.spatial[1]
  out[layout:axis("W", #shape, "set_spatial_..._shape") + 1] = info.spatial[2]
  return out
end

-- layout of the user's tensor, that of the model, and the tensor's shape before colour planes.
local function resolve(info)
  local shape = info.port.partial_shape
  local layout = info.layout
  local model_layout = info.model_layout or Layout.of(info.port.layout or "")
  if layout:empty() then layout = color.layout(info.color) and Layout.of(color.layout(info.color)) or layout end
  if model_layout:empty() and not info.layout:empty() then model_layout = behind_steps(info, layout) end
  if not layout:empty() and not model_layout:empty() and layout ~= model_layout then
    if not info.shape then shape = for_layout(shape, model_layout, layout, info.what) end
  else
    local before, found = before_orders(info, shape, model_layout)
    shape = before
    if layout:empty() then layout = found end
  end
  if info.shape then shape = info.shape elseif info.spatial then shape = spatial_shape(info, shape, layout) end
  if not layout:fits(type(shape) == "table" and #shape or nil) then
    core.fail("argument", ("%s: layout %s does not fit the tensor's shape %s"):format(info.what, tostring(layout), steps.shape_text(shape)))
  end
  return layout, model_layout, shape
end

-- ---- parameters ----

--- All tensor names of a model, as a set.
function input.names_of(model)
  local names = {}
  for _, node in ipairs(model:get_ops()) do
    for _, out in ipairs(node:outputs()) do
      for _, name in ipairs(out.names) do names[name] = true end
    end
  end
  return names
end

local function plane_names(info, sub_name, taken)
  local names = {}
  for i, name in ipairs(info.port.names) do
    names[i] = name .. "/" .. sub_name
    if taken[names[i]] then
      core.fail("argument", ("%s: the model has a tensor '%s' already; name the planes otherwise in set_color_format"):format(info.what, names[i]))
    end
  end
  return names
end

local function make_parameter(info, i, planes, shape, layout, taken)
  local name, names = info.port.node.friendly_name, info.port.names
  if #planes > 1 then
    local sub_name = (info.sub_names or planes)[i]
    name, names = name .. "/" .. sub_name, plane_names(info, sub_name, taken)
  end
  local options = { name = name, layout = not layout:empty() and tostring(layout) or nil }
  local p = op.parameter(color.plane_shape(info.color, i, shape, layout), info.element_type or info.port.element_type, options)
  p:output(1):set_names(names)
  return p
end

--- {ctx, parameters, nodes}: new Parameters for the input. taken: see names_of.
function input.begin(info, taken)
  local layout, model_layout, shape = resolve(info)
  local made = { parameters = {}, nodes = {} }
  local planes = color.planes(info.color)
  for i = 1, #planes do
    made.parameters[i] = make_parameter(info, i, planes, shape, layout, taken)
    made.nodes[i] = made.parameters[i]:output(1)
  end
  made.ctx = steps.context({ layout = layout, color = info.color, target_layout = model_layout, target_type = info.port.element_type,
    model_shape = info.port.partial_shape })
  return made
end

-- ---- the end ----

local function limits(dim)
  if type(dim) == "table" then return dim[1], dim[2] < 0 and math.huge or dim[2] end
  if dim < 0 then return 0, math.huge end
  return dim, dim
end

local function compatible(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return true end
  if #a ~= #b then return false end
  for i = 1, #a do
    local low, high = limits(a[i])
    local least, most = limits(b[i])
    if low > most or least > high then return false end
  end
  return true
end

--- The steps that nobody wrote but that are missing.
function input.implicit(info, ctx, nodes)
  local list = {}
  if #nodes > 1 or not color.fits_model(ctx.color) then
    core.fail("argument", ("%s: the image is still %s; convert_color makes it what the model takes"):format(info.what, ctx.color))
  end
  if nodes[1].element_type ~= ctx.target_type then list[#list + 1] = steps.make.convert_element_type(ctx.target_type) end
  if not ctx.target_layout:empty() and ctx.target_layout ~= ctx.layout then list[#list + 1] = steps.make.convert_layout(ctx.target_layout) end
  return list
end

function input.check_end(info, ctx, nodes)
  if not compatible(nodes[1].partial_shape, ctx.model_shape) then
    core.fail("shape", ("%s: the steps end in %s, but the model takes %s; resize, crop or another tensor shape is missing"):format(info.what,
      steps.describe(ctx, nodes), steps.shape_text(ctx.model_shape)))
  end
end

--- What the model reads, where `nodes` is what the steps gave.
function input.finish(info, made, nodes)
  nodes = steps.run(input.implicit(info, made.ctx, nodes), made.ctx, nodes, info.what .. ", implicit steps")
  input.check_end(info, made.ctx, nodes)
  return nodes[1]
end

local function add(lines, ...) lines[#lines + 1] = string.format(...) end

--- Lines of text about the input.
function input.describe(info, lines, taken)
  add(lines, "  %s%s:", info.what, info.memory_type and " in " .. info.memory_type or "")
  local made = input.begin(info, taken)
  for i, p in ipairs(made.parameters) do
    add(lines, "    tensor %s%s", #made.parameters > 1 and "'" .. (p:output(1).names[1] or "?") .. "' " or "", steps.describe(made.ctx, { made.nodes[i] }))
  end
  local function told(prefix)
    return function(step, before, after) add(lines, "    %s%s %s: %s -> %s", prefix, step[1], step.argument or "", before, after) end
  end
  local nodes = steps.run(info.steps, made.ctx, made.nodes, info.what, told(""))
  nodes = steps.run(input.implicit(info, made.ctx, nodes), made.ctx, nodes, info.what, told("(implicit) "))
  input.check_end(info, made.ctx, nodes)
  add(lines, "    model %s %s %s", made.ctx.target_type, steps.shape_text(made.ctx.model_shape), made.ctx.target_layout:empty() and "" or tostring(made.ctx.target_layout))
end

return input
