-- The op builder: ov.opset1 ... ov.opset15, with a function for each operator of the registry.
--
--   local op = ov.opset13
--   local y = op.relu(op.matmul(x, w, false, true))
--
-- Arguments come by position, inputs and attributes in the order of OpenVINO's Python factories, or by name in a table: op.softmax(x, {axis = 1}).
local core = require("ovlite_core")
local control = require("ovlite.control")
local builder = {}

-- Inputs that are whole numbers whatever the other inputs are: plain Lua values become i64 constants there.
local WHOLE = {}
for name in ([[axes axis axes_mapping reduction_axes target_shape output_shape output_size kernel_size input_order shift repeats k depth begin end strides
  start stop step block_shape crops_begin crops_end pads_begin pads_end split_lengths batch_shape num_rows num_columns diagonal_index indices seq_lengths
  sequence_lengths sequence_length max_output_boxes_per_class num_samples signal_size blank_index offsets segment_ids num_segments default_index
  batch_indices frame_size frame_step logit_length label_length max_seq_len]]):gmatch("%S+") do
  WHOLE[name] = true
end

-- Python's names of arguments where IR spells them differently.
local ALIAS = {
  kernel_shape = "kernel", exclude_pad = "exclude-pad", min_value = "min", max_value = "max", broadcast_spec = "mode", pad_mode = "pad_mode",
  destination_type = "destination_type", num_splits = "num_splits", epsilon = "eps", dtype = "element_type", output_roi = "pooled_size",
}

-- Orders of arguments where inputs and attributes are mixed. Others are: all inputs, then all attributes as the operator lists them.
local CONV_BACK = "data filters strides output_shape pads_begin pads_end dilations auto_pad output_padding"
local ORDER = {
  convolution_backprop_data = { CONV_BACK }, group_convolution_backprop_data = { CONV_BACK },
  batch_norm_inference = { "data gamma beta mean variance epsilon" },
  pad = { "arg pads_begin pads_end pad_mode arg_pad_value" },
  eye = { "num_rows num_columns diagonal_index output_type batch_shape" },
  detection_output = { "box_logits class_preds proposals attrs aux_class_preds aux_box_preds" },
  deformable_convolution = { [8] = "data offsets filters strides pads_begin pads_end dilations mask auto_pad group deformable_group bilinear_interpolation_pad" },
  deformable_psroi_pooling = { "feature_maps coords output_dim spatial_scale group_size mode spatial_bins_x spatial_bins_y trans_std part_size offsets" },
  interpolate = {
    [4] = "image output_shape scales mode shape_calculation_mode pads_begin pads_end coordinate_transformation_mode nearest_mode antialias cube_coeff axes",
    [11] = "image scales_or_sizes mode shape_calculation_mode pads_begin pads_end coordinate_transformation_mode nearest_mode antialias cube_coeff axes",
  },
}
local SAME = { absolute = "abs", ceil = "ceiling", cumsum = "cum_sum" }

