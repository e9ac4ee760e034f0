-- Weights: packed once, originals given back when nobody looks at them any more, and there again when somebody does.
local ov = require("ovlite")
local onnx = require("spec.support.onnx")
local support = require("spec.support.support")
local core = ov.Core()

describe("halves of a file", function()
  it("are widened for packing only, and again when they are asked for", function()
    local op, random = ov.opset13, support.random(12)
    local x = op.parameter({ -1, 256 }, "f32", "x")
    local y = op.matmul(op.relu(op.matmul(x, op.constant(random:tensor("f32", { 256, 512 }, -0.1, 0.1)), false, false)),
      op.constant(random:tensor("f32", { 512, 300 }, -0.1, 0.1)), false, false)
    local path = os.tmpname()
    ov.save_model(ov.Model({ y }, { x }, "halves"), path .. ".xml")
    local config = { INFERENCE_PRECISION_HINT = "f32" }
    local function input(n) return support.random(n):tensor("f32", { n, 256 }) end
    local function slurp(name)
      local file = assert(io.open(name, "rb"))
      local bytes = file:read("*a")
      file:close()
      return bytes
    end
    local plain = core:compile_model(core:read_model({ model = slurp(path .. ".xml"), weights = slurp(path .. ".bin") }), "CPU", config)
    local compiled = core:compile_model(path .. ".xml", "CPU", config)
    for _, n in ipairs({ 3, 3, 5, 1, 40 }) do support.close(compiled(input(n))[1], plain(input(n))[1], 1e-6) end
    compiled = core:compile_model(path .. ".xml", "CPU", config)
    compiled(input(3))
    assert.is_true(compiled:memory().weights < 1000)
    local again = core:import_model(compiled:export_model())
    support.close(again(input(7))[1], plain(input(7))[1], 1e-6)
    for _, ending in ipairs({ "", ".xml", ".bin" }) do os.remove(path .. ending) end
  end)
end)

