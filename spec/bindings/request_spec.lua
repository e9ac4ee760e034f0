-- InferRequest: tensors by name, port and position, outputs, batches, states, profile, handles, busy, cancel, closing.
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken
local op = ov.opset13
local core = ov.Core()

local function same(want, got) assert.are.same(want, got) end

-- sum = a + b, difference = a - b; a is also called "left"
local function two(config)
  local a, b = op.parameter({ 1, 2 }, "f32", "a"), op.parameter({ 1, 2 }, "f32", "b")
  a:output(1):set_names({ "a", "left" })
  b:output(1):set_names({ "b" })
  local sum, difference = a + b, a - b
  sum:output(1):set_names({ "sum", "total" })
  difference:output(1):set_names({ "difference" })
  return core:compile_model(ov.Model({ sum, difference }, { a, b }, "two"), "CPU", config)
end

local function relu(shape)
  local x = op.parameter(shape or { 1, 4 }, "f32", "x")
  local y = op.relu(x)
  y:output(1):set_names({ "y" })
  return core:compile_model(ov.Model({ y }, { x }, "relu"))
end

-- Takes some milliseconds.
local slow_model
local function slow()
  if slow_model then return slow_model end
  local x = op.parameter({ 64, 256 }, "f32", "x")
  local w = op.constant(support.random(3):tensor("f32", { 256, 256 }, -0.1, 0.1))
  local h = x
  for _ = 1, 60 do h = op.relu(op.matmul(h, w, false, false)) end
  slow_model = core:compile_model(ov.Model({ h }, { x }, "slow"))
  return slow_model
end

