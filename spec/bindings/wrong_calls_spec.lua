-- Generated calls: every function, method and property of every class, with every wrong kind of value in every place while the other places hold good values.
-- Each must raise an error with a code, or succeed; and one that raised has changed nothing. (errors_spec.lua does the same with nothing in the other places.)
local ov = require("ovlite")
local core_module = require("ovlite_core")
local support = require("spec.support.support")
local has_ffi, ffi = pcall(require, "ffi")
local unpack = table.unpack or unpack
local op = ov.opset13
local core = ov.Core()

-- ---- one object of every class, and what of it must not change ----
local function network()
  local a, b = op.parameter({ 1, 2 }, "f32", "a"), op.parameter({ 1, 2 }, "f32", "b")
  return ov.Model({ a + b, a - b }, { a, b }, "two")
end
local function single()
  local x = op.parameter({ 2, 2 }, "f32", "x")
  return ov.Model({ op.relu(x) }, { x }, "one")
end
local function stateful()
  local x = op.parameter({ 2 }, "f32", "x")
  local read = op.read_value(op.constant({ 0, 0 }), "v", "f32", { 2 })
  return ov.Model({ x + read, op.assign(x + read, "v") }, { x }, "m")
end
local function body()
  local p = op.parameter({ 1 }, "f32", "p")
  return ov.Model({ op.relu(p) }, { p }, "body"), p
end

local compiled_two, compiled_one, compiled_state -- requests are made by the thousand, models need not be
local function two() compiled_two = compiled_two or core:compile_model(network()) return compiled_two end
local function one() compiled_one = compiled_one or core:compile_model(single()) return compiled_one end
local function with_state() compiled_state = compiled_state or core:compile_model(stateful()) return compiled_state end

local MAKE = {
  Tensor = function() return ov.Tensor("f32", { 2, 2 }, { 1, 2, 3, 4 }) end,
  Port = function() return network().inputs[1] end,
  Node = function() return op.relu(op.parameter({ 1, 2 })) end,
  Output = function() return op.relu(op.parameter({ 1, 2 })):output(1) end,
  Model = network,
  Core = function() return ov.Core() end,
  CompiledModel = function() return core:compile_model(network()) end,
  InferRequest = function() return two():create_infer_request() end,
  ["InferRequest of one input"] = function() return one():create_infer_request() end,
  VariableState = function() return with_state():create_infer_request():query_state()[1] end,
  AsyncInferQueue = function() return ov.AsyncInferQueue(two(), 1) end,
  OVDict = function() return two()({ { 1, 2 }, { 3, 4 } }) end,
  If = function() return op.if_op(true):set_then_body((body())):set_else_body((body())) end,
  Loop = function() return op.loop(3, true):set_body((body())) end,
  TensorIterator = function() return op.tensor_iterator():set_body((body())) end,
}
local QUEUE_METHODS = { "set_callback", "start_async", "wait_all", "wait", "wait_any", "is_ready", "get_idle_request_id", "size", "requests", "close" }
local CONTROL = { If = true, Loop = true, TensorIterator = true }

local function tensors_text(list)
  local out = {}
  for i, t in ipairs(list) do out[i] = t.element_type .. "[" .. table.concat(t.shape, ",") .. "]" .. t:bytes() end
  return table.concat(out, "|")
