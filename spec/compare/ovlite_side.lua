-- The ovlite side of `make compare-api`: ovlite_side.lua scenarios.json NAME... prints one JSON line per scenario: {"name":, "steps": [outcome...]}.
-- What the words of a step mean is told in compare.py; openvino_side.py has the same functions under the same names, in the same order.
-- Positions are from 0 in the description and from 1 here.
package.path = (os.getenv("OVLITE_ROOT") or ".") .. "/?.lua;" .. package.path
local ov = require("ovlite")
local json = require("spec.support.json")
local ffi = require("ffi")
local unpack = table.unpack or unpack

local CTYPES = { f32 = "float", f64 = "double", i8 = "int8_t", i16 = "int16_t", i32 = "int32_t", i64 = "int64_t", u8 = "uint8_t", u16 = "uint16_t",
  u32 = "uint32_t", u64 = "uint64_t", boolean = "bool" }
local SPECIAL = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

-- ---- JSON: lists are marked, so that empty ones are told from objects ----
local List = {}
local function list(t) return setmetatable(t or {}, List) end
local NULL = {}

local function encode(v)
  if v == nil or v == NULL then return "null" end
  if type(v) == "boolean" then return tostring(v) end
  if type(v) == "number" then
    if v ~= v then return '"nan"' end
    if v == math.huge or v == -math.huge then return v > 0 and '"inf"' or '"-inf"' end
    return ("%.17g"):format(v)
  end
  if type(v) == "cdata" then return (tostring(v):gsub("U?LL$", "")) end
  if type(v) == "string" then
    return '"' .. v:gsub('[%z\1-\31"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
  end
  local parts = {}
  if getmetatable(v) == List then
    for i = 1, #v do parts[i] = encode(v[i]) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for k, x in pairs(v) do parts[#parts + 1] = encode(tostring(k)) .. ":" .. encode(x) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function map(t, fn)
  local out = list()
  for i, v in ipairs(t) do out[i] = fn(v) end
  return out
end
local function sorted(t)
  table.sort(t, function(a, b) return encode(a) < encode(b) end)
  return list(t)
end

-- ---- values ----
local function position(k) return type(k) == "number" and k + 1 or k end

local function numbers(spec, type_name)
  if type_name == "string" then return spec.data end
  return map(spec.data, function(v) return SPECIAL[v] or v end)
end

-- Rows of a flat list.
local function nested(flat, shape)
  local at = 0
  local function rows(d)
    if d > #shape then at = at + 1; return flat[at] end
    local out = {}
    for i = 1, shape[d] do out[i] = rows(d + 1) end
    return out
  end
  return rows(1)
end

local function raw(data, type_name)
  if type_name == "f16" then return ov.Tensor("f16", { #data }, data) end -- no such C type
  local memory = ffi.new(CTYPES[type_name] .. "[?]", #data)
  for i, v in ipairs(data) do memory[i - 1] = v end
  return memory
end

local function value(s, spec)
  if type(spec) == "string" and spec:sub(1, 1) == "$" then
    local name = spec:sub(2)
    if s.kept[name] ~= nil then return s.kept[name] end
    return value(s, s.values[name])
  end
  if type(spec) ~= "table" then return spec end
  if spec.tensor then return ov.Tensor(spec.tensor, spec.shape or { #spec.data }, numbers(spec, spec.tensor)) end
  if spec.array then return nested(numbers(spec, spec.array), spec.shape or { #spec.data }) end
  if spec.raw then return raw(numbers(spec, spec.raw), spec.raw) end
  if spec.wrap then
    local of = s.values[spec.wrap:sub(2)] or s.specs[spec.wrap:sub(2)]
    return ov.Tensor.wrap(value(s, spec.wrap), of.raw, of.shape or { #of.data })
  end
  if spec.zeros then return ov.Tensor(spec.zeros, spec.shape) end
  if spec.roi then return ov.Tensor(value(s, spec.roi), map(spec.from, position), spec.to) end
  if spec.list then return spec.list end
  if spec.none then return nil end
  error("no such value: " .. encode(spec))
end

local function port(s, spec)
  local owner = s[spec.of or "compiled"]
  return owner[spec.side .. "s"][spec.port + 1]
end

local function key(s, spec)
  if type(spec) == "table" then return port(s, spec) end
  return position(spec)
end

local function keyed(s, pairs_)
  local out = {}
  for _, kv in ipairs(pairs_) do out[key(s, kv[1])] = value(s, kv[2]) end
  return out
end

local function inputs(s, step)
  if step.keyed then return keyed(s, step.keyed) end
  if step.items then
    local out = {}
    for i, v in ipairs(step.items) do out[i] = value(s, v) end
    return out
  end
  return value(s, step["in"])
end

local function options(step, ...)
  local out
  for _, name in ipairs({ ... }) do
    if step[name] ~= nil then
      out = out or {}
      out[name] = step[name]
    end
  end
  return out
end

local function batch(s, step)
  local out = {}
  for i, v in ipairs(step.batch) do out[i] = value(s, v) end
  return out
end

-- fn(request, [position,] ...)
local function placed(fn, request, step, ...)
  if step.at ~= nil then return fn(request, position(step.at), ...) end
  return fn(request, ...)
end

-- ---- outcomes ----
local function told(t)
  if type(t) == "cdata" then
    local out, type_name = list(), tostring(ffi.typeof(t)):match("<([%w_]+)")
    local n = ffi.sizeof(t) / ffi.sizeof(type_name)
    for i = 0, n - 1 do out[i + 1] = t[i] end
    return { data = out }
  end
  return { type = t.element_type, shape = list(t.shape), data = list(t:flat()) }
end

local function told_port(p)
  local shape = map(p.partial_shape, function(d) return type(d) == "table" and list({ d[1], d[2] }) or d end)
  return { any_name = p.any_name, names = list(p.names), type = p.element_type, shape = shape }
end

local function outputs(results)
  local out = list()
  for i, t in ipairs(results) do out[i] = told(t) end
  return out
end

local function state(s, step)
  for _, v in ipairs(s:request(step):query_state()) do
    if v.name == step.name then return v end
  end
end

local function shape_of(dims) return map(dims, function(d) return d end) end

-- ---- steps ----
local Steps = {}

-- values kept by name
function Steps.make(s, step) value(s, step.value) end
function Steps.keep(s, step)
  s.specs[step.as] = step.value
  s.kept[step.as] = value(s, step.value)
end
function Steps.read(s, step) return told(value(s, step.value)) end
function Steps.write(s, step)
  local t = value(s, step.value)
  if type(t) == "cdata" then
    for i, v in ipairs(step.data) do t[i - 1] = v end
  elseif getmetatable(t) then
    t:copy_from(step.data)
  else
    local filled = nested(step.data, s.specs[step.value:sub(2)].shape)
    for i, v in ipairs(filled) do t[i] = v end
  end
end
function Steps.set_shape(s, step) value(s, step.value).shape = step.shape end
function Steps.facts(s, step)
  local t = value(s, step.value)
  return { type = t.element_type, shape = list(t.shape), size = t.size, bytes = t.byte_size, strides = list(t.strides), whole = t:is_continuous() }
end
function Steps.copy_to(s, step) value(s, step.value):copy_to(value(s, step.to)) end

-- runs
function Steps.infer(s, step)
  return s:keeping(step, s:request(step):infer(inputs(s, step), options(step, "share_inputs", "share_outputs")))
end
function Steps.call(s, step) return outputs(s.compiled(inputs(s, step), options(step, "share_inputs", "share_outputs"))) end
function Steps.infer_new(s, step) return outputs(s.compiled:infer_new_request(inputs(s, step))) end
function Steps.start(s, step) s:request(step):start_async(inputs(s, step), step.userdata, options(step, "share_inputs")) end
function Steps.wait(s, step) s:request(step):wait() end
function Steps.wait_for(s, step) return s:request(step):wait_for(step.ms) end
function Steps.cancel(s, step) s:request(step):cancel() end

-- tensors of a request
function Steps.get_tensor(s, step) return s:tensor(step, s:request(step):get_tensor(key(s, step.key))) end
function Steps.get_input_tensor(s, step)
  local r = s:request(step)
  return s:tensor(step, placed(r.get_input_tensor, r, step))
end
function Steps.get_output_tensor(s, step)
  local r = s:request(step)
  return s:tensor(step, placed(r.get_output_tensor, r, step))
end
function Steps.input_tensors(s, step) return map(s:request(step).input_tensors, told) end
function Steps.output_tensors(s, step) return map(s:request(step).output_tensors, told) end
function Steps.set_tensor(s, step) s:request(step):set_tensor(key(s, step.key), value(s, step.value)) end
function Steps.set_input_tensor(s, step)
  local r = s:request(step)
  placed(r.set_input_tensor, r, step, value(s, step.value))
end
function Steps.set_output_tensor(s, step)
  local r = s:request(step)
  placed(r.set_output_tensor, r, step, value(s, step.value))
end
function Steps.set_input_tensors(s, step)
  local r = s:request(step)
  if step.batch then placed(r.set_input_tensors, r, step, batch(s, step)) else r:set_input_tensors(keyed(s, step.keyed)) end
end
function Steps.set_output_tensors(s, step) s:request(step):set_output_tensors(keyed(s, step.keyed)) end
function Steps.set_tensors(s, step)
  local r = s:request(step)
  if step.batch then r:set_tensors(key(s, step.key), batch(s, step)) else r:set_tensors(keyed(s, step.keyed)) end
end

-- results
function Steps.results(s, step) return s:keeping(step, s:request(step).results) end
function Steps.lookup(s, step)
  local t = s.kept[step["in"]][key(s, step.key)]
  if t == nil then error("nil") end -- a position past the end is nil, so that ipairs ends
  return told(t)
end
function Steps.has(s, step) return s.kept[step["in"]]:has(key(s, step.key)) end
function Steps.result_names(s, step) return map(s.kept[step["in"]]:names(), list) end
function Steps.result_count(s, step) return #s.kept[step["in"]] end
function Steps.result_tuple(s, step) return map({ s.kept[step["in"]]:to_tuple() }, told) end
function Steps.result_keys(s, step) return map(s.kept[step["in"]]:keys(), told_port) end

-- everything else of a request
function Steps.latency(s, step)
  local ms = s:request(step).latency
  return ms == 0 and "zero" or ms > 0 and ms < 1e6 and "positive" or "nonsense"
end
function Steps.userdata(s, step)
  local u = s:request(step).userdata
  if u == nil then return NULL end
  return u
end
function Steps.profiling(s, step)
  local infos, executed, timed = s:request(step):get_profiling_info(), false, false
  for _, i in ipairs(infos) do
    executed = executed or i.status == "EXECUTED"
    timed = timed or i.real_time > 0
  end
  return { nodes = #infos > 0, executed = executed, timed = timed }
end
function Steps.is_single_input(s, step) return s:request(step):_is_single_input() end
function Steps.model_ports(s, step)
  local out = map(s:request(step).model_inputs, told_port)
  for _, p in ipairs(s:request(step).model_outputs) do out[#out + 1] = told_port(p) end
  return out
end
function Steps.equal(s, step) return s.requests[step.a] == s.requests[step.b] end
function Steps.new_request(s, step) s.requests[step.as] = s.compiled:create_infer_request() end
function Steps.same_request(s, step) s.requests[step.as] = ov.InferRequest(s:request(step)) end
function Steps.drop(s, step)
  s.requests[step.on] = nil
  collectgarbage()
end
function Steps.compiled_of(s, step) return outputs(s:request(step):get_compiled_model()(inputs(s, step))) end
function Steps.callback(s, step)
  local request, left, fn = s:request(step), step.times or 0, {}
  local function told_of(userdata) s.calls[#s.calls + 1] = userdata == nil and NULL or userdata end
  function fn.count(userdata) told_of(userdata) end
  function fn.chain(userdata)
    told_of(userdata)
    if left > 0 then
      left = left - 1
      request:infer()
    end
  end
  function fn.fail(userdata)
    told_of(userdata)
    error("told to")
  end
  function fn.look()
    local flat = request.results[1]:flat()
    s.calls[#s.calls + 1] = list({ flat[1], flat[2], flat[3], flat[4] })
  end
  request:set_callback(fn[step.what or "count"], step.userdata)
end
function Steps.calls(s)
  local seen = s.calls
  s.calls = {}
  return sorted(seen)
end

-- state
function Steps.states(s, step) return sorted(map(s:request(step):query_state(), function(v) return v.name end)) end
function Steps.get_state(s, step) return told(state(s, step).state) end
function Steps.set_state(s, step) state(s, step).state = value(s, step.value) end
function Steps.reset_one(s, step) state(s, step):reset() end
function Steps.reset_state(s, step) s:request(step):reset_state() end
function Steps.write_state(s, step) state(s, step).state:copy_from(step.data) end

-- models, ports, properties
function Steps.ports(s, step)
  local owner = s[step.of or "compiled"]
  return { inputs = map(owner.inputs, told_port), outputs = map(owner.outputs, told_port) }
end
function Steps.port(s, step)
  local owner = s[step.of or "compiled"]
  return told_port(owner[step.side](owner, position(step.key)))
end
function Steps.port_shape(s, step) return list(port(s, step).shape) end
function Steps.port_equal(s, step) return port(s, step) == s.compiled[step.side](s.compiled, position(step.key)) end
function Steps.is_dynamic(s) return s.model:is_dynamic() end
function Steps.model_name(s) return s.model.friendly_name end
function Steps.op_types(s) return sorted(map(s.model:get_ops(), function(n) return n.type_name end)) end
function Steps.reshape(s, step)
  if step.shape then
    s.model:reshape(shape_of(step.shape))
  else
    local shapes = {}
    for _, kv in ipairs(step.keyed) do shapes[key(s, kv[1])] = shape_of(kv[2]) end
    s.model:reshape(shapes)
  end
  s:compile()
end
function Steps.compile(s, step) s:compile(step.config) end
function Steps.add_outputs(s, step)
  s.model:add_outputs(step.names)
  s:compile()
end
function Steps.clone(s)
  s.model = s.model:clone()
  s:compile()
end
function Steps.save_read(s, step)
  local path = os.tmpname()
  local ok, err = pcall(function()
    ov.save_model(s.model, path .. ".xml", options(step, "compress_to_fp16"))
    s.model = s.core:read_model(path .. ".xml")
    s:compile()
  end)
  for _, ending in ipairs({ "", ".xml", ".bin" }) do os.remove(path .. ending) end
  if not ok then error(err, 0) end
end
function Steps.export_import(s)
  s.compiled = s.core:import_model(s.compiled:export_model(), "CPU")
  s.requests.r = s.compiled:create_infer_request()
end
function Steps.read_missing(s, step) s.core:read_model("/nowhere/" .. step.path) end
function Steps.import_bytes(s, step) s.core:import_model(step.bytes, "CPU") end
function Steps.release_memory(s) s.compiled:release_memory() end
function Steps.property(s, step)
  local v = s.compiled:get_property(step.name)
  return type(v) == "table" and list(v) or v
end
function Steps.set_compiled_property(s, step) s.compiled:set_property(step.config) end
function Steps.core_set(s, step) s.core:set_property("CPU", step.config) end
function Steps.core_device(s, step)
  for _, d in ipairs(s.core.available_devices) do
    if d == step.device then return true end
  end
  return false
end
function Steps.supported(s, step)
  for _, n in ipairs(s.compiled:get_property("SUPPORTED_PROPERTIES")) do
    if n == step.name then return true end
  end
  return false
end

-- the queue
function Steps.queue(s, step) s.kept.queue = ov.AsyncInferQueue(s.compiled, step.jobs) end
function Steps.queue_callback(s)
  s.kept.queue:set_callback(function(request, userdata)
    s.calls[#s.calls + 1] = list({ userdata == nil and NULL or userdata, told(request:get_output_tensor(1)).data })
  end)
end
function Steps.queue_start(s, step) s.kept.queue:start_async(inputs(s, step), step.userdata, options(step, "share_inputs")) end
function Steps.queue_wait(s) s.kept.queue:wait_all() end
function Steps.queue_size(s) return s.kept.queue:size() end
function Steps.queue_ready(s) return s.kept.queue:is_ready() end
function Steps.queue_idle(s)
  local id = s.kept.queue:get_idle_request_id()
  return 1 <= id and id <= s.kept.queue:size()
end
function Steps.queue_userdata(s)
  local out, all = {}, s.kept.queue.userdata
  for i = 1, s.kept.queue:size() do
    if all[i] ~= nil then out[#out + 1] = all[i] end
  end
  return sorted(out)
end
function Steps.queue_results(s)
  return map(s.kept.queue:requests(), function(r) return told(r:get_output_tensor(1)).data end)
end
function Steps.queue_job(s, step) return outputs(s.kept.queue[step.at + 1]:infer(inputs(s, step))) end

-- ---- scenarios ----
local function build(recipe)
  local op, nodes, parameters, results, constants = ov.opset13, {}, {}, {}, {}
  for i, p in ipairs(recipe.inputs) do
    local n = op.parameter(shape_of(p.shape), p.type, p.as, p.layout and { layout = p.layout } or nil)
    if p.names then n:output(1):set_names(p.names) end
    nodes[p.as], parameters[i] = n, n
  end
  local function source(word)
    local name, i = word:match("^%%([^:]+):?(%d*)$")
    return nodes[name]:output((tonumber(i) or 0) + 1)
  end
  local function argument(a)
    if type(a) == "string" and a:sub(1, 1) == "%" then return source(a) end
    if type(a) == "table" and a.const then
      if not constants[a] then
        local t = ov.Tensor(a.const, a.shape)
        if #a.data == 1 then t:fill(a.data[1]) else t:copy_from(a.data) end
        constants[a] = op.constant(t)
      end
      return constants[a]
    end
    if type(a) == "table" and a.type then return a.type end
    if type(a) == "table" and type(a[1]) == "string" then return map(a, source) end
    return a
  end
  for _, n in ipairs(recipe.nodes or {}) do
    for _ = 1, n.times or 1 do
      nodes[n.as] = op[n.op](unpack(map(n.args, argument)))
    end
    if n.names then nodes[n.as]:output(1):set_names(n.names) end
    if n.name then nodes[n.as]:set_friendly_name(n.name) end
  end
  for i, o in ipairs(recipe.outputs) do results[i] = source(o) end
  return ov.Model(results, parameters, recipe.name or "net")
end

local Scenario = {}
Scenario.__index = Scenario

function Scenario:compile(config)
  local all = {}
  for k, v in pairs(self.config) do all[k] = v end
  for k, v in pairs(config or {}) do all[k] = v end
  self.compiled = self.core:compile_model(self.model, "CPU", all)
  self.requests = { r = self.compiled:create_infer_request() }
end
function Scenario:request(step) return self.requests[step.on or "r"] end
function Scenario:keeping(step, results)
  if step.as then self.kept[step.as] = results end
  return outputs(results)
end
function Scenario:tensor(step, t)
  if step.as then self.kept[step.as] = t end
  return told(t)
end

local function failure(err) return { error = ov.error_code(err) or "lua", text = tostring(err):sub(1, 300) } end

local function run(text, scenario)
  local config, steps = { INFERENCE_PRECISION_HINT = "f32" }, list()
  for k, v in pairs(scenario.config or {}) do config[k] = v end
  local s = setmetatable({ values = text.values, kept = {}, specs = {}, calls = {}, requests = {}, config = config, core = ov.Core() }, Scenario)
  local ok, err = pcall(function()
    s.model = build(text.models[scenario.model])
    s:compile()
  end)
  if not ok then return list({ { error = "crash", text = tostring(err) } }) end
  for i, step in ipairs(scenario.steps) do
    local fine, out = pcall(Steps[step["do"]], s, step)
    if not fine then steps[i] = failure(out)
    elseif out == nil then steps[i] = "ok"
    else steps[i] = out end
  end
  return steps
end

local text, wanted = json.read(arg[1]), {}
for i = 2, #arg do wanted[arg[i]] = true end
for _, scenario in ipairs(text.scenarios) do
  if wanted[scenario.name] then
    io.write(">", encode({ name = scenario.name, steps = run(text, scenario) }), "\n")
    io.flush()
  end
end