describe("tensors of a request", function()
  local compiled, request
  before_each(function()
    compiled = two()
    request = compiled:create_infer_request()
  end)

  it("are found by every name and by port (B206, B214, B215, B216)", function()
    local a = request:get_tensor("a")
    assert.is_true(a == request:get_tensor("left"))
    assert.is_true(a == request:get_tensor(compiled.inputs[1]))
    assert.is_true(a == request:get_input_tensor(1))
    assert.is_true(request:get_tensor("total") == request:get_output_tensor(1))
    a:copy_from({ 5, 6 })
    local out = request:get_tensor("sum")
    request:infer()
    same({ 5, 6 }, out:flat())
    request:infer({ b = { 1, 1 } })
    same({ 6, 7 }, out:flat())
  end)

  it("are not found by what is no name or port (B207, B208, B213, B219)", function()
    broken(function() return request:get_tensor("c") end, "not_found")
    broken(function() return request:get_tensor("") end, "not_found")
    broken(function() return request:get_tensor(1) end, "type")
    broken(function() return request:get_tensor() end, "type")
    broken(function() return request:get_tensor(nil) end, "type")
    broken(function() return request:get_tensor({}) end, "type")
    broken(function() request:set_tensor(1, ov.Tensor({ 1 })) end, "type")
    broken(function() request:set_tensor("c", ov.Tensor({ 1 })) end, "not_found")
    broken(function() return request:get_input_tensor(3) end, "not_found")
    assert.is_truthy(broken(function() return request:get_input_tensor(0) end, "not_found"):find("count from 1", 1, true))
    broken(function() return request:get_input_tensor(-1) end, "not_found")
    broken(function() return request:get_input_tensor(1.5) end, "type")
    broken(function() return request:get_output_tensor("sum") end, "type")
  end)

  it("need a position where there are several (B212, B226)", function()
    assert.is_truthy(broken(function() return request:get_input_tensor() end, "argument"):find("2 'b'", 1, true))
    broken(function() return request:get_output_tensor() end, "argument")
    broken(function() request:set_input_tensor(ov.Tensor("f32", { 1, 2 })) end, "argument")
    broken(function() request:set_output_tensor(ov.Tensor("f32", { 1, 2 })) end, "argument")
    assert.is_true(relu():create_infer_request():get_input_tensor() ~= nil)
  end)

  it("are set and kept (B221, B222, B228)", function()
    request:set_tensor("left", ov.Tensor("f32", { 1, 2 }, { 1, 2 }))
    request:set_input_tensor(2, ov.Tensor("f32", { 1, 2 }, { 10, 20 }))
    collectgarbage(); collectgarbage()
    same({ 11, 22 }, request:infer().sum:flat())
    for code, bad in pairs({ type = { ov.Tensor("i32", { 1, 2 }), { 1, 2 }, "x", 3, print }, shape = { ov.Tensor("f32", { 2, 1 }), ov.Tensor("f32", { 2 }), ov.Tensor("f32", { 1, 3 }) } }) do
      for _, value in ipairs(bad) do
        broken(function() request:set_tensor("a", value) end, code)
        broken(function() request:set_tensor(compiled.inputs[1], value) end, code)
        broken(function() request:set_input_tensor(1, value) end, code)
        broken(function() request:set_output_tensor(1, value) end, code)
        broken(function() request:set_tensors({ a = value }) end, code)
        broken(function() request:set_input_tensors({ value }) end, code)
      end
    end
    broken(function() request:set_tensor("a") end, "type")
    broken(function() request:set_input_tensor(1, nil) end, "type")
    same({ 11, 22 }, request:infer().sum:flat())
  end)

  it("receive results where they are set as outputs (B223, B229)", function()
    local mine = ov.Tensor("f32", { 1, 2 })
    request:set_tensor("sum", mine)
    request:set_output_tensor(2, ov.Tensor(ov.Tensor("f32", { 3, 4 }), { 2, 2 }, { 2, 3 }))
    request:infer({ { 5, 6 }, { 1, 2 } })
    same({ 6, 8 }, mine:flat())
    same({ 4, 4 }, request:get_tensor("difference"):flat())
  end)

  it("may be regions (B229)", function()
    local base = ov.Tensor("f32", { 3, 4 })
    local region = ov.Tensor(base, { 2, 2 }, { 2, 3 })
    request:set_tensor("sum", region)
    request:infer({ { 5, 6 }, { 1, 2 } })
    same({ 0, 0, 0, 0, 0, 6, 8, 0, 0, 0, 0, 0 }, base:flat())
    request:set_tensor("a", region)
    same({ 7, 10 }, request:infer().sum:flat())
    request:infer({ a = { 0, 0 } })
    same({ 1, 2 }, request:get_tensor("sum"):flat())
  end)

  it("may be input and output at once (B227)", function()
    local t = ov.Tensor("f32", { 1, 4 }, { -1, 2, -3, 4 })
    local r = relu():create_infer_request()
    r:set_input_tensor(t)
    r:set_output_tensor(t)
    r:infer()
    same({ 0, 2, 0, 4 }, t:flat())
  end)

  it("are set together, all or none (B231 to B237)", function()
    local function t(x, y) return ov.Tensor("f32", { 1, 2 }, { x, y }) end
    request:set_input_tensors({ t(1, 2), t(3, 4) })
    same({ 4, 6 }, request:infer().sum:flat())
    request:set_input_tensors({ [2] = t(10, 10) })
    same({ 11, 12 }, request:infer().sum:flat())
    request:set_input_tensors({})
    local out = t(0, 0)
    request:set_tensors({ [1] = t(5, 5), b = t(6, 6), [compiled.outputs[1]] = out })
    request:infer()
    same({ 11, 11 }, out:flat())
    for code, call in pairs({
      not_found = function() request:set_tensors({ a = t(9, 9), c = t(9, 9) }) end,
      shape = function() request:set_input_tensors({ t(9, 9), ov.Tensor("f32", { 2 }) }) end,
      type = function() request:set_tensors({ a = t(9, 9), b = 3 }) end,
      argument = function() request:set_tensors({ a = t(9, 9), left = t(8, 8) }) end,
    }) do
      broken(call, code)
      request:infer()
      same({ 11, 11 }, out:flat())
    end
    broken(function() request:set_input_tensors({ a = t(1, 1) }) end, "type")
    broken(function() request:set_output_tensors({ sum = t(1, 1) }) end, "type")
    broken(function() request:set_output_tensors({ [3] = t(1, 1) }) end, "not_found")
    broken(function() request:set_output_tensors({ [0] = t(1, 1) }) end, "not_found")
    broken(function() request:set_output_tensors(t(1, 1)) end, "type")
    broken(function() request:set_tensors({ [1.5] = t(1, 1) }) end, "type")
    request:set_output_tensors({ t(0, 0), t(0, 0) })
    request:infer()
    same({ -1, -1 }, request:get_output_tensor(2):flat())
  end)

  it("come as lists (B277, B278)", function()
    assert.are.equal(2, #request.inputs)
    assert.are.equal(2, #request.output_tensors)
    assert.is_true(request.input_tensors[2] == request:get_tensor("b"))
    assert.is_true(request.outputs[1] == request:get_tensor("sum"))
    assert.are.equal(compiled.inputs[1], request.model_inputs[1])
    assert.are.equal(compiled.outputs[2], request.model_outputs[2])
    assert.is_false(request:_is_single_input())
    assert.is_true(relu():create_infer_request():_is_single_input()) -- B281
  end)

  it("grow with a dynamic model (B218, B225)", function()
    local r = relu({ -1, 2 }):create_infer_request()
    r:get_input_tensor().shape = { 2, 2 }
    same({ 2, 2 }, r:infer()[1].shape)
    local out = ov.Tensor("f32", { 2, 2 })
    r:set_output_tensor(out)
    r:infer({ { 1, 2 } })
    same({ 1, 2 }, out.shape)
    r:infer({ { 1, 2 }, { 3, 4 }, { 5, 6 } })
    same({ 3, 2 }, out.shape)
    assert.is_true(r:get_output_tensor() == out)
    broken(function() r:set_input_tensor(ov.Tensor("f32", { 2, 3 })) end, "shape") -- B230
  end)
end)

describe("batches", function()
  local request
  local function row(...) return ov.Tensor("f32", { 1, 4 }, { ... }) end
  before_each(function() request = relu({ 3, 4 }):create_infer_request() end)

  it("are rows in order, read at each run (B246, B247, B250)", function()
    local second = row(-2, -2, 2, 2)
    for _, set in ipairs({ function(list) request:set_input_tensors(list) end, function(list) request:set_input_tensors(1, list) end,
      function(list) request:set_tensors("x", list) end, function(list) request:set_tensors(request.model_inputs[1], list) end }) do
      second:copy_from({ -2, -2, 2, 2 })
      set({ row(1, 1, 1, 1), second, row(3, -3, 3, -3) })
      same({ { 1, 1, 1, 1 }, { 0, 0, 2, 2 }, { 3, 0, 3, 0 } }, request:infer()[1]:totable())
      second:fill(7)
      same({ 7, 7, 7, 7 }, request:infer()[1]:totable()[2])
      request:start_async()
      request:wait() -- B253
      same({ 7, 7, 7, 7 }, request.results[1]:totable()[2])
    end
  end)

  it("leave no single tensor until one is set (B217, B240, B248)", function()
    request:set_input_tensors({ row(1, 1, 1, 1), row(2, 2, 2, 2), row(3, 3, 3, 3) })
    broken(function() return request:get_input_tensor() end, "argument")
    broken(function() return request:get_tensor("x") end, "argument")
    broken(function() return request.input_tensors end, "argument")
    request:infer(ov.Tensor("f32", { 3, 4 }))
    assert.is_true(request:get_input_tensor() ~= nil)
    request:set_input_tensors({ row(1, 1, 1, 1), row(2, 2, 2, 2), row(3, 3, 3, 3) })
    request:set_input_tensors({ ov.Tensor("f32", { 3, 4 }) }) -- one whole tensor: an ordinary set
    same({ 3, 4 }, request:get_input_tensor().shape)
  end)

  it("are refused with every mistake, and the request goes on (B241 to B244, B251)", function()
    request:set_input_tensors({ row(1, 1, 1, 1), row(2, 2, 2, 2), row(3, 3, 3, 3) })
    local five = ov.Tensor("f32", { 1, 5 })
    for code, lists in pairs({
      argument = { { row(1, 1, 1, 1), row(1, 1, 1, 1) }, { row(1, 1, 1, 1), row(1, 1, 1, 1), row(1, 1, 1, 1), row(1, 1, 1, 1) } },
      shape = { { five, five, five }, { row(1, 1, 1, 1), five, row(1, 1, 1, 1) }, { ov.Tensor("f32", { 2, 4 }), row(1, 1, 1, 1), row(1, 1, 1, 1) },
        { ov.Tensor("f32", { 4 }), ov.Tensor("f32", { 4 }), ov.Tensor("f32", { 4 }) } },
      type = { { row(1, 1, 1, 1), { 1, 2, 3, 4 }, row(1, 1, 1, 1) }, { ov.Tensor("f64", { 1, 4 }), ov.Tensor("f64", { 1, 4 }), ov.Tensor("f64", { 1, 4 }) },
        { row(1, 1, 1, 1), row(1, 1, 1, 1), row(1, 1, 1, 1), x = 1 } },
    }) do
      for _, list in ipairs(lists) do
        broken(function() request:set_input_tensors(1, list) end, code)
        same({ 3, 3, 3, 3 }, request:infer()[1]:totable()[3])
      end
    end
    broken(function() request:set_input_tensors(1, {}) end, "argument")
    broken(function() request:set_input_tensors(2, { row(1, 1, 1, 1) }) end, "not_found")
    broken(function() request:set_input_tensors(row(1, 1, 1, 1)) end, "type")
    broken(function() request:set_tensors("y", { row(1, 1, 1, 1) }) end, "not_found")
    broken(function() request:set_tensors(1, { row(1, 1, 1, 1) }) end, "type")
    local pair = ov.Tensor("f32", { 1, 2 })
    broken(function() two():create_infer_request():set_input_tensors({ pair, pair, pair }) end, "not_found") -- B249: by position
  end)

  it("make a dynamic batch (B252)", function()
    local r = relu({ -1, 4 }):create_infer_request()
    for _, n in ipairs({ 3, 2, 5 }) do
      local list = {}
      for i = 1, n do list[i] = row(i, i, i, i) end
      r:set_input_tensors(list)
      same({ n, 4 }, r:infer()[1].shape)
    end
  end)
end)

describe("states", function()
  local compiled
  before_each(function()
    local x = op.parameter({ 1, 2 }, "f32", "x")
    local read = op.read_value(op.constant({ { 3, 3 } }), "total", "f32", { 1, 2 })
    local sum = x + read
    compiled = core:compile_model(ov.Model({ sum, op.assign(sum, "total") }, { x }, "sum"))
  end)

  it("go from run to run, each request its own (B254 to B260)", function()
    local request, other = compiled:create_infer_request(), compiled:create_infer_request()
    assert.are.equal(1, #compiled.outputs)
    local states = request:query_state()
    assert.are.equal(1, #states)
    assert.are.equal("total", states[1].name)
    same({ 0, 0 }, states[1].state:flat())
    same({ 4, 5 }, request:infer({ 1, 2 })[1]:flat())
    same({ 5, 7 }, request:infer({ 1, 2 })[1]:flat())
    same({ 4, 5 }, other:infer({ 1, 2 })[1]:flat())
    request:reset_state()
    same({ 4, 5 }, request:infer({ 1, 2 })[1]:flat())
    states[1]:reset()
    same({ 4, 5 }, request:infer({ 1, 2 })[1]:flat())
  end)

  it("are set by Tensors, with a copy (B261 to B263)", function()
    local request = compiled:create_infer_request()
    local state = request:query_state()[1]
    local t = ov.Tensor("f32", { 1, 2 }, { 10, 20 })
    state.state = t
    t:fill(0)
    same({ 11, 21 }, request:infer({ 1, 1 })[1]:flat())
    state.state = ov.Tensor("i32", { 1, 2 }, { 7, 8 })
    same({ 8, 9 }, request:infer({ 1, 1 })[1]:flat())
    state.state:copy_from({ 100, 200 }) -- live
    same({ 101, 201 }, request:infer({ 1, 1 })[1]:flat())
    broken(function() state.state = { 1, 2 } end, "type")
    broken(function() state.state = nil end, "type")
    broken(function() state.state = ov.Tensor("f32", { 3 }) end, "shape")
    broken(function() state.name = "x" end, "argument")
    same({ 102, 202 }, request:infer({ 1, 1 })[1]:flat())
  end)

  it("outlive their request (B267), and are empty without variables", function()
    local request = compiled:create_infer_request()
    request:infer({ 1, 1 })
    local state = request:query_state()[1]
    request:close()
    request = nil
    collectgarbage(); collectgarbage()
    same({ 4, 4 }, state.state:flat())
    assert.are.equal("ov.VariableState('total')", tostring(state))
    state:close()
    broken(function() return state.state end, "argument")
    local plain = relu():create_infer_request()
    same({}, plain:query_state())
    plain:reset_state()
  end)
end)

describe("handles of a request", function()
  it("share everything and are equal (B153, B283, B284)", function()
    local request = relu():create_infer_request()
    local twin = ov.InferRequest(request)
    assert.is_true(twin == request)
    assert.is_false(relu():create_infer_request() == request)
    twin:infer({ 1, 2, 3, 4 })
    same({ 1, 2, 3, 4 }, request:get_output_tensor():flat())
    local seen
    request:set_callback(function(u) seen = u end, "mine")
    assert.are.equal("mine", twin.userdata)
    twin:start_async()
    request:wait()
    assert.are.equal("mine", seen)
    request:close()
    twin:infer()
    for _, bad in ipairs({ 1, "x", {}, relu() }) do broken(function() return ov.InferRequest(bad) end, "type") end
    broken(function() return ov.InferRequest() end, "type")
    broken(function() return ov.InferRequest(request) end, "argument")
  end)

  it("print one line (B282)", function()
    assert.are.equal("ov.InferRequest(inputs: 1 'x' f32 [1,4]; outputs: 1 'y' f32 [1,4])", tostring(relu():create_infer_request()))
  end)

  it("know their model (B280)", function()
    local compiled = relu()
    local request = compiled:create_infer_request()
    assert.is_true(request:get_compiled_model() == compiled)
    compiled:close()
    same({ 0, 2, 0, 4 }, request:get_compiled_model()({ -1, 2, -3, 4 })[1]:flat())
  end)

  it("have no other properties to set (B276)", function()
    local request = relu():create_infer_request()
    for _, name in ipairs({ "latency", "userdata", "results", "inputs", "model_inputs", "profiling_info", "nothing" }) do
      broken(function() request[name] = 1 end, "argument")
    end
  end)
end)

describe("latency and profile", function()
  it("latency is 0 before the first run, then milliseconds (B202, B203)", function()
    local request = relu():create_infer_request()
    assert.are.equal(0, request.latency)
    request:infer()
    assert.is_true(request.latency > 0 and request.latency < 1000)
  end)

  it("profile lists the nodes (B268 to B272)", function()
    local plain = two():create_infer_request()
    for _, e in ipairs(plain.profiling_info) do
      assert.are.equal("NOT_RUN", e.status)
      assert.are.equal(0, e.real_time)
    end
    for _, key in ipairs({ "ENABLE_PROFILING", "PERF_COUNT" }) do
      local request = two({ [key] = true }):create_infer_request()
      request:infer({ { 1, 2 }, { 3, 4 } })
      local executed = 0
      for _, e in ipairs(request:get_profiling_info()) do
        for _, field in ipairs({ "node_name", "node_type", "exec_type", "status" }) do assert.are.equal("string", type(e[field])) end
        assert.is_true(e.status == "NOT_RUN" or e.status == "OPTIMIZED_OUT" or e.status == "EXECUTED")
        assert.is_true(e.real_time >= 0 and e.cpu_time >= 0)
        if e.status == "EXECUTED" then executed = executed + 1 end
      end
      assert.is_true(executed >= 1)
    end
  end)

  it("profile tells kernel and precision of what ran, and what was fused into it (B268 to B272)", function()
    local x = op.parameter({ 1, 8, 6, 6 }, "f32", "x")
    local weights = ov.Tensor("f32", { 8, 8, 3, 3 }):fill(0.5)
    local conv = op.convolution(x, op.constant(weights), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
    conv:set_friendly_name("conv")
    local act = op.relu(conv)
    act:set_friendly_name("act")
    local request = ov.compile_model(ov.Model({ op.softmax(act, 1) }, { x }), "CPU", { ENABLE_PROFILING = true }):create_infer_request()
    request:infer()
    local row, place = {}, {}
    for i, e in ipairs(request.profiling_info) do row[e.node_name], place[e.node_name] = e, i end
    assert.are.equal("EXECUTED", row.conv.status)
    assert.are.equal("Convolution", row.conv.node_type)
    assert.is_truthy(row.conv.exec_type:find("f32", 1, true), row.conv.exec_type)
    assert.are.equal("OPTIMIZED_OUT", row.act.status)
    assert.are.equal(0, row.act.real_time)
    assert.is_true(place.conv ~= place.act)
  end)
end)

describe("changing shapes", function()
  local function open(config)
    local x = op.parameter({ -1, 4 }, "f32", "x")
    return ov.compile_model(ov.Model({ op.relu(x) }, { x }), "CPU", config)
  end
  local function counters(compiled)
    local m = compiled:memory()
    return { plans = m.plans, hits = m.plan_hits, misses = m.plan_misses, evictions = m.plan_evictions }
  end

  it("make a plan each, which is kept and found again", function()
    local compiled = open()
    local request = compiled:create_infer_request()
    assert.are.same({ plans = 0, hits = 0, misses = 0, evictions = 0 }, counters(compiled))
    for _, rows in ipairs({ 1, 2, 3, 1, 2, 3 }) do request:infer(ov.Tensor("f32", { rows, 4 })) end
    assert.are.same({ plans = 3, hits = 3, misses = 3, evictions = 0 }, counters(compiled))
    compiled:release_memory()
    assert.are.equal(1, compiled:memory().plans)
  end)

  it("push out the plan that was not used for longest", function()
    local compiled = open({ PLAN_CACHE_ENTRIES = 2 })
    local request = compiled:create_infer_request()
    for _, rows in ipairs({ 1, 2, 1, 3, 1 }) do request:infer(ov.Tensor("f32", { rows, 4 })) end -- 3 takes the place of 2
    assert.are.same({ plans = 2, hits = 2, misses = 3, evictions = 1 }, counters(compiled))
    request:infer(ov.Tensor("f32", { 2, 4 }))
    assert.are.equal(4, compiled:memory().plan_misses)
  end)
end)

describe("a busy request", function()
  local request, t
  before_each(function()
    request = slow():create_infer_request()
    t = ov.Tensor("f32", { 64, 256 })
    request:set_callback(function() end)
    request:start_async({ x = t }, "mine")
  end)
  after_each(function() request:cancel(); pcall(request.wait, request) end)

  it("refuses everything else at once and changes nothing (B141 to B146)", function()
    local compiled = slow()
    for name, call in pairs({
      infer = function() request:infer() end, infer_x = function() request:infer(t) end, infer_bad = function() request:infer({ nothing = 1 }) end,
      start = function() request:start_async() end, callback = function() request:set_callback(nil) end, get = function() return request:get_tensor("x") end,
      get_unknown = function() return request:get_tensor("nothing") end, get_port = function() return request:get_tensor(compiled.inputs[1]) end,
      set = function() request:set_tensor("x", t) end, get_in = function() return request:get_input_tensor() end, get_out = function() return request:get_output_tensor(1) end,
      set_in = function() request:set_input_tensor(t) end, set_out = function() request:set_output_tensor(1, t) end,
      set_ins = function() request:set_input_tensors({ t }) end, set_outs = function() request:set_output_tensors({ t }) end, set_all = function() request:set_tensors({ x = t }) end,
      query = function() return request:query_state() end, reset = function() request:reset_state() end, profile = function() return request:get_profiling_info() end,
      profile2 = function() return request.profiling_info end, inputs = function() return request.inputs end, inputs2 = function() return request.input_tensors end,
      outputs = function() return request.outputs end, outputs2 = function() return request.output_tensors end, results = function() return request.results end,
      latency = function() return request.latency end,
    }) do
      local ok, err = pcall(call)
      assert.is_false(ok, name)
      assert.are.equal("busy", ov.error_code(err), name)
    end
    request:wait()
    request:infer()
  end)

  it("still answers who it is (B147, B149, B150, B151)", function()
    assert.are.equal(1, #request.model_inputs)
    assert.are.equal(1, #request.model_outputs)
    assert.is_true(request:get_compiled_model() == slow())
    assert.is_true(request:_is_single_input())
    assert.are.equal("mine", request.userdata)
    assert.is_truthy(tostring(request):find("InferRequest", 1, true))
    assert.is_true(request == ov.InferRequest(request))
    assert.are.equal(64, t.shape[1])
    slow():create_infer_request():cancel()
    request:wait_for(0)
  end)

  it("may be closed, and its run ends by itself (B154)", function()
    request:close()
    broken(function() request:wait() end, "argument")
    request = slow():create_infer_request()
  end)
end)

describe("wait", function()
  it("returns at once when nothing was started (B158, B159)", function()
    local request = relu():create_infer_request()
    request:wait()
    request:wait()
    assert.is_true(request:wait_for(100))
    request:infer()
    assert.is_true(request:wait_for(0))
  end)

  it("checks its milliseconds (B161, B162)", function()
    local request = relu():create_infer_request()
    broken(function() request:wait_for(-1) end, "argument")
    broken(function() request:wait_for(0 / 0) end, "argument")
    broken(function() request:wait_for("1") end, "type")
    broken(function() request:wait_for() end, "type")
    broken(function() ov.poll(-1) end, "argument")
    broken(function() ov.poll("1") end, "type")
    assert.is_true(request:wait_for(1e300))
    while ov.poll(1000) > 0 do end
    assert.are.equal(0, ov.poll(1000)) -- nothing is in flight: nothing to wait for
  end)

  it("gives up in time (B160)", function()
    local request, early = slow():create_infer_request(), 0
    for _ = 1, 20 do -- the machine may be slow to let us look
      request:start_async()
      if not request:wait_for(0) then early = early + 1 end
      assert.is_true(request:wait_for(60000))
    end
    assert.is_true(early > 0)
    assert.is_true(request:wait_for(0))
  end)

  it("raises cancelled after a cancel until the next run (B170 to B177)", function()
    local request, seen = slow():create_infer_request(), {}
    request:cancel() -- idle: nothing
    request:set_callback(function(_, err) seen[#seen + 1] = err or false end)
    request:start_async()
    request:cancel()
    request:cancel()
    broken(function() request:wait() end, "cancelled")
    broken(function() request:wait() end, "cancelled")
    broken(function() request:wait_for(0) end, "cancelled")
    assert.are.equal(1, #seen)
    assert.is_truthy(seen[1]:find("^ovlite: cancelled: "))
    assert.are.equal("cancelled", ov.error_code(seen[1]))
    request:infer()
    request:wait()
    request:start_async()
    request:wait()
    assert.are.equal(2, #seen)
    assert.is_false(seen[2])
  end)

  it("raises what a run raised, with the node's name, again and again (B166 to B168)", function()
    local x = op.parameter({ -1 }, "f32", "x")
    local y = op.reshape(x, op.constant({ 2, 3 }, "i64"), false)
    y:set_friendly_name("two_by_three")
    local request, told = core:compile_model(ov.Model({ y }, { x }, "m")):create_infer_request(), 0
    request:infer({ 1, 2, 3, 4, 5, 6 })
    local ok, err = pcall(function() request:start_async({ 1, 2, 3, 4, 5 }); request:wait() end)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find("two_by_three", 1, true), tostring(err))
    broken(function() request:wait() end, ov.error_code(err))
    assert.is_false(pcall(request.infer, request))
    request:set_callback(function(_, e) told = told + (e and 1 or 0) end)
    if pcall(request.start_async, request, { 1, 2, 3, 4, 5 }) then
      assert.is_false(pcall(request.wait, request))
      assert.are.equal(1, told)
    end
    same({ 2, 3 }, request:infer({ 1, 2, 3, 4, 5, 6 })[1].shape)
    request:wait()
  end)
end)
