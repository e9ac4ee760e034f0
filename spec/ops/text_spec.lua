-- Operators on text that only ONNX has: string_cast, string_normalizer, tfidf_vectorizer, string_parts. They have no factory functions, so models are files.
local ov = require("ovlite")
local onnx = require("spec.support.onnx")
local support = require("spec.support.support")

-- One ONNX node on inputs {type, shape, data}; gives a list of {shape, values} per output.
local function run(kind, inputs, outputs, attributes)
  local names, infos, tensors, made, out = {}, {}, {}, {}, {}
  for i, v in ipairs(inputs) do
    names[i], tensors[i] = "x" .. i, ov.Tensor(v[1], v[2], v[3])
    infos[i] = { names[i], { }, v[1] }
    for d in ipairs(v[2]) do infos[i][2][d] = "n" .. i .. d end
  end
  for i, t in ipairs(outputs) do made[i] = { "y" .. i, nil, t } end
  local y = {}
  for i = 1, #made do y[i] = made[i][1] end
  local model = onnx.model({ nodes = { onnx.node(kind, names, y, attributes) }, inputs = infos, outputs = made, opset = 20 })
  local results = ov.Core():compile_model(ov.Core():read_model({ model = model }), "CPU"):create_infer_request():infer(tensors)
  for i = 1, #outputs do
    assert.equal(outputs[i], results[i].element_type)
    out[i] = { results[i].shape, results[i]:flat() }
  end
  return out
end

local STRING, F32, I64, BOOLEAN = 8, 1, 7, 9
local NAN = 0 / 0

