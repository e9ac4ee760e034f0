-- PixelPass on every instruction set, against the plain runs of what it was made of: odd sizes, every mode of resizing, channels, layouts, video frames, crops.
local ov = require("ovlite")
local support = require("spec.support.support")

-- In a process of its own: all cases; gives the number of them, or raises.
local function all_cases()
  local module, helpers = require("ovlite"), require("spec.support.support")
  local o, count = module.opset13, 0
  local core = module.Core()
  local function i64(...) return o.constant({ ... }, "i64") end

  local function one(what, bound, shapes, build)
    local inputs = {}
    for i, shape in ipairs(shapes) do inputs[i] = helpers.random(count + i):tensor("u8", shape, 0, 255) end
    local function wanted(...) return build(...) end
    local want = helpers.reference(wanted, inputs)[1]
    local compiled = core:compile_model(helpers.model(wanted, inputs), "CPU", { INFERENCE_PRECISION_HINT = "f32", INFERENCE_NUM_THREADS = 1 + count % 3 })
    local steps = ""
    for _, node in ipairs(compiled:get_runtime_model():get_ordered_ops()) do
      if node.type_name == "ExecutionNode" and node.attributes.layerType ~= "Reorder" then steps = steps .. " " .. node.attributes.layerType end
    end
    if steps ~= " PixelPass" then error(what .. ": steps are" .. steps, 0) end
    local got = compiled:create_infer_request():infer(inputs)[1]
    local a, b, worst = got:flat(), want:flat(), 0
    for i = 1, #b do worst = math.max(worst, math.abs(a[i] - b[i])) end
    if #a ~= #b or not (worst <= bound) then error(("%s: difference %.4g, bound %.4g"):format(what, worst, bound), 0) end
    count = count + 1
  end

  local MODES = { "linear", "cubic", "nearest", "linear_onnx", "bilinear_pillow", "bicubic_pillow" }
  local SIZES = { { 7, 5, 3, 2 }, { 5, 3, 9, 17 }, { 1, 1, 3, 3 }, { 2, 33, 5, 16 }, { 16, 17, 16, 17 }, { 40, 9, 3, 33 }, { 3, 64, 2, 65 }, { 90, 3, 4, 1 } }
  local function resized(x, h, w, a, b, mode, antialias)
    return o.interpolate(x, i64(h, w), { mode = mode, shape_calculation_mode = "sizes", antialias = antialias, axes = i64(a, b) })
  end

  for _, mode in ipairs(MODES) do
    for k, s in ipairs(SIZES) do
      for channels = 1, 4 do
        local pillow = mode:find("pillow", 1, true)
        local what = ("%s %dx%d to %dx%d, %d channels"):format(mode, s[1], s[2], s[3], s[4], channels)
        local batch = 1 + k % 2
        one(what .. ", NHWC", 1e-3, { { batch, s[1], s[2], channels } }, function(_, x)
          return o.transpose(resized(o.convert(x, "f32"), s[3], s[4], 1, 2, mode, not pillow and k % 3 == 0), i64(0, 3, 1, 2))
        end)
        one(what .. ", NCHW", 1e-3, { { batch, channels, s[1], s[2] } }, function(_, x)
          return o.multiply(resized(o.convert(x, "f32"), s[3], s[4], 2, 3, mode), 0.5)
        end)
        if not pillow then
          one(what .. ", bytes", 1.001, { { batch, s[1], s[2], channels } }, function(_, x)
            return o.transpose(o.convert(resized(x, s[3], s[4], 1, 2, mode), "f32"), i64(0, 3, 1, 2))
          end)
        end
      end
    end
  end

  -- Parts of pictures: crops, and channels cut off, are views.
  for _, c in ipairs({ { 0, 3 }, { 1, 4 }, { 1, 2 }, { 3, 4 } }) do
    one(("channels %d to %d of four, cropped"):format(c[1], c[2]), 1e-3, { { 2, 9, 11, 4 } }, function(_, x)
      local part = o.slice(x, i64(2, 3, c[1]), i64(9, 11, c[2]), i64(1, 1, 1), i64(1, 2, 3))
      return o.transpose(resized(o.convert(part, "f32"), 5, 6, 1, 2, "linear"), i64(0, 3, 1, 2))
    end)
  end

  -- Video: exact levels.
  for _, h in ipairs({ 2, 6 }) do
    for _, w in ipairs({ 2, 14, 16, 34 }) do
      for _, to in ipairs({ "rgb", "bgr" }) do
        local function finish(x) return o.transpose(o.convert(x, "f32"), i64(0, 3, 1, 2)) end
        one("nv12, one plane", 0, { { 2, h * 3 / 2, w, 1 } }, function(_, x) return finish(o["nv12_to_" .. to](x)) end)
        one("nv12, two planes", 0, { { 2, h, w, 1 }, { 2, h / 2, w / 2, 2 } }, function(_, y, uv) return finish(o["nv12_to_" .. to](y, uv)) end)
        one("i420, one plane", 0, { { 2, h * 3 / 2, w, 1 } }, function(_, x) return finish(o["i420_to_" .. to](x)) end)
        one("i420, three planes", 0, { { 2, h, w, 1 }, { 2, h / 2, w / 2, 1 }, { 2, h / 2, w / 2, 1 } }, function(_, y, u, v)
          return finish(o["i420_to_" .. to](y, u, v))
        end)
        one("nv12, resized", 1e-3, { { 1, h, w, 1 }, { 1, h / 2, w / 2, 2 } }, function(_, y, uv)
          return finish(resized(o.convert(o["nv12_to_" .. to](y, uv), "f32"), 5, 7, 1, 2, "linear"))
        end)
      end
    end
  end
  return tostring(count)
