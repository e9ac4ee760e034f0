-- color: NV12toRGB, NV12toBGR, I420toRGB, I420toBGR, of one plane and of several, against the formula of BT.601 as OpenVINO has it.
local ov = require("ovlite")
local support = require("spec.support.support")
local op = ov.opset8

local H, W = 4, 6
local function level(v) return math.max(0, math.min(255, v)) end

-- y: H*W values, u and v: (H/2)*(W/2); rows of {r, g, b}
local function expected(y, u, v, bgr)
  local out = {}
  for i = 0, H - 1 do
    for j = 0, W - 1 do
      local at = math.floor(i / 2) * (W / 2) + math.floor(j / 2) + 1
      local c, d, e = 1.164 * (y[i * W + j + 1] - 16), u[at] - 128, v[at] - 128
      local r, g, b = level(c + 1.596 * e), level(c - 0.391 * d - 0.813 * e), level(c + 2.018 * d)
      for _, x in ipairs(bgr and { b, g, r } or { r, g, b }) do out[#out + 1] = x end
    end
  end
  return out
end

describe("color", function()
  local random = support.random(4)
  local y, u, v, uv, planes = {}, {}, {}, {}, {}
  for i = 1, H * W do y[i] = random:integer(16, 235) end
  for i = 1, H * W / 4 do
    u[i], v[i] = random:integer(30, 220), random:integer(30, 220)
    uv[#uv + 1], uv[#uv + 2] = u[i], v[i]
  end
  for _, list in ipairs({ y, u, v }) do for _, x in ipairs(list) do planes[#planes + 1] = x end end
  local single = {}
  for _, list in ipairs({ y, uv }) do for _, x in ipairs(list) do single[#single + 1] = x end end

  local function check(name, inputs, bgr)
    for _, element_type in ipairs({ "u8", "f32" }) do
      local parameters, values = {}, {}
      for i, x in ipairs(inputs) do
        values[i] = ov.Tensor(element_type, x.shape, x.data)
        parameters[i] = op.parameter(x.shape, element_type, "p" .. i)
      end
      local result = ov.compile_model(ov.Model({ op[name](unpack(parameters)) }, parameters))(values)[1]
      assert.are.same({ 1, H, W, 3 }, result.shape)
      local got = result:astype("f32"):flat()
      for i, want in ipairs(expected(y, u, v, bgr)) do
        assert.is_true(math.abs(got[i] - want) <= (element_type == "u8" and 1 or 1e-2), ("%s %s, value %d: %g, expected %g"):format(name, element_type, i, got[i], want))
      end
    end
  end

  for _, order in ipairs({ "rgb", "bgr" }) do
    local bgr = order == "bgr"
    it("NV12 to " .. order, function()
      check("nv12_to_" .. order, { { shape = { 1, H, W, 1 }, data = y }, { shape = { 1, H / 2, W / 2, 2 }, data = uv } }, bgr)
      check("nv12_to_" .. order, { { shape = { 1, H * 3 / 2, W, 1 }, data = single } }, bgr)
    end)
    it("I420 to " .. order, function()
      check("i420_to_" .. order,
        { { shape = { 1, H, W, 1 }, data = y }, { shape = { 1, H / 2, W / 2, 1 }, data = u }, { shape = { 1, H / 2, W / 2, 1 }, data = v } }, bgr)
      check("i420_to_" .. order, { { shape = { 1, H * 3 / 2, W, 1 }, data = planes } }, bgr)
    end)
  end
end)
