-- Adapter for cqueues: require("ovlite.cqueues").attach(loop) once; then request:await() inside a coroutine of that loop gives way to it.
local cqueues = require("cqueues")
local core = require("ovlite_core")
local loop = require("ovlite.loop")
local pollable = {}
for i, fd in ipairs({ loop.use() }) do pollable[i] = { pollfd = fd, events = "r" } end

-- cqueues has its own scheduler: a coroutine polls and comes back by itself.
function core.waiter()
  cqueues.poll(pollable[1], pollable[2], pollable[3], 0.02) -- another coroutine may have taken the news
  core.drain()
end

local adapter = {}

--- Calls callbacks from the loop, as long as some are to come.
function adapter.attach(cq)
  cq:wrap(function()
    repeat
      core.poll(0)
      if core.expected() > 0 then cqueues.poll(pollable[1], 0.05) end
    until core.expected() == 0
  end)
  return cq
end

return adapter
