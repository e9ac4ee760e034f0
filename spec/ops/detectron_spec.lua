-- The ExperimentalDetectron operators have no factory functions: these are read from IR.
local support = require("spec.support.support")
local ov = require("ovlite")

local function ports(tensors, first)
  local out = {}
  for i, t in ipairs(tensors) do
    local dims = {}
    for d, size in ipairs(t.shape) do dims[d] = ("<dim>%d</dim>"):format(size) end
    out[i] = ('<port id="%d" precision="%s">%s</port>'):format(first + i - 1, t.element_type == "i32" and "I32" or "FP32", table.concat(dims))
  end
  return table.concat(out)
end

-- A model of one operator.
local function ir(name, attributes, inputs, outputs)
  local layers, edges, n = {}, {}, #inputs
  for i, t in ipairs(inputs) do
    layers[i] = ('<layer id="%d" name="x%d" type="Parameter" version="opset1"><data shape="%s" element_type="f32"/><output>%s</output></layer>'):format(i, i,
      table.concat(t.shape, ","), ports({ t }, 0))
    edges[i] = ('<edge from-layer="%d" from-port="0" to-layer="0" to-port="%d"/>'):format(i, i - 1)
  end
  layers[n + 1] = ('<layer id="0" name="op" type="ExperimentalDetectron%s" version="opset6"><data %s/><input>%s</input><output>%s</output></layer>'):format(name,
    attributes, ports(inputs, 0), ports(outputs, n))
  for i, t in ipairs(outputs) do
    layers[n + 1 + i] = ('<layer id="%d" name="y%d" type="Result" version="opset1"><input>%s</input></layer>'):format(n + i, i, ports({ t }, 0))
    edges[n + i] = ('<edge from-layer="0" from-port="%d" to-layer="%d" to-port="0"/>'):format(n + i - 1, n + i)
  end
  return ('<net name="m" version="11"><layers>%s</layers><edges>%s</edges></net>'):format(table.concat(layers), table.concat(edges))
end

