-- Callbacks: when and where they run, errors in them, restarts, polling, coroutines, closing with runs in flight.
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken
local op = ov.opset13
local core = ov.Core()
local has_ffi, ffi = pcall(require, "ffi")

local compiled
local function model()
  if compiled then return compiled end
  local x = op.parameter({ 32, 64 }, "f32", "x")
  local w = op.constant(support.random(3):tensor("f32", { 64, 64 }, -0.1, 0.1))
  local h = x
  for _ = 1, 8 do h = op.relu(op.matmul(h, w, false, false)) end
  compiled = core:compile_model(ov.Model({ h }, { x }, "m"), "CPU", { NUM_STREAMS = 2, INFERENCE_NUM_THREADS = 2 })
  return compiled
end
local function new() return model():create_infer_request() end
local function drain() while ov.poll(1000) > 0 do end end

describe("a callback", function()
  after_each(drain)

  it("gets userdata and err, once for each start, never for infer (B183, B185, B195 to B197)", function()
    local request, seen = new(), {}
    request:set_callback(function(...) seen[#seen + 1] = { select("#", ...), ... } end, "first")
    assert.are.equal("first", request.userdata)
    request:infer()
    assert.are.equal(0, #seen)
    request:start_async()
    request:wait()
    request:start_async(nil, "second")
    request:wait()
    request:start_async()
    request:wait()
    request:start_async(nil, false)
    request:wait()
    assert.are.same({ { 2, "first" }, { 2, "second" }, { 2, "second" }, { 2, false } }, seen)
    request:set_callback(setmetatable({}, { __call = function(_, userdata) seen = userdata end }), "callable")
    request:start_async()
    request:wait()
    assert.are.equal("callable", seen)
    request:set_callback(function() end)
    assert.is_nil(request.userdata) -- set_callback sets userdata, also to nil (B201)
    for _, bad in ipairs({ 1, "x", {}, true }) do broken(function() request:set_callback(bad) end, "type") end
  end)

  it("keeps userdata that a refused start brought out of it", function()
    local request = new()
    request:set_callback(function() end, "old")
    broken(function() request:start_async({ 1 }, "new") end, "shape")
    assert.are.equal("old", request.userdata)
    broken(function() request:start_async({ nothing = 1 }, "new") end, "not_found")
    assert.are.equal("old", request.userdata)
  end)

  it("runs on this thread while somebody waits, with the request idle (B187, B191, B192)", function()
    local request, other, inside = new(), new(), nil
    request:set_callback(function()
      inside = { request.results[1].size, request.latency > 0, request:wait_for(0), #other:infer() }
      request:cancel()
      request:wait()
      request:set_tensor("x", ov.Tensor("f32", { 32, 64 }))
      request:infer()
    end)
    request:start_async()
    for _ = 1, 1000 do request:wait_for(0) if inside then break end end
    request:wait()
    assert.are.same({ 32 * 64, true, true, 1 }, inside)
  end)

  it("may change itself: replaced, removed, restarted (B189, B196)", function()
    local request, log = new(), {}
    request:set_callback(function()
      log[#log + 1] = "one"
      request:set_callback(function() log[#log + 1] = "two" end)
      request:start_async()
    end)
    request:start_async()
    request:wait() -- the restart does not keep this wait
    while #log < 2 do request:wait() end
    request:set_callback(nil)
    request:start_async()
    request:wait()
    assert.are.same({ "one", "two" }, log)
  end)

  it("restarted for ever does not keep its wait", function()
    local request, runs = new(), 0
    request:set_callback(function()
      runs = runs + 1
      if runs < 50 then request:start_async() end
    end)
    request:start_async()
    request:wait()
    assert.is_true(runs >= 1)
    while runs < 50 do request:wait() end
    assert.are.equal(50, runs)
  end)

  it("raises unchanged from the call that ran it, after the others (B193, B194)", function()
    local a, b, order, mine = new(), new(), {}, {}
    a:set_callback(function() order[#order + 1] = "a"; error(mine) end)
    b:set_callback(function() order[#order + 1] = "b" end)
    a:start_async()
    b:start_async()
    local raised
    while #order < 2 do
      local ok, err = pcall(ov.poll, 1000)
      if not ok then raised = err end
    end
    assert.is_true(rawequal(raised, mine))
    a:wait() -- and is gone
    assert.are.equal(0, ov.poll())
    a:set_callback(function() error("text", 0) end)
    a:start_async()
    local ok, err = pcall(a.wait, a)
    assert.is_false(ok)
    assert.are.equal("text", err)
    for _, value in ipairs({ 5, true, print }) do
      a:set_callback(function() error(value, 0) end)
      a:start_async()
      ok, err = pcall(a.wait, a)
      assert.is_true(not ok and rawequal(err, value))
    end
    a:infer()
  end)

  it("raises every error, one from each call", function()
    local list, raised = {}, {}
    for i = 1, 3 do
      list[i] = new()
      list[i]:set_callback(function() error({ i }) end)
      list[i]:start_async()
    end
    for _ = 1, 1000 do
      local ok, err = pcall(ov.poll, 10)
      if not ok then raised[err[1]] = true end
      if raised[1] and raised[2] and raised[3] then break end
    end
    assert.are.same({ true, true, true }, raised)
  end)

  it("is called from wait of another request, and counted by poll", function()
    local a, b, called = new(), new(), 0
    a:set_callback(function() called = called + 1 end)
    a:start_async()
    b:start_async()
    b:wait()
    a:wait()
    assert.are.equal(1, called)
    a:start_async()
    local n = 0
    while n == 0 do n = ov.poll(1000) end
    assert.are.equal(1, n)
    assert.are.equal(0, ov.poll(0))
    assert.are.equal(0, ov.poll())
  end)

  it("outlives its request's handles (B157)", function()
    local called = 0
    for _ = 1, 20 do
      local request = new()
      request:set_callback(function() called = called + 1 end)
      request:start_async()
      request = nil
      collectgarbage()
    end
    local closed = new()
    closed:set_callback(function() called = called + 1 end)
    closed:start_async()
    closed:close()
    collectgarbage(); collectgarbage()
    while called < 21 do assert.is_true(ov.poll(10000) > 0) end
    assert.are.equal(21, called)
  end)

  it("and its request can be collected although they know each other", function()
    local weak = setmetatable({}, { __mode = "k" })
    local function make()
      local request = new()
      request:set_callback(function() return request end, request)
      request:start_async()
      request:wait()
      weak[request] = true
    end
    for _ = 1, 20 do make() end
    for _ = 1, 4 do collectgarbage() end
    local left = 0
    for _ in pairs(weak) do left = left + 1 end
    assert.is_true(left <= 2, left .. " are left") -- what the stack still holds
  end)
end)

describe("coroutines", function()
  after_each(drain)

  it("may wait; callbacks then run on the main state", function()
    local request, where, yields = new(), nil, nil
    request:set_callback(function()
      local co, main = coroutine.running()
      where = co == nil or main == true
      yields = pcall(coroutine.yield)
    end)
    local outer = coroutine.wrap(function()
      local inner = coroutine.wrap(function()
        request:start_async()
        request:wait()
        return "waited"
      end)
      return inner() .. "!"
    end)
    assert.are.equal("waited!", outer())
    assert.is_true(where)
    assert.is_false(yields)
  end)

  it("get errors of callbacks", function()
    local request, mine = new(), {}
    request:set_callback(function() error(mine) end)
    local co = coroutine.create(function() request:start_async(); request:wait() end)
    local ok, err = coroutine.resume(co)
    assert.is_true(not ok and rawequal(err, mine))
  end)

  it("survive callbacks that use much stack and memory", function()
    local request = new()
    local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
    request:set_callback(function() deep(3000); collectgarbage() end)
    for i = 1, 50 do
      local co = coroutine.wrap(function(a, b)
        local t = { a, b }
        request:start_async()
        request:wait()
        return t[1] + t[2] + i
      end)
      assert.are.equal(3 + i, co(1, 2))
    end
  end)

  it("await in a plain scheduler", function()
    local results, tasks = {}, {}
    for i = 1, 4 do
      tasks[i] = coroutine.create(function()
        local request = new()
        for _ = 1, 3 do
          request:start_async()
          local n = #request:await()
          results[#results + 1] = n
        end
      end)
    end
    local alive = true
    while alive do
      alive = false
      for _, co in ipairs(tasks) do
        if coroutine.status(co) ~= "dead" then
          assert(coroutine.resume(co))
          alive = true
        end
      end
    end
    assert.are.same({ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, results)
  end)

  it("await raises what the run raised, and waits outside of coroutines", function()
    local request = new()
    request:start_async()
    assert.are.equal(1, #request:await())
    local co = coroutine.create(function()
      request:start_async()
      request:cancel()
      return request:await()
    end)
    local ok, got
    repeat ok, got = coroutine.resume(co) until coroutine.status(co) == "dead"
    assert.is_true(ok or ov.error_code(got) == "cancelled", tostring(got))
  end)
end)

describe("ov.pollfd", function()
  it("is readable while callbacks are due", has_ffi and function()
    ffi.cdef("typedef struct { int fd; short events, revents; } callback_spec_pollfd; int poll(callback_spec_pollfd *, unsigned long, int);")
    local p = ffi.new("callback_spec_pollfd[1]", { { ov.pollfd(), 1, 0 } })
    assert.are.equal(ov.pollfd(), p[0].fd)
    drain()
    assert.are.equal(0, ffi.C.poll(p, 1, 0))
    local request, called = new(), 0
    request:set_callback(function() called = called + 1 end)
    request:start_async()
    assert.are.equal(1, ffi.C.poll(p, 1, 10000))
    assert.are.equal(1, ov.poll(0))
    assert.are.equal(1, called)
    assert.are.equal(0, ffi.C.poll(p, 1, 0))
  end or function() pending("needs LuaJIT's FFI") end)
end)

describe("an event loop's adapter", function()
  it("wakes coroutines when their runs end, and keeps requests idle without a callback", function()
    assert.are.equal("4 true", (support.child({}, function()
      local lib = require("ovlite")
      local loop = require("ovlite.loop")
      local mod = require("ovlite_core")
      loop.use()
      local o = lib.opset13
      local x = o.parameter({ 8 }, "f32", "x")
      local net = lib.compile_model(lib.Model({ o.relu(x) }, { x }, "m"))
      local done = 0
      for _ = 1, 4 do
        coroutine.wrap(function()
          local request = net:create_infer_request()
          request:start_async()
          request:await()
          request:start_async() -- news of the first run may still be on the list
          request:await()
          done = done + 1
        end)()
      end
      for _ = 1, 100000 do
        loop.wake()
        if done == 4 then break end
      end
      local r = net:create_infer_request()
      r:start_async()
      while mod.is_running(r) do end
      r:infer()
      r:start_async()
      r:wait()
      r:start_async()
      while mod.is_running(r) do end
      r:set_callback(function() end)
      r:start_async()
      r:wait()
      return done .. " " .. tostring(loop.idle())
    end)))
  end)
end)

describe("a Lua state", function()
  it("may end with runs in flight, in every way", function()
    local program = [[
      local ov = require("ovlite")
      local op = ov.opset13
      local x = op.parameter({ 64, 256 }, "f32", "x")
      local w = op.constant(ov.Tensor("f32", { 256, 256 }))
      local h = x
      for _ = 1, 30 do h = op.relu(op.matmul(h, w, false, false)) end
      local compiled = ov.compile_model(ov.Model({ h }, { x }, "m"), "CPU", { NUM_STREAMS = 2, INFERENCE_NUM_THREADS = 2 })
      local keep, has_ffi, ffi = {}, pcall(require, "ffi")
      for i = 1, 8 do
        keep[i] = compiled:create_infer_request()
        if i % 2 == 0 then keep[i]:set_callback(function() error("never") end) end
        keep[i]:start_async(has_ffi and ffi.new("float[?]", 64 * 256) or nil, nil, true) -- memory of this Lua state
      end
      local way = ...
      if way == "error" then error("on purpose") elseif way == "exit" then os.exit(0, true) elseif way == "hard" then os.exit(0) end
    ]]
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write(program)
    file:close()
    for way, want in pairs({ ending = 0, error = 1, exit = 0, hard = 0 }) do
      for _ = 1, 3 do
        local leaks = way == "hard" and "ASAN_OPTIONS=detect_leaks=0 " or "" -- nothing is closed then
        local pipe = io.popen(("%stimeout 60 %s %s %s 2>/dev/null; echo status $?"):format(leaks, support.lua, path, way))
        local said = pipe:read("*a")
        pipe:close()
        assert.are.equal(want, tonumber(said:match("status (%d+)")), way)
      end
    end
    os.remove(path)
  end)

  it("may be left by require inside a coroutine that is gone", function()
    assert.are.equal("5 nil", (support.child({}, function()
      local lib
      coroutine.wrap(function() lib = require("ovlite") end)()
      collectgarbage(); collectgarbage()
      local o = lib.opset13
      local x = o.parameter({ 8 }, "f32", "x")
      local request = lib.compile_model(lib.Model({ o.relu(x) }, { x }, "m")):create_infer_request()
      local n, where = 0, nil
      request:set_callback(function()
        n = n + 1
        local co, main = coroutine.running()
        where = not main and co or nil
      end)
      for _ = 1, 5 do
        request:start_async()
        request:wait()
      end
      return n .. " " .. tostring(where)
    end)))
  end)
end)
