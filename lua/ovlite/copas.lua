-- Adapter for Copas: require("ovlite.copas") once; then request:await() inside a Copas thread gives way to the others.
-- Copas waits for sockets only, so ended runs are looked for in short sleeps.
local copas = require("copas")
local core = require("ovlite_core")
local sleep = copas.pause or copas.sleep or error("ovlite.copas needs a Copas that can sleep (2.0 or later)")
local adapter = { interval = 0.001 }

function core.waiter() sleep(adapter.interval) end

--- A Copas thread that calls callbacks as long as some are to come.
function adapter.attach()
  return copas.addthread(function()
    while core.expected() > 0 do
      core.poll(0)
      sleep(adapter.interval)
    end
  end)
end

return adapter
