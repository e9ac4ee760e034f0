-- What a run costs in steady state, and what happens when memory runs out.
local ov = require("ovlite")
local core = require("ovlite_core")
local support = require("spec.support.support")
local DIGITS = support.root .. "/examples/digits/model.xml"

local function allocations(fn, times)
  local before = core.memory_count()
  for _ = 1, times do fn() end
  return core.memory_count() - before
end

-- Bytes of Lua memory that fn makes, on average.
local function garbage(fn, times)
  collectgarbage(); collectgarbage()
  collectgarbage("stop")
  local before = collectgarbage("count")
  for _ = 1, times do fn() end
  local made = collectgarbage("count") - before
  collectgarbage("restart")
  return made * 1024 / times
end

-- fn runs without a single allocation, and makes no Lua objects; the first rounds may (a trace of the JIT compiler is memory too).
local function costs_nothing(fn, times)
  for _ = 1, 10 do fn() end
  assert.are.equal(0, allocations(fn, times))
  if jit then jit.off() end
  local least = math.huge
  for _ = 1, 3 do least = math.min(least, garbage(fn, times)) end
  if jit then jit.on() end
  assert.is_true(least < 1, least .. " bytes of Lua garbage a run")
end

describe("a run in steady state", function()
  local function steady(name, path, inputs, threads, times, precision)
    it(("of %s, %d threads, %s"):format(name, threads, precision or "f32"), function()
      local compiled = ov.Core():compile_model(path, "CPU", { INFERENCE_NUM_THREADS = threads, INFERENCE_PRECISION_HINT = precision or "f32" })
      local request = compiled:create_infer_request()
      request:infer(inputs())
      costs_nothing(function() request:infer(nil, false, true) end, times)
      costs_nothing(function()
        request:start_async()
        request:wait()
      end, times)
    end)
  end
  for threads = 1, 2 do steady("digits", DIGITS, function() return nil end, threads, 50) end
  for _, model in ipairs(not support.slow and support.models() or {}) do
    if model.name ~= "silero_vad" then -- its If runs bodies, whose tensors are made anew
      local function given()
        local inputs = {}
        for _, input in ipairs(model.case.inputs) do inputs[input.name] = ov.Tensor.load(model.folder .. "/" .. input.file) end
        return inputs
      end
      steady(model.name, model.folder .. "/model.onnx", given, 2, 5)
      steady(model.name, model.folder .. "/model.onnx", given, 2, 5, "bf16") -- f32 again where the processor does not have it
    end
  end
end)

describe("short memory", function()
  after_each(function() core.memory_fail_at(0) end)

  local function until_it_passes(fn, undo)
    assert.is_true(support.starve(fn, support.slow and 15 or 40, undo) > 0)
    fn()
  end

  it("is told while a model is read, compiled and run", function()
    until_it_passes(function()
      local request = ov.Core():compile_model(DIGITS, "CPU"):create_infer_request()
      local res = request:infer({ image = support.random(1):list(64, 0, 1) })
      assert(res.probabilities:argmax() >= 1)
    end)
  end)

  it("leaves a request usable", function()
    local op = ov.opset13
    local x = op.parameter({ -1, 4 }, "f32", "x")
    local request = ov.Core():compile_model(ov.Model({ op.relu(x) }, { x }, "open"), "CPU"):create_infer_request()
    local rows = 0
    until_it_passes(function()
      rows = rows + 1
      request:infer(ov.Tensor("f32", { rows, 4 }))
    end)
    assert.are.same({ { 0, 1, 0, 2 } }, request:infer({ { -1, 1, -2, 2 } })[1]:totable())
  end)
end)