end
local function ports_text(object)
  local out = {}
  for _, side in ipairs({ "inputs", "outputs" }) do
    for _, port in ipairs(object[side]) do
      out[#out + 1] = port.element_type .. ":" .. table.concat(port.names, ",") .. ":" .. table.concat(port.shape, ",")
    end
  end
  return table.concat(out, "|")
end
local function properties_text(object, get)
  local out = {}
  for _, key in ipairs(get(object, "SUPPORTED_PROPERTIES")) do
    local value = get(object, key)
    out[#out + 1] = key .. "=" .. (type(value) == "table" and table.concat(value, " ") or tostring(value))
  end
  return table.concat(out, ";")
end
local function request_text(r) return tensors_text(r.inputs) .. "#" .. tensors_text(r.outputs) .. "#" .. tostring(r.userdata) .. tostring(r.latency) end

local SNAPSHOT = {
  Tensor = function(t) return tensors_text({ t }) .. table.concat(t.strides, ",") end,
  Port = function(p) return p.any_name .. p.element_type .. table.concat(p.shape, ",") .. p.layout .. p.index end,
  Node = function(n) return n.friendly_name .. n.type_name .. n.element_type .. table.concat(n.shape, ",") .. #n:inputs() .. #n:outputs() end,
  Output = function(o) return table.concat(o.names, ",") .. o.element_type .. table.concat(o.shape, ",") .. o.index end,
  Model = function(m) return m.friendly_name .. ports_text(m) .. #m:get_ops() end,
  Core = function(c) return properties_text(c, function(o, key) return o:get_property("CPU", key) end) end,
  CompiledModel = function(c) return ports_text(c) .. properties_text(c, function(o, key) return o:get_property(key) end) end,
  InferRequest = request_text,
  ["InferRequest of one input"] = request_text,
  VariableState = function(s) return s.name .. tensors_text({ s.state }) end,
  AsyncInferQueue = function(q) return q:size() .. tostring(q:is_ready()) .. request_text(q[1]) end,
  OVDict = function(d) return tensors_text(d:values()) .. #d:keys() end,
}
local function control_text(c)
  local out = { tostring(c.name), tostring(c.node), #c.inputs, c.outputs }
  for _, b in ipairs(c.bodies) do
    for _, part in ipairs({ "ins", "outs", "back" }) do out[#out + 1] = #b[part] end
    out[#out + 1] = tostring(b.model) .. tostring(b.iteration) .. tostring(b.condition)
  end
  return table.concat(out, ",")
end
for class in pairs(CONTROL) do SNAPSHOT[class] = control_text end

-- ---- wrong values ----
local MINE = "an error of the spec's own"
local function odd_values()
  local list = {
    "nil", true, false, 0, 1, -1, 2, 1.5, 0 / 0, math.huge, -math.huge, 2 ^ 53, -2 ^ 63, 1e300, "", "x", "f32", "NO_SUCH", "a\0b", ("z"):rep(5000),
    {}, { 1 }, { 0 }, { -1 }, { "x" }, { x = 1 }, { {} }, { { 1 }, { 2, 3 } }, { [0] = 1 }, { [1.5] = 1 }, { 1, nil, 3 }, { 2 ^ 60, 2 ^ 60 }, { 0 / 0 }, { function() end },
    { [{}] = 1 }, function() end, print, coroutine.create(function() end), io.stderr, newproxy and newproxy(true) or io.stdout,
    setmetatable({}, { __index = function() error(MINE, 0) end }), setmetatable({}, { __call = function() end }), setmetatable({}, { __len = function() return 2 ^ 40 end }),
    setmetatable({}, { __metatable = "closed" }),
    { getFFIPointer = function() return nil end, getSize = function() return 1e15 end }, { getFFIPointer = 1, getSize = 1 },
  }
  local loop = {}
  loop[1] = loop
  list[#list + 1] = loop
  if has_ffi then
    for _, value in ipairs({ ffi.new("float[2]"), ffi.cast("float *", nil), ffi.new("int64_t", 5), ffi.new("uint64_t", -1), ffi.new("struct { int x; }"), ffi.new("double[0]"),
      ffi.new("char[4]"), ffi.C, ffi.typeof("int") }) do
      list[#list + 1] = value
    end
  end
  for class, make in pairs(MAKE) do
    list[#list + 1] = make()
    if not CONTROL[class] and class ~= "OVDict" then
      local closed = make()
      closed:close()
      list[#list + 1] = closed
    end
  end
  return list
end

local shown -- tostring() of a hostile value may raise
function shown(value)
  local ok, text = pcall(tostring, value)
  return type(value) .. " " .. (ok and text:sub(1, 60) or "?")
end

local function check_error(err, where)
  if not ov.error_code(err) and not tostring(err):find(MINE, 1, true) then error(("%s: an error without a code: %s"):format(where, tostring(err)), 0) end
end

-- Calls `fn(object, ...)` with each odd value in each of `places` places, the others as in `good`. `fresh()` makes the object and `snapshot` tells its state.
local function try(name, fresh, snapshot, good, places, fn)
  local object = fresh()
  local before = snapshot and snapshot(object)
  for place = 1, places do
    for _, value in ipairs(odd_values()) do
      local args = { unpack(good(), 1, places) }
      if value == "nil" then args[place] = nil else args[place] = value end
      local where = ("%s with %s as argument %d"):format(name, shown(value), place)
      local ok, err = pcall(fn, object, unpack(args, 1, places))
      if not ok then
        check_error(err, where)
        if snapshot and snapshot(object) ~= before then error(where .. " raised and yet changed something", 0) end
      else
        object = fresh()
        before = snapshot and snapshot(object)
      end
    end
  end
end

-- ---- good arguments, for methods that take any ----
local function tensor(shape) return ov.Tensor("f32", shape or { 1, 2 }, shape and { 1, 2, 3, 4 } or { 5, 6 }) end
local GOOD = {
  Tensor = {
    get = function() return { 1, 2 } end, set = function() return { 7, 1, 2 } end, copy_from = function() return { { { 5, 6 }, { 7, 8 } } } end,
    copy_to = function() return { tensor({ 2, 2 }) } end, fill = function() return { 3 } end, set_shape = function() return { { 4, 1 } } end,
    reshape = function() return { { 4 } } end, astype = function() return { "i32" } end, slice = function() return { 1, 1, 2 } end,
    select = function() return { 1, 2 } end, transpose = function() return { { 2, 1 } } end, argmax = function() return { 1 } end,
    topk = function() return { 1, 2 } end, softmax = function() return { 1 } end,
  },
  Node = {
    set_friendly_name = function() return { "other" } end, output = function() return { 1 } end, input = function() return { 1 } end,
    get_element_type = function() return { 1 } end, get_shape = function() return { 1 } end, get_partial_shape = function() return { 1 } end,
    get_output_element_type = function() return { 1 } end, get_output_shape = function() return { 1 } end, get_output_partial_shape = function() return { 1 } end,
  },
  Output = { set_names = function() return { { "n" } } end, add_names = function() return { { "n" } } end },
  Model = {
    input = function() return { "a" } end, output = function() return { 1 } end, reshape = function() return { { a = { 2, 2 }, b = { 2, 2 } } } end,
    add_outputs = function() return { "a" } end, set_friendly_name = function() return { "other" } end,
  },
  Core = {
    read_model = function() return { { model = "no model" } } end, compile_model = function() return { single(), "CPU", { NUM_STREAMS = 1 } } end,
    get_property = function() return { "CPU", "NUM_STREAMS" } end, set_property = function() return { "CPU", { NUM_STREAMS = 1 } } end,
    get_versions = function() return { "CPU" } end, query_model = function() return { single(), "CPU" } end,
    import_model = function() return { one():export_model(), "CPU" } end,
  },
  CompiledModel = {
    input = function() return { 1 } end, output = function() return { 1 } end, infer_new_request = function() return { { { 1, 2 }, { 3, 4 } }, true, false } end,
    get_property = function() return { "NUM_STREAMS" } end, set_property = function() return { { NUM_STREAMS = 1 } } end,
  },
  InferRequest = {
    infer = function() return { { { 1, 2 }, { 3, 4 } }, true, true } end, start_async = function() return { { a = { 1, 2 } }, "user", false } end,
    wait_for = function() return { 0 } end, set_callback = function() return { function() end, "user" } end, get_tensor = function() return { "a" } end,
    set_tensor = function() return { "a", tensor() } end, get_input_tensor = function() return { 1 } end, get_output_tensor = function() return { 1 } end,
    set_input_tensor = function() return { 1, tensor() } end, set_output_tensor = function() return { 1, tensor() } end,
    set_input_tensors = function() return { { tensor(), tensor() } } end, set_output_tensors = function() return { { tensor(), tensor() } } end,
    set_tensors = function() return { { a = tensor(), b = tensor() } } end,
  },
  ["InferRequest of one input"] = {
    infer = function() return { { 1, 2, 3, 4 }, true, true } end, start_async = function() return { { 1, 2, 3, 4 }, "user", false } end,
    set_input_tensors = function() return { 1, { tensor(), tensor() } } end, set_tensors = function() return { "x", { tensor(), tensor() } } end,
    set_input_tensor = function() return { tensor({ 2, 2 }) } end,
  },
  VariableState = { set_state = function() return { ov.Tensor("f32", { 2 }, { 1, 2 }) } end },
  AsyncInferQueue = {
    set_callback = function() return { function() end } end, start_async = function() return { { { 1, 2 }, { 3, 4 } }, "user", false } end,
    wait = function() return { 1 } end, wait_any = function() return { 0 } end,
  },
  OVDict = { has = function() return { 1 } end },
  If = {
    set_then_body = function() return { (body()) } end, set_else_body = function() return { (body()) } end, set_input = function() return { op.constant({ 1 }), 1, 1 } end,
    set_output = function() return { 1, 1 } end, set_friendly_name = function() return { "n" } end, output = function() return { 1 } end,
  },
  Loop = {
    set_body = function() return { (body()) } end, set_function = function() return { (body()) } end, set_invariant_input = function() return { 1, op.constant({ 1 }) } end,
    set_merged_input = function() return { 1, op.constant({ 1 }), 1 } end, set_sliced_input = function() return { 1, op.constant({ 1 }), 0, 1, 1, -1, 0 } end,
    get_iter_value = function() return { 1, -1 } end, get_concatenated_slices = function() return { 1, 0, 1, 1, -1, 0 } end,
    set_special_body_ports = function() return { 1, 1 } end, set_friendly_name = function() return { "n" } end, output = function() return { 1 } end,
  },
}
GOOD.TensorIterator = GOOD.Loop

local function methods_of(class)
  local registered = core_module.classes[class:match("^%a+")]
  local names = {}
  if registered then
    for name in pairs(registered.methods) do names[#names + 1] = name end
  elseif class == "AsyncInferQueue" then
    names = { unpack(QUEUE_METHODS) }
  elseif class == "OVDict" then
    for name in pairs(ov.OVDict) do names[#names + 1] = name end
  else
    for name, value in pairs(MAKE[class]()) do
      if type(value) == "function" and name ~= "source" then names[#names + 1] = name end
    end
  end
  table.sort(names)
  return names
end

-- Files of odd names are not written: strings are paths into a place where nothing can be.
local function harmless(path) return type(path) == "string" and "/dev/null/" .. path or path end

local function nothing() return {} end

local PLACES = 3 -- of functions without a row

describe("wrong calls of", function()
  for class, make in pairs(MAKE) do
    it(class .. "'s methods", function()
      for _, name in ipairs(methods_of(class)) do
        local good = GOOD[class] and GOOD[class][name] or nothing
        try(class .. ":" .. name, make, SNAPSHOT[class], good, good == nothing and PLACES or #good() + 1, function(object, ...)
          local first = ...
          if name == "save" then return object:save(harmless(first), select(2, ...)) end
          local result = object[name](object, ...)
          if name == "start_async" then object[class == "AsyncInferQueue" and "wait_all" or "wait"](object) end
          return result
        end)
      end
    end)

    it(class .. "'s properties, keys and operators", function()
      local object = make()
      local before = SNAPSHOT[class](object)
      local registered = core_module.classes[class:match("^%a+")]
      local names = {}
      for name in pairs(registered and registered.getters or {}) do names[#names + 1] = name end
      if not CONTROL[class] then -- their tables are open, as any table of Lua is
        for _, value in ipairs(odd_values()) do names[#names + 1] = value end
        for i, name in ipairs(names) do
          local ok, err = pcall(function() return object[name] end)
          if not ok then check_error(err, ("reading %s of %s"):format(shown(name), class)) end
          for _, value in ipairs(i <= 12 and odd_values() or { 1, "x", {} }) do
            local where = ("setting %s of %s to %s"):format(shown(name), class, shown(value))
            ok, err = pcall(function() object[name] = value end)
            if not ok then
              if not tostring(err):find("index is NaN", 1, true) and not tostring(err):find("index is nil", 1, true) then check_error(err, where) end
              if SNAPSHOT[class](object) ~= before then error(where .. " raised and yet changed something", 0) end
            else
              object = make()
              before = SNAPSHOT[class](object)
            end
          end
        end
      end
      for _, value in ipairs(odd_values()) do
        pcall(function() return object == value end)
        for _, fn in ipairs({ function() return object + value end, function() return value * object end, function() return object(value) end, function() return object(value, value) end }) do
          local ok, err = pcall(fn)
          if not ok and not tostring(err):find("attempt to", 1, true) then check_error(err, class .. "'s operators with " .. shown(value)) end
        end
      end
    end)
  end

  it("the module's functions", function()
    local functions = {
      Core = { nothing }, Tensor = { function() return { "f32", { 2 }, { 1, 2 } } end, function() return { { 1, 2 }, "f32" } end,
        function() return { tensor({ 2, 2 }), { 1, 1 }, { 2, 2 } } end },
      Model = { function() return { { op.constant({ 1 }) }, {}, "m" } end }, InferRequest = { function() return { two():create_infer_request() } end },
      AsyncInferQueue = { function() return { two(), 1 } end }, compile_model = { function() return { single(), "CPU", {} } end },
      read_model = { function() return { { model = "<net/>", weights = "" } } end }, poll = { function() return { 0 } end }, pollfd = { nothing },
      error_code = { function() return { "ovlite: type: x" } end },
      save_model = { function() return { single(), "/dev/null/x.xml", { compress_to_fp16 = true } } end },
    }
    for name in pairs(ov) do -- a function without a row gets one wrong value at a time, and nothing else
      if type(ov[name]) == "function" then functions[name] = functions[name] or { nothing } end
    end
    for name, rows in pairs(functions) do
      for _, good in ipairs(rows) do
        try("ov." .. name, nothing, nil, good, good == nothing and PLACES or #good() + 1, function(_, first, second, ...)
          if name == "save_model" then return ov.save_model(first, harmless(second), ...) end
          return ov[name](first, second, ...)
        end)
      end
    end
    try("ov.Tensor.wrap", nothing, nil, function() return { has_ffi and ffi.new("float[4]") or "abcd", "f32", { 2 } } end, 4, function(_, ...) return ov.Tensor.wrap(...) end)
    try("ov.Tensor.load", nothing, nil, function() return { "/dev/null/x.npy" } end, 2, function(_, ...) return ov.Tensor.load(...) end)
  end)

  it("ov.image's functions", function()
    local picture = function() return ov.Tensor("u8", { 4, 4, 3 }) end
    local rows = { load = function() return { "P5 1 1 255 x", { channels = 3 } } end, save = function() return { "/dev/null/x.png", picture() } end }
    for name, fn in pairs(ov.image) do
      local good = rows[name] or function() return { picture(), 2, 2, 2 } end
      try("ov.image." .. name, nothing, nil, good, #good() + 1, function(_, first, ...)
        return fn(name == "save" and harmless(first) or first, ...)
      end)
    end
  end)

  it("methods with an object of another class", function()
    for class in pairs(MAKE) do
      local plain = class:match("^%a+")
      local registered = core_module.classes[plain] and core_module.classes[plain].methods or class == "OVDict" and ov.OVDict or nil
      for name, method in pairs(registered or {}) do
        for _, value in ipairs(odd_values()) do
          local other = value == "nil" and nil or value
          local is_dict = class == "OVDict" and pcall(ov.OVDict.keys, other)
          if core_module.class_name(other) ~= plain and not is_dict then
            local ok, err = pcall(method, other)
            local where = ("%s.%s of %s"):format(class, name, shown(other))
            assert.is_false(ok, where)
            check_error(err, where)
          end
        end
      end
    end
  end)
end)

-- ---- the op builder: all factories of the registry ----
describe("wrong calls of the op builder's", function()
  local by_opset = {}
  for _, entry in ipairs(core_module.op_list()) do
    local opset = math.max(entry.since, 1)
    if opset <= 15 then
      by_opset[opset] = by_opset[opset] or {}
      table.insert(by_opset[opset], entry)
    end
  end

  for opset, entries in pairs(by_opset) do
    it("factories of opset" .. opset, function()
      local x = op.parameter({ 1, 2, 4, 4 }, "f32", "x")
      local function state() return SNAPSHOT.Node(x) end
      for _, entry in ipairs(entries) do
        local factory = ov["opset" .. opset][entry.factory]
        local inputs = math.min(math.max(entry.max_inputs or entry.max or 1, 1), 6)
        local attributes = entry.attributes or entry.attrs or {}
        local names = {}
        for _, a in ipairs(attributes) do names[#names + 1] = type(a) == "table" and (a.name or a[1]) or a end
        local function good()
          local list = {}
          for i = 1, inputs do list[i] = x end
          return list
        end
        local name = "opset" .. opset .. "." .. entry.factory
        try(name, nothing, state, good, inputs + math.min(#names, 12), function(_, ...) return factory(...) end)
        for _, attribute in ipairs(names) do
          try(name .. " by name: " .. attribute, nothing, state, nothing, 1, function(_, value)
            local list = good()
            list[#list + 1] = { [attribute] = value, name = "n" }
            return factory(unpack(list))
          end)
        end
      end
    end)
  end
end)
