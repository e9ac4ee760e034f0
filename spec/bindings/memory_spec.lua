-- What a run costs in a steady state, and what happens when memory is short.
local ov = require("ovlite")
local core = require("ovlite_core")
local op = ov.opset13

local function relu()
  local x = op.parameter({ 1, 16 }, "f32", "x")
  return ov.compile_model(ov.Model({ op.relu(x) }, { x }))
end

describe("a run in steady state", function()
  -- Counts what `runs` takes of the core's memory and of Lua's.
  local function costs(runs)
    runs(300)
    collectgarbage(); collectgarbage()
    collectgarbage("stop")
    local mallocs, kilobytes = core.memory_count(), collectgarbage("count")
    runs(1000)
    mallocs, kilobytes = core.memory_count() - mallocs, collectgarbage("count") - kilobytes
    collectgarbage("restart")
    return mallocs, kilobytes
  end

  for name, make in pairs({
    infer = function(r) return function(n) for _ = 1, n do r:infer(nil, false, true) end end end,
    ["infer with data"] = function(r)
      local data = {}
      for i = 1, 16 do data[i] = i end
      return function(n) for _ = 1, n do r:infer(data, false, true) end end
    end,
    ["start_async and wait"] = function(r) return function(n) for _ = 1, n do r:start_async() r:wait() end end end,
    ["start_async with a callback"] = function(r)
      r:set_callback(function() end)
      return function(n) for _ = 1, n do r:start_async() r:wait() end end
    end,
  }) do
    it("takes no memory: " .. name, function()
      local mallocs, kilobytes = costs(make(relu():create_infer_request()))
      assert.are.equal(0, mallocs)
      assert.is_true(kilobytes < 4, kilobytes .. " kB of garbage") -- what the measuring itself makes
    end)
  end
end)

describe("when memory is short", function()
  it("every allocation that fails gives a memory error, and nothing breaks", function()
    local good, failed = 0, 0
    local data = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }
    for k = 1, 2000 do
      core.memory_fail_at(k)
      local ok, err = pcall(function()
        local x = op.parameter({ 1, 16 }, "f32", "x")
        local compiled = ov.compile_model(ov.Model({ op.relu(x) + 1 }, { x }))
        local request = compiled:create_infer_request()
        request:infer({ x = data })
        request:start_async(data)
        request:wait()
        return request.results[1]:softmax():topk(3)
      end)
      core.memory_fail_at(0)
      if ok then
        good = good + 1
        if good > 10 then break end
      else
        failed = failed + 1
        assert.are.equal("memory", ov.error_code(err), ("allocation %d: %s"):format(k, tostring(err)))
      end
    end
    assert.is_true(failed > 50)
    assert.is_true(good > 10, "some allocation always fails")
  end)

  it("a request goes on after a run that failed so", function()
    local request = relu():create_infer_request()
    request:infer()
    for k = 1, 5 do
      core.memory_fail_at(k)
      pcall(request.infer, request, ov.Tensor("f32", { 1, 16 }))
      core.memory_fail_at(0)
    end
    local data = {}
    for i = 1, 16 do data[i] = i - 8 end
    assert.are.equal(8, request:infer(data)[1]:get(1, 16))
  end)
end)
