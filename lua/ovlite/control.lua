-- If, Loop and TensorIterator in the op builder, in the manner of OpenVINO's Python API:
--
--   local choice = op.if_op(condition)
--   choice:set_then_body(ov.Model({ a }, { x1 })):set_else_body(ov.Model({ b }, { x2 }))
--   choice:set_input(value, x1, x2)                 -- nil where a branch does not take it
--   local y = choice:set_output(a, b)               -- results of the two bodies, in the nodes they were made of
--
-- Inputs and outputs are noted down; the node is made when one of its outputs is first used. Parameters and results are named by the nodes that the body's
-- ov.Model was made of, or by their positions.
local core = require("ovlite_core")
local control = {}

local parts = setmetatable({}, { __mode = "k" }) -- Model -> the lists it was made of

--- Remembers what a model was made of.
function control.note(model, results, parameters)
  parts[model] = { results = results, parameters = parameters }
  return model
end

local function kind_of(value) return core.class_name(value) or type(value) end
local function fail(self, code, text, ...) core.fail(code, self.kind .. ": " .. text:format(...)) end

-- The position, from 0, of a parameter or result of a body.
local function find(self, body, list, what)
  if not body then fail(self, "argument", "the body must be set first") end
  local names = parts[body] and parts[body][list] or {}
  if type(what) == "number" then
    local count = #(list == "results" and body.results or body.parameters)
    if what ~= math.floor(what) or what < 1 or what > count then fail(self, "not_found", "the body has no %s %s; it has %d", list:sub(1, -2), what, count) end
    return what - 1
  end
  for i, node in ipairs(names) do
    if rawequal(node, what) or node == what then return i - 1 end
  end
  fail(self, core.class_name(what) and "not_found" or "type", "expected one of the body's %s or its position, got %s", list, kind_of(what))
end

local Control = {}
local meta = { __index = Control, __name = "ovlite.Control" }
local Pending = { __name = "ovlite.PendingOutput" }

local function is_control(value) return type(value) == "table" and getmetatable(value) == meta end
local function is_pending(value) return type(value) == "table" and getmetatable(value) == Pending end

local function finish(self)
  if self.node then return self.node end
  for i = 1, self.kind == "If" and 2 or 1 do
    if not self.bodies[i].model then fail(self, "argument", "%s is missing", self.kind == "If" and (i == 1 and "the then body" or "the else body") or "the body") end
  end
  self.node = core.make_control(self.kind, self.opset, self.inputs, self.bodies)
  if self.name then self.node:set_friendly_name(self.name) end
  return self.node
end

--- What a value of this file stands for: a Node or an Output; other values as they are.
function control.resolve(value)
  if is_control(value) then return finish(value) end
  if is_pending(value) then return finish(rawget(value, "control")):output(rawget(value, "index")) end
  return value
end

function control.is_pending(value) return is_control(value) or is_pending(value) end

-- An output that is not there yet acts as the Output it will be.
function Pending.__index(pending, name)
  local output = control.resolve(pending)
  local value = output[name]
  if type(value) ~= "function" then return value end
  return function(_, ...) return value(output, ...) end
end
function Pending.__tostring(pending) return tostring(control.resolve(pending)) end
control.pending_meta = Pending

local function open(self)
  if self.node then fail(self, "argument", "it is in use already: set bodies, inputs and outputs before an output is used") end
  return self
end

