-- AsyncInferQueue: several requests of one compiled model, taken in turn. The queue is a table whose array part holds the requests.
local core = require("ovlite_core")
local STATE = {} -- the key under which a queue keeps what is its own
local Queue = {}

local function state_of(queue)
  local state = type(queue) == "table" and rawget(queue, STATE)
  if not state then core.fail("type", "expected an ov.AsyncInferQueue, got " .. (core.class_name(queue) or type(queue))) end
  if state.closed then core.fail("argument", "this AsyncInferQueue is closed") end
  return state
end

-- "ovlite: CODE: message" -> raised from here
local function raise(text)
  local code, message = text:match("^ovlite: ([%a_]+): (.*)$")
  core.fail(code or "internal", message or text)
end

local function callable(value)
  if type(value) == "function" then return true end
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and meta.__call ~= nil
end

-- What each request calls when a run has ended: the queue's callback, or the failure is kept for who waits. The job is free only afterwards.
local function watch(state, id, request)
  request:set_callback(function(userdata, err)
    local callback = state.callback
    state.finished[#state.finished + 1] = id
    if not callback then
      if err then state.failures[#state.failures + 1] = { id = id, text = err } end
      return
    end
    state.calling[id] = (state.calling[id] or 0) + 1
    local ok, raised = pcall(callback, request, userdata, err)
    state.calling[id] = state.calling[id] > 1 and state.calling[id] - 1 or nil
    if not ok then error(raised, 0) end
  end)
end

local function job_count(compiled, jobs)
  if core.class_name(compiled) ~= "CompiledModel" then
    core.fail("type", "AsyncInferQueue: expected an ov.CompiledModel, got " .. (core.class_name(compiled) or type(compiled)))
  end
  if jobs == nil or jobs == 0 then return compiled:get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") end
  if type(jobs) ~= "number" or jobs ~= math.floor(jobs) then core.fail("type", "AsyncInferQueue: jobs must be a whole number, got " .. tostring(jobs)) end
  if jobs < 0 or jobs > 4096 then core.fail("argument", ("AsyncInferQueue: jobs must be from 0 to 4096, got %s"):format(jobs)) end
  return jobs
end

local meta = { __name = "ovlite.AsyncInferQueue" }

local function new(compiled, jobs)
  local state = { calling = {}, failures = {}, finished = {} }
  local queue = { [STATE] = state }
  for id = 1, job_count(compiled, jobs) do
    queue[id] = compiled:create_infer_request()
    watch(state, id, queue[id])
  end
  state.size = #queue
  return setmetatable(queue, meta)
end

-- ---- waiting ----

local function is_free(queue, state, id) return not state.calling[id] and not core.is_busy(queue[id]) end

-- Lets time pass until some run has ended and its callback was called. `running`: a job that is known to be busy.
local function step(running, ms)
  if core.expected() > 0 then return core.poll(ms or 1000) end
  pcall(running.wait_for, running, ms or 1000) -- started past the queue, without a callback
end

-- A job for the next start: a free one, else whichever becomes free first. When all wait for callbacks that are being called right now, the innermost of these.
local function take(queue, state)
  while true do
    local busy, calling
    for id = 1, state.size do
      if is_free(queue, state, id) then return id end
      if core.is_busy(queue[id]) then busy = queue[id] else calling = id end
    end
    if not busy then return calling end
    step(busy)
  end
end

local function check_id(state, id)
  if type(id) ~= "number" or id ~= math.floor(id) then core.fail("type", "expected the position of a job, got " .. (core.class_name(id) or tostring(id))) end
  if id < 1 or id > state.size then core.fail("not_found", ("there is no job %s; the jobs are 1 to %d"):format(id, state.size)) end
end

-- Raises the oldest failure (of job `id`, when given) that nobody was told of.
local function raise_failure(state, id)
  for i, failure in ipairs(state.failures) do
    if not id or failure.id == id then
      if id then table.remove(state.failures, i) else state.failures = {} end
      raise(failure.text)
    end
  end
end

-- Waits until no job of the list is busy; then raises the first error of a callback.
local function finish(queue, ids)
  local raised
  for _, id in ipairs(ids) do
    while core.is_busy(queue[id]) do
      local ok, err = pcall(step, queue[id])
      if not ok and not raised then raised = { err } end
    end
  end
  if raised then error(raised[1], 0) end
end

-- ---- methods ----

--- fn(request, userdata, err); nil removes it.
function Queue.set_callback(queue, fn)
  local state = state_of(queue)
  if fn ~= nil and not callable(fn) then core.fail("type", "set_callback: expected a function, got " .. (core.class_name(fn) or type(fn))) end
  state.callback = fn
end

--- Starts a run on a free job, waiting for one when all are busy.
function Queue.start_async(queue, inputs, userdata, share_inputs)
  local state = state_of(queue)
  local request = queue[take(queue, state)]
  core.set_userdata(request, nil)
  return request:start_async(inputs, userdata, share_inputs)
end

function Queue.wait_all(queue)
  local state, ids = state_of(queue), {}
  for id = 1, state.size do ids[id] = id end
  finish(queue, ids)
  raise_failure(state)
end

function Queue.wait(queue, id)
  local state = state_of(queue)
  check_id(state, id)
  finish(queue, { id })
  raise_failure(state, id)
end

--- The position of a job that ended within ms; nil when the time is up, or nothing runs.
function Queue.wait_any(queue, ms)
  local state, busy = state_of(queue), {}
  if type(ms) ~= "nil" and type(ms) ~= "number" then core.fail("type", "wait_any: expected milliseconds, got " .. (core.class_name(ms) or type(ms))) end
  if ms and not (ms >= 0) then core.fail("argument", ("milliseconds must be 0 or more, got %s"):format(ms)) end
  for id = 1, state.size do
    if core.is_busy(queue[id]) then busy[#busy + 1] = id end
  end
  if #busy == 0 then return nil end
  state.finished = {}
  local stop = ms and core.now() + ms
  repeat
    local left = stop and math.max(stop - core.now(), 0)
    step(queue[busy[1]], left and math.min(left, 1000) or nil)
    if state.finished[1] then return state.finished[1] end
    for _, id in ipairs(busy) do
      if not core.is_busy(queue[id]) then return id end
    end
  until stop and core.now() >= stop
  return nil
end

--- Whether a start would find a job without waiting for a run.
function Queue.is_ready(queue)
  local state = state_of(queue)
  for id = 1, state.size do
    if not state.calling[id] and not core.is_running(queue[id]) then return true end
  end
  return false
end

function Queue.get_idle_request_id(queue) return take(queue, state_of(queue)) end

function Queue.size(queue) return state_of(queue).size end

function Queue.requests(queue)
  local out = {}
  for id = 1, state_of(queue).size do out[id] = queue[id] end
  return out
end

function Queue.close(queue)
  local state = type(queue) == "table" and rawget(queue, STATE)
  if not state then core.fail("type", "expected an ov.AsyncInferQueue") end
  if state.closed then return end
  state.closed = true
  for id = 1, state.size do queue[id]:close() end
end

local function userdata_list(queue)
  local out = {}
  for id = 1, state_of(queue).size do out[id] = queue[id].userdata end
  return out
end

function meta.__index(queue, key)
  if key == "userdata" then return userdata_list(queue) end
  if type(key) == "number" and (key < 1 or key ~= math.floor(key)) then
    core.fail("not_found", ("there is no job %s; the jobs are 1 to %d"):format(key, rawget(queue, STATE).size))
  end
  return Queue[key]
end
function meta.__newindex() core.fail("argument", "the requests of an AsyncInferQueue cannot be exchanged") end
function meta.__tostring(queue) return ("ov.AsyncInferQueue(%d jobs)"):format(rawget(queue, STATE).size) end
meta.__close = Queue.close
meta.__len = function(queue) return rawget(queue, STATE).size end

return new
