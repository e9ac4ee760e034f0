-- What the specs share. local support = require("spec.support.support")
--
--   support.root                        the project's folder
--   support.models()                    list of reference models {name, folder, case, files}; nil and a message where they are absent
--   support.need(value, message)        value, or the running spec becomes pending
--   support.random(seed)                numbers that are the same on every run: :number(lo, hi), :integer(lo, hi), :list(n, lo, hi), :tensor(type, shape, lo, hi)
--   support.difference(got, want)       max |got - want| / max |want|; math.huge where shapes differ or one alone is NaN
--   support.close(got, want, bound)     asserts on it
--   support.model(build, inputs, open)  an ov.Model of build(op, parameters...), with one parameter like each of the tensors `inputs`; open: dimensions are -1
--   support.run(build, inputs, config, open)  compiles that and infers: the outputs, a list of tensors
--   support.reference(build, inputs)    the same with constants for parameters: folded, so the operators' plain reference runs compute it
--   support.isas()                      the ISA levels of this processor, lowest first
--   support.child(options, fn, ...)     runs fn(...) in a fresh process; returns what it returned, as a string, or raises its error
--   support.starve(fn, stride, undo)    runs fn, then undo(), with allocation 1, 2, 3 ... failing (later ones a `stride`-th further on), until fn meets none;
--                                       nothing but a memory error may come of that. How many runs ended in one, and how many allocations were reached
--   support.broken(fn, code)            asserts that fn raises an ovlite error of that code; returns the message
local support = {}
local unpack = table.unpack or unpack
local json = require("spec.support.json")

support.root = os.getenv("OVLITE_ROOT") or "."
support.lua = os.getenv("OVLITE_LUA") or "luajit"
-- asan, tsan, debug builds are slow: long specs ask this and do less.
support.variant = os.getenv("OVLITE_VARIANT") or "release"
support.slow = support.variant ~= "release"

-- OVLITE_GC=aggressive: a collector that is always in the middle of something. (With a shorter pause each allocation of a compiled loop collects a megabyte's worth,
-- and rounds that take a second take many minutes as more of them get compiled.)
if os.getenv("OVLITE_GC") == "aggressive" then
  collectgarbage("setpause", 100)
  collectgarbage("setstepmul", 1000)
end

function support.exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- busted's pending ends a running spec only as the global that busted puts into the environment of the spec's own functions.
local function end_as_pending(message)
  for level = 3, 30 do
    local info = debug.getinfo(level, "f")
    local env = info and getfenv(info.func)
    if env and env ~= _G and env.pending then env.pending(message) end
    if not info then return end
  end
end

function support.need(value, message)
  if not value then end_as_pending(message or "skipped: something that this needs is not here") end
  return value
end

-- ---- reference models ----
local NAMES = { "resnet26", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "squeezenet1_1", "vit_tiny", "bert_mini", "ppocr_det", "ppocr_rec",
  "ppocr_cls", "silero_vad" }

function support.models_folder() return os.getenv("OVLITE_MODELS") or support.root .. "/../shared/models" end