describe("weights of a file", function()
  local path, random = os.tmpname(), support.random(11)
  local C = 64 -- 64 x 64 x 3 x 3 floats: enough for pages of their own
  local function normal(shape, lo, hi) return random:tensor("f32", shape, lo or -0.1, hi or 0.1):bytes() end
  local bytes
  do
    local function conv(x, w, y) return onnx.node("Conv", { x, w }, { y }, { pads = { 1, 1, 1, 1 } }) end
    local initializers, nodes, x = {}, {}, "x"
    for i = 1, 3 do
      local function add(name, shape, lo, hi) initializers[#initializers + 1] = onnx.tensor(name .. i, shape, normal(shape, lo, hi)) end
      add("w", { C, C, 3, 3 })
      for _, name in ipairs({ "scale", "shift", "mean" }) do add(name, { C }) end
      add("var", { C }, 0.5, 2)
      nodes[#nodes + 1] = conv(x, "w" .. i, "c" .. i)
      nodes[#nodes + 1] = onnx.node("BatchNormalization", { "c" .. i, "scale" .. i, "shift" .. i, "mean" .. i, "var" .. i }, { "n" .. i }, { epsilon = 1e-5 })
      nodes[#nodes + 1] = onnx.node("Relu", { "n" .. i }, { "r" .. i })
      x = "r" .. i
    end
    nodes[#nodes + 1] = conv(x, "w1", "again") -- weights with two readers, only one of them scaled
    nodes[#nodes + 1] = onnx.node("Add", { "again", "r1" }, { "y" })
    bytes = onnx.model({ nodes = nodes, inputs = { { "x", { "n", C, "h", "w" } } }, outputs = { { "y", nil } }, initializers = initializers })
    local file = assert(io.open(path, "wb"))
    file:write(bytes)
    file:close()
  end
  teardown(function() os.remove(path) end)

  local CONFIG = { INFERENCE_PRECISION_HINT = "f32", EXECUTION_MODE_HINT = "ACCURACY" }
  local function image(n, h, w) return support.random(n * 100 + h * 10 + w):tensor("f32", { n, C, h, w }) end
  -- From memory nothing is mapped, so nothing can be given back.
  local expected = {}
  local function want(n, h, w)
    local key = ("%d %d %d"):format(n, h, w)
    expected[key] = expected[key] or core:compile_model(core:read_model({ model = bytes }), "CPU", CONFIG)(image(n, h, w))[1]
    return expected[key]
  end
  local function agrees(compiled, n, h, w) support.close(compiled(image(n, h, w))[1], want(n, h, w), 1e-5) end

  it("go after the first run, and come back for other shapes", function()
    local compiled = core:compile_model(path, "CPU", CONFIG)
    local all = compiled:memory().weights
    assert.is_true(all > 3 * C * C * 9 * 4)
    agrees(compiled, 1, 12, 12)
    local memory = compiled:memory()
    assert.is_true(memory.packed > 0) -- what stays is the one that was copied because it has two readers
    assert.is_true(memory.weights < all * 0.3, memory.weights .. " of " .. all)
    agrees(compiled, 1, 12, 12)
    agrees(compiled, 2, 7, 9)
    assert.is_true(compiled:memory().weights > all / 2)
    agrees(compiled, 1, 30, 30)
    agrees(compiled, 1, 12, 12)
  end)

  it("are in an exported model, and in a copy of what runs", function()
    local compiled = core:compile_model(path, "CPU", CONFIG)
    agrees(compiled, 1, 12, 12)
    local again = core:import_model(compiled:export_model())
    agrees(again, 1, 12, 12)
    agrees(again, 2, 7, 9)
    agrees(compiled, 2, 7, 9)
  end)

  it("of a model that a script holds stay as they are", function()
    local model = core:read_model(path)
    local function values()
      local out = {}
      for _, node in ipairs(model:get_ops()) do
        if node.value then out[#out + 1] = node.value:sum() end
      end
      return out
    end
    local before = values()
    local first, second = core:compile_model(model, "CPU", CONFIG), core:compile_model(model, "CPU", CONFIG)
    agrees(first, 1, 12, 12)
    assert.are.same(before, values())
    agrees(second, 2, 7, 9)
    assert.are.same(before, values())
    local copy = model:clone()
    model:close()
    first:close()
    collectgarbage()
    collectgarbage()
    agrees(second, 1, 5, 5)
    agrees(core:compile_model(copy, "CPU", CONFIG), 1, 12, 12)
  end)

  it("are packed on several threads as on one", function()
    for threads = 1, 2 do
      local compiled = core:compile_model(path, "CPU", { INFERENCE_NUM_THREADS = threads, INFERENCE_PRECISION_HINT = "f32", EXECUTION_MODE_HINT = "ACCURACY" })
      agrees(compiled, 1, 12, 12)
    end
  end)

  it("may be asked for by runs that begin together", function()
    local compiled = core:compile_model(path, "CPU", { NUM_STREAMS = 2, INFERENCE_PRECISION_HINT = "f32", EXECUTION_MODE_HINT = "ACCURACY" })
    local shapes = { { 1, 12, 12 }, { 2, 7, 9 }, { 1, 12, 12 }, { 1, 30, 30 }, { 2, 7, 9 }, { 1, 5, 5 } }
    for _, shape in ipairs(shapes) do want((table.unpack or unpack)(shape)) end
    local requests = {}
    for i, shape in ipairs(shapes) do
      requests[i] = compiled:create_infer_request()
      requests[i]:start_async({ x = image((table.unpack or unpack)(shape)) })
    end
    local bundle = compiled:export_model()
    for i, shape in ipairs(shapes) do
      requests[i]:wait()
      support.close(requests[i].results[1], want((table.unpack or unpack)(shape)), 1e-5)
    end
    agrees(core:import_model(bundle), 1, 12, 12)
  end)

  it("are told of when memory is short", function()
    local testing, k = require("ovlite_core"), 1
    want(1, 5, 5)
    while true do
      testing.memory_fail_at(k)
      local before = testing.memory_count()
      local ok, err = pcall(function() return core:compile_model(path, "CPU", CONFIG)(image(1, 5, 5))[1]:clone() end)
      local reached = testing.memory_count() - before >= k
      testing.memory_fail_at(0)
      if ok then support.close(err, want(1, 5, 5), 1e-5) else assert.are.equal("memory", ov.error_code(err), tostring(err)) end
      if ok and not reached then break end
      k = k + 1 + math.floor(k / (support.slow and 8 or 20))
    end
    assert.is_true(k > 200)
  end)
end)
