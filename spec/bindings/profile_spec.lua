-- Profiles: steps beside their limits, the memory plan, what OVLITE_VERBOSE=profile tells.
local ov = require("ovlite")
local support = require("spec.support.support")
local op = ov.opset13

local function small()
  local x = op.parameter({ 1, 8, 10, 10 }, "f32", "x")
  local random = support.random(3)
  local conv = op.convolution(x, random:tensor("f32", { 16, 8, 3, 3 }), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
  conv:set_friendly_name("conv")
  local flat = op.reshape(conv, { 1, 1600 }, false)
  local product = op.matmul(flat, random:tensor("f32", { 1600, 7 }), false, false)
  product:set_friendly_name("product")
  return ov.Model({ op.softmax(product, 1) }, { x }, "small")
end

local function compile(config)
  config = config or {}
  config.INFERENCE_PRECISION_HINT = "f32"
  return ov.compile_model(small(), "CPU", config)
end

local function by_name(steps, name)
  for _, step in ipairs(steps) do
    if step.node_name == name then return step end
  end
  error("no step is called " .. name)
end

describe("run profiles", function()
  it("tell each step with its time, its work and its limit", function()
    local request = compile({ ENABLE_PROFILING = true, INFERENCE_NUM_THREADS = 2, PERFORMANCE_HINT = "LATENCY" }):create_infer_request()
    request:infer()
    local profile = request:get_run_profile()
    assert.are.equal(1, profile.stream)
    assert.is_true(profile.threads >= 1 and profile.threads <= 2)
    assert.are.equal(#request.run_profile.steps, #profile.steps)
    local ends = 0
    for _, step in ipairs(profile.steps) do
      assert.is_true(step.start >= ends, "steps follow each other")
      ends = step.start + step.real_time
      assert.is_true(step.real_time > 0 and step.limit > 0)
      assert.is_truthy(step.limited_by == "flops" or step.limited_by == "bytes")
    end
    assert.are.equal(0, profile.steps[1].start)
    assert.is_true(math.abs(ends - profile.real_time) < 1e-3)

    local conv, product = by_name(profile.steps, "conv"), by_name(profile.steps, "product")
    assert.are.equal("Convolution", conv.node_type)
    assert.are.equal(2 * 1600 * 8 * 9, conv.flops)
    assert.are.equal(4 * (800 + 16 * 8 * 9 + 1600), conv.bytes)
    assert.are.equal(2 * 1600 * 7, product.flops)
    assert.are.equal(4 * (1600 + 1600 * 7 + 7), product.bytes)
  end)

  it("count transposed and grouped convolutions, recurrent nets and attention", function()
    local function flops(build, shapes, name)
      local inputs, parameters = {}, {}
      for i, shape in ipairs(shapes) do inputs[i] = support.random(i):tensor("f32", shape) end
      for i, t in ipairs(inputs) do parameters[i] = i == 1 and op.parameter(t.shape, "f32", "x") or op.constant(t) end
      local node = build(unpack(parameters))
      node:set_friendly_name(name)
      local compiled = ov.compile_model(ov.Model({ node }, { parameters[1] }), "CPU", { ENABLE_PROFILING = true, INFERENCE_PRECISION_HINT = "f32" })
      local request = compiled:create_infer_request()
      request:infer()
      return by_name(request.run_profile.steps, name).flops
    end
    assert.are.equal(2 * (3 * 5 * 5) * (4 * 2 * 2), flops(function(x, w)
      return op.convolution_backprop_data(x, w, { 2, 2 })
    end, { { 1, 3, 5, 5 }, { 3, 4, 2, 2 } }, "up"))
    assert.are.equal(2 * (8 * 6 * 6) * 9, flops(function(x, w)
      return op.group_convolution(x, w, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
    end, { { 1, 8, 6, 6 }, { 8, 1, 1, 3, 3 } }, "depthwise"))
    assert.are.equal(2 * 5 * (4 * 16 * 8 + 4 * 16 * 16), flops(function(x, h, c, w, r, b)
      return op.lstm_sequence(x, h, c, op.constant({ 5 }, "i64"), w, r, b, 16, "forward")
    end, { { 1, 5, 8 }, { 1, 1, 16 }, { 1, 1, 16 }, { 1, 64, 8 }, { 1, 64, 16 }, { 1, 64 } }, "lstm"))
    assert.are.equal(2 * (2 * 6 * 8) * 9 + 2 * (2 * 6 * 4) * 9, flops(function(q, k, v)
      return op.scaled_dot_product_attention(q, k, v)
    end, { { 2, 6, 8 }, { 2, 9, 8 }, { 2, 9, 4 } }, "attention"))
  end)

  it("are an error where there is none", function()
    local request = compile():create_infer_request()
    request:infer()
    assert.is_truthy(support.broken(function() return request.run_profile end, "argument"):find("ENABLE_PROFILING", 1, true))
    request = compile({ ENABLE_PROFILING = true }):create_infer_request()
    assert.is_truthy(support.broken(function() request:get_run_profile() end, "argument"):find("no run", 1, true))
  end)

  it("name the stream that ran", function()
    local queue = ov.AsyncInferQueue(compile({ ENABLE_PROFILING = true, NUM_STREAMS = 2 }), 4)
    local most, runs = 0, 0
    queue:set_callback(function(request, _, err)
      assert.is_nil(err)
      runs, most = runs + 1, math.max(most, request.run_profile.stream)
    end)
    for _ = 1, 40 do queue:start_async() end
    queue:wait_all()
    assert.are.equal(40, runs)
    assert.is_true(most >= 1 and most <= 2)
  end)

  it("are told on stderr with OVLITE_VERBOSE=profile, without the runs that met cold memory", function()
    local _, said = support.child({ env = { OVLITE_VERBOSE = "profile" } }, function()
      local lib = require("ovlite")
      local o = lib.opset13
      local x = o.parameter({ 4, 16 }, "f32", "x")
      local request = lib.compile_model(lib.Model({ o.tanh(x) }, { x }, "net")):create_infer_request()
      for _ = 1, 5 do request:infer() end
      request:close()
    end)
    assert.is_truthy(said:find("profile: 'net': 4 runs of 1 steps", 1, true), said)
    assert.is_truthy(said:find("profile: 100%.0%%.-%d+%%.-bytes  Tanh  [%w_]+"), said)
  end)
end)

describe("memory plans", function()
  local function check(compiled)
    local plan = compiled:memory_plan()
    local sum = 0
    for i, a in ipairs(plan.slots) do
      sum = sum + a.bytes
      assert.is_true(a.offset + a.bytes <= plan.arena)
      assert.is_true(a.first >= 1 and a.first <= a.last and a.last <= plan.steps + 1)
      for k = i + 1, #plan.slots do
        local b = plan.slots[k]
        local together = a.first <= b.last and b.first <= a.last
        local meet = a.offset < b.offset + b.bytes and b.offset < a.offset + a.bytes
        assert.is_false(together and meet, ("%s and %s share memory at one time"):format(a.node_name, b.node_name))
      end
    end
    assert.are.equal(sum, plan.side_by_side)
    return plan
  end

  it("put nothing over what lives at the same time", function()
    local plan = check(compile())
    assert.is_true(#plan.slots >= 1 and plan.arena >= 6400)
  end)

  it("hold for reference models", function()
    for _, m in ipairs(support.need(support.models())) do
      if m.name == "squeezenet1_1" or m.name == "bert_mini" then
        local compiled = ov.compile_model(m.folder .. "/" .. m.files[1])
        local inputs = {}
        for _, input in ipairs(m.case.inputs) do inputs[input.name] = ov.Tensor.load(m.folder .. "/" .. input.file) end
        compiled(inputs)
        local plan = check(compiled)
        assert.is_true(plan.arena < plan.side_by_side, "memory is used again")
      end
    end
  end)

  it("need a plan", function()
    local x = op.parameter({ -1, 4 }, "f32", "x")
    local compiled = ov.compile_model(ov.Model({ op.relu(op.exp(x)) }, { x }))
    support.broken(function() compiled:memory_plan() end, "argument")
    compiled(ov.Tensor("f32", { 2, 4 }))
    assert.is_true(compiled:memory_plan().steps >= 1)
  end)
end)

describe("where a model came from", function()
  it("is told by the model and its nodes", function()
    local model = small()
    assert.are.equal("", model.origin)
    assert.are.equal(13, model:get_ops()[1].opset)
    model = ov.read_model(support.root .. "/examples/digits/model.xml")
    assert.are.equal("OpenVINO IR v11", model.origin)
    assert.are.equal("OpenVINO IR v11", model:clone().origin)
    for _, m in ipairs(support.need(support.models())) do
      if m.files[1] == "model.onnx" then
        assert.is_truthy(ov.read_model(m.folder .. "/model.onnx").origin:find("^ONNX %(IR %d+, opset %d+"))
        break
      end
    end
  end)
end)

describe("machine limits", function()
  it("are measured", function()
    local one = ov.machine_limits()
    assert.is_true(one.flops > 1e8 and one.flops_bf16 >= one.flops * 0.9 and one.cache_bytes >= one.memory_bytes and one.memory_bytes > 1e7)
    assert.are.equal(one.flops, ov.machine_limits(1).flops)
    support.broken(function() ov.machine_limits(0) end, "argument")
    support.broken(function() ov.machine_limits("many") end, "type")
  end)
end)