function support.models()
  local folder, found = support.models_folder(), {}
  for _, name in ipairs(NAMES) do
    local here = folder .. "/" .. name
    if support.exists(here .. "/case.json") then
      local files = {}
      for _, file in ipairs({ "model.onnx", "model.xml" }) do
        if support.exists(here .. "/" .. file) then files[#files + 1] = file end
      end
      found[#found + 1] = { name = name, folder = here, files = files, case = json.read(here .. "/case.json") }
    end
  end
  if #found > 0 then return found end
  return nil, "skipped: no reference models at $OVLITE_MODELS or " .. folder
end

-- ---- data ----
local Random = {}
Random.__index = Random

function support.random(seed)
  local r = setmetatable({ state = (seed or 1) % 2147483647 }, Random)
  r:next(); r:next() -- small seeds start near an end
  return r
end

-- Park and Miller's generator: exact in doubles on every Lua.
function Random:next()
  self.state = (self.state * 48271 + 11) % 2147483647
  return self.state / 2147483647
end
function Random:number(lo, hi) return (lo or -1) + ((hi or 1) - (lo or -1)) * self:next() end
function Random:integer(lo, hi) return lo + math.floor((hi - lo + 1) * self:next()) end
function Random:list(n, lo, hi)
  local out = {}
  for i = 1, n do out[i] = self:number(lo, hi) end
  return out
end
local INTEGER = { i8 = -10, i16 = -10, i32 = -10, i64 = -10, u8 = 0, u16 = 0, u32 = 0, u64 = 0 }
function Random:tensor(element_type, shape, lo, hi)
  local n, values = 1, {}
  for _, d in ipairs(shape) do n = n * d end
  for i = 1, n do
    if element_type == "boolean" then
      values[i] = self:next() < 0.5
    elseif INTEGER[element_type] then
      values[i] = self:integer(lo or INTEGER[element_type], hi or 10)
    else
      values[i] = self:number(lo, hi)
    end
  end
  return require("ovlite").Tensor(element_type, shape, values)
end

-- Equal lists: of dimensions, of strings.
local function same_list(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do if a[i] ~= b[i] then return false end end
  return true
end

function support.difference(got, want)
  if not same_list(got.shape, want.shape) then return math.huge end
  if want.element_type == "string" then return same_list(got:flat(), want:flat()) and 0 or math.huge end
  local a, b, worst, largest = got:astype("f64"), want:astype("f64"), 0, 0
  local first, pa, pb = 0, a.data, b.data
  if type(pb) ~= "cdata" then first, pa, pb = 1, a:flat(), b:flat() end -- no FFI here
  for i = first, first + want.size - 1 do
    local x, y = pa[i], pb[i]
    if x ~= y and (x == x or y == y) then
      local d = math.abs(x - y)
      if not (d < math.huge) then return math.huge end
      if d > worst then worst = d end
    end
    local m = math.abs(y)
    if m > largest and m < math.huge then largest = m end
  end
  return worst == 0 and 0 or worst / math.max(largest, 1e-30)
end

function support.close(got, want, bound, what)
  local d = support.difference(got, want)
  if d > (bound or 1e-5) then
    error(("%sdifference %.3g, bound %.3g; got %s, want %s"):format(what and what .. ": " or "", d, bound or 1e-5, tostring(got), tostring(want)), 2)
  end
end

-- ---- small models ----
local function graph(build, inputs, node)
  local ov = require("ovlite")
  local op, parameters, args = ov.opset13, {}, {}
  for i, t in ipairs(inputs) do args[i] = node(op, t, i, parameters) end
  local result = build(op, unpack(args))
  if type(result) ~= "table" or getmetatable(result) then result = { result } end
  return ov.Model(result, parameters, "spec")
end

function support.model(build, inputs, open)
  return graph(build, inputs, function(op, t, i, parameters)
    local shape = {}
    for d, size in ipairs(t.shape) do shape[d] = open and -1 or size end
    parameters[i] = op.parameter(shape, t.element_type, "x" .. i)
    return parameters[i]
  end)
end

local function infer(model, inputs, config)
  local request = require("ovlite").Core():compile_model(model, "CPU", config or { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request()
  local results, outputs = request:infer(inputs), {}
  for i, t in ipairs(results) do outputs[i] = t end
  return outputs
end

function support.run(build, inputs, config, open) return infer(support.model(build, inputs, open), inputs, config) end

function support.reference(build, inputs)
  return infer(graph(build, inputs, function(op, t) return op.constant(t) end), nil)
end

-- ---- processes ----
local function flags()
  local file = io.open("/proc/cpuinfo")
  local text = file and file:read("*a") or ""
  if file then file:close() end
  return " " .. (text:match("flags%s*:%s*([^\n]*)") or "") .. " "
end
local LEVELS = { { "avx2", "avx2", "fma", "f16c" }, { "avx512", "avx512f", "avx512bw", "avx512vl", "avx512dq" }, { "avx512_vnni", "avx512_vnni" },
  { "avx512_bf16", "avx512_bf16" } }

function support.isas()
  local have, out = flags(), { "scalar" }
  for _, level in ipairs(LEVELS) do
    for i = 2, #level do
      if not have:find(" " .. level[i] .. " ", 1, true) then return out end
    end
    out[#out + 1] = level[1]
  end
  return out
end

local function quoted(s) return "'" .. tostring(s):gsub("'", "'\\''") .. "'" end
local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- options: isa = level, env = {NAME = value}, seconds = limit (300). fn may not use upvalues except _G's; its arguments arrive as strings.
function support.child(options, fn, ...)
  local code, answer, log = os.tmpname(), os.tmpname(), os.tmpname()
  local file = assert(io.open(code, "wb"))
  file:write(string.dump(fn))
  file:close()
  local words = { "env" }
  if options.isa then words[#words + 1] = "OVLITE_ISA=" .. options.isa end
  for name, value in pairs(options.env or {}) do words[#words + 1] = quoted(name .. "=" .. value) end
  for _, w in ipairs({ "timeout", options.seconds or 300, support.lua, support.root .. "/spec/support/child.lua", code, answer, ... }) do words[#words + 1] = quoted(w) end
  os.execute(table.concat(words, " ") .. " >" .. quoted(log) .. " 2>&1; echo \"exit $?\" >>" .. quoted(log))
  local said, result = slurp(log), slurp(answer)
  os.remove(code); os.remove(answer); os.remove(log)
  local status = said:match("exit (%d+)\n$")
  if status == "0" and result ~= "" then return result:sub(2), said end
  error(("child%s ended with status %s:\n%s%s"):format(options.isa and " (" .. options.isa .. ")" or "", status, said, result), 2)
end

function support.starve(fn, stride, undo)
  local testing, k, failed = require("ovlite_core"), 1, 0
  while true do
    testing.memory_fail_at(k)
    local before = testing.memory_count()
    local ok, err = pcall(fn)
    local reached = testing.memory_count() - before >= k
    testing.memory_fail_at(0)
    if undo then undo() end
    if ok and not reached then return failed, k end
    if not ok then
      failed = failed + 1
      if require("ovlite").error_code(err) ~= "memory" then error(("with allocation %d failing: %s"):format(k, tostring(err)), 2) end
    end
    collectgarbage()
    k = k + 1 + math.floor(k / stride)
  end
end

function support.broken(fn, code)
  local ok, err = pcall(fn)
  if ok then error("expected an error of code " .. code, 2) end
  local got = require("ovlite").error_code(err)
  if got ~= code then error(("expected an error of code %s, got %s: %s"):format(code, tostring(got), tostring(err)), 2) end
  return err
end

return support
