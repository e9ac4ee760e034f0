-- Adapter for luv (libuv): require("ovlite.luv") once, then request:await() gives way to uv.run(), and callbacks are called by it.
local uv = require("luv")
local core = require("ovlite_core")
local loop = require("ovlite.loop")

local handles = {}
for i, fd in ipairs({ loop.use() }) do
  handles[i] = uv.new_poll(fd)
  handles[i]:start("r", loop.wake)
  uv.unref(handles[i])
end

-- The loop stays alive as long as somebody waits for a run.
function loop.on_wait() for _, handle in ipairs(handles) do uv.ref(handle) end end
function loop.on_idle() for _, handle in ipairs(handles) do uv.unref(handle) end end

local methods = core.classes.InferRequest.methods
local start_async = methods.start_async
function methods.start_async(...)
  start_async(...)
  if core.expected() > 0 then loop.on_wait() end
end

return loop
