-- Small models to mutate, made here: list of {name, model = bytes, weights = bytes or nil}. Between them they have constants, attributes of each
-- kind, bodies, tensors inside and outside, open dimensions.
local onnx = require("spec.support.onnx")
local ov = require("ovlite")
local support = require("spec.support.support")

local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- A model of the builder as IR.
local function ir(name, model)
  local path = os.tmpname()
  ov.save_model(model, path .. ".xml", { compress_to_fp16 = false })
  local case = { name = name, model = slurp(path .. ".xml"), weights = slurp(path .. ".bin") }
  for _, ending in ipairs({ "", ".xml", ".bin" }) do os.remove(path .. ending) end
  return case
end

local function mixed()
  local op = ov.opset13
  local x = op.parameter({ -1, 3, 6, 6 }, "f32", "x")
  local c = op.convolution(x, support.random(1):tensor("f32", { 4, 3, 3, 3 }), { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 })
  local parts = op.split(op.relu(c), 1, 2)
  local joined = op.concat({ parts:output(2), parts:output(1) }, 1)
  local pooled = op.reshape(op.reduce_mean(joined, { 2, 3 }, true), { 0, -1 }, true)
  return ov.Model({ op.softmax(op.matmul(pooled, support.random(2):tensor("f32", { 4, 5 }), false, false), 1),
    op.topk(pooled, 2, 1, "max", "value"):output(2) }, { x }, "mixed")
end

local function looped()
  local op = ov.opset13
  local i, s = op.parameter({ 1 }, "f32", "i"), op.parameter({ 1, 2 }, "f32", "s")
  local next_s = op.add(s, i)
  local body = ov.Model({ op.result(next_s), op.result(op.constant(true, "boolean")) }, { i, s }, "body")
  local x = op.parameter({ 1, 2 }, "f32", "x")
  local loop = op.loop(3, true)
  loop:set_function(body)
  loop:set_special_body_ports(-1, 2)
  loop:set_invariant_input(1, op.constant({ 2 }, "f32", { 1 }))
  loop:set_merged_input(2, x, 1)
  return ov.Model({ loop:get_iter_value(1, -1) }, { x }, "looped")
end

local function plain_onnx()
  return onnx.model({ nodes = { onnx.node("Conv", { "x", "w" }, { "c" }, { pads = { 1, 1, 1, 1 }, strides = { 1, 1 } }),
    onnx.node("Relu", { "c" }, { "r" }),
    onnx.node("Reshape", { "r", "shape" }, { "f" }), onnx.node("Gemm", { "f", "m" }, { "y" }, { alpha = 0.5, transB = 1 }) },
    inputs = { { "x", { 1, 2, 4, 4 } } }, outputs = { { "y" } },
    initializers = { onnx.tensor("w", { 3, 2, 3, 3 }, support.random(3):list(54)), onnx.tensor("shape", { 2 }, { 1, -1 }, "i64"),
      onnx.tensor("m", { 5, 48 }, support.random(4):list(240)) }, opset = 13 })
end

local function dynamic_onnx()
  return onnx.model({ nodes = { onnx.node("NonZero", { "x" }, { "z" }), onnx.node("Transpose", { "z" }, { "t" }, { perm = { 1, 0 } }),
    onnx.node("Cast", { "t" }, { "k" }, { to = 1 }), onnx.node("ReduceSum", { "k", "axes" }, { "y" }, { keepdims = 0 }) },
    inputs = { { "x", { "n", 3 } } }, outputs = { { "y" } }, initializers = { onnx.tensor("axes", { 1 }, { 1 }, "i64") }, opset = 13 })
end

return function()
  local root = support.root .. "/examples/digits/model"
  return { { name = "digits", model = slurp(root .. ".xml"), weights = slurp(root .. ".bin") }, ir("mixed", mixed()), ir("looped", looped()),
    { name = "plain", model = plain_onnx() }, { name = "dynamic", model = dynamic_onnx() } }
end
