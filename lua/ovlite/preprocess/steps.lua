-- Steps of the preprocessing and postprocessing. A step is {name, argument = text, run = function(ctx, nodes) ... return nodes}: it is noted down when the method is
-- called, with its arguments checked, and makes its nodes in build(). What is true of the tensor between two steps is in ctx:
--   layout, color                                what the dimensions mean, and the channels
--   target_layout, target_type, model_shape      what the model wants
local core = require("ovlite_core")
local builder = require("ovlite.builder")
local color = require("ovlite.preprocess.color")
local Layout = require("ovlite.layout")
local op = builder.opset(13)
local steps = {}

local FLOAT = { f16 = true, bf16 = true, f32 = true, f64 = true }
local RESIZE = { RESIZE_LINEAR = "linear", RESIZE_CUBIC = "cubic", RESIZE_NEAREST = "nearest", RESIZE_BILINEAR_PILLOW = "bilinear_pillow",
  RESIZE_BICUBIC_PILLOW = "bicubic_pillow" }
local PADDING = { CONSTANT = "constant", EDGE = "edge", REFLECT = "reflect", SYMMETRIC = "symmetric" }
steps.RESIZE, steps.PADDING = RESIZE, PADDING

-- ---- arguments ----
local function kind_of(value) return core.class_name(value) or type(value) end

--- A known element type. Errors: type, argument.
function steps.element_type(value, what)
  if type(value) ~= "string" then core.fail("type", ("%s: expected an element type like \"u8\", got %s"):format(what, kind_of(value))) end
  if not pcall(op.parameter, {}, value) then core.fail("argument", ("%s: there is no element type '%s'"):format(what, value)) end
  return value
end

local function numbers(value, what)
  local list = type(value) == "number" and { value } or value
  if type(list) ~= "table" or #list == 0 then core.fail("type", ("%s: expected a number or a list of them, got %s"):format(what, kind_of(value))) end
  local out = {}
  for i, v in ipairs(list) do
    if type(v) ~= "number" then core.fail("type", ("%s: expected numbers, got %s at position %d"):format(what, kind_of(v), i)) end
    out[i] = v
  end
  return out
end

local function whole_numbers(value, what, least)
  if type(value) ~= "table" then core.fail("type", ("%s: expected a list of whole numbers, got %s"):format(what, kind_of(value))) end
  local out = {}
  for i, v in ipairs(value) do
    if type(v) ~= "number" or v ~= math.floor(v) or math.abs(v) > 2 ^ 31 then
      core.fail("type", ("%s: expected whole numbers, got %s at position %d"):format(what, tostring(v), i))
    end
    if least and v < least then core.fail("argument", ("%s: expected numbers from %d on, got %s at position %d"):format(what, least, v, i)) end
    out[i] = v
  end
  return out
end

--- A size in pixels.
function steps.size(value, what)
  if type(value) ~= "number" or value ~= math.floor(value) then core.fail("type", ("%s: expected a whole number, got %s"):format(what, tostring(value))) end
  if value < 1 or value > 2 ^ 31 - 1 then core.fail("argument", ("%s: expected 1 to 2147483647, got %s"):format(what, value)) end
  return value
end

local function list_text(list)
  local out = {}
  for i, v in ipairs(list) do out[i] = ("%.9g"):format(v) end
  return #out == 1 and out[1] or "(" .. table.concat(out, ", ") .. ")"
end

-- ---- what steps look at ----

--- The number of dimensions; nil where it is not known.
function steps.rank(x)
  local shape = x.partial_shape
  return type(shape) == "table" and #shape or nil
end

function steps.shape_text(shape)
  if type(shape) ~= "table" then return "[...]" end
  local out = {}
  for i, d in ipairs(shape) do
    out[i] = type(d) == "table" and ("%d..%s"):format(d[1], d[2] < 0 and "" or d[2]) or d < 0 and "?" or tostring(d)
  end
  return "[" .. table.concat(out, ",") .. "]"
end

--- "u8 [1,480,640,3]"
function steps.text(x) return x.element_type .. " " .. steps.shape_text(x.partial_shape) end
function steps.is_float(element_type) return FLOAT[element_type] == true end