local function add_input(self, value)
  self.inputs[#self.inputs + 1] = self.source(value)
  return #self.inputs - 1
end

local function new_output(self)
  self.outputs = self.outputs + 1
  return setmetatable({ control = self, index = self.outputs }, Pending)
end

local function check_body(self, body)
  if core.class_name(body) ~= "Model" then fail(self, "type", "expected an ov.Model as body, got %s", kind_of(body)) end
  return body
end

function Control.set_friendly_name(self, name)
  self.name = name
  if self.node then self.node:set_friendly_name(name) end
  return self
end

--- The node, made now.
function Control.get_node(self) return finish(self) end
function Control.output(self, i) return finish(self):output(i) end

-- ---- If ----
local If = setmetatable({}, { __index = Control })
function If.set_then_body(self, body) open(self).bodies[1].model = check_body(self, body) return self end
function If.set_else_body(self, body) open(self).bodies[2].model = check_body(self, body) return self end

function If.set_input(self, value, then_parameter, else_parameter)
  open(self)
  local given, at, inner = { then_parameter, else_parameter }, nil, {}
  for b = 1, 2 do
    if given[b] ~= nil then inner[b] = find(self, self.bodies[b].model, "parameters", given[b]) end
  end
  at = add_input(self, value)
  for b = 1, 2 do
    if inner[b] then table.insert(self.bodies[b].ins, { at, inner[b] }) end
  end
  return self
end

function If.set_output(self, then_result, else_result)
  open(self)
  local a = find(self, self.bodies[1].model, "results", then_result)
  local b = find(self, self.bodies[2].model, "results", else_result)
  table.insert(self.bodies[1].outs, { self.outputs, a })
  table.insert(self.bodies[2].outs, { self.outputs, b })
  return new_output(self)
end

-- ---- Loop and TensorIterator ----
local Iterator = setmetatable({}, { __index = Control })
function Iterator.set_body(self, body) open(self).bodies[1].model = check_body(self, body) return self end
Iterator.set_function = Iterator.set_body

local function parameter(self, what) return find(self, self.bodies[1].model, "parameters", what) end
local function result(self, what) return find(self, self.bodies[1].model, "results", what) end

--- The same value in every iteration.
function Iterator.set_invariant_input(self, what, value)
  local p = parameter(open(self), what)
  table.insert(self.bodies[1].ins, { add_input(self, value), p })
  return self
end

--- `initial` in the first iteration, then what `successive` of the last iteration gave.
function Iterator.set_merged_input(self, what, initial, successive)
  local p, r = parameter(open(self), what), result(self, successive)
  table.insert(self.bodies[1].ins, { add_input(self, initial), p })
  table.insert(self.bodies[1].back, { r, p })
  return self
end

--- A part of the value in each iteration.
function Iterator.set_sliced_input(self, what, value, start, stride, part_size, stop, axis)
  local p = parameter(open(self), what)
  table.insert(self.bodies[1].ins, { add_input(self, value), p, axis or 0, start or 0, stop or -1, stride or 1, part_size or 1 })
  return self
end

--- What the last iteration gave.
function Iterator.get_iter_value(self, what, iteration)
  if iteration ~= nil and iteration ~= -1 then fail(self, "unsupported", "only the value of the last iteration (-1) can be taken") end
  table.insert(self.bodies[1].outs, { self.outputs, result(open(self), what) })
  return new_output(self)
end

--- What all iterations gave, one after the other along an axis.
function Iterator.get_concatenated_slices(self, what, start, stride, part_size, stop, axis)
  table.insert(self.bodies[1].outs, { self.outputs, result(open(self), what), axis or 0, start or 0, stop or -1, stride or 1, part_size or 1 })
  return new_output(self)
end

--- Loop: the parameter that gets the iteration's number (nil or -1: none), and the result that says whether to go on. As a list of two, too.
function Iterator.set_special_body_ports(self, iteration, condition)
  if type(iteration) == "table" and not core.class_name(iteration) then iteration, condition = iteration[1], iteration[2] end
  open(self)
  local p = iteration ~= nil and iteration ~= -1 and parameter(self, iteration) or nil
  local r = condition ~= nil and condition ~= -1 and result(self, condition) or nil
  self.bodies[1].iteration, self.bodies[1].condition = p, r
  return self
end

local function new(kind, opset, source, class, bodies)
  local self = { kind = kind, opset = opset, source = source, inputs = {}, bodies = {}, outputs = 0 }
  for i = 1, bodies do self.bodies[i] = { ins = {}, outs = {}, back = {} } end
  for name, method in pairs(Control) do self[name] = method end
  for name, method in pairs(class) do self[name] = method end
  return setmetatable(self, meta)
end

--- op.if_op(condition); `source` makes a node of any value, of the element type that is its second argument.
function control.if_op(opset, source, condition)
  local self = new("If", opset, source, If, 2)
  self.inputs[1] = source(condition, "boolean")
  return self
end

--- op.loop(trip_count, execution_condition): -1 and true when not given.
function control.loop(opset, source, trip_count, condition)
  local self = new("Loop", opset, source, Iterator, 1)
  self.inputs[1] = source(trip_count == nil and -1 or trip_count, "i64")
  self.inputs[2] = source(condition == nil and true or condition, "boolean")
  return self
end

--- op.tensor_iterator()
function control.tensor_iterator(opset, source) return new("TensorIterator", opset, source, Iterator, 1) end

return control
