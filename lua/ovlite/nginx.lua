-- Adapter for nginx (OpenResty): require("ovlite.nginx") once; then request:await() gives way to nginx while the run goes on.
-- nginx does not let Lua wait for a descriptor, so ended runs are looked for in short sleeps.
local core = require("ovlite_core")
local adapter = { interval = 0.001 }

function core.waiter() ngx.sleep(adapter.interval) end

--- Calls callbacks from timers, as long as some are to come.
function adapter.attach()
  local function tick(premature)
    if premature then return end
    core.poll(0)
    if core.expected() > 0 then ngx.timer.at(adapter.interval, tick) end
  end
  return ngx.timer.at(0, tick)
end

return adapter
