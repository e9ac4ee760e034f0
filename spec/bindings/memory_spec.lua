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

  local t, map = ov.Tensor("f32", { 4, 6 }):fill(0.7), ov.Tensor("f32", { 20, 20 })
  ov.Tensor(map, { 3, 3 }, { 12, 15 }):fill(0.9)
  local picture, boxes = ov.Tensor("u8", { 9, 7, 3 }):fill(50), ov.Tensor("f32", { 3, 4 })
  for name, call in pairs({
    sort = function() return t:sort(1) end,
    topk = function() return t:topk(2, 1) end,
    softmax = function() return t:softmax(1) end,
    gather = function() return t:gather(2, { 1, 2 }) end,
    affine = function() return t:affine(2) end,
    nms = function() return boxes:nms(ov.Tensor("f32", { 3 }), { classes = ov.Tensor("i32", { 3 }) }) end,
    ctc = function() return t:reshape({ 2, 2, 6 }):ctc() end,
    resize = function() return picture:resize(20, 20) end,
    letterbox = function() return ov.image.letterbox(picture, 20, 20) end,
    blob = function() return ov.image.blob(picture, 20, 20) end,
    warp = function() return ov.image.warp(picture, { 0, 0, 5, 0, 5, 5, 0, 5 }, 4, 4) end,
    components = function() return ov.image.components(map) end,
    text_boxes = function() return ov.image.text_boxes(map) end,
    montage = function() return ov.image.montage({ picture, picture }) end,
    ["into a region"] = function() return t:softmax(1, { out = ov.Tensor(ov.Tensor("f32", { 9, 9 }), { 1, 1 }, { 4, 6 }) }) end,
  }) do
    it("each allocation of it may fail: " .. name, function()
      local k, failed, ok, err = 0, 0, nil, nil
      repeat
        k = k + 1
        core.memory_fail_at(k)
        ok, err = pcall(call)
        core.memory_fail_at(0)
        if not ok then
          failed = failed + 1
          assert.are.equal("memory", ov.error_code(err), err)
        end
      until ok and k > 30
      assert.is_true(failed > 0)
    end)
  end
end)
