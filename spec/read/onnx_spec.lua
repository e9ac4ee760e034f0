-- ONNX: what the reader does around single operators: names, initializers, external data, order, captures, functions, old opsets.
local ov = require("ovlite")
local onnx = require("spec.support.onnx")
local support = require("spec.support.support")

local function read(t) return ov.Core():read_model({ model = onnx.model(t) }) end
local function infer(model, inputs)
  local results, out = ov.Core():compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request():infer(inputs), {}
  for i, t in ipairs(results) do out[i] = t:totable() end
  return out
end
local function run(t, inputs) return infer(read(t), inputs) end
local node, tensor = onnx.node, onnx.tensor

describe("reading ONNX", function()
  it("names values and nodes as in the file", function()
    local m = read({ name = "my graph", nodes = { node("Relu", { "x" }, { "y" }) }, inputs = { { "x", { 2, "n" } } }, outputs = { { "y", { 2, "n" } } } })
    assert.equal("my graph", m.friendly_name)
    assert.same({ "x" }, m.inputs[1].names)
    assert.same({ "y" }, m.outputs[1].names)
    assert.same({ 2, -1 }, m.inputs[1].partial_shape)
    local relu
    for _, n in ipairs(m:get_ops()) do relu = n.type_name == "Relu" and n or relu end
    assert.equal("node_y", relu.friendly_name)
  end)

  it("keeps an input that passes right through apart from the output", function()
    local m = read({ nodes = { node("Identity", { "z" }, { "a" }) }, inputs = { { "z", { 2 } } }, outputs = { { "a", { 2 } } } })
    assert.same({ "z" }, m.inputs[1].names)
    assert.same({ "a" }, m.outputs[1].names)
    assert.same({ { 1, 2 } }, infer(m, { { 1, 2 } }))
  end)

  it("takes inputs that are initializers too for constants", function()
    local m = read({ nodes = { node("Add", { "x", "w" }, { "y" }) }, inputs = { { "x", { 2 } }, { "w", { 2 } } }, outputs = { { "y", { 2 } } },
      initializers = { tensor("w", { 2 }, { 10, 20 }) } })
    assert.equal(1, #m.inputs)
    assert.same({ { 11, 22 } }, infer(m, { { 1, 2 } }))
  end)

  it("takes initializers as raw bytes and as numbers", function()
    local typed = { f32 = onnx.bytes(4, ov.Tensor("f32", { 2 }, { 3, 4 }):bytes()), i64 = onnx.number(7, 3) .. onnx.number(7, 4), i32 = onnx.number(5, 3) .. onnx.number(5, 4),
      u8 = onnx.number(5, 3) .. onnx.number(5, 4), f64 = onnx.bytes(10, ov.Tensor("f64", { 2 }, { 3, 4 }):bytes()), u64 = onnx.number(11, 3) .. onnx.number(11, 4) }
    for kind, fields in pairs(typed) do
      local t = { nodes = { node("Cast", { "w" }, { "f" }, { to = 1 }), node("Add", { "x", "f" }, { "y" }) }, inputs = { { "x", { 2 } } }, outputs = { { "y", { 2 } } } }
      t.initializers = { tensor("w", { 2 }, nil, kind, fields) }
      assert.same({ { 4, 6 } }, run(t, { { 1, 2 } }), kind)
      t.initializers = { tensor("w", { 2 }, ov.Tensor(kind, { 2 }, { 3, 4 }):bytes(), kind) }
      assert.same({ { 4, 6 } }, run(t, { { 1, 2 } }), kind)
    end
  end)

  it("takes weights where they lie in a file, at any address, small and large, and the same from memory", function()
    local path = os.tmpname()
    local random = support.random(9)
    for _, kind in ipairs({ "f32", "f16", "f64", "u8", "i64", "boolean" }) do
      for _, n in ipairs({ 1, 8, 15, 16, 17, 64, 3000, 40000 }) do
        local w = random:tensor(kind, { n })
        for shift = 0, n > 1000 and 3 or 0 do
          local bytes = onnx.model({ nodes = { node("Cast", { "w" }, { "f" }, { to = 1 }), node("Add", { "x", "f" }, { "y" }) }, name = ("g"):rep(1 + shift),
            inputs = { { "x", { 1 } } }, outputs = { { "y", { n } } }, initializers = { tensor("w", { n }, w:bytes(), kind) } })
          local file = assert(io.open(path, "wb"))
          file:write(bytes)
          file:close()
          local model = ov.Core():read_model(path)
          for _, m in ipairs({ model, ov.Core():read_model({ model = bytes }), path }) do
            support.close(ov.Core():compile_model(m)({ { 0 } })[1], w:astype("f32"), 1e-6, kind .. " " .. n)
          end
          for _, op in ipairs(model:get_ops()) do
            if op.value then op.value:fill(1) end -- a copy: neither the file nor the model changes
          end
          support.close(ov.Core():compile_model(model)({ { 0 } })[1], w:astype("f32"), 1e-6, kind .. " " .. n)
        end
      end
    end
    os.remove(path)
  end)

  it("takes external data from beside the model", function()
    local folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir -p " .. folder .. "/data")
    local function write(name, text)
      local file = assert(io.open(folder .. "/" .. name, "wb"))
      file:write(text)
      file:close()
    end
    write("data/w.bin", "....." .. ov.Tensor("f32", { 2 }, { 5, 6 }):bytes())
    write("m.onnx", onnx.model({ nodes = { node("Add", { "x", "w" }, { "y" }) }, inputs = { { "x", { 2 } } }, outputs = { { "y", { 2 } } },
      initializers = { tensor("w", { 2 }, nil, "f32", onnx.external({ location = "data/w.bin", offset = "5", length = "8" })) } }))
    assert.same({ { 6, 8 } }, infer(ov.Core():read_model(folder .. "/m.onnx"), { { 1, 2 } }))
    os.execute("rm -rf " .. folder)
  end)

  it("sorts nodes", function()
    assert.same({ { -2, -4 } }, run({ nodes = { node("Neg", { "b" }, { "y" }), node("Add", { "x", "x" }, { "b" }) }, inputs = { { "x", { 2 } } }, outputs = { { "y", { 2 } } } }, { { 1, 2 } }))
  end)

  it("lets branches see values around them", function()
    local function branch(kind) return { graph = onnx.graph({ nodes = { node(kind, { "a", "w" }, { "r" }) }, outputs = { { "r", { 2 } } } }) } end
    local t = { nodes = { node("Relu", { "x" }, { "a" }), node("If", { "c" }, { "y" }, { then_branch = branch("Add"), else_branch = branch("Mul") }) },
      inputs = { { "x", { 2 } }, { "c", {}, "boolean" } }, outputs = { { "y", { 2 } } }, initializers = { tensor("w", { 2 }, { 3, 5 }) } }
    local m = read(t)
    assert.same({ { 3, 7 } }, infer(m, { x = { -1, 2 }, c = ov.Tensor("boolean", {}, { true }) }))
    assert.same({ { 0, 10 } }, infer(m, { x = { -1, 2 }, c = ov.Tensor("boolean", {}, { false }) }))
  end)

  it("takes a known branch right away", function()
    local function branch(kind) return { graph = onnx.graph({ nodes = { node(kind, { "x" }, { "r" }) }, outputs = { { "r", { 2 } } } }) } end
    local m = read({ nodes = { node("If", { "c" }, { "y" }, { then_branch = branch("Neg"), else_branch = branch("Frobnicate") }) }, inputs = { { "x", { 2 } } },
      outputs = { { "y", { 2 } } }, initializers = { tensor("c", {}, "\1", "boolean") } })
    for _, n in ipairs(m:get_ops()) do assert.not_equal("If", n.type_name) end
    assert.same({ { -1, -2 } }, infer(m, { { 1, 2 } }))
  end)

  it("runs loops whose values grow", function()
    local body = { graph = onnx.graph({ nodes = { node("Concat", { "s", "x" }, { "t" }, { axis = 0 }), node("Identity", { "go" }, { "more" }) },
      inputs = { { "i", {}, "i64" }, { "go", {}, "boolean" }, { "s", { "k" } } }, outputs = { { "more", {}, "boolean" }, { "t", { "j" } } } }) }
    assert.same({ { 7, 7, 7, 7 } }, run({ nodes = { node("Loop", { "n", "", "x" }, { "y" }, { body = body }) }, inputs = { { "n", {}, "i64" }, { "x", { 1 } } },
      outputs = { { "y", { "k" } } } }, { n = ov.Tensor("i64", {}, { 3 }), x = { 7 } }))
  end)

  it("expands local functions, with attributes that are handed on", function()
    local reference = onnx.bytes(1, "alpha") .. onnx.number(20, 1) .. onnx.bytes(21, "slope")
    local inner = onnx.bytes(1, "p") .. onnx.bytes(2, "q") .. onnx.bytes(4, "LeakyRelu") .. onnx.bytes(5, reference)
    local f = onnx.bytes(1, "Leak") .. onnx.bytes(4, "p") .. onnx.bytes(5, "q") .. onnx.bytes(6, "slope") .. onnx.bytes(7, inner) ..
      onnx.bytes(9, onnx.bytes(1, "") .. onnx.number(2, 13)) .. onnx.bytes(10, "my.domain")
    local more = onnx.bytes(8, onnx.bytes(1, "my.domain") .. onnx.number(2, 1)) .. onnx.bytes(25, f)
    local t = { nodes = { node("Leak", { "x" }, { "a" }, { slope = 0.5 }, "my.domain"), node("Leak", { "a" }, { "y" }, { slope = 0.25 }, "my.domain") },
      inputs = { { "x", { 2 } } }, outputs = { { "y", { 2 } } }, more = more }
    assert.same({ { -1, 3 } }, run(t, { { -8, 3 } }))
  end)

  it("refuses functions that call themselves", function()
    local inner = onnx.bytes(1, "p") .. onnx.bytes(2, "q") .. onnx.bytes(4, "F") .. onnx.bytes(7, "d")
    local f = onnx.bytes(1, "F") .. onnx.bytes(4, "p") .. onnx.bytes(5, "q") .. onnx.bytes(7, inner) .. onnx.bytes(10, "d")
    support.broken(function()
      read({ nodes = { node("F", { "x" }, { "y" }, nil, "d") }, inputs = { { "x", { 2 } } }, outputs = { { "y", { 2 } } }, more = onnx.bytes(25, f) })
    end, "unsupported")
  end)

  it("knows what operators meant in older opsets", function()
    local wide = { { "x", { 2, 2 } } }
    local soft = { nodes = { node("Softmax", { "x" }, { "y" }, { axis = 0 }) }, inputs = wide, outputs = { { "y", { 2, 2 } } } }
    soft.opset = 11 -- over everything from the axis on
    local flat = run(soft, { { { 0, 0 }, { 0, 0 } } })
    soft.opset = 13
    local each = run(soft, { { { 0, 0 }, { 0, 0 } } })
    assert.same({ { { 0.25, 0.25 }, { 0.25, 0.25 } } }, flat)
    assert.same({ { { 0.5, 0.5 }, { 0.5, 0.5 } } }, each)
    assert.same({ { 0.5, 1 } }, run({ opset = 6, nodes = { node("Clip", { "x" }, { "y" }, { min = 0.5, max = 1.5 }) }, inputs = { { "x", { 2 } } },
      outputs = { { "y", { 2 } } } }, { { -4, 1 } }))
    assert.same({ { { 11, 12 }, { 23, 24 } } }, run({ opset = 6, nodes = { node("Add", { "x", "b" }, { "y" }, { broadcast = 1, axis = 0 }) }, inputs = wide,
      outputs = { { "y", { 2, 2 } } }, initializers = { tensor("b", { 2 }, { 10, 20 }) } }, { { { 1, 2 }, { 3, 4 } } }))
  end)

  it("divides integers toward zero", function()
    local t = { nodes = { node("Div", { "x", "d" }, { "y" }) }, inputs = { { "x", { 2 }, "i32" } }, outputs = { { "y", { 2 }, "i32" } },
      initializers = { tensor("d", { 2 }, ov.Tensor("i32", { 2 }, { 2, -2 }):bytes(), "i32") } }
    assert.same({ { -3, -3 } }, run(t, ov.Tensor("i32", { 2 }, { -7, 7 })))
  end)
end)
