-- request:await(): waits for a run inside a coroutine, giving way to whatever drives the coroutines.
local core = require("ovlite_core")
local methods = core.classes.InferRequest.methods

-- An adapter of an event loop puts a function here that gives way until something may have happened; see ovlite.loop.
core.waiter = nil

local function in_coroutine()
  local co, main = coroutine.running()
  return co ~= nil and not main
end

--- Waits for the run that start_async began and returns the OVDict of views on its results. Raises what the run raised.
--- Without an adapter it yields the request to whoever resumes the coroutine, again and again until the run has ended.
function methods.await(request)
  if core.class_name(request) ~= "InferRequest" then core.fail("type", "await: expected an ov.InferRequest, got " .. (core.class_name(request) or type(request))) end
  if not in_coroutine() then
    request:wait()
  else
    while not request:wait_for(0) do
      if core.waiter then core.waiter(request) else coroutine.yield(request) end
    end
  end
  return request.results
end