end

describe("PixelPass", function()
  for _, isa in ipairs(support.isas()) do
    it("agrees with the plain operators on " .. isa, function()
      assert.are.equal("596", (support.child({ isa = isa, seconds = 600 }, all_cases)))
    end)
  end

  it("has kernels where the processor has vectors", function()
    if #support.isas() == 1 or os.getenv("OVLITE_ISA") == "scalar" then return pending("no vectors here") end
    local x = ov.opset13.parameter({ 1, 8, 8, 3 }, "u8", "x")
    local y = ov.opset13.transpose(ov.opset13.convert(x, "f32"), { 0, 3, 1, 2 })
    local kinds = {}
    for _, node in ipairs(ov.compile_model(ov.Model({ y }, { x })):get_runtime_model():get_ordered_ops()) do kinds[#kinds + 1] = node.attributes.execType end
    assert.is_truthy(table.concat(kinds, " "):find("pixels_avx", 1, true))
  end)

  it("never reads behind a picture", function()
    local found, ffi = pcall(require, "ffi")
    if not found then return pending("needs an FFI") end
    ffi.cdef("void *mmap(void *, size_t, int, int, int, long); int munmap(void *, size_t);")
    local o, size = ov.opset13, 65536
    for channels = 1, 4 do
      for _, s in ipairs({ { 1, 1 }, { 3, 1 }, { 1, 5 }, { 7, 9 } }) do
        local memory = ffi.C.mmap(nil, size, 3, 0x22, -1, 0) -- the page behind is given back
        assert.are.equal(0, ffi.C.munmap(ffi.cast("char *", memory) + size / 2, size / 2))
        local bytes = s[1] * s[2] * channels
        local picture = ov.Tensor.wrap(ffi.cast("uint8_t *", memory) + size / 2 - bytes, "u8", { 1, s[1], s[2], channels }):fill(9)
        for _, mode in ipairs({ "nearest", "linear", "cubic" }) do
          local x = o.parameter({ 1, s[1], s[2], channels }, "u8", "x")
          local y = o.interpolate(o.convert(x, "f32"), o.constant({ 6, 20 }, "i64"), { mode = mode, shape_calculation_mode = "sizes", axes = o.constant({ 1, 2 }, "i64") })
          local compiled = ov.compile_model(ov.Model({ o.transpose(y, { 0, 3, 1, 2 }) }, { x }))
          local request = compiled:create_infer_request()
          request:set_input_tensor(picture)
          assert.is_true(math.abs(request:infer()[1]:mean() - 9) < 1e-5)
          request:close()
        end
        picture:close()
        ffi.C.munmap(memory, size / 2)
      end
    end
  end)
end)
