-- AsyncInferQueue.
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken
local op = ov.opset13

local function relu(config)
  local x = op.parameter({ 4 }, "f32", "x")
  return ov.compile_model(ov.Model({ op.relu(x) }, { x }, "relu"), "CPU", config or { NUM_STREAMS = 2, INFERENCE_NUM_THREADS = 2 })
end

-- Fails at run time for inputs that have not 6 elements.
local function picky()
  local x = op.parameter({ -1 }, "f32", "x")
  return ov.compile_model(ov.Model({ op.reshape(x, { 2, 3 }, false) }, { x }, "picky"), "CPU", { NUM_STREAMS = 2, INFERENCE_NUM_THREADS = 2 })
end

describe("an AsyncInferQueue", function()
  local compiled = relu()

  it("has the number of jobs that it is told (B303)", function()
    local optimal = compiled:get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
    assert.are.equal(optimal, ov.AsyncInferQueue(compiled):size())
    assert.are.equal(optimal, ov.AsyncInferQueue(compiled, 0):size())
    assert.are.equal(3, ov.AsyncInferQueue(compiled, 3):size())
    broken(function() return ov.AsyncInferQueue(compiled, -1) end, "argument")
    broken(function() return ov.AsyncInferQueue(compiled, 1.5) end, "type")
    broken(function() return ov.AsyncInferQueue(compiled, "2") end, "type")
    broken(function() return ov.AsyncInferQueue() end, "type")
    broken(function() return ov.AsyncInferQueue(ov.Core()) end, "type")
  end)

  it("is a list of requests (B304, B305)", function()
    local queue = ov.AsyncInferQueue(compiled, 3)
    assert.are.equal(3, #queue)
    local n = 0
    for i, request in ipairs(queue) do
      n = n + 1
      assert.is_true(rawequal(request, queue[i]) and rawequal(request, queue:requests()[i]))
    end
    assert.are.equal(3, n)
    assert.is_nil(queue[4])
    assert.is_nil(queue.nothing)
    broken(function() return queue[0] end, "not_found")
    broken(function() return queue[-1] end, "not_found")
    broken(function() queue[4] = 1 end, "argument")
    assert.are.equal("ov.AsyncInferQueue(3 jobs)", tostring(queue))
  end)

  it("passes request, userdata and err (B306 to B310)", function()
    local queue, seen = ov.AsyncInferQueue(compiled, 2), {}
    queue:set_callback(function(request, userdata, err)
      assert(err == nil)
      seen[#seen + 1] = { userdata or "none", request.results[1]:get(1), request == queue[1] or request == queue[2] }
    end)
    for i = 1, 10 do queue:start_async({ i, 0, 0, 0 }, i ~= 5 and i or nil) end
    queue:wait_all()
    assert.are.equal(10, #seen)
    table.sort(seen, function(a, b) return a[2] < b[2] end)
    for i = 1, 10 do assert.are.same({ i ~= 5 and i or "none", i, true }, seen[i]) end
    assert.are.equal("table", type(queue.userdata))
    queue:start_async({ 1, 2, 3, 4 }, "mine")
    assert.is_true(queue.userdata[1] == "mine" or queue.userdata[2] == "mine")
    queue:wait_all()
    broken(function() queue:set_callback(3) end, "type")
    queue:set_callback(nil)
    queue:start_async({ 1, 2, 3, 4 })
    queue:wait_all()
    queue:set_callback(setmetatable({}, { __call = function() seen = "called" end }))
    queue:start_async()
    queue:wait_all()
    assert.are.equal("called", seen)
  end)

  it("refuses bad inputs at the call (B315)", function()
    local queue, calls = ov.AsyncInferQueue(compiled, 1), 0
    queue:set_callback(function() calls = calls + 1 end)
    broken(function() queue:start_async({ 1, 2, 3 }) end, "shape")
    broken(function() queue:start_async({ y = { 1 } }) end, "not_found")
    broken(function() queue:start_async(nil, nil, 3) end, "type")
    queue:wait_all()
    assert.are.equal(0, calls)
    queue:start_async({ 1, 2, 3, 4 })
    queue:wait_all()
    assert.are.equal(1, calls)
  end)

  it("starts from its own callback, also with one job (B314)", function()
    local queue, left = ov.AsyncInferQueue(compiled, 1), 5
    queue:set_callback(function()
      left = left - 1
      if left > 0 then queue:start_async({ 1, 2, 3, 4 }) end
    end)
    queue:start_async({ 1, 2, 3, 4 })
    while left > 0 do queue:wait_all() end
    assert.are.equal(0, left)
  end)

  it("raises a callback's error unchanged and goes on (B311)", function()
    local queue, calls, mine = ov.AsyncInferQueue(compiled, 2), 0, {}
    queue:set_callback(function() calls = calls + 1; error(mine) end)
    queue:start_async({ 1, 2, 3, 4 })
    local ok, err = pcall(queue.wait_all, queue)
    assert.is_false(ok)
    assert.is_true(rawequal(err, mine))
    queue:wait_all()
    queue:set_callback(function() calls = calls + 1 end)
    queue:start_async()
    queue:wait_all()
    assert.are.equal(2, calls)
  end)

  it("tells the callback of failures (B312)", function()
    local queue, good, bad = ov.AsyncInferQueue(picky(), 2), 0, {}
    queue:set_callback(function(_, userdata, err)
      if err then bad[#bad + 1] = { userdata, err } else good = good + 1 end
    end)
    for i = 1, 6 do queue:start_async(ov.Tensor("f32", { i == 3 and 5 or 6 }), i) end
    queue:wait_all()
    assert.are.equal(5, good)
    assert.are.equal(1, #bad)
    assert.are.equal(3, bad[1][1])
    assert.is_truthy(bad[1][2]:find("^ovlite: [a-z_]+: "))
  end)

  it("without a callback wait_all raises the first failure, once (B312, B313)", function()
    local queue = ov.AsyncInferQueue(picky(), 2)
    for i = 1, 4 do queue:start_async(ov.Tensor("f32", { i == 2 and 5 or 6 })) end
    local ok, err = pcall(queue.wait_all, queue)
    assert.is_false(ok)
    assert.is_truthy(ov.error_code(err))
    assert.is_truthy(tostring(err):find("queue_spec.lua", 1, true) or tostring(err):find("^ovlite"))
    queue:wait_all()
    queue:start_async(ov.Tensor("f32", { 6 }))
    queue:wait_all()
  end)

  it("waits for one job, for any, and tells whether one is free", function()
    local queue = ov.AsyncInferQueue(compiled, 3)
    assert.is_true(queue:is_ready())
    assert.are.equal(1, queue:get_idle_request_id())
    assert.is_nil(queue:wait_any(10))
    for _ = 1, 3 do queue:start_async({ 1, 2, 3, 4 }) end
    local id = queue:wait_any(1000)
    assert.is_true(id == nil or (id >= 1 and id <= 3))
    queue:wait(2)
    assert.are.equal(2, queue[2]:get_output_tensor():get(2))
    for _, bad in ipairs({ 0, 4, -1 }) do broken(function() queue:wait(bad) end, "not_found") end
    broken(function() queue:wait("1") end, "type")
    broken(function() queue:wait() end, "type")
    broken(function() queue:wait_any(-1) end, "argument")
    broken(function() queue:wait_any("1") end, "type")
    queue:wait_all()
  end)

  it("lets its requests be used directly (B316, B317)", function()
    local queue, calls = ov.AsyncInferQueue(compiled, 2), { 0, 0 }
    queue:set_callback(function() calls[1] = calls[1] + 1 end)
    assert.are.same({ 1, 0, 3, 0 }, queue[1]:infer({ 1, -2, 3, -4 })[1]:flat())
    queue[1]:set_callback(function() calls[2] = calls[2] + 1 end)
    for _ = 1, 4 do queue:start_async() end
    queue:wait_all()
    assert.are.equal(4, calls[1] + calls[2])
    assert.is_true(calls[2] >= 1)
    queue[2]:start_async()
    queue:wait_all()
  end)

  it("ends by close, and may be dropped while it runs", function()
    local queue = ov.AsyncInferQueue(compiled, 2)
    queue:start_async()
    queue:close()
    queue:close()
    broken(function() queue:start_async() end, "argument")
    broken(function() queue:wait_all() end, "argument")
    for _ = 1, 10 do ov.AsyncInferQueue(compiled, 2):start_async() end
    collectgarbage(); collectgarbage()
    while ov.poll(1000) > 0 do end
    for _, name in ipairs({ "start_async", "wait_all", "wait", "is_ready", "size", "requests", "set_callback" }) do
      broken(function() queue[name]({}) end, "type")
    end
  end)
end)