-- ---- the registry, read once ----
local registry -- factory name -> list of versions
local function read_registry()
  registry = {}
  for _, op in ipairs(core.op_list()) do
    local versions = registry[op.factory] or {}
    registry[op.factory] = versions
    versions[#versions + 1] = op
    op.input_names, op.input_index, op.attribute = {}, {}, {}
    for name in op.inputs:gmatch("%S+") do
      if name:find("%.%.%.$") then name, op.list = name:sub(1, -4), #op.input_names + 1 end
      op.input_names[#op.input_names + 1] = name
      op.input_index[name] = #op.input_names
    end
    for _, a in ipairs(op.attributes) do op.attribute[a.name] = a end
    op.order = {}
    local order = ORDER[op.factory]
    order = order and (order[op.since] or order[1])
    if order then
      for name in order:gmatch("%S+") do op.order[#op.order + 1] = name end
    else
      for _, name in ipairs(op.input_names) do op.order[#op.order + 1] = name end
      for _, a in ipairs(op.attributes) do op.order[#op.order + 1] = a.name end
    end
  end
end

-- The version of an operator that an opset has, or nil.
local function version_of(factory, opset)
  local best
  for _, op in ipairs(registry[SAME[factory] or factory] or {}) do
    if op.since <= opset and (op["until"] == 0 or op["until"] >= opset) and (not best or op.since > best.since) then best = op end
  end
  return best
end

-- ---- arguments ----
local function kind_of(value)
  local class = core.class_name(value)
  if class then return class end
  return type(value)
end

local function is_node(value)
  local class = core.class_name(value)
  return class == "Node" or class == "Output"
end

-- A table with names in it holds arguments, not data.
local function is_keywords(value)
  if type(value) ~= "table" or getmetatable(value) ~= nil then return false end
  for key in pairs(value) do
    if type(key) == "string" then return true end
  end
  return false
end

local function fail(op, code, text, ...) core.fail(code, ("%s: "):format(op.factory) .. text:format(...)) end

-- Python's or IR's name of an attribute -> the operator's own.
local function attribute_name(op, name)
  if op.attribute[name] then return name end
  local alias = ALIAS[name]
  if alias and op.attribute[alias] then return alias end
  local dashed = name:gsub("_", "-")
  if op.attribute[dashed] then return dashed end
  return nil
end

local function set(op, call, name, value)
  if name == "name" and not op.input_index.name and not op.attribute.name then
    call.name = value
    return
  end
  local i = op.input_index[name]
  if i then
    call.inputs[i] = value
    return
  end
  local attribute = attribute_name(op, name)
  if not attribute then
    fail(op, "argument", "there is no argument '%s'; there are %s", name, table.concat(op.order, ", "))
  end
  call.attributes[attribute] = value
end

local function set_all(op, call, keywords)
  for name, value in pairs(keywords) do
    if type(name) ~= "string" then fail(op, "type", "names of arguments are strings, got %s", kind_of(name)) end
    set(op, call, name, value)
  end
end

-- Strings and booleans are never optional inputs: there the attributes begin.
local function skips(op, slot, value)
  local i = op.input_index[slot]
  return i and i > op.min and (type(value) == "string" or type(value) == "boolean")
end

local function read_arguments(op, n, ...)
  local call, at = { inputs = {}, attributes = {} }, 1
  for k = 1, n do
    local value = control.resolve((select(k, ...)))
    if is_keywords(value) then
      set_all(op, call, value)
      if op.order[at] == "attrs" then at = at + 1 end
    else
      while op.order[at] and skips(op, op.order[at], value) do at = at + 1 end
      local slot = op.order[at]
      if slot then
        if value ~= nil then set(op, call, slot, value) end
        at = at + 1
      elseif type(value) == "string" and call.name == nil then
        call.name = value
      elseif value ~= nil then
        fail(op, "argument", "%d arguments are too many; there are %s", n, table.concat(op.order, ", "))
      end
    end
  end
  return call
end

-- ---- plain values as constants ----
local function constant_of(op, name, value, element_type)
  local kind = kind_of(value)
  if kind == "Tensor" then return core.make_constant(value:clone()) end
  if kind ~= "number" and kind ~= "table" and kind ~= "boolean" and kind ~= "cdata" then
    fail(op, "type", "input '%s': expected a node, an ov.Tensor or plain numbers, got %s", name, kind)
  end
  return core.make_constant(core.tensor(value, element_type))
end

local function first_type(op, call)
  for i, name in ipairs(op.input_names) do
    local value = call.inputs[i]
    if is_node(value) and not WHOLE[name] and name ~= "cond" and name ~= "condition" and value.element_type ~= "dynamic" then return value.element_type end
  end
end

local function all_whole(value, depth)
  if type(value) == "table" then
    if (depth or 0) > 64 then return false end -- it holds itself: what makes a tensor of it says so
    for _, v in ipairs(value) do
      if not all_whole(v, (depth or 0) + 1) then return false end
    end
    return true
  end
  return type(value) == "number" and value == math.floor(value)
end

local function type_for(op, call, name, value)
  if op.factory == "range" then return call.attributes.output_type or (all_whole(value) and "i64" or "f32") end
  if name == "scales_or_sizes" then return call.attributes.shape_calculation_mode == "sizes" and "i64" or "f32" end
  if WHOLE[name] then return "i64" end
  if name == "cond" or name == "condition" or op.factory:find("^logical_") then return "boolean" end
  return first_type(op, call) or (type(value) == "boolean" and "boolean") or "f32"
end

-- A variadic input takes a list of nodes; everything becomes a node or false.
local function finish_inputs(op, call)
  local out, n = {}, 0
  for i, name in ipairs(op.input_names) do
    local value = call.inputs[i]
    if op.list == i then
      if is_node(value) then value = { value } end
      if type(value) ~= "table" then fail(op, "type", "'%s': expected a list of nodes, got %s", name, kind_of(value)) end
      local like
      for _, v in ipairs(value) do
        v = control.resolve(v)
        if is_node(v) then like = v.element_type break end
      end
      for k, v in ipairs(value) do
        v = control.resolve(v)
        if not is_node(v) then v = constant_of(op, name .. "[" .. k .. "]", v, like or "f32") end
        n = n + 1
        out[n] = v
      end
    elseif value == nil then
      if i <= op.min then fail(op, "argument", "input '%s' is missing; the arguments are %s", name, table.concat(op.order, ", ")) end
      out[i] = false
    else
      if not is_node(value) then value = constant_of(op, name, value, type_for(op, call, name, value)) end
      out[i], n = value, i
    end
  end
  out.n = n
  return out
end

local function named(node, name)
  if name ~= nil then
    if type(name) ~= "string" then core.fail("type", "name: expected a string, got " .. kind_of(name)) end
    node:set_friendly_name(name)
  end
  return node
end

local function build(op, opset, n, ...)
  local call = read_arguments(op, n, ...)
  return named(core.make_node(op.factory, opset, finish_inputs(op, call), call.attributes), call.name)
end

-- ---- operators with arguments of their own ----
local own = {}

--- op.parameter(shape [, element_type = "f32" [, name]] [, {dtype =, name =, layout = "NCHW"}])
function own.parameter(opset)
  return function(shape, element_type, name, options)
    if is_keywords(element_type) then element_type, name, options = nil, nil, element_type end
    if is_keywords(name) then name, options = nil, name end
    options = options or {}
    if type(options) ~= "table" then core.fail("type", "parameter: expected a table of options, got " .. kind_of(options)) end
    local attributes = { shape = shape, element_type = element_type or options.dtype or options.element_type or "f32", layout = options.layout }
    return named(core.make_node("parameter", opset, { n = 0 }, attributes), name or options.name)
  end
end

--- op.constant(value [, element_type [, shape] [, name]]): a Tensor keeps its type unless told otherwise; plain values are f32.
function own.constant()
  return function(value, element_type, shape, name)
    if is_keywords(element_type) then element_type, shape, name = element_type.dtype or element_type.element_type, element_type.shape, element_type.name end
    if type(shape) == "string" then shape, name = nil, shape end
    local tensor
    if core.class_name(value) == "Tensor" then
      tensor = element_type and element_type ~= value.element_type and value:astype(element_type) or value:clone()
      if shape then tensor = tensor:reshape(shape) end
    elseif shape then
      tensor = core.tensor(element_type or "f32", shape, value)
    else
      tensor = core.tensor(value, element_type)
    end
    return named(core.make_constant(tensor), name)
  end
end

-- A node of any value: what the inputs of control flow are made with.
local function source(value, element_type)
  value = control.resolve(value)
  if is_node(value) then return value end
  local kind = kind_of(value)
  if kind == "Tensor" then return core.make_constant(value:clone()) end
  if kind ~= "number" and kind ~= "table" and kind ~= "boolean" then core.fail("type", "expected a node or plain numbers, got " .. kind) end
  return core.make_constant(core.tensor(value, element_type or "f32"))
end

function own.if_op(opset)
  return function(condition) return control.if_op(opset, source, condition) end
end
function own.loop(opset)
  return function(trip_count, condition) return control.loop(opset, source, trip_count, condition) end
end
function own.tensor_iterator(opset)
  return function() return control.tensor_iterator(opset, source) end
end

--- ov.Model(results, parameters, name): as core.model, and outputs of control flow may stand among the results.
function builder.model(results, parameters, name)
  local list = results
  if type(results) == "table" and (control.is_pending(results) or getmetatable(results) == nil) then
    list = {}
    for i, value in ipairs(control.is_pending(results) and { results } or results) do list[i] = control.resolve(value) end
  end
  local model = core.model(list, parameters, name)
  return control.note(model, type(list) == "table" and list or { list }, type(parameters) == "table" and parameters or { parameters })
end

-- ---- opsets ----
local opsets = {}

local function new_opset(n)
  if not registry then read_registry() end
  local t = {}
  local function add(name, factory)
    local op = version_of(factory, n)
    if not op then return end
    t[name] = own[factory] and own[factory](n) or function(...) return build(op, n, select("#", ...), ...) end
  end
  for factory in pairs(registry) do add(factory, factory) end
  for name, factory in pairs(SAME) do add(name, factory) end
  t.parameter, t.constant = own.parameter(n), own.constant(n)
  t.tensor_iterator = own.tensor_iterator(n)
  if n >= 5 then t.loop = own.loop(n) end
  if n >= 8 then t.if_op = own.if_op(n) end
  return setmetatable(t, {
    __index = function(_, name)
      local versions = registry[SAME[name] or name]
      local other = versions and (" (opset%d has it)"):format(versions[#versions].since) or ""
      core.fail("not_found", ("opset%d has no operator '%s'%s"):format(n, tostring(name), other))
    end,
    __tostring = function() return "ov.opset" .. n end,
  })
end

function builder.opset(n)
  opsets[n] = opsets[n] or new_opset(n)
  return opsets[n]
end

--- Nodes can be added and so on, with nodes and with plain values.
function builder.install_arithmetic()
  local opset = 13
  for event, factory in pairs({ __add = "add", __sub = "subtract", __mul = "multiply", __div = "divide", __pow = "power" }) do
    local function operate(a, b) return builder.opset(opset)[factory](a, b) end
    core.classes.Node.meta[event], core.classes.Output.meta[event], control.pending_meta[event] = operate, operate, operate
  end
  local function negate(a) return builder.opset(opset).negative(a) end
  core.classes.Node.meta.__unm, core.classes.Output.meta.__unm, control.pending_meta.__unm = negate, negate, negate
end

return builder
