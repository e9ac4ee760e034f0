-- The adapters of event loops: coroutines that await, and callbacks that restart their request. Each in a process of its own.
local support = require("spec.support.support")

-- Four coroutines run 20 times each; one request restarts itself from its callback 5 times.
local function run(which)
  return (support.child({}, function(adapter)
    local lib = require("ovlite")
    local x = lib.opset13.parameter({ 8 }, "f32", "x")
    local net = lib.compile_model(lib.Model({ lib.opset13.relu(x) }, { x }))
    local done, called = 0, 0
    local function task()
      local request = net:create_infer_request()
      for i = 1, 20 do
        request:start_async({ i, -1, 0, 0, 0, 0, 0, 0 })
        assert(request:await()[1]:get(1) == i)
      end
      done = done + 1
    end
    local function start()
      local request = net:create_infer_request()
      request:set_callback(function()
        called = called + 1
        if called < 5 then request:start_async() end
      end)
      request:start_async()
    end
    local function unfinished() return done < 4 or called < 5 end
    if adapter == "luv" then
      require("ovlite.luv")
      for _ = 1, 4 do coroutine.wrap(task)() end
      start()
      require("luv").run()
    elseif adapter == "cqueues" then
      local attach = require("ovlite.cqueues").attach
      local loop = require("cqueues").new()
      for _ = 1, 4 do loop:wrap(task) end
      start()
      attach(loop)
      assert(loop:loop())
    elseif adapter == "copas" then
      local copas = require("copas")
      local ours = require("ovlite.copas")
      for _ = 1, 4 do copas.addthread(task) end
      start()
      ours.attach()
      while unfinished() do copas.step(0.01) end
    elseif adapter == "love" then
      local update = require("ovlite.love")
      for _ = 1, 4 do coroutine.wrap(task)() end
      start()
      while unfinished() do update() end
    else -- nginx, as far as the adapter sees it
      local timer
      ngx = { sleep = function() coroutine.yield() end, timer = { at = function(_, fn) timer = fn end } }
      local ours, tasks = require("ovlite.nginx"), {}
      for i = 1, 4 do tasks[i] = coroutine.create(task) end
      start()
      ours.attach()
      while unfinished() do
        for i = 1, 4 do
          if coroutine.status(tasks[i]) ~= "dead" then assert(coroutine.resume(tasks[i])) end
        end
        local fn = timer
        timer = nil
        if fn then fn() end
      end
    end
    return done .. " " .. called
  end, which))
end

describe("an adapter for", function()
  for _, which in ipairs({ "luv", "cqueues", "copas", "love", "nginx" }) do
    it(which, function()
      if (which == "luv" or which == "cqueues") and not pcall(require, which) then return pending(which .. " is not installed") end
      if which == "copas" then
        local ok, copas = pcall(require, "copas")
        if not ok or not (copas.pause or copas.sleep) then return pending("no Copas that can sleep is installed") end
      end
      assert.are.equal("4 5", run(which))
    end)
  end
end)
