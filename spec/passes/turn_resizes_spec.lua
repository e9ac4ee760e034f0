local cases = require("spec.support.pass_cases")
local ov = require("ovlite")
local x = cases.random("f32", { 2, 5, 7, 3 })

local function resize(op, a, h, w, axes, options)
  options = options or {}
  options.shape_calculation_mode, options.axes = options.shape_calculation_mode or "sizes", op.constant(axes, "i64")
  options.mode = options.mode or "linear"
  return op.interpolate(a, options.shape_calculation_mode == "sizes" and op.constant({ h, w }, "i64") or op.constant({ h, w }, "f32"), options)
end

cases("turn_resizes", {
  { "channels last", function(op, a) return resize(op, a, 3, 11, { 1, 2 }) end, { x }, "Interpolate" },
  { "every mode", function(op, a)
    local out = {}
    for i, mode in ipairs({ "nearest", "linear_onnx", "cubic", "bilinear_pillow" }) do out[i] = resize(op, a, 4, 9, { -3, -2 }, { mode = mode }) end
    return out
  end, { x }, "Interpolate Interpolate Interpolate Interpolate" },
  { "by scales", function(op, a) return resize(op, a, 2, 0.5, { 1, 2 }, { shape_calculation_mode = "scales" }) end, { x }, "Interpolate" },
  { "opset 4", function(_, a)
    return ov.opset4.interpolate(a, { 4, 4 }, ov.opset4.constant({ 0.8, 4 / 7 }, "f32"), "linear", "sizes", { 0, 0, 0, 0 }, { 0, 0, 0, 0 },
      { axes = ov.opset4.constant({ 1, 2 }, "i64") })
  end, { x }, "Interpolate" },
  { "axes the other way round stay", function(op, a) return resize(op, a, 11, 3, { 2, 1 }) end, { x }, "Interpolate" },
  { "padding stays", function(op, a) return resize(op, a, 9, 11, { 1, 2 }, { pads_begin = { 0, 1, 2, 0 }, pads_end = { 0, 1, 0, 0 } }) end, { x }, "Interpolate" },
  { "with what follows", function(op, a) return op.relu(op.add(resize(op, a, 3, 4, { 1, 2 }), 1)) end, { x }, "Interpolate Add" },
})

describe("pass turn_resizes", function()
  it("leaves no plain run", function()
    if os.getenv("OVLITE_ISA") == "scalar" then return pending("no vectors") end
    local op = ov.opset13
    local a = op.parameter({ 1, 8, 8, 3 }, "f32", "a")
    for _, node in ipairs(ov.compile_model(ov.Model({ resize(op, a, 4, 4, { 1, 2 }) }, { a })):get_runtime_model():get_ordered_ops()) do
      if node.attributes.layerType == "Interpolate" then assert.is_truthy(node.attributes.execType:find("interp_avx", 1, true)) end
    end
  end)
end)
