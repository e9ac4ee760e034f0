-- The reference models at INFERENCE_PRECISION_HINT = "bf16": errors against the stored f32 outputs are no larger than OpenVINO's at bf16.
--
-- OpenVINO 2026.4's errors as `build/venv/bin/python spec/bench/bf16_errors.py` measures them on the same inputs: the largest difference relative to the largest value,
-- and the root mean square of the differences relative to that of the values.
local support = require("spec.support.support")
local OPENVINO = {
  bert_mini = { 1.506e-3, 1.194e-3 }, efficientnet_b0 = { 4.710e-3, 4.492e-3 }, mobilenet_v2 = { 3.951e-3, 4.388e-3 }, mobilenet_v3_large = { 3.512e-3, 3.465e-3 },
  ppocr_cls = { 7.034e-6, 9.938e-6 }, ppocr_det = { 8.694e-1, 3.422e-2 }, ppocr_rec = { 1.101e-1, 3.397e-2 }, resnet26 = { 3.754e-3, 4.425e-3 },
  squeezenet1_1 = { 1.145e-3, 1.237e-3 }, vit_tiny = { 9.050e-3, 8.498e-3 },
}
local EQUAL = 1.005 -- the figures above are rounded

local function errors(got, want)
  local a, b = got:astype("f64"):flat(), want:astype("f64"):flat()
  local worst, largest, squares, all = 0, 0, 0, 0
  for i = 1, #b do
    local d = math.abs(a[i] - b[i])
    worst = d <= worst and worst or d -- NaN becomes the worst
    largest = math.max(largest, math.abs(b[i]))
    squares, all = squares + d * d, all + b[i] * b[i]
  end
  return worst / largest, math.sqrt(squares / all)
end

local function run(model, threads)
  local ov = require("ovlite")
  local core, inputs, shapes = ov.Core(), {}, {}
  for _, input in ipairs(model.case.inputs) do
    local t = ov.Tensor.load(model.folder .. "/" .. input.file)
    inputs[input.name] = t
    if #t.shape > 0 then shapes[input.name] = t.shape end
  end
  local graph = core:read_model(model.folder .. "/model.onnx")
  graph:reshape(shapes)
  local request = core:compile_model(graph, "CPU", { INFERENCE_PRECISION_HINT = "bf16", INFERENCE_NUM_THREADS = threads }):create_infer_request()
  request:infer(inputs)
  for i, output in ipairs(model.case.outputs) do
    local most, root = errors(request:get_output_tensor(i), ov.Tensor.load(model.folder .. "/" .. output.file))
    local bounds = OPENVINO[model.name]
    assert.is_true(most <= bounds[1] * EQUAL, ("largest error %.3e, OpenVINO's is %.3e"):format(most, bounds[1]))
    assert.is_true(root <= bounds[2] * EQUAL, ("root mean square error %.3e, OpenVINO's is %.3e"):format(root, bounds[2]))
    assert.is_true(root > 1e-8) -- or it was not bf16
  end
end

describe("reference models at bf16", function()
  local models, why = support.models()
  if not models then return pending(why) end
  local able = table.concat(support.isas(), " "):find("avx512_bf16", 1, true) and not os.getenv("OVLITE_ISA")
  for _, model in ipairs(models) do
    if OPENVINO[model.name] then
      for threads = 1, support.slow and 1 or 2 do
        it(("%s, %d threads"):format(model.name, threads), function()
          if not able then return pending("needs avx512_bf16") end
          run(model, threads)
        end)
      end
    end
  end
end)
