-- What the adapters of event loops share: coroutines that wait for requests, and waking them.
local core = require("ovlite_core")
local loop = {}
local waiting = {} -- list of {thread, request}
local resume = coroutine.resume

--- Called by await: leaves the coroutine until `wake` finds its request at rest.
function loop.wait(request)
  waiting[#waiting + 1] = { coroutine.running(), request }
  if loop.on_wait then loop.on_wait() end
  return coroutine.yield()
end

--- Calls the callbacks that are due and resumes the coroutines whose runs have ended. Errors are raised after all have had their turn.
function loop.wake()
  local ok, err = pcall(core.poll, 0)
  core.drain()
  local list, raised = waiting, not ok and { err } or nil
  waiting = {}
  for _, entry in ipairs(list) do
    if core.is_busy(entry[2]) then
      waiting[#waiting + 1] = entry
    else
      local good, why = resume(entry[1])
      if not good and not raised then raised = { why } end
    end
  end
  if loop.on_wait and loop.idle() and loop.on_idle then loop.on_idle() end
  if raised then error(raised[1], 0) end
end

--- Nothing is waited for and no callback is due.
function loop.idle() return #waiting == 0 and core.expected() == 0 end

--- Makes await use this loop. Returns the descriptors that become readable: one for callbacks, two for runs without one.
function loop.use(waiter)
  core.waiter = waiter or loop.wait
  return core.pollfd(), core.quietfds()
end

return loop