local CASES = {
  { "proposals", "GenerateProposalsSingleImage", 'min_size="1" nms_threshold="0.6" post_nms_count="3" pre_nms_count="4"', { { "f32", { 3 }, { 10,
    16, 1 } }, { "f32", { 4, 4 }, { 3.07, 5.7, 8.82, 8.84, 0.86, 5.69, 7.63, 11.38, 1.87, 2.54, 6.52, 9.48, 4.97, 2.46, 9.48, 7.72 } }, { "f32",
    { 8, 1, 2 }, { -0.3, -0.1, -0.2, -0.2, 0.2, -0.2, -0, 0.4, 0.4, 0.2, 0, -0.2, -0.3, 0.4, 0, -0.3 } }, { "f32", { 2, 1, 2 }, { 0.62, 0.78,
    0.61, 0.92 } } }, { { "f32", { 3, 4 }, { 4.717023, 2.019239, 11.93698, 5.656761, 1.817086, 0, 5.442914, 9, 0.2977653, 4.872, 7.542234,
    8.012 } }, { "f32", { 3 }, { 0.92, 0.78, 0.62 } } } },
  { "detections", "DetectionOutput", 'score_threshold="0.3" nms_threshold="0.4" max_delta_log_wh="1" num_classes="2" post_nms_count="3" max_detections_per_image="4" class_agnostic_box_regression="false" deltas_weights="10,10,5,5"', { { "f32", { 3, 4 }, { 0.24, 3.17, 6.2, 7.47, 2.76, 0.37, 9.96, 5.92, 3.85, 5.12, 9.4, 11.88 } }, { "f32", { 3, 8 }, { -1.4, 1.3, 0.7, 1.1, -1.2, 1.2, -1.2, -1.7, 1.4, 1.4, 1.5, -0.1, -0.9, -2, 0.6, 0.9, 1.3, -0.9, -1.1, 0.6, 1.2, 1.9, -1.4, -0.1 } }, { "f32", { 3, 2 }, { 0.92, 0.54, 0.67, 0.22, 0.74, 0.94 } }, { "f32", { 1, 3 }, { 10, 16, 1 } } }, { { "f32", { 4, 4 }, { 5.435809, 6.671228, 9.386192, 13.27757, 0.1473351, 4.569809, 4.622265, 7.342191, 0, 0, 0, 0, 0, 0, 0, 0 } }, { "i32", { 4 }, { 1, 1, 0, 0 } }, { "f32", { 4 }, { 0.94, 0.54, 0, 0 } } } },
  { "a grid", "PriorGridGenerator", 'flatten="true" h="0" w="0" stride_x="0" stride_y="0"', { { "f32", { 1, 4 }, { -1, -2, 1, 2 } }, { "f32", { 1,
    1, 1, 2 }, { 1.3, 1.5 } }, { "f32", { 1, 1, 4, 6 }, { 0.6, -1, 1.1, -1.2, 1.3, -1.7, 1.3, -1.3, -0.5, -0.7, 0.8, -1.3, -0.4, -2, -1, -0.3,
    -1.6, 0.5, -0.5, 0.9, 0.6, -0.3, 1.5, 0.5 } } }, { { "f32", { 2, 4 }, { 0.5, 0, 2.5, 4, 3.5, 0, 5.5, 4 } } } },
  { "a grid, its dimensions kept", "PriorGridGenerator", 'flatten="false" h="0" w="0" stride_x="0" stride_y="0"', { { "f32", { 1, 4 }, { -1, -2,
    1, 2 } }, { "f32", { 1, 1, 1, 2 }, { 1.2, -0.6 } }, { "f32", { 1, 1, 4, 6 }, { 0.2, -1.2, 2, -1, -1, -1.7, -1, 1.1, 0.8, -1.5, -0.5, -0.3,
    0.7, -0.2, 0.3, 1.4, 0.9, -0.5, -0.2, -0.5, -1.6, -1.2, -0.9, -0.7 } } }, { { "f32", { 1, 2, 1, 4 }, { 0.5, 0, 2.5, 4, 3.5, 0, 5.5,
    4 } } } },
  { "features by size", "ROIFeatureExtractor", 'output_size="2" sampling_ratio="1" pyramid_scales="4,64" aligned="false"', { { "f32", { 3, 4 },
    { 1, 2, 9, 7, 10, 10, 140, 150, 5, 5, 2, 2 } }, { "f32", { 1, 1, 4, 4 }, { -0.7, 0.3, 1.9, 1.1, 1.2, 1, 0.4, 1.7, 0.8, 0, -1.7, -0, -1.1,
    -1.5, 0, 1.1 } }, { "f32", { 1, 1, 3, 3 }, { -0.8, 1.1, 0.1, -1.4, 1.9, -0.4, -0.8, 1.4, -1.5 } } }, { { "f32", { 3, 1, 2, 2 }, { 0.8625,
    0.728125, 0.678125, -0.2484375, 0.6935303, 0.3615357, 0.687439, -0.3866943, -0.07500002, -0.65, -0.85, -1.7 } }, { "f32", { 3, 4 }, { 1, 2,
    9, 7, 10, 10, 140, 150, 5, 5, 2, 2 } } } },
  { "features by size, aligned", "ROIFeatureExtractor", 'output_size="2" sampling_ratio="1" pyramid_scales="4,64" aligned="true"', { { "f32", { 3,
    4 }, { 1, 2, 9, 7, 10, 10, 140, 150, 5, 5, 2, 2 } }, { "f32", { 1, 1, 4, 4 }, { 0.9, -1.2, -0.4, -1.1, 1.4, -0.4, 1.9, 0.5, 0.8, 0.1, -0.8,
    -0.4, 1.8, -1.2, 2, 1 } }, { "f32", { 1, 1, 3, 3 }, { -0.6, 0.6, -0.5, -0.5, 0, -1.9, -0, 1.9, -0.9 } } }, { { "f32", { 3, 1, 2, 2 },
    { 0.5546875, -0.6328126, 0.9140625, 0.1015625, -0.4061401, 0.2512696, -0.2013428, 0.174646, -0.4, 0.75, -0.15, 0.2 } }, { "f32", { 3, 4 },
    { 1, 2, 9, 7, 10, 10, 140, 150, 5, 5, 2, 2 } } } },
  { "the best regions", "TopKROIs", 'max_rois="2"', { { "f32", { 3, 4 }, { 0.24, 3.17, 6.2, 7.47, 2.76, 0.37, 9.96, 5.92, 3.85, 5.12, 9.4,
    11.88 } }, { "f32", { 3 }, { 0.2, 0.9, 0.5 } } }, { { "f32", { 2, 4 }, { 2.76, 0.37, 9.96, 5.92, 3.85, 5.12, 9.4, 11.88 } } } },
}

describe("detectron", function()
  for _, case in ipairs(CASES) do
    it(case[1], function()
      local inputs, wants = {}, {}
      for i, t in ipairs(case[4]) do inputs[i] = ov.Tensor(t[1], t[2], t[3]) end
      for i, t in ipairs(case[5]) do wants[i] = ov.Tensor(t[1], t[2], t[3]) end
      local model = ov.Core():read_model({ model = ir(case[2], case[3], inputs, wants), weights = "" })
      local request = ov.Core():compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request()
      request:infer(inputs)
      for i, want in ipairs(wants) do support.close(request:get_output_tensor(i), want, 1e-4, "output " .. i) end
    end)
  end
end)
