-- Runs that go on beside the Lua thread: callbacks, waiting, busy, cancel, lifetimes. Also run under ThreadSanitizer.
local ov = require("ovlite")
local support = require("spec.support.support")

-- A model that takes a while (about a millisecond): y = relu(x * w) * w ..., x of {64, 128}.
local function compiled_model(config)
  local r = support.random(5)
  local w = r:tensor("f32", { 128, 128 }, -0.1, 0.1)
  local model = support.model(function(op, x)
    for _ = 1, 4 do x = op.relu(op.matmul(x, op.constant(w), false, false)) end
    return x
  end, { ov.Tensor("f32", { 64, 128 }) })
  return ov.Core():compile_model(model, "CPU", config or { INFERENCE_PRECISION_HINT = "f32", NUM_STREAMS = 2, INFERENCE_NUM_THREADS = 2 })
end

local compiled, x, want
local function setup_model()
  compiled = compiled or compiled_model()
  x = x or support.random(6):tensor("f32", { 64, 128 })
  want = want or compiled:create_infer_request():infer(x)[1]
end

describe("asynchronous requests", function()
  before_each(setup_model)
  after_each(function() collectgarbage(); collectgarbage() end)

  it("gives the same answer as infer", function()
    local request = compiled:create_infer_request()
    for _ = 1, 5 do
      request:start_async(x)
      request:wait()
      assert.are.equal(0, support.difference(request.results[1], want))
    end
  end)

  describe("of a model that takes microseconds", function()
    local function quick_request()
      local model = support.model(function(op, a) return op.relu(a) end, { ov.Tensor("f32", { 1, 16 }) })
      local request = ov.Core():compile_model(model, "CPU", { NUM_STREAMS = 2, INFERENCE_NUM_THREADS = 2 }):create_infer_request()
      for _ = 1, 50 do request:infer() end
      return request
    end

    it("are over when start_async returns, and their callbacks wait all the same", function()
      local request, x16, called, over = quick_request(), ov.Tensor("f32", { 1, 16 }), 0, 0
      request:set_callback(function() called = called + 1 end)
      for i = 1, 200 do
        x16:fill(i)
        request:start_async(x16)
        assert.are.equal(i - 1, called)
        over = over + (request:wait_for(0) and 1 or 0)
        request:wait()
        assert.are.equal(i, called)
        assert.are.equal(i, request.results[1]:flat()[16])
      end
      if request.latency < 0.015 then assert.is_true(over > 100, over .. " of 200") end -- slower builds and machines hand them to workers
    end)

    it("may be cancelled and started in any order", function()
      local a, b = quick_request(), quick_request()
      for _ = 1, 20 do
        a:start_async()
        b:start_async()
        a:cancel()
        b:wait()
        a:wait()
      end
      assert.are.equal(0, b.results[1]:flat()[1])
    end)
  end)

  it("calls the callback once for each start, before wait returns, with the userdata", function()
    local request, seen = compiled:create_infer_request(), {}
    request:set_callback(function(userdata, err) seen[#seen + 1] = { userdata, err } end)
    local token = {}
    request:start_async(x, token)
    request:wait()
    assert.are.equal(1, #seen)
    assert.are.equal(token, seen[1][1])
    assert.is_nil(seen[1][2])
    request:wait()
    assert.are.equal(1, #seen)
    request:start_async(x)
    request:wait()
    assert.are.equal(2, #seen)
    assert.are.equal(token, seen[2][1]) -- nil keeps it
    request:infer(x)
    assert.are.equal(2, #seen)
  end)

  it("is busy until the callback has been called", function()
    local request, called = compiled:create_infer_request(), 0
    request:set_callback(function()
      called = called + 1
      assert.is_true(request:get_output_tensor(1).size > 0)
    end)
    request:start_async(x)
    support.broken(function() request:infer(x) end, "busy")
    support.broken(function() return request.results end, "busy")
    support.broken(function() request:set_callback(nil) end, "busy")
    assert.is_truthy(tostring(request))
    request:wait()
    assert.are.equal(1, called)
    request:infer(x)
  end)

  it("waits for a while, or only looks", function()
    local request = compiled:create_infer_request()
    assert.is_true(request:wait_for(0))
    request:start_async(x)
    request:wait_for(0)
    while not request:wait_for(1000) do end
    assert.is_true(request:wait_for(0))
    support.broken(function() request:wait_for(-1) end, "argument")
  end)

  it("may be started again from its own callback", function()
    local request, left = compiled:create_infer_request(), 5
    request:set_callback(function()
      left = left - 1
      if left > 0 then request:start_async() end
    end)
    request:start_async(x)
    while left > 0 do request:wait() end
    assert.are.equal(0, left)
    assert.are.equal(0, support.difference(request.results[1], want))
  end)

  it("raises a callback's error from the call that ran it, after the other callbacks", function()
    local one, other, called = compiled:create_infer_request(), compiled:create_infer_request(), 0
    one:set_callback(function() error({ mine = true }) end)
    other:set_callback(function() called = called + 1 end)
    one:start_async(x)
    local ok, err = pcall(one.wait, one)
    assert.is_false(ok)
    assert.is_true(type(err) == "table" and err.mine)
    other:start_async(x)
    other:wait()
    assert.are.equal(1, called)
    one:set_callback(nil)
    one:infer(x)
  end)

  it("delivers through ov.poll", function()
    local requests, called = {}, 0
    for i = 1, 4 do
      requests[i] = compiled:create_infer_request()
      requests[i]:set_callback(function() called = called + 1 end)
      requests[i]:start_async(x)
    end
    local ran = 0
    while ran < 4 do ran = ran + ov.poll(1000) end
    assert.are.equal(4, called)
    assert.are.equal(0, ov.poll(0))
  end)

  it("can be cancelled, says so once, and is usable afterwards", function()
    local request, errors, starts = compiled:create_infer_request(), {}, 30
    request:set_callback(function(_, err) errors[#errors + 1] = err or false end)
    for _ = 1, starts do
      request:start_async(x)
      request:cancel()
      local ok, err = pcall(request.wait, request)
      assert.is_true(ok or ov.error_code(err) == "cancelled", tostring(err))
      assert.are.equal(ok, errors[#errors] == false)
    end
    assert.are.equal(starts, #errors)
    request:cancel() -- idle: nothing
    request:start_async(x)
    request:wait()
    assert.are.equal(0, support.difference(request.results[1], want))
  end)

  it("keeps what a run in flight needs when everything else is dropped", function()
    for _ = 1, 5 do
      local mine = compiled_model({ NUM_STREAMS = 2, INFERENCE_NUM_THREADS = 2 })
      local request = mine:create_infer_request()
      request:start_async(x)
      mine:close()
      request, mine = nil, nil
      collectgarbage(); collectgarbage()
    end
    local request = compiled:create_infer_request()
    request:start_async(x)
    request:close()
    support.broken(function() request:infer(x) end, "argument")
  end)

  it("runs many at once", function()
    local requests = {}
    for i = 1, 12 do
      requests[i] = compiled:create_infer_request()
      requests[i]:start_async(x)
    end
    for i = 1, 12 do
      requests[i]:wait()
      assert.are.equal(0, support.difference(requests[i]:get_output_tensor(1), want))
    end
  end)
end)

describe("AsyncInferQueue", function()
  before_each(setup_model)

  it("runs every job once and tells whose it was", function()
    local queue, seen, n = ov.AsyncInferQueue(compiled, 4), {}, 40
    assert.are.equal(4, queue:size())
    queue:set_callback(function(request, userdata, err)
      assert(not err, err)
      assert.is_nil(seen[userdata])
      seen[userdata] = request:get_output_tensor(1):get(1, 1)
    end)
    local inputs, alone = {}, compiled:create_infer_request()
    for i = 1, n do
      inputs[i] = support.random(i):tensor("f32", { 64, 128 })
      queue:start_async(inputs[i], i)
    end
    queue:wait_all()
    assert.is_true(queue:is_ready())
    for i = 1, n do assert.are.equal(alone:infer(inputs[i])[1]:get(1, 1), seen[i]) end
  end)

  it("is a list of its requests", function()
    local queue = ov.AsyncInferQueue(compiled, 3)
    assert.are.equal(3, #queue:requests())
    assert.are.equal(queue[2], queue:requests()[2])
    assert.is_nil(queue[4])
    assert.is_false(pcall(function() return queue[0] end))
    local id = queue:get_idle_request_id()
    assert.is_true(id >= 1 and id <= 3)
    assert.is_true(ov.AsyncInferQueue(compiled):size() >= 1)
  end)

  it("raises a callback's error and stays usable", function()
    local queue, calls = ov.AsyncInferQueue(compiled, 2), 0
    queue:set_callback(function()
      calls = calls + 1
      if calls == 1 then error("mine") end
    end)
    local ok, err = pcall(function()
      for i = 1, 6 do queue:start_async(x, i) end
      queue:wait_all()
    end)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find("mine", 1, true))
    queue:wait_all()
    local before = calls
    queue:start_async(x)
    queue:wait_all()
    assert.are.equal(before + 1, calls)
  end)
end)
