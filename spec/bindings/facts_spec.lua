-- Facts of a neighbour's behaviour that no other spec names, one by one: what ovlite does in the same place (numbers as in the list of observed behaviours).
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken
local op = ov.opset13
local core = ov.Core()
local has_ffi, ffi = pcall(require, "ffi")

local function same(want, got) assert.are.same(want, got) end

local function relu(shape, element_type)
  local x = op.parameter(shape or { 1, 4 }, element_type or "f32", "x")
  return core:compile_model(ov.Model({ op.relu(x) }, { x }, "relu")):create_infer_request()
end

local function plus_one(shape, element_type)
  local x = op.parameter(shape, element_type, "x")
  return core:compile_model(ov.Model({ op.add(x, op.constant(1, element_type)) }, { x }, "plus one")):create_infer_request()
end

local function pass(shape, element_type)
  local x = op.parameter(shape, element_type, "x")
  return core:compile_model(ov.Model({ x }, { x }, "pass")):create_infer_request()
end

local function two()
  local a, b = op.parameter({ 1, 2 }, "f32", "a"), op.parameter({ 1, 2 }, "f32", "b")
  return core:compile_model(ov.Model({ a + b, a - b }, { a, b }, "two")):create_infer_request()
end

describe("the page's surface", function()
  it("has request.inputs and outputs, as the page says (B001, B002, B003)", function()
    local r = two()
    same(2, #r.inputs)
    same(2, #r.outputs)
    assert.is_true(r.inputs[1] == r.input_tensors[1])
  end)

  it("takes shared_memory and its three defaults (B004, B005, B006)", function()
    local r = relu()
    same({ 0, 1, 0, 2 }, r:infer({ -1, 1, -2, 2 }, { shared_memory = false })[1]:flat())
    r:start_async({ -1, 3, -2, 4 }, nil, { shared_memory = true })
    r:wait()
    same({ 0, 3, 0, 4 }, r.results[1]:flat())
    broken(function() r:start_async({ 1, 2, 3, 4 }, nil, { share_outputs = true }) end, "argument")
    broken(function() r:infer({ 1, 2, 3, 4 }, { decode_strings = true }) end, "argument")
  end)

  it("addresses inputs by position in set_tensors, outputs by name (B010, B011)", function()
    local r = two()
    r:set_tensors({ [1] = ov.Tensor("f32", { 1, 2 }, { 1, 2 }) })
    same({ 1, 2 }, r:get_tensor("a"):flat())
    broken(function() r:set_tensors({ [3] = ov.Tensor("f32", { 1, 2 }) }) end, "not_found")
  end)
end)

describe("inputs", function()
  it("of a fresh dynamic request are empty (B013)", function()
    local r = relu({ -1, 4 })
    same({ 0, 4 }, r:infer()[1].shape)
  end)

  it("are named by ports of the source model too, but not by friendly names of nodes (B017, B025)", function()
    local x = op.parameter({ 1, 2 }, "f32", "node_name")
    x:output(1):set_names({ "tensor_name" })
    local model = ov.Model({ op.relu(x) }, { x })
    local r = core:compile_model(model):create_infer_request()
    same({ 0, 2 }, r:infer({ [model:input(1)] = { -1, 2 } })[1]:flat())
    broken(function() r:infer({ node_name = { 1, 2 } }) end, "not_found")
  end)

  it("stay as they are when the table is empty (B021)", function()
    local r = relu()
    r:infer({ 1, 2, 3, 4 })
    same({ 1, 2, 3, 4 }, r:infer({})[1]:flat())
  end)

  it("may not be more than there are, and holes make a keyed table (B035, B037)", function()
    local r = two()
    local t = ov.Tensor("f32", { 1, 2 })
    broken(function() r:infer({ t, t, t }) end, "not_found")
    same({ 5, 7 }, r:infer({ [2] = { 5, 7 } })[1]:flat())
  end)

  it("are numbers, never their texts (B043, B044)", function()
    local r = relu({}, "f32")
    broken(function() r:infer("1.5") end, "shape")
    broken(function() relu({ 2 }):infer({ "1", "2" }) end, "not_found")
  end)

  it("come as plain Lua tables, cast to the input's type, whatever it is (B045, B046, B047, B048, B049, B050, B052)", function()
    same({ { 0, 2 }, { 3, 0 } }, relu({ 2, 2 }):infer({ { -1, 2 }, { 3, -4 } })[1]:totable())
    same({ 2, 3 }, plus_one({ 2 }, "i64"):infer({ 1.9, 2 })[1]:flat())
    same({ 1, 2, 3 }, pass({ 3 }, "f64"):infer({ 1, 2, 3 })[1]:flat())
    same({ true, false }, pass({ 2 }, "boolean"):infer({ true, false })[1]:flat())
    same({ 1, 2, 3, 4 }, relu():infer({ { { 1, 2, 3, 4 } } })[1]:flat())
  end)

  it("take one number only where there is one element, and keep it (B055, B057, B058)", function()
    broken(function() relu({ 1, 4 }):infer(1) end, "shape")
    local r = relu({ 1 })
    same({ 1 }, r:infer({ [1] = 1.0 })[1]:flat())
    same({ 2 }, r:infer(2.0)[1]:flat())
    same({ 2 }, r:infer()[1]:flat())
  end)

  it("are not broadcast, and not empty where the shape is fixed (B059, B064)", function()
    local r = relu({ 2, 3 })
    broken(function() r:infer(ov.Tensor("f32", { 1, 3 })) end, "shape")
    broken(function() r:infer({ 1, 2, 3 }) end, "shape")
    broken(function() relu({ 1, 4 }):infer(ov.Tensor("f32", { 0, 4 })) end, "shape")
    broken(function() relu({ 1, 4 }):infer(ov.Tensor("f32", { 1, 0 })) end, "shape")
  end)

  it("copied after shared ones never touch the shared memory (B071)", function()
    local r = relu({ -1, 4 })
    local mine = ov.Tensor("f32", { 3, 4 }, support.random(1):list(12, 1, 2))
    local before = mine:flat()
    r:infer(mine, true)
    same({ 4, 4 }, r:infer(ov.Tensor("f32", { 4, 4 }):totable())[1].shape)
    same({ 1, 4 }, r:infer({ { 1, 2, 3, 4 } })[1].shape)
    same(before, mine:flat())
  end)
end)

describe("element types", function()
  it("bf16 is stored, computed on and read as bf16 (B082, B083, B084, B085)", function()
    local r = plus_one({ 1 }, "bf16")
    same({ 2 }, r:infer({ 1 })[1]:flat())
    same("bf16", r:infer({ 1 }, true)[1].element_type)
    same({ 1.5 }, ov.Tensor("bf16", { 1 }, { 1.5 }):flat())
    same("\192\063", ov.Tensor("bf16", { 1 }, { 1.5 }):bytes())
  end)

  it("4-bit numbers are unpacked values outside and two in a byte inside (B087)", function()
    local t = ov.Tensor("u4", { 3 }, { 1, 15, 7 })
    same({ 1, 15, 7 }, t:flat())
    same(2, t.byte_size)
    same("\241\007", t:bytes())
    same({ -8, 7 }, ov.Tensor("i4", { 2 }, { -8, 7 }):flat())
    same({ 3, 9 }, pass({ 2 }, "u4"):infer({ 3, 9 })[1]:flat())
  end)

  it("u1 is eight in a byte, the first one highest (B088)", function()
    local t = ov.Tensor("u1", { 10 }, { 1, 0, 0, 0, 0, 0, 0, 1, 1, 0 })
    same("\129\128", t:bytes())
    same({ 1, 0, 0, 0, 0, 0, 0, 1, 1, 0 }, t:flat())
  end)

  it("i64 and f64 are computed in 64 bits (B089, B090, B091)", function()
    same({ 2147483648, 2 ^ 40 + 1 }, plus_one({ 2 }, "i64"):infer({ 2147483647, 2 ^ 40 })[1]:flat())
    same({ 2 ^ 52 + 1 }, pass({ 1 }, "i64"):infer({ 2 ^ 52 + 1 })[1]:flat())
    local sum = plus_one({ 2 }, "f64"):infer({ 0.1, 1e300 })[1]:flat()
    same({ 1.1, 1e300 }, sum)
  end)

  it("narrow integers wrap in a model's arithmetic (B092: saturation is the neighbour's)", function()
    same({ 0 }, plus_one({ 1 }, "u8"):infer({ 255 })[1]:flat())
    same({ -128 }, plus_one({ 1 }, "i8"):infer({ 127 })[1]:flat())
    same({ -2147483648 }, plus_one({ 1 }, "i32"):infer({ 2147483647 })[1]:flat())
  end)

  it("a MatMul is exact to f32 by default, and with ACCURACY (B093, B094)", function()
    local random = support.random(5)
    local a, w = random:tensor("f32", { 4, 64 }), random:tensor("f32", { 64, 8 })
    for _, config in ipairs({ {}, { EXECUTION_MODE_HINT = "ACCURACY" }, { INFERENCE_PRECISION_HINT = "f32" } }) do
      local x = op.parameter({ 4, 64 }, "f32", "x")
      local model = ov.Model({ op.matmul(x, op.constant(w), false, false) }, { x })
      local got = core:compile_model(model, "CPU", config)(a)[1]:flat()
      local av, wv, worst = a:flat(), w:flat(), 0
      for i = 0, 3 do
        for j = 0, 7 do
          local sum = 0
          for k = 0, 63 do sum = sum + av[i * 64 + k + 1] * wv[k * 8 + j + 1] end
          worst = math.max(worst, math.abs(sum - got[i * 8 + j + 1]))
        end
      end
      assert.is_true(worst < 1e-5, "worst difference " .. worst)
    end
  end)

  it("of results are the outputs' (B095)", function()
    for _, t in ipairs({ "f64", "f32", "f16", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "boolean" }) do
      same(t, pass({ 1 }, t):infer({ 1 })[1].element_type)
    end
  end)

  it("have the page's names, and an unknown one is told (B334, B335, B336)", function()
    broken(function() ov.Tensor("float32", { 1 }) end, "argument")
    broken(function() ov.Tensor("dynamic", { 1 }) end, "type")
    same(1, ov.Tensor("u4", { 1 }).byte_size)
  end)
end)

describe("strided and shared memory", function()
  it("regions are right as inputs, copied or not (B096)", function()
    local base = ov.Tensor("f32", { 2, 4 }, { 1, -2, 3, -4, 5, -6, 7, -8 })
    local region = ov.Tensor(base, { 1, 2 }, { 2, 3 })
    local r = relu({ 2, 2 })
    same({ 0, 3, 0, 7 }, r:infer(region)[1]:flat())
    same({ 0, 3, 0, 7 }, r:infer(region, true)[1]:flat())
  end)

  it("views on outputs of a dynamic model stay valid when it grows (B111)", function()
    local r = relu({ -1, 2 })
    local first = r:infer({ { 1, 2 } }, { share_outputs = true })[1]
    for rows = 2, 40 do r:infer(ov.Tensor("f32", { rows, 2 }), { share_outputs = true }) end
    assert.is_true(first.size == 0 or #first:flat() == first.size)
  end)

  it("results are views on the output tensors (B112), which end as they were read", function()
    local r = relu()
    r:infer({ 1, 2, 3, 4 })
    local results = r.results
    same({ 1, 2, 3, 4 }, results[1]:flat())
    same({ 1, 2, 3, 4 }, r:get_output_tensor(1):flat())
  end)

  it("an input that is an output is copied through (B113)", function()
    local r = pass({ 3 }, "f32")
    same({ 1, 2, 3 }, r:infer({ 1, 2, 3 })[1]:flat())
    r:get_output_tensor():fill(9)
    same({ 1, 2, 3 }, r:get_input_tensor():flat())
  end)
end)

describe("strings", function()
  it("keep their bytes, UTF-8 or not (B119, B120)", function()
    local r = pass({ 3 }, "string")
    same({ "a\0b", "\255\254", "" }, r:infer({ "a\0b", "\255\254", "" })[1]:flat())
  end)
end)

describe("OVDict", function()
  it("is a table of its own kind, by position, name and port (B124, B127, B132, B138)", function()
    local res = two():infer({ { 1, 2 }, { 3, 4 } })
    same("table", type(res))
    broken(function() return res[-1] end, "not_found")
    assert.is_false(res:has("nothing"))
    assert.is_true(rawequal(res, res))
    broken(function() return res["nothing"] end, "not_found")
  end)
end)

describe("runs", function()
  it("return nothing, twice over, and count milliseconds (B156, B163)", function()
    local r = relu()
    same(0, select("#", r:start_async()))
    r:wait()
    r:wait()
    assert.is_true(r:wait_for(1))
  end)

  it("with one thread behave as with several (B155, B169)", function()
    local x = op.parameter({ 2 }, "i32", "x")
    local model = ov.Model({ op.divide(op.constant({ 6, 6 }, "i32"), x) }, { x })
    local r = core:compile_model(model, "CPU", { INFERENCE_NUM_THREADS = 1 }):create_infer_request()
    broken(function() r:infer({ 1, 0 }) end, "argument")
    same({ 6, 3 }, r:infer({ 1, 2 })[1]:flat())
    r:start_async({ 0, 1 })
    broken(function() r:wait() end, "argument")
    same({ 2, 1 }, r:infer({ 3, 6 })[1]:flat())
  end)

  it("cancelled after their end are as they were (B179); latency is a number then and after failures (B148, B181, B205)", function()
    local r = relu()
    r:start_async({ 1, 2, 3, 4 })
    r:wait()
    r:cancel()
    r:wait()
    same({ 1, 2, 3, 4 }, r.results[1]:flat())
    assert.is_true(r.latency >= 0)
    pcall(r.infer, r, ov.Tensor("f32", { 9 }))
    assert.is_true(r.latency >= 0 and r.latency < 1e6)
  end)

  it("tell their callback of a cancel too (B180)", function()
    local r, told = relu(), nil
    r:set_callback(function(_, err) told = err or "fine" end)
    r:start_async({ 1, 2, 3, 4 })
    r:cancel()
    pcall(r.wait, r)
    assert.is_string(told)
  end)
end)

describe("callbacks and userdata", function()
  it("need no userdata, and nil takes the callback away (B182)", function()
    local r, called = relu(), 0
    r:set_callback(function() called = called + 1 end)
    r:start_async({ 1, 2, 3, 4 })
    r:wait()
    r:set_callback(nil)
    r:start_async()
    r:wait()
    same(1, called)
    broken(function() r:set_callback("not a function") end, "type")
  end)

  it("run on the Lua thread before wait returns, outside of latency (B184, B186, B188, B204)", function()
    local r, thread = relu(), nil
    r:set_callback(function()
      thread = coroutine.running() or "main"
      local until_ = os.clock() + 0.02
      while os.clock() < until_ do end
    end)
    r:start_async({ 1, 2, 3, 4 })
    r:wait()
    assert.is_truthy(thread)
    assert.is_true(r.latency < 15)
  end)

  it("may wait for their own request (B190)", function()
    local r, done = relu(), nil
    r:set_callback(function() done = r:wait_for(50) end)
    r:start_async({ 1, 2, 3, 4 })
    r:wait()
    assert.is_true(done)
  end)

  it("userdata starts as nil, is kept and replaced as said (B198, B199, B200)", function()
    local r = relu()
    assert.is_nil(r.userdata)
    r:set_callback(function() end, "U")
    same("U", r.userdata)
    r:start_async({ 1, 2, 3, 4 }, "NEW")
    r:wait()
    same("NEW", r.userdata)
    r:start_async({ 1, 2, 3, 4 })
    r:wait()
    same("NEW", r.userdata)
    r:start_async({ 1, 2, 3, 4 }, 0)
    r:wait()
    same(0, r.userdata)
  end)
end)

describe("tensors of a request", function()
  it("belong to inputs and outputs only (B209, B211, B220, B224)", function()
    local x = op.parameter({ 1, 2 }, "f32", "x")
    local inner = op.relu(x)
    inner:output(1):set_names({ "inner" })
    local r = core:compile_model(ov.Model({ op.exp(inner) }, { x })):create_infer_request()
    broken(function() r:get_tensor("inner") end, "not_found")
    broken(function() r:set_tensor("x", { 1, 2 }) end, "type")
    broken(function() r:set_tensor("x", nil) end, "type")
    broken(function() r:set_output_tensor(ov.Tensor("f64", { 1, 2 })) end, "type")
    broken(function() r:set_output_tensor(ov.Tensor("f32", { 1, 3 })) end, "shape")
    broken(function() r:set_output_tensor(ov.Tensor("f32", { 0, 2 })) end, "shape")
    local dynamic = relu({ -1, 2 })
    dynamic:set_output_tensor(ov.Tensor("f32", { 0, 2 }))
    same({ 2, 2 }, dynamic:infer({ { 1, 2 }, { 3, 4 } })[1].shape)
  end)

  it("as batches join along the first dimension, or as the layout says (B009, B238, B239, B245)", function()
    local function batched(layout)
      local x = op.parameter({ 3, 4 }, "f32", "x", layout and { layout = layout } or nil)
      return core:compile_model(ov.Model({ op.relu(x) }, { x })):create_infer_request()
    end
    local rows = {}
    for i = 1, 3 do rows[i] = ov.Tensor("f32", { 1, 4 }, { i, -i, i, -i }) end
    for _, layout in ipairs({ false, "NC" }) do
      local r = batched(layout)
      r:set_input_tensors(rows)
      same({ 1, 0, 1, 0, 2, 0, 2, 0, 3, 0, 3, 0 }, r:infer()[1]:flat())
    end
    broken(function() batched("CN"):set_input_tensors(rows) end, "argument")
    broken(function() batched("CW"):set_input_tensors(rows) end, "argument")
    local odd = {}
    for i = 1, 3 do odd[i] = ov.Tensor("f32", { 1, 5 }) end
    local r = batched()
    broken(function() r:set_input_tensors(odd) end, "shape")
    same({ 3, 4 }, r:infer()[1].shape)
  end)
end)

describe("state", function()
  local function counter(shape)
    local x = op.parameter(shape, "f32", "x")
    local function sum(id)
      local s = op.read_value(op.constant(ov.Tensor("f32", shape)), id, "f32", shape)
      local y = s + x
      return y, op.assign(y, id)
    end
    return x, sum
  end

  it("of two variables is apart (B265, B266)", function()
    local x, sum = counter({ 1 })
    local y1, a1 = sum("one")
    local y2, a2 = sum("two")
    local r = core:compile_model(ov.Model({ y1, y2, a1, a2 }, { x })):create_infer_request()
    r:infer({ 1 })
    r:infer({ 1 })
    local names = {}
    for i, state in ipairs(r:query_state()) do
      names[state.name] = i
      if state.name == "one" then state:reset() end
    end
    assert.is_truthy(names.one and names.two)
    local results = r:infer({ 1 })
    same({ 1 }, results[1]:flat())
    same({ 3 }, results[2]:flat())
  end)

  it("of dynamic shape follows the data and what is assigned (B264)", function()
    local x = op.parameter({ -1, 2 }, "f32", "x")
    local empty = op.constant(ov.Tensor("f32", { 0, 2 }))
    local s = op.read_value(empty, "all", "f32", { -1, 2 })
    local y = op.concat({ s, x }, 0)
    local r = core:compile_model(ov.Model({ y, op.assign(y, "all") }, { x })):create_infer_request()
    same({ 1, 2 }, r:infer({ { 1, 2 } })[1].shape)
    same({ 1, 2, 3, 4, 5, 6 }, r:infer({ { 3, 4 }, { 5, 6 } })[1]:flat())
    r:query_state()[1].state = ov.Tensor("f32", { 1, 2 }, { 7, 8 })
    same({ 7, 8, 9, 9 }, r:infer({ { 9, 9 } })[1]:flat())
  end)
end)

describe("profiling", function()
  it("adds up to about the latency, is made anew each time (B273, B274, B275)", function()
    local x = op.parameter({ 256, 256 }, "f32", "x")
    local w = op.constant(support.random(2):tensor("f32", { 256, 256 }))
    local compiled = core:compile_model(ov.Model({ op.matmul(op.matmul(x, w, false, false), w, false, false) }, { x }), "CPU", { PERF_COUNT = true })
    local r = compiled:create_infer_request()
    r:infer()
    local info, sum = r.profiling_info, 0
    for _, entry in ipairs(info) do sum = sum + entry.real_time end
    assert.is_true(sum > 0 and sum / 1000 <= r.latency * 1.5 + 0.1)
    assert.is_false(rawequal(info, r.profiling_info))
    info[1].real_time = 5
    same("YES", compiled:get_property("PERF_COUNT"))
  end)
end)

describe("ports", function()
  it("print names, shape and type (B285), and those of a compiled model are read-only (B292)", function()
    local x = op.parameter({ -1, { 1, 4 } }, "f32", "x")
    local compiled = core:compile_model(ov.Model({ op.relu(x) }, { x }))
    local text = tostring(compiled:input(1))
    assert.is_truthy(text:find("x", 1, true) and text:find("1..4", 1, true) and text:find("f32", 1, true) and text:find("?", 1, true))
    assert.is_false(pcall(function() compiled:input(1):set_names({ "z" }) end))
  end)
end)

describe("Tensor", function()
  it("needs a type and a shape, or data (B318, B320, B321, B322, B323, B324)", function()
    broken(function() ov.Tensor() end, "argument")
    broken(function() ov.Tensor("f32", { -1 }) end, "shape")
    broken(function() ov.Tensor("f32", { 2 }, { 1, 2, 3 }) end, "shape")
    same({ 0, 0 }, ov.Tensor("f32", { 2 }):flat())
    same({ { 1, 2 }, { 3, 4 } }, ov.Tensor({ { 1, 2 }, { 3, 4 } }):totable())
    if has_ffi then
      local data = ffi.new("float[4]", 1, 2, 3, 4)
      local t = ov.Tensor.wrap(data, "f32", { 4 })
      data[0] = 9
      same({ 9, 2, 3, 4 }, t:flat())
      broken(function() ov.Tensor.wrap(data, "f32", { 5 }) end, "shape")
    end
  end)

  it("prints type, shape and first values, and is equal only to itself (B326, B328, B332)", function()
    local t = ov.Tensor("f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 })
    local text = tostring(t)
    assert.is_truthy(text:find("f32", 1, true) and text:find("2", 1, true) and text:find("3", 1, true))
    assert.is_true(t == t)
    assert.is_false(t == ov.Tensor("f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 }))
  end)
end)

describe("shapes", function()
  it("are tables: numbers, -1, and {min, max} (B338 to B343)", function()
    local x = op.parameter({ 2, -1, { 1, 5 } }, "f32", "x")
    same({ 2, -1, { 1, 5 } }, ov.Model({ op.relu(x) }, { x }):input().partial_shape)
    broken(function() op.parameter({ 1.5 }, "f32", "x") end, "type")
    broken(function() op.parameter({ { 5, 1 } }, "f32", "x") end, "shape")
    broken(function() op.parameter("abc", "f32", "x") end, "shape")
  end)
end)

describe("Core", function()
  it("names the file that is missing or broken (B346, B347, B348, B349)", function()
    local message = broken(function() core:read_model("/nowhere/model.xml") end, "io")
    assert.is_truthy(message:find("/nowhere/model.xml", 1, true))
    broken(function() core:read_model({ model = "<net><layers/></net>" }) end, "parse")
    broken(function() core:read_model({ model = "not a model at all" }) end, "parse")
    broken(function() core:read_model({ model = "" }) end, "parse")
  end)

  it("checks properties when they are set (B352)", function()
    local own = ov.Core()
    broken(function() own:set_property({ NOT_A_PROPERTY = 1 }) end, "argument")
    own:set_property({ NUM_STREAMS = 2 })
    local x = op.parameter({ 1 }, "f32", "x")
    same(2, own:compile_model(ov.Model({ op.relu(x) }, { x }), "CPU"):get_property("NUM_STREAMS"))
  end)

  it("runs parameters of open rank, their shape being that of the data (B070)", function()
    local x = op.parameter("...", "f32", "x")
    local r = core:compile_model(ov.Model({ op.relu(x) }, { x })):create_infer_request()
    same({ 2, 2 }, r:infer(ov.Tensor("f32", { 2, 2 }, { 1, -1, 2, -2 }))[1].shape)
    same({ 3 }, r:infer(ov.Tensor("f32", { 3 }))[1].shape)
  end)
end)
