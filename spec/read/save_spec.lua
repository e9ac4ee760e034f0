-- Writing IR and reading it back: the same answers, names, bodies and metadata.
local ov = require("ovlite")
local onnx = require("spec.support.onnx")
local support = require("spec.support.support")

local folder
local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end
local function infer(model, inputs)
  local results, out = ov.Core():compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request():infer(inputs), {}
  for i, t in ipairs(results) do out[i] = t end
  return out
end
local function names(ports)
  local out = {}
  for i, p in ipairs(ports) do out[i] = p.names end
  return out
end
local function saved(model, options)
  ov.save_model(model, folder .. "/m.xml", options)
  return ov.Core():read_model(folder .. "/m.xml")
end
local function kinds(model)
  local out = {}
  for _, n in ipairs(model:get_ordered_ops()) do out[n.type_name] = (out[n.type_name] or 0) + 1 end
  return out
end

describe("saving IR", function()
  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir " .. folder)
  end)
  teardown(function() os.execute("rm -rf " .. folder) end)

  local function net()
    local op, r = ov.opset13, support.random(1)
    local x = op.parameter({ -1, 8 }, "f32", "x")
    local w = op.constant(r:tensor("f32", { 8, 4 }))
    local y = op.softmax(op.matmul(x, w, false, false), -1)
    y:output(1):set_names({ "y", "a,b <&>" })
    return ov.Model({ y }, { x }, "my net"), r:tensor("f32", { 3, 8 })
  end

  it("keeps answers, names and open dimensions", function()
    local m, x = net()
    local copy = saved(m, { compress_to_fp16 = false })
    assert.equal("my net", copy.friendly_name)
    assert.same(names(m.inputs), names(copy.inputs))
    assert.same(names(m.outputs), names(copy.outputs))
    assert.same(m.inputs[1].partial_shape, copy.inputs[1].partial_shape)
    support.close(infer(copy, x)[1], infer(m, x)[1], 0)
  end)

  it("stores weights as f16 unless told otherwise", function()
    local m, x = net()
    local want = infer(m, x)[1]
    local copy = saved(m)
    assert.equal(1, kinds(copy).Convert)
    assert.is_truthy(slurp(folder .. "/m.xml"):find("decompression", 1, true))
    assert.equal(8 * 4 * 2, #slurp(folder .. "/m.bin"))
    support.close(infer(copy, x)[1], want, 2e-3)
  end)

  it("leaves numbers alone that f16 cannot hold", function()
    local op = ov.opset13
    local x = op.parameter({ 2 }, "f32", "x")
    local m = ov.Model({ op.multiply(x, op.constant(ov.Tensor("f32", { 2 }, { 1e6, 2 }))) }, { x }, "large")
    support.close(infer(saved(m), ov.Tensor({ 1, 1 }))[1], ov.Tensor({ 1e6, 2 }), 0)
  end)

  it("stores equal constants once", function()
    local op = ov.opset13
    local x = op.parameter({ 100 }, "f32", "x")
    local function w() return op.constant(support.random(5):tensor("f32", { 100 })) end
    local m = ov.Model({ op.add(op.multiply(x, w()), w()) }, { x }, "twice")
    saved(m, { compress_to_fp16 = false })
    assert.equal(400, #slurp(folder .. "/m.bin"))
  end)

  it("keeps every element type, strings too", function()
    local op, results, want = ov.opset13, {}, {}
    local p = op.parameter({}, "f32", "p")
    for i, t in ipairs({ ov.Tensor("i64", { 2 }, { -5, 7 }), ov.Tensor("u8", { 3 }, { 1, 2, 255 }), ov.Tensor("boolean", { 2 }, { true, false }),
      ov.Tensor("f64", { 1 }, { 0.1 }), ov.Tensor("f16", { 2 }, { 0.5, -2 }), ov.Tensor("i32", {}, { 9 }), ov.Tensor("f32", { 0 }), ov.Tensor("string", { 3 }, { "a", "", "long text" }) }) do
      results[i], want[i] = op.constant(t), t
    end
    results[#results + 1] = p
    local got = infer(saved(ov.Model(results, { p }, "types"), { compress_to_fp16 = false }), { 0 })
    for i, t in ipairs(want) do
      assert.equal(t.element_type, got[i].element_type)
      assert.same(t:totable(), got[i]:totable())
    end
  end)

  it("keeps control flow", function()
    local body = { graph = onnx.graph({ nodes = { onnx.node("Add", { "s", "x" }, { "s2" }), onnx.node("Identity", { "go" }, { "more" }), onnx.node("Identity", { "s2" }, { "each" }) },
      inputs = { { "i", {}, "i64" }, { "go", {}, "boolean" }, { "s", { 2 } } }, outputs = { { "more", {}, "boolean" }, { "s2", { 2 } }, { "each", { 2 } } } }) }
    local m = ov.Core():read_model({ model = onnx.model({ nodes = { onnx.node("Loop", { "n", "", "x" }, { "last", "all" }, { body = body }) },
      inputs = { { "n", {}, "i64" }, { "x", { 2 } } }, outputs = { { "last", { 2 } }, { "all", { "k", 2 } } } }) })
    local copy = saved(m, { compress_to_fp16 = false })
    for _, model in ipairs({ m, copy }) do
      local got = infer(model, { n = ov.Tensor("i64", {}, { 3 }), x = { 1, 10 } })
      assert.same({ { 4, 40 }, { { 2, 20 }, { 3, 30 }, { 4, 40 } } }, { got[1]:totable(), got[2]:totable() })
    end
  end)

  it("keeps metadata", function()
    local relu = onnx.node("Relu", { "x" }, { "y" })
    local function meta(key, value) return onnx.bytes(14, onnx.bytes(1, key) .. onnx.bytes(2, value)) end
    local m = ov.Core():read_model({ model = onnx.model({ nodes = { relu }, inputs = { { "x", { 2 } } }, outputs = { { "y", { 2 } } },
      more = meta("author", "me & you") .. meta("a key", "1") .. meta("deep/one", "2") .. meta("deep/two", "3") }) })
    local want = { author = "me & you", ["a key"] = "1", ["deep/one"] = "2", ["deep/two"] = "3" }
    assert.same(want, m.metadata)
    assert.same(want, saved(m).metadata)
  end)

  it("makes folders, and refuses other names", function()
    local m = net()
    ov.save_model(m, folder .. "/new/er/m.xml")
    assert.is_true(support.exists(folder .. "/new/er/m.bin"))
    support.broken(function() ov.save_model(m, folder .. "/m.onnx") end, "argument")
    support.broken(function() ov.save_model(m, "/proc/nowhere/m.xml") end, "io")
  end)

  it("gives reference models back as they were", function()
    local models, why = support.models()
    if not models then return pending(why) end
    for _, model in ipairs(models) do
      if model.name == "silero_vad" or model.name == "ppocr_cls" then
        local m = ov.Core():read_model(model.folder .. "/model.onnx")
        local copy = saved(m, { compress_to_fp16 = false })
        assert.same(names(m.inputs), names(copy.inputs))
        assert.same(names(m.outputs), names(copy.outputs))
        assert.equal(#m:get_ops(), #copy:get_ops())
      end
    end
  end)
end)