describe("string_cast", function()
  local function text_of(t, list, more) return run("Cast", { { t, { #list }, list } }, { "string" }, { to = STRING, more })[1][2] end
  it("writes floats so that they read back, with a point", function()
    assert.same({ "1.0", "-2.5", "1e-05", "0.0001", "1e+16", "1.5e+20", "123456.75", "16777216.0", "0.1", "inf", "-inf", "nan" },
      text_of("f32", { 1, -2.5, 1e-5, 1e-4, 1e16, 1.5e20, 123456.75, 16777216, 0.1, math.huge, -math.huge, NAN }))
    assert.same({ "0.3333333333333333", "1e+300" }, text_of("f64", { 1 / 3, 1e300 }))
    assert.same({ "0.1", "65500.0" }, text_of("f16", { 0.1, 65504 }))
  end)
  it("writes integers and booleans", function()
    assert.same({ "-128", "127" }, text_of("i8", { -128, 127 }))
    assert.same({ "True", "False" }, text_of("boolean", { true, false }))
  end)
  it("reads numbers", function()
    local got = run("Cast", { { "string", { 5 }, { "0.5", "+3", "-INF", "1e3", "NaN" } } }, { "f32" }, { to = F32 })[1][2]
    assert.same({ 0.5, 3, -math.huge, 1000 }, { got[1], got[2], got[3], got[4] })
    assert.is_true(got[5] ~= got[5])
    assert.same({ 12, -3, 4 }, run("Cast", { { "string", { 3 }, { "12", "-3", "+4" } } }, { "i64" }, { to = I64 })[1][2])
  end)
  it("refuses what is no number of the type", function()
    for _, text in ipairs({ "abc", "", "1.5", "99999999999999999999" }) do
      support.broken(function() run("Cast", { { "string", { 1 }, { text } } }, { "i64" }, { to = I64 }) end, "argument")
    end
    support.broken(function() run("Cast", { { "string", { 1 }, { "300" } } }, { "u8" }, { to = 2 }) end, "argument")
  end)
end)

describe("string_normalizer", function()
  local function normal(shape, list, attributes) return run("StringNormalizer", { { "string", shape, list } }, { "string" }, attributes)[1] end
  it("drops stop words, then changes the case", function()
    assert.same({ { 2 }, { "TUESDAY", "WEDNESDAY" } },
      normal({ 3 }, { "monday", "tuesday", "wednesday" }, { case_change_action = "UPPER", is_case_sensitive = 1, stopwords = { strings = { "monday" } } }))
    assert.same({ { 1, 1 }, { "tuesday" } },
      normal({ 1, 2 }, { "MonDay", "TuesDay" }, { case_change_action = "LOWER", stopwords = { strings = { "MONDAY" } } }))
  end)
  it("knows letters beyond ASCII", function()
    assert.same({ { 3 }, { "ÄÖÜ", "ΩΔ", "ЖЯЁ" } }, normal({ 3 }, { "äöü", "ωδ", "жяё" }, { case_change_action = "UPPER" }))
    assert.same({ { 1 }, { "äšя日本" } }, normal({ 1 }, { "ÄŠЯ日本" }, { case_change_action = "LOWER" }))
  end)
  it("gives one empty string when nothing is left", function()
    assert.same({ { 1 }, { "" } }, normal({ 2 }, { "a", "a" }, { is_case_sensitive = 1, stopwords = { strings = { "a" } } }))
    assert.same({ { 1, 1 }, { "" } }, normal({ 1, 1 }, { "a" }, { is_case_sensitive = 1, stopwords = { strings = { "a" } } }))
  end)
  it("takes one row only", function() support.broken(function() normal({ 2, 1 }, { "a", "b" }, {}) end, "shape") end)
end)

describe("tfidf_vectorizer", function()
  local function grams(t, shape, list, attributes)
    attributes.pool_int64s = t == "i64" and { 2, 3, 5, 4, 5, 6, 7, 8, 6, 7 } or nil
    attributes.pool_strings = t == "string" and { strings = { "2", "3", "5", "4", "5", "6", "7", "8", "6", "7" } } or nil
    attributes.ngram_counts, attributes.ngram_indexes = { 0, 4 }, { 0, 1, 2, 3, 4, 5, 6 }
    return run("TfIdfVectorizer", { { t, shape, list } }, { "f32" }, attributes)[1]
  end
  local data, text = { 1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8 }, {}
  for i, v in ipairs(data) do text[i] = tostring(v) end
  it("counts n-grams, with skips", function()
    local how = function() return { mode = "TF", min_gram_length = 1, max_gram_length = 2, max_skip_count = 5 } end
    assert.same({ { 7 }, { 0, 3, 1, 0, 1, 3, 1 } }, grams("i64", { 12 }, data, how()))
    assert.same({ { 7 }, { 0, 3, 1, 0, 1, 3, 1 } }, grams("string", { 12 }, text, how()))
    assert.same({ { 2, 7 }, { 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1 } }, grams("i64", { 2, 6 }, data,
      { mode = "TF", min_gram_length = 1, max_gram_length = 2, max_skip_count = 0 }))
  end)
  it("weighs what it finds", function()
    local weights = { floats = { 1, 2, 3, 4, 5, 6, 7 } }
    local how = function(mode) return { mode = mode, min_gram_length = 1, max_gram_length = 1, max_skip_count = 0, weights = weights } end
    assert.same({ { 7 }, { 0, 2, 3, 0, 0, 0, 0 } }, grams("i64", { 12 }, data, how("IDF")))
    assert.same({ { 7 }, { 0, 6, 3, 0, 0, 0, 0 } }, grams("i64", { 12 }, data, how("TFIDF")))
  end)
  it("refuses a pool that does not fit", function()
    support.broken(function()
      run("TfIdfVectorizer", { { "i64", { 1 }, { 1 } } }, { "f32" },
        { mode = "TF", min_gram_length = 1, max_gram_length = 2, max_skip_count = 0, pool_int64s = { 1, 2 }, ngram_counts = { 0, 1 }, ngram_indexes = { 0, 1 } })
    end, "argument")
  end)
end)

describe("string_parts", function()
  it("joins strings, broadcasting", function()
    assert.same({ { 2, 2 }, { "ac", "ad", "bc", "bd" } },
      run("StringConcat", { { "string", { 2, 1 }, { "a", "b" } }, { "string", { 2 }, { "c", "d" } } }, { "string" })[1])
  end)
  local function split(list, attributes) return run("StringSplit", { { "string", { #list }, list } }, { "string", "i64" }, attributes) end
  it("splits at a delimiter", function()
    assert.same({ { { 3, 2 }, { "abc", "com", "abc", "", "", "" } }, { { 3 }, { 2, 2, 1 } } }, split({ "abc.com", "abc.", "" }, { delimiter = "." }))
    assert.same({ { { 2, 3 }, { "a", "b", "c-d", "x", "y", "-" } }, { { 2 }, { 3, 3 } } }, split({ "a-b-c-d", "x-y--" }, { delimiter = "-", maxsplit = 2 }))
  end)
  it("splits at blanks without one", function()
    assert.same({ { { 3, 2 }, { "hello", "world", "def", "ghi", "", "" } }, { { 3 }, { 2, 2, 0 } } }, split({ "hello world", "  def  ghi ", "  " }, {}))
    assert.same({ { { 1, 2 }, { "hello", "big world" } }, { { 1 }, { 2 } } }, split({ "hello  big world" }, { maxsplit = 1 }))
  end)
  it("matches whole strings", function()
    local function match(pattern, ...) return run("RegexFullMatch", { { "string", { select("#", ...) }, { ... } } }, { "boolean" }, { pattern = pattern })[1][2] end
    local function truth(list) for i, v in ipairs(list) do list[i] = v == true or v == 1 end return list end
    assert.same({ true, false, true }, truth(match([[www\.[\w.-]+\.\bcom\b]], "www.google.com", "www.facebook.org", "www.a-b.com")))
    assert.same({ true, false, false }, truth(match([[(?:\d{2}|a)\D]], "12x", "x12x", "123")))
    support.broken(function() match("(", "x") end, "argument")
    support.broken(function() match("(a{999}){999}", "x") end, "unsupported")
  end)
end)
