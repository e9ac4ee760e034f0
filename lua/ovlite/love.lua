-- Adapter for LÖVE: local update = require("ovlite.love"); call update() in love.update. It calls due callbacks and resumes coroutines in request:await().
local loop = require("ovlite.loop")
loop.use()
return loop.wake