local function one(ctx, nodes, who)
  if #nodes > 1 then
    core.fail("argument", ("%s: the image comes in %d planes (%s); convert_color makes it one tensor"):format(who, #nodes, ctx.color))
  end
  return nodes[1]
end

local function want_float(x, who)
  if not FLOAT[x.element_type] then
    core.fail("type", ("%s takes floats and got %s; convert_element_type(\"f32\") comes before it"):format(who, steps.text(x)))
  end
  return x
end

local function want_rank(x, who)
  return steps.rank(x) or core.fail("shape", who .. ": the number of dimensions must be known")
end

-- Values of a channel each, in a shape that broadcasts.
local function per_channel(ctx, x, values, who)
  if #values == 1 then return op.constant(values, x.element_type, { 1 }) end
  local rank = want_rank(x, who)
  local axis, shape = ctx.layout:axis("C", rank, who), {}
  local count = x.partial_shape[axis + 1]
  if type(count) == "number" and count >= 0 and count ~= #values then
    core.fail("shape", ("%s: %d values for %d channels (%s %s)"):format(who, #values, count, steps.text(x), tostring(ctx.layout)))
  end
  for i = 1, rank do shape[i] = i == axis + 1 and #values or 1 end
  return op.constant(values, x.element_type, shape)
end

-- ---- steps of inputs ----
local make = {}
steps.make = make

function make.mean(values)
  values = numbers(values, "mean")
  return { "mean", argument = list_text(values), run = function(ctx, nodes)
    local x = want_float(one(ctx, nodes, "mean"), "mean")
    return { op.subtract(x, per_channel(ctx, x, values, "mean")) }
  end }
end

function make.scale(values)
  values = numbers(values, "scale")
  return { "scale", argument = list_text(values), run = function(ctx, nodes)
    local x = want_float(one(ctx, nodes, "scale"), "scale")
    return { op.divide(x, per_channel(ctx, x, values, "scale")) }
  end }
end

--- nil: the model's type.
function make.convert_element_type(element_type)
  if element_type ~= nil then steps.element_type(element_type, "convert_element_type") end
  return { "convert_element_type", argument = element_type or "of the model", run = function(ctx, nodes)
    local out, to = {}, element_type or ctx.target_type
    for i, x in ipairs(nodes) do out[i] = (to == nil or x.element_type == to) and x or op.convert(x, to) end
    return out
  end }
end

local function transpose_to(ctx, x, wanted, who)
  local extra, from = ctx.layout:widened(wanted, who)
  if extra > 0 then
    local axes = {}
    for i = 1, extra do axes[i] = i - 1 end
    x = op.unsqueeze(x, op.constant(axes, "i64"))
  end
  local order = Layout.order(from, wanted, steps.rank(x), who)
  if not wanted:empty() then ctx.layout = wanted end
  return order and op.transpose(x, op.constant(order, "i64")) or x
end

-- A layout, or an order of axes from 0; "" is what the model (or the user) wants in the end.
local function convert_layout(value)
  local who = "convert_layout"
  if value == nil then value = "" end
  if type(value) == "table" and not Layout.is(value) then
    local order = whole_numbers(value, who, 0)
    Layout.of(""):permuted(order, who)
    return { who, argument = list_text(order), order = order, run = function(ctx, nodes)
      local x = one(ctx, nodes, who)
      local rank = want_rank(x, who)
      if rank ~= #order then core.fail("argument", ("%s: an order of %d axes for %s"):format(who, #order, steps.text(x))) end
      ctx.layout = ctx.layout:permuted(order, who)
      return { op.transpose(x, op.constant(order, "i64")) }
    end }
  end
  local layout = Layout.of(value, who)
  return { who, argument = layout:empty() and "of the other side" or tostring(layout), layout = layout, run = function(ctx, nodes)
    return { transpose_to(ctx, one(ctx, nodes, who), layout:empty() and ctx.target_layout or layout, who) }
  end }
end
make.convert_layout = convert_layout

-- Height or width of the model, for a resize that names none.
local function model_size(ctx, name, who)
  local shape = ctx.model_shape
  local size = type(shape) == "table" and shape[ctx.target_layout:axis(name, #shape, who .. " to the model's size") + 1]
  if type(size) ~= "number" or size < 0 then
    core.fail("shape", ("%s: the model's %s is open (%s), so say a size"):format(who, name == "H" and "height" or "width", steps.shape_text(shape)))
  end
  return size
end

function make.resize(algorithm, height, width)
  local who = "resize"
  local mode = color.one_of(RESIZE, algorithm, who, "RESIZE_")
  if (height == nil) ~= (width == nil) then core.fail("argument", "resize: give height and width, or neither for the model's") end
  if height then height, width = steps.size(height, "resize: height"), steps.size(width, "resize: width") end
  local argument = RESIZE[mode] .. (height and (" to %d x %d"):format(height, width) or " to the model's size")
  return { who, argument = argument, run = function(ctx, nodes)
    local x = one(ctx, nodes, who)
    local rank = want_rank(x, who)
    local axes = { ctx.layout:axis("H", rank, who), ctx.layout:axis("W", rank, who) }
    local sizes = { height or model_size(ctx, "H", who), width or model_size(ctx, "W", who) }
    local attributes = { mode = RESIZE[mode], shape_calculation_mode = "sizes", axes = op.constant(axes, "i64") }
    if mode == "RESIZE_BICUBIC_PILLOW" then attributes.cube_coeff = -0.5 end -- Pillow's own
    return { op.interpolate(x, op.constant(sizes, "i64"), attributes) }
  end }
end

function make.crop(first, last)
  local who = "crop"
  first, last = whole_numbers(first, "crop: begin"), whole_numbers(last, "crop: end")
  if #first ~= #last then core.fail("argument", ("crop: begin names %d dimensions, end %d"):format(#first, #last)) end
  return { who, argument = list_text(first) .. " to " .. list_text(last), run = function(ctx, nodes)
    local x, ones, axes = one(ctx, nodes, who), {}, {}
    local rank = want_rank(x, who)
    if #first > rank then core.fail("shape", ("crop: %d coordinates for %s"):format(#first, steps.text(x))) end
    for i = 1, #first do ones[i], axes[i] = 1, i - 1 end
    return { op.slice(x, op.constant(first, "i64"), op.constant(last, "i64"), op.constant(ones, "i64"), op.constant(axes, "i64")) }
  end }
end

function make.pad(first, last, value, mode)
  local who = "pad"
  first, last = whole_numbers(first, "pad: pads_begin"), whole_numbers(last, "pad: pads_end")
  value = numbers(value == nil and 0 or value, "pad: value")
  if #value ~= 1 then core.fail("argument", ("pad: there is one value, got %d"):format(#value)) end
  mode = color.one_of(PADDING, mode == nil and "CONSTANT" or mode, "pad: mode")
  local argument = list_text(first) .. " and " .. list_text(last) .. (mode == "CONSTANT" and " with " .. list_text(value) or " " .. PADDING[mode])
  return { who, argument = argument, run = function(ctx, nodes)
    local x = want_float(one(ctx, nodes, who), who)
    if #first ~= want_rank(x, who) or #last ~= #first then
      core.fail("shape", ("pad: %d numbers before and %d behind for %s"):format(#first, #last, steps.text(x)))
    end
    local pads = { op.constant(first, "i64"), op.constant(last, "i64") }
    return { op.pad(x, pads[1], pads[2], PADDING[mode], mode == "CONSTANT" and op.constant(value[1], x.element_type) or nil) }
  end }
end

function make.convert_color(format)
  local to = color.one_of(color.FORMATS, format, "convert_color")
  return { "convert_color", argument = to, run = function(ctx, nodes)
    local out = color.convert(ctx, nodes, to, "convert_color")
    ctx.color = to
    return out
  end }
end

function make.reverse_channels()
  return { "reverse_channels", run = function(ctx, nodes)
    return { color.reversed(ctx, one(ctx, nodes, "reverse_channels"), "reverse_channels") }
  end }
end

--- A node's first output; an output as it is.
function steps.as_output(x) return core.class_name(x) == "Node" and x:output(1) or x end

-- What a custom step gives, as one output.
local function output_of(value)
  value = require("ovlite.control").resolve(value)
  local class = core.class_name(value)
  if class ~= "Node" and class ~= "Output" then core.fail("type", "custom: the function must return a node or an output, got " .. kind_of(value)) end
  return steps.as_output(value)
end

--- fn(output) -> node or output
function make.custom(fn)
  local meta = getmetatable(fn)
  if type(fn) ~= "function" and not (type(meta) == "table" and meta.__call) then core.fail("type", "custom: expected a function, got " .. kind_of(fn)) end
  return { "custom", run = function(ctx, nodes)
    return { output_of(fn(steps.as_output(one(ctx, nodes, "custom")))) }
  end }
end

-- ---- running ----

--- ctx with what its steps need of this file.
function steps.context(ctx)
  ctx.rank, ctx.text, ctx.is_float = steps.rank, steps.text, steps.is_float
  return ctx
end

-- The code and the message of an error of ours; nil for others.
local function ours(err)
  local code = core.error_code(err)
  return code, code and err:match("ovlite: " .. code .. ": (.*)$")
end

--- Runs steps over nodes. told(step, before, after) is called behind each, where given. Errors of ours say which step of what.
function steps.run(list, ctx, nodes, what, told)
  for i, step in ipairs(list) do
    local before = told and steps.describe(ctx, nodes)
    local ok, result = pcall(step.run, ctx, nodes)
    if not ok then
      local code, message = ours(result)
      if not code then error(result, 0) end
      local named = message:sub(1, #step[1]) == step[1]
      core.fail(code, ("%s, step %d%s: %s"):format(what, i, named and "" or " (" .. step[1] .. ")", message))
    end
    nodes = result
    if told then told(step, before, steps.describe(ctx, nodes)) end
  end
  return nodes
end

--- "u8 [1,480,640,3] [N,H,W,C] BGR"
function steps.describe(ctx, nodes)
  local text = steps.text(nodes[1])
  if not ctx.layout:empty() then text = text .. " " .. tostring(ctx.layout) end
  if ctx.color and ctx.color ~= "UNDEFINED" then text = text .. " " .. ctx.color end
  return text
end

return steps
