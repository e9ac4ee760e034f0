-- A small text decoder with a key-value cache in two variables: token by token it gives the same logits as one run over the whole sequence.
local ov = require("ovlite")
local support = require("spec.support.support")
local op = ov.opset13
local core = ov.Core()

local VOCABULARY, WIDTH, HEADS = 17, 12, 3
local DEPTH = WIDTH / HEADS
local random = support.random(11)
local weights = {}
for _, name in ipairs({ "query", "key", "value", "out" }) do weights[name] = random:tensor("f32", { WIDTH, WIDTH }, -0.5, 0.5) end
weights.embedding = random:tensor("f32", { VOCABULARY, WIDTH }, -1, 1)
weights.position = random:tensor("f32", { 32, WIDTH }, -1, 1)
weights.logits = random:tensor("f32", { WIDTH, VOCABULARY }, -1, 1)

local function heads(x) -- {1, n, width} -> {1, heads, n, depth}
  return op.transpose(op.reshape(x, { 0, 0, HEADS, DEPTH }, true), { 0, 2, 1, 3 })
end

local function attention(q, k, v, mask)
  local scores = op.multiply(op.matmul(q, k, false, true), 1 / math.sqrt(DEPTH))
  if mask then scores = op.add(scores, mask) end
  local mixed = op.matmul(op.softmax(scores, 3), v, false, false)
  return op.reshape(op.transpose(mixed, { 0, 2, 1, 3 }), { 0, 0, WIDTH }, true)
end

local function embed(tokens, positions)
  return op.add(op.gather(op.constant(weights.embedding), tokens, 0), op.gather(op.constant(weights.position), positions, 0))
end

local function project(x, name) return op.matmul(x, op.constant(weights[name]), false, false) end

-- Stateless: all tokens at once, with a causal mask as an input.
local function whole(n)
  local tokens, positions = op.parameter({ 1, n }, "i64", "tokens"), op.parameter({ 1, n }, "i64", "positions")
  local mask = op.parameter({ 1, 1, n, n }, "f32", "mask")
  local x = embed(tokens, positions)
  local mixed = attention(heads(project(x, "query")), heads(project(x, "key")), heads(project(x, "value")), mask)
  local y = project(op.add(x, project(mixed, "out")), "logits")
  return core:compile_model(ov.Model({ y }, { tokens, positions, mask }, "whole"))
end

-- Stateful: one token (or a few) a run; keys and values of earlier runs come from the variables.
local function cached(id, fresh)
  local empty = op.constant(ov.Tensor("f32", { 1, HEADS, 0, DEPTH }))
  local past = op.read_value(empty, id, "f32", { 1, HEADS, -1, DEPTH })
  local all = op.concat({ past, fresh }, 2)
  return all, op.assign(all, id)
end

local function stepwise()
  local tokens, positions = op.parameter({ 1, -1 }, "i64", "tokens"), op.parameter({ 1, -1 }, "i64", "positions")
  local x = embed(tokens, positions)
  local k, keep_k = cached("keys", heads(project(x, "key")))
  local v, keep_v = cached("values", heads(project(x, "value")))
  local mixed = attention(heads(project(x, "query")), k, v)
  local y = project(op.add(x, project(mixed, "out")), "logits")
  return core:compile_model(ov.Model({ y, keep_k, keep_v }, { tokens, positions }, "stepwise"))
end

local function causal_mask(n)
  local mask = {}
  for i = 1, n do
    for j = 1, n do mask[#mask + 1] = j <= i and 0 or -1e9 end
  end
  return ov.Tensor("f32", { 1, 1, n, n }, mask)
end

describe("a decoder with a key-value cache", function()
  local text = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5 }
  local n = #text
  local positions, expected = {}, nil
  for i = 1, n do positions[i] = i - 1 end

  setup(function()
    expected = whole(n):create_infer_request():infer({ { text }, { positions }, causal_mask(n) })[1]:totable()[1]
  end)

  local function check(logits, row)
    for i, v in ipairs(logits) do assert.is_true(math.abs(v - expected[row][i]) < 1e-4, ("token %d, logit %d: %g, expected %g"):format(row, i, v, expected[row][i])) end
  end

  it("gives the same logits token by token, for each request by itself, again after a reset", function()
    local compiled = stepwise()
    local one, other = compiled:create_infer_request(), compiled:create_infer_request()
    for round = 1, 2 do
      for i = 1, n do
        check(one:infer({ { { text[i] } }, { { i - 1 } } })[1]:totable()[1][1], i)
        if i <= 3 and round == 1 then check(other:infer({ { { text[i] } }, { { i - 1 } } })[1]:totable()[1][1], i) end
      end
      for _, state in ipairs(one:query_state()) do assert.are.same({ 1, HEADS, n, DEPTH }, state.state.shape) end
      one:reset_state()
    end
  end)

  it("goes on from a state that was taken out and put into another request", function()
    local compiled = stepwise()
    local one, other = compiled:create_infer_request(), compiled:create_infer_request()
    for i = 1, 5 do one:infer({ { { text[i] } }, { { i - 1 } } }) end
    local saved = {}
    for _, state in ipairs(one:query_state()) do saved[state.name] = ov.Tensor(state.state.element_type, state.state.shape, state.state) end
    for _, state in ipairs(other:query_state()) do state.state = saved[state.name] end
    for i = 6, n do check(other:infer({ { { text[i] } }, { { i - 1 } } })[1]:totable()[1][1], i) end
  end)
end)
