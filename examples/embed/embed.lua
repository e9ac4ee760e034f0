-- How alike texts are, by their embeddings: make demo-embed, or: eval "$(make -s env)"; luajit examples/embed/embed.lua TEXT TEXT...
--
-- A text encoder gives a vector for each piece of a text; their mean over the pieces that are there, brought to length 1, stands for the text.
-- That part is a second small model, built here, which also multiplies the vectors with each other. The encoder of the reference models,
-- bert_mini, has made-up weights: alike is only what shares words. With a trained one (--model, --vocab) it is what means the same.
local here = (arg and arg[0] or ""):match("^(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path
local ov = require("ovlite")
local op = ov.opset13

local TEXTS = { "The train leaves in the morning.", "the train leaves, in the morning", "A farmer reads letters at night.", "Old copper kettles!" }

local function stop(code, message)
  io.stderr:write("embed: ", message, "\n")
  os.exit(code, true)
end

local function parse(words)
  local options, i = { texts = {}, vocab = here .. "vocab.txt" }, 1
  while i <= #words do
    local name = words[i]:match("^%-%-(%a+)$")
    if name == "model" or name == "vocab" then
      i = i + 1
      options[name] = words[i] or stop(2, "--" .. name .. " needs a value")
    elseif name then
      stop(2, "usage: luajit embed.lua TEXT TEXT... [--model MODEL] [--vocab FILE]")
    else
      options.texts[#options.texts + 1] = words[i]
    end
    i = i + 1
  end
  if #options.texts == 0 then options.texts = TEXTS end
  return options
end

-- hidden {texts, pieces, width} and mask {texts, pieces} -> vectors {texts, width} of length 1, and their products {texts, texts}
local function pooling(width)
  local hidden, mask = op.parameter({ -1, -1, width }, "f32", "hidden"), op.parameter({ -1, -1 }, "i64", "mask")
  local weight = op.unsqueeze(op.convert(mask, "f32"), { 2 })
  local mean = op.divide(op.reduce_sum(op.multiply(hidden, weight), { 1 }, false), op.reduce_sum(weight, { 1 }, false))
  local vectors = op.normalize_l2(mean, { 1 }, 1e-12, "add")
  return ov.Model({ vectors, op.matmul(vectors, vectors, false, true) }, { hidden, mask }, "pooling")
end

local options = parse(arg)
local model = options.model or (os.getenv("OVLITE_MODELS") or here .. "../../../shared/models") .. "/bert_mini/model.onnx"
local ok, encoder = pcall(ov.compile_model, model)
if not ok then stop(1, "the model bert_mini is needed, in the folder that $OVLITE_MODELS names: " .. tostring(encoder)) end

local tokenizer = require("wordpiece").load(options.vocab)
local rows, masks = tokenizer:batch(options.texts)
local ids, mask = ov.Tensor(rows, "i64"), ov.Tensor(masks, "i64")
local hidden = encoder({ input_ids = ids, attention_mask = mask })[1]
local results = ov.compile_model(pooling(hidden.shape[3]))({ hidden = hidden, mask = mask })
local vectors, alike = results[1], results[2]:totable()

for i, text in ipairs(options.texts) do
  print(("%d  %s"):format(i, text))
  print("   " .. table.concat(tokenizer:tokens(text), " "))
end
print(("\n%d numbers for each text; how alike they are:"):format(vectors.shape[2]))
for i, row in ipairs(alike) do
  local cells = {}
  for k, v in ipairs(row) do cells[k] = ("%6.3f"):format(v) end
  print(("%d  "):format(i) .. table.concat(cells, " "))
end
