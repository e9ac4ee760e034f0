---@meta ovlite
-- Annotations of everything public, for LuaLS and for the reference. A spec checks that no member is missing here.
-- Positions count from 1. Errors are raised as "file:line: ovlite: CODE: message"; see ov.error_code.

error("ovlite.meta describes the module for editors; it is not there to be loaded")

---@alias ov.ElementType "f32"|"f16"|"bf16"|"f64"|"i8"|"i16"|"i32"|"i64"|"u8"|"u16"|"u32"|"u64"|"boolean"|"i4"|"u4"|"u1"|"i2"|"u2"|"f8e4m3"|"f8e5m2"|"f8e4m3fnuz"|"f8e5m2fnuz"|"f8e8m0"|"f4e2m1"|"string"
---@alias ov.Dim integer|{[1]: integer, [2]: integer}|string -- a size, -1 for any, {min, max}, or text like "1..4"
---@alias ov.Shape ov.Dim[]|string -- {1, 3, 224, 224}, {} for a scalar, or text like "1,3,?,2..5"
---@alias ov.ArrayLike ov.Tensor|table|number|boolean|string|ffi.cdata*|userdata -- a table holds rows; a string raw bytes; an object has getFFIPointer and getSize
---@alias ov.Key integer|string|ov.Port -- a position, any of a tensor's names, or a port
---@alias ov.Inputs nil|ov.ArrayLike|ov.ArrayLike[]|table<ov.Key, ov.ArrayLike> -- nil and {}: as they are
---@alias ov.ErrorCode "argument"|"type"|"shape"|"not_found"|"busy"|"cancelled"|"io"|"parse"|"unsupported"|"memory"|"internal"
---@alias ov.Config table<string, string|number|boolean|string[]> -- OpenVINO's names: PERFORMANCE_HINT, NUM_STREAMS, INFERENCE_NUM_THREADS, ...
---@alias ov.Source ov.Node|ov.Output

---The module.
---@class ov
---@field version string
---@field image ov.image
---@field opset1 ov.Opset
---@field opset2 ov.Opset
---@field opset3 ov.Opset
---@field opset4 ov.Opset
---@field opset5 ov.Opset
---@field opset6 ov.Opset
---@field opset7 ov.Opset
---@field opset8 ov.Opset
---@field opset9 ov.Opset
---@field opset10 ov.Opset
---@field opset11 ov.Opset
---@field opset12 ov.Opset
---@field opset13 ov.Opset
---@field opset14 ov.Opset
---@field opset15 ov.Opset
---@field OVDict ov.OVDictMethods
---@field preprocess ov.preprocess
---@field pipeline ov.pipeline
local ov = {}

---Reads and compiles models, and keeps properties for them.
---@return ov.Core
function ov.Core() end

---A model of the op builder's nodes. Assign nodes belong to it when their variable does.
---@param results ov.Source[]|ov.Source nodes whose (first) outputs are the model's outputs, or single outputs, or Results
---@param parameters? ov.Node[]|ov.Node in the order of the model's inputs
---@param name? string
---@return ov.Model
function ov.Model(results, parameters, name) end

---What the dimensions of a tensor mean: "NCHW", "N...C", "NC??", "[N,CHANNEL,HEIGHT]", "" where nothing is known, "**SCALAR**". == compares what they mean.
---@param text string|ov.Layout
---@return ov.Layout
function ov.Layout(text) end

---A second handle on the same request.
---@param other ov.InferRequest
---@return ov.InferRequest
function ov.InferRequest(other) end

---@param compiled ov.CompiledModel
---@param jobs? integer 0 or nil: the optimal number
---@return ov.AsyncInferQueue
function ov.AsyncInferQueue(compiled, jobs) end

---As core:read_model, on a Core that the module keeps.
---@param path string
---@param weights_path? string
---@return ov.Model
---@overload fun(memory: {model: string, weights: string?}): ov.Model
function ov.read_model(path, weights_path) end

---As core:compile_model, on a Core that the module keeps.
---@param model ov.Model|string
---@param device? string
---@param config? ov.Config
---@return ov.CompiledModel
function ov.compile_model(model, device, config) end

---Writes IR version 11: path and the .bin beside it.
---@param model ov.Model
---@param path string ends in .xml
---@param options? {compress_to_fp16: boolean}|boolean f32 weights are stored as f16 unless false
function ov.save_model(model, path, options) end

---Calls the callbacks that are due, waiting at most ms for the first one when runs are in flight.
---@param ms? number 0
---@return integer count of callbacks that ran
function ov.poll(ms) end

---A file descriptor that is readable while callbacks are due.
---@return integer
function ov.pollfd() end

---The code in an error of this module, nil for any other value.
---@param err any
---@return ov.ErrorCode?
function ov.error_code(err) end

---What so many threads can do at most, a second: multiplications and additions (also with bf16 products), bytes from cache (128 KB) and from memory (64 MB).
---Measured when first asked for, then kept. Errors: type, argument (1 to 1024 threads).
---@param threads? integer 1
---@return {flops: number, flops_bf16: number, cache_bytes: number, memory_bytes: number}
function ov.machine_limits(threads) end

-- ---- Tensor ----

---Elements in memory.
---@class ov.Tensor
---@field element_type ov.ElementType
---@field shape integer[] may be set, as set_shape
---@field size integer number of elements
---@field byte_size integer
---@field strides integer[] in bytes
---@field data ffi.cdata*|lightuserdata a typed pointer under LuaJIT, which keeps the memory; elements count from 0 there
---@operator call: ov.Tensor
local Tensor = {}

---@class ov.TensorLib: ov.Tensor
---@overload fun(element_type: ov.ElementType, shape: integer[], data?: ov.ArrayLike): ov.Tensor
---@overload fun(data: ov.ArrayLike, element_type?: ov.ElementType): ov.Tensor
---@overload fun(base: ov.Tensor, first: integer[], last: integer[]): ov.Tensor
---@overload fun(port: ov.Port): ov.Tensor
ov.Tensor = {}

---A tensor on foreign memory, without a copy. Keeps the cdata (or Data object) alive.
---@param memory ffi.cdata*|userdata|table
---@param element_type ov.ElementType
---@param shape integer[]
---@return ov.Tensor
function ov.Tensor.wrap(memory, element_type, shape) end

---Reads .npy, .npz (as a table of tensors by name) or a serialised ONNX tensor.
---@param path string
---@return ov.Tensor|table<string, ov.Tensor>
function ov.Tensor.load(path) end

---@return ov.ElementType
function Tensor:get_element_type() end
---@return integer[]
function Tensor:get_shape() end
---@return integer
function Tensor:get_size() end
---@return integer
function Tensor:get_byte_size() end
---@return integer[]
function Tensor:get_strides() end
---Whether the elements lie one after the other.
---@return boolean
function Tensor:is_continuous() end
---One element. 64-bit integers beyond 2^53 are int64 or uint64 cdata (integers on Lua 5.3 and later).
---@param ... integer positions, one for each dimension
---@return number|boolean|string|ffi.cdata*
function Tensor:get(...) end
---@param value number|boolean|string|ffi.cdata*
---@param ... integer
---@return ov.Tensor self
function Tensor:set(value, ...) end
---All elements as a list.
---@return table
function Tensor:flat() end
---All elements as nested lists; a scalar's value.
---@return any
function Tensor:totable() end
---All elements as raw bytes.
---@return string
function Tensor:bytes() end
---Copies with conversion. Another Tensor brings its shape along; other data must fit this one's.
---@param data ov.ArrayLike
---@return ov.Tensor self
function Tensor:copy_from(data) end
---@param tensor ov.Tensor
---@return ov.Tensor tensor
function Tensor:copy_to(tensor) end
---@param value number|boolean|string
---@return ov.Tensor self
function Tensor:fill(value) end
---Keeps the elements as far as they reach; memory of others does not grow.
---@param shape integer[]
---@return ov.Tensor self
function Tensor:set_shape(shape) end
---The same elements in another shape; one size may be -1. Shares memory where it can.
---@param shape integer[]
---@return ov.Tensor
function Tensor:reshape(shape) end
---@param element_type ov.ElementType
---@return ov.Tensor
function Tensor:astype(element_type) end
---A copy with memory of its own.
---@return ov.Tensor
function Tensor:clone() end
---Options of methods that give a tensor: with `out` that tensor takes the result and is returned.
---It is of the result's type, and dense or a region of the result's shape.
---@class ov.Out
---@field out? ov.Tensor

---A copy of positions first to last of one dimension.
---@param dim integer
---@param first integer
---@param last? integer
---@param options? ov.Out
---@return ov.Tensor
function Tensor:slice(dim, first, last, options) end
---A copy of one position of a dimension, without that dimension.
---@param dim integer
---@param i integer
---@param options? ov.Out
---@return ov.Tensor
function Tensor:select(dim, i, options) end
---@param order? integer[] dimensions from 1; backwards when not given
---@param options? ov.Out
---@return ov.Tensor
function Tensor:transpose(order, options) end
---Chosen positions of a dimension; the shape of `positions` stands in its place. `not_found` names one that is not there.
---@param dim integer
---@param positions ov.Tensor|integer[]|integer integers
---@param options? ov.Out
---@return ov.Tensor
function Tensor:gather(dim, positions, options) end
---The position of the largest element; with a dimension an i64 tensor of positions along it.
---@param dim? integer
---@param options? ov.Out
---@return integer|ov.Tensor
function Tensor:argmax(dim, options) end
---The k largest along a dimension (the last one), best first.
---@param k integer
---@param dim? integer
---@param options? {out: {[1]: ov.Tensor, [2]: ov.Tensor}}
---@return ov.Tensor values, ov.Tensor positions
function Tensor:topk(k, dim, options) end
---Sorted along a dimension (the last one), equals in the order they came in; NaN is above all.
---@param dim? integer
---@param options? {descending: boolean?, out: {[1]: ov.Tensor, [2]: ov.Tensor}?}
---@return ov.Tensor values, ov.Tensor positions
function Tensor:sort(dim, options) end
---@class ov.NmsOptions: ov.Out
---@field iou? number boxes are suppressed above this overlap (0.5)
---@field score? number boxes below it are not looked at
---@field max? integer
---@field classes? ov.Tensor {n}: only boxes of one class suppress each other
---@field centred? boolean boxes are centre x, centre y, width, height

---Non-maximum suppression of boxes {n, 4} (left, top, right, bottom): the positions of those that stay, best score first.
---@param scores ov.Tensor {n}
---@param options? ov.NmsOptions
---@return ov.Tensor positions i64
function Tensor:nms(scores, options) end
---Greedy CTC decoding of {rows, steps, classes}: for each row the classes told, and the mean of their values.
---@param options? {blank: integer} the blank's class (1)
---@return integer[][] classes, number[] scores
function Tensor:ctc(options) end
---@param dim? integer the last one
---@param options? ov.Out
---@return ov.Tensor
function Tensor:softmax(dim, options) end
---value * scale + shift, one number for all or one for each position of a dimension (the last one).
---f32 for integers, else the tensor's type; out may be the tensor itself.
---@param scale? number|number[] 1
---@param shift? number|number[] 0
---@param options? {dim: integer?, type: ov.ElementType?, out: ov.Tensor?}
---@return ov.Tensor
function Tensor:affine(scale, shift, options) end
---As ov.image.resize.
---@param height integer
---@param width integer
---@param options? ov.ImageOptions
---@return ov.Tensor
function Tensor:resize(height, width, options) end
---As ov.image.crop.
---@param left integer
---@param top integer
---@param height integer
---@param width integer
---@param options? {fill: number|number[]?, out: ov.Tensor?}
---@return ov.Tensor
function Tensor:crop(left, top, height, width, options) end
---@return number
function Tensor:min() end
---@return number
function Tensor:max() end
---@return number
function Tensor:sum() end
---@return number
function Tensor:mean() end
---Writes a .npy file.
---@param path string
function Tensor:save(path) end
---Lets go of the memory now. Using the tensor later raises `argument`; views on the memory go on.
function Tensor:close() end

-- ---- ports and nodes ----

---An input or output of a Model or CompiledModel: one object for each, so that == and use as a key work.
---@class ov.Port
---@field any_name string the smallest of the names
---@field names string[] sorted
---@field index integer among its node's outputs
---@field element_type ov.ElementType
---@field shape integer[] raises `shape` when dynamic
---@field partial_shape ov.Dim[]|string "..." when not even the rank is known
---@field node ov.Node
---@field layout string "NCHW" where the model tells, else ""
local Port = {}
---@return string
function Port:get_any_name() end
---@return string[]
function Port:get_names() end
---@return integer
function Port:get_index() end
---@return ov.ElementType
function Port:get_element_type() end
---@return integer[]
function Port:get_shape() end
---@return ov.Dim[]|string
function Port:get_partial_shape() end
---@return ov.Node
function Port:get_node() end
function Port:close() end

---An operator in a model or in the op builder. Nodes can be added, subtracted, multiplied, divided, and negated.
---@class ov.Node
---@field friendly_name string may be set
---@field name string
---@field type_name string
---@field attributes table<string, any>
---@field element_type ov.ElementType of the first output
---@field shape integer[] of the first output
---@field partial_shape ov.Dim[]|string of the first output
---@field value ov.Tensor? of a Constant
---@field opset integer the opset that the file or the builder took it from
---@operator add(any): ov.Node
---@operator sub(any): ov.Node
---@operator mul(any): ov.Node
---@operator div(any): ov.Node
---@operator pow(any): ov.Node
---@operator unm: ov.Node
local Node = {}
---@return string
function Node:get_friendly_name() end
---@param name string
---@return ov.Node self
function Node:set_friendly_name(name) end
---@return string
function Node:get_name() end
---@return string
function Node:get_type_name() end
---@return table<string, any>
function Node:get_attributes() end
---@param i? integer may be left out when there is one
---@return ov.Output
function Node:output(i) end
---@return ov.Output[]
function Node:outputs() end
---What input i reads; false for an optional input that is absent.
---@param i? integer
---@return ov.Output|false
function Node:input(i) end
---@return (ov.Output|false)[]
function Node:inputs() end
---@return integer
function Node:get_output_size() end
---@return integer
function Node:get_input_size() end
---@param i? integer
---@return ov.ElementType
function Node:get_element_type(i) end
---@param i? integer
---@return integer[]
function Node:get_shape(i) end
---@param i? integer
---@return ov.Dim[]|string
function Node:get_partial_shape(i) end
---@param i? integer
---@return ov.ElementType
function Node:get_output_element_type(i) end
---@param i? integer
---@return integer[]
function Node:get_output_shape(i) end
---@param i? integer
---@return ov.Dim[]|string
function Node:get_output_partial_shape(i) end
function Node:close() end

---One output of a node.
---@class ov.Output
---@field names string[]
---@field any_name string
---@field index integer
---@field node ov.Node
---@field element_type ov.ElementType
---@field shape integer[]
---@field partial_shape ov.Dim[]|string
---@operator add(any): ov.Node
---@operator sub(any): ov.Node
---@operator mul(any): ov.Node
---@operator div(any): ov.Node
---@operator pow(any): ov.Node
---@operator unm: ov.Node
local Output = {}
---@return string[]
function Output:get_names() end
---@return string
function Output:get_any_name() end
---@param names string[]|string
---@return ov.Output self
function Output:set_names(names) end
---@param names string[]|string
---@return ov.Output self
function Output:add_names(names) end
---@return integer
function Output:get_index() end
---@return ov.Node
function Output:get_node() end
---@return ov.ElementType
function Output:get_element_type() end
---@return integer[]
function Output:get_shape() end
---@return ov.Dim[]|string
function Output:get_partial_shape() end
function Output:close() end

---The operators of one opset, under OpenVINO's Python factory names. Arguments come by position, inputs then attributes in Python's order, or by name in a
---table (also `name`, the friendly name). A plain table or number stands for a constant of the other operand's type, i64 for axes and shapes.
---@class ov.Opset
---@field [string] fun(...): ov.Node
local Opset = {}
---@param shape ov.Shape
---@param element_type? ov.ElementType f32
---@param name? string
---@param options? {dtype: ov.ElementType?, name: string?, layout: string?} may stand in the place of any argument after the shape
---@return ov.Node
function Opset.parameter(shape, element_type, name, options) end
---@param value ov.ArrayLike a Tensor is copied
---@param element_type? ov.ElementType
---@param shape? integer[]
---@param name? string
---@return ov.Node
function Opset.constant(value, element_type, shape, name) end
---@param source ov.Source
---@return ov.Node
function Opset.result(source) end
---@param condition ov.Source|boolean
---@return ov.If
function Opset.if_op(condition) end
---@param trip_count? ov.Source|integer -1: no limit
---@param condition? ov.Source|boolean
---@return ov.Loop
function Opset.loop(trip_count, condition) end
---@return ov.Loop
function Opset.tensor_iterator() end

---Control flow in the making: the node is made when one of its outputs is first used. Parameters and results of bodies are named by the nodes that the
---bodies' ov.Model was made of, or by position.
---@class ov.Control
local Control = {}
---@param name string
---@return ov.Control self
function Control:set_friendly_name(name) end
---@return ov.Node
function Control:get_node() end
---@param i? integer
---@return ov.Output
function Control:output(i) end

---@class ov.If: ov.Control
local If = {}
---@param body ov.Model
---@return ov.If self
function If:set_then_body(body) end
---@param body ov.Model
---@return ov.If self
function If:set_else_body(body) end
---@param value ov.Source
---@param then_parameter? ov.Node|integer
---@param else_parameter? ov.Node|integer
---@return ov.If self
function If:set_input(value, then_parameter, else_parameter) end
---@param then_result ov.Source|integer
---@param else_result ov.Source|integer
---@return ov.Output
function If:set_output(then_result, else_result) end

---@class ov.Loop: ov.Control
local Loop = {}
---@param body ov.Model
---@return ov.Loop self
function Loop:set_body(body) end
---@param body ov.Model
---@return ov.Loop self
function Loop:set_function(body) end
---The parameter that gets the iteration's number, and the result that says whether to go on (Loop only).
---@param iteration? ov.Node|integer -1: none
---@param condition? ov.Source|integer
---@return ov.Loop self
function Loop:set_special_body_ports(iteration, condition) end
---@param parameter ov.Node|integer
---@param value ov.Source
---@return ov.Loop self
function Loop:set_invariant_input(parameter, value) end
---@param parameter ov.Node|integer
---@param initial ov.Source
---@param successive ov.Source|integer a result of the body
---@return ov.Loop self
function Loop:set_merged_input(parameter, initial, successive) end
---@param parameter ov.Node|integer
---@param value ov.Source
---@param start integer
---@param stride integer
---@param part_size integer
---@param stop integer -1: the end
---@param axis integer from 0
---@return ov.Loop self
function Loop:set_sliced_input(parameter, value, start, stride, part_size, stop, axis) end
---@param result ov.Source|integer
---@param iteration? integer -1: the last
---@return ov.Output
function Loop:get_iter_value(result, iteration) end
---@param result ov.Source|integer
---@param start integer
---@param stride integer
---@param part_size integer
---@param stop integer
---@param axis integer
---@return ov.Output
function Loop:get_concatenated_slices(result, start, stride, part_size, stop, axis) end

-- ---- Model, Core, CompiledModel ----

---The graph before it is compiled.
---@class ov.Model
---@field inputs ov.Port[]
---@field outputs ov.Port[]
---@field friendly_name string may be set
---@field name string
---@field parameters ov.Node[]
---@field results ov.Node[]
---@field metadata table<string, string> of the file
---@field origin string what kind of file it came from, for people: "ONNX (IR 8, opset 17, pytorch 2.1)"; "" when built
---@field dynamic boolean
local Model = {}
---@param key? ov.Key may be left out when there is one
---@return ov.Port
function Model:input(key) end
---@param key? ov.Key
---@return ov.Port
function Model:output(key) end
---@return string
function Model:get_friendly_name() end
---@param name string
---@return ov.Model self
function Model:set_friendly_name(name) end
---@return string
function Model:get_name() end
---@return boolean
function Model:is_dynamic() end
---All nodes in an order in which they can run.
---@return ov.Node[]
function Model:get_ops() end
---@return ov.Node[]
function Model:get_ordered_ops() end
---@return ov.Node[]
function Model:get_parameters() end
---@return ov.Node[]
function Model:get_results() end
---Gives inputs other shapes, all or none. On a model of one input a table without names or ports is its shape.
---@param shapes ov.Shape|table<ov.Key, ov.Shape>
---@return ov.Model self
function Model:reshape(shapes) end
---Makes inner tensors outputs of the model.
---@param names string|string[]
---@return ov.Port[]
function Model:add_outputs(names) end
---@return ov.Model
function Model:clone() end
function Model:close() end

---@class ov.Core
---@field available_devices string[]
local Core = {}
---Reads IR (.xml and the .bin beside it) or ONNX, told apart by content.
---@param path string
---@param weights_path? string
---@return ov.Model
---@overload fun(self: ov.Core, memory: {model: string, weights: string?}): ov.Model
function Core:read_model(path, weights_path) end
---A path is compiled without a Model of its own in between: faster, with less memory, and from CACHE_DIR without reading the model at all.
---@param model ov.Model|string
---@param device? "CPU"|"AUTO"
---@param config? ov.Config
---@return ov.CompiledModel
function Core:compile_model(model, device, config) end
---@param source string what export_model gave, or the path of a file with it
---@param device? string
---@return ov.CompiledModel
function Core:import_model(source, device) end
---@param device string
---@param name string
---@return any
---@overload fun(self: ov.Core, name: string): any
function Core:get_property(device, name) end
---@param device string
---@param config ov.Config
---@overload fun(self: ov.Core, config: ov.Config)
function Core:set_property(device, config) end
---@return string[]
function Core:get_available_devices() end
---@param device string
---@return table<string, {major: integer, minor: integer, patch: integer, build_number: string, description: string}>
function Core:get_versions(device) end
---@param model ov.Model
---@param device? string
---@return table<string, string> device_of_node by friendly name
function Core:query_model(model, device) end
function Core:close() end

---@class ov.MemorySlot
---@field node_name string of the step that writes it first
---@field bytes integer
---@field offset integer
---@field first integer
---@field last integer

---@class ov.MemoryPlan
---@field arena integer of each stream
---@field scratch integer of each stream
---@field side_by_side integer what all slots would take without sharing
---@field steps integer
---@field slots ov.MemorySlot[]

---A plan that requests run. Calling it infers with a request of its own; inputs are then shared unless told otherwise.
---@class ov.CompiledModel
---@field inputs ov.Port[]
---@field outputs ov.Port[]
---@overload fun(inputs?: ov.Inputs, share_inputs?: boolean|ov.Sharing, share_outputs?: boolean): ov.OVDict
local CompiledModel = {}
---@param key? ov.Key
---@return ov.Port
function CompiledModel:input(key) end
---@param key? ov.Key
---@return ov.Port
function CompiledModel:output(key) end
---@return ov.InferRequest
function CompiledModel:create_infer_request() end
---@param inputs? ov.Inputs
---@param share_inputs? boolean|ov.Sharing
---@param share_outputs? boolean
---@return ov.OVDict
function CompiledModel:infer_new_request(inputs, share_inputs, share_outputs) end
---@param name string
---@return any
function CompiledModel:get_property(name) end
---Raises `unsupported`: the properties are fixed.
---@param config ov.Config
function CompiledModel:set_property(config) end
---What really runs: fused layers, kernels, precisions.
---@return ov.Model
function CompiledModel:get_runtime_model() end
---The graph after its passes and the packed weights, for import_model of this version of ovlite; other machines pack anew.
---@return string bytes
function CompiledModel:export_model() end
---Drops idle arenas, all plans but the last, and memory of results that are gone.
function CompiledModel:release_memory() end
---Bytes: `weights` (originals that are in memory: most go once they are packed), `packed`, `mapped` (of both, in files that the system reads again at
---need), `arenas`; and counters of the plan cache: `plans`, `plan_hits`, `plan_misses`, `plan_evictions`.
---@return table<string, integer>
function CompiledModel:memory() end
---Where values live in the arena of the plan used last; bytes. A slot is taken from its first step to its last, which count from 1 in the order of execution
---(`steps + 1`: until the end). Errors: argument (a model of open shapes that never ran has no plan).
---@return ov.MemoryPlan
function CompiledModel:memory_plan() end
function CompiledModel:close() end

-- ---- InferRequest ----

---@class ov.Sharing
---@field share_inputs? boolean use memory of inputs in place where type and layout allow
---@field share_outputs? boolean give views on the output tensors, which the next run overwrites
---@field shared_memory? boolean the deprecated name of share_inputs

---@class ov.ProfilingInfo
---@field node_name string
---@field node_type string
---@field exec_type string kernel and precision
---@field status "NOT_RUN"|"OPTIMIZED_OUT"|"EXECUTED"
---@field real_time number microseconds
---@field cpu_time number microseconds

---A step of a run beside its own limit: the time that its arithmetic and memory traffic take at least on this machine. Times in microseconds.
---@class ov.StepProfile
---@field node_name string
---@field node_type string
---@field exec_type string the kernel
---@field start number since the run began
---@field real_time number
---@field cpu_time number
---@field flops number multiplications and additions of convolutions, products, attention and recurrent nets; others: one an element
---@field bytes number inputs, weights and outputs, each once
---@field limit number
---@field limited_by "flops"|"bytes"

---@class ov.RunProfile
---@field start number of the monotonic clock
---@field real_time number all steps together
---@field stream integer which one ran it
---@field threads integer of a stream
---@field steps ov.StepProfile[]

---One user's tensors and runs of a compiled model. While it runs, most members raise `busy`.
---@class ov.InferRequest
---@field results ov.OVDict views on the output tensors
---@field latency number milliseconds of the last finished run
---@field userdata any what the last start_async or set_callback was given
---@field profiling_info ov.ProfilingInfo[]
---@field run_profile ov.RunProfile
---@field inputs ov.Tensor[]
---@field input_tensors ov.Tensor[]
---@field outputs ov.Tensor[]
---@field output_tensors ov.Tensor[]
---@field model_inputs ov.Port[]
---@field model_outputs ov.Port[]
local InferRequest = {}
---Runs on the calling thread.
---@param inputs? ov.Inputs
---@param share_inputs? boolean|ov.Sharing
---@param share_outputs? boolean
---@return ov.OVDict
function InferRequest:infer(inputs, share_inputs, share_outputs) end
---Starts a run and returns at once; a run that is known to take some microseconds is over by then.
---@param inputs? ov.Inputs
---@param userdata? any nil keeps the last one
---@param share_inputs? boolean|ov.Sharing
function InferRequest:start_async(inputs, userdata, share_inputs) end
---Waits for the run and its callback. Raises what the run raised, again and again until the next one.
function InferRequest:wait() end
---As wait, for at most ms milliseconds; 0 only looks.
---@param ms number
---@return boolean idle
function InferRequest:wait_for(ms) end
---Ends the run under way between its steps; wait then raises `cancelled`. No effect on an idle request.
function InferRequest:cancel() end
---fn(userdata, err) is called on this thread, inside wait, wait_for, ov.poll and the queue's calls, once for each start_async. nil removes it.
---@param fn fun(userdata: any, err: string?)|nil
---@param userdata? any
function InferRequest:set_callback(fn, userdata) end
---Gives way to the event loop inside a coroutine until the run has ended.
---@return ov.OVDict
function InferRequest:await() end
---@param key string|ov.Port
---@return ov.Tensor
function InferRequest:get_tensor(key) end
---@param key string|ov.Port
---@param tensor ov.Tensor
function InferRequest:set_tensor(key, tensor) end
---@param pos? integer may be left out when there is one
---@return ov.Tensor
function InferRequest:get_input_tensor(pos) end
---@param pos? integer
---@return ov.Tensor
function InferRequest:get_output_tensor(pos) end
---@param pos integer
---@param tensor ov.Tensor
---@overload fun(self: ov.InferRequest, tensor: ov.Tensor)
function InferRequest:set_input_tensor(pos, tensor) end
---@param pos integer
---@param tensor ov.Tensor
---@overload fun(self: ov.InferRequest, tensor: ov.Tensor)
function InferRequest:set_output_tensor(pos, tensor) end
---By position; a list on a model of one input is a batch.
---@param tensors table<integer, ov.Tensor>
---@overload fun(self: ov.InferRequest, pos: integer, batch: ov.Tensor[])
function InferRequest:set_input_tensors(tensors) end
---@param tensors table<integer, ov.Tensor>
function InferRequest:set_output_tensors(tensors) end
---@param tensors table<ov.Key, ov.Tensor>
---@overload fun(self: ov.InferRequest, key: string|ov.Port, batch: ov.Tensor[])
function InferRequest:set_tensors(tensors) end
---@return ov.VariableState[]
function InferRequest:query_state() end
function InferRequest:reset_state() end
---@return ov.ProfilingInfo[]
function InferRequest:get_profiling_info() end
---The last finished run step by step (ENABLE_PROFILING). Limits are measured when first asked for, which takes some 50 ms. Errors: argument (there is none).
---@return ov.RunProfile
function InferRequest:get_run_profile() end
---@return ov.CompiledModel
function InferRequest:get_compiled_model() end
---@return boolean
function InferRequest:_is_single_input() end
---A run under way ends by itself, and its callback is still called.
function InferRequest:close() end

---A variable that a request keeps between its runs.
---@class ov.VariableState
---@field name string
---@field state ov.Tensor may be set to a Tensor, which is copied
local VariableState = {}
---@return string
function VariableState:get_name() end
---@return ov.Tensor
function VariableState:get_state() end
---@param state ov.Tensor
function VariableState:set_state(state) end
---The next run starts from the initial value.
function VariableState:reset() end
function VariableState:close() end

---The results of a run: a list, and a dictionary by name and port. A tensor's name wins over a method's.
---@class ov.OVDict: ov.OVDictMethods
---@field [integer] ov.Tensor
---@field [string] ov.Tensor
---@field [ov.Port] ov.Tensor

---@class ov.OVDictMethods
local OVDict = {}
---@return fun(): ov.Port, ov.Tensor
function OVDict:items() end
---@return ov.Port[]
function OVDict:keys() end
---@return ov.Tensor[]
function OVDict:values() end
---@return string[][]
function OVDict:names() end
---@return table<ov.Port, ov.Tensor>
function OVDict:to_dict() end
---@return ov.Tensor ...
function OVDict:to_tuple() end
---@param key ov.Key
---@return boolean
function OVDict:has(key) end

---Several requests of one compiled model, taken in turn; a list of them.
---@class ov.AsyncInferQueue
---@field [integer] ov.InferRequest
---@field userdata any[] one entry a job
local AsyncInferQueue = {}
---@param fn fun(request: ov.InferRequest, userdata: any, err: string?)|nil
function AsyncInferQueue:set_callback(fn) end
---Starts a run on a free job, waiting for one when all are busy.
---@param inputs? ov.Inputs
---@param userdata? any
---@param share_inputs? boolean|ov.Sharing
function AsyncInferQueue:start_async(inputs, userdata, share_inputs) end
---Waits for all jobs and their callbacks. Without a callback it raises the first failure, once.
function AsyncInferQueue:wait_all() end
---@param id integer
function AsyncInferQueue:wait(id) end
---@param ms? number
---@return integer? id of a job that ended; nil when the time is up or nothing runs
function AsyncInferQueue:wait_any(ms) end
---@return boolean
function AsyncInferQueue:is_ready() end
---@return integer id waits for one
function AsyncInferQueue:get_idle_request_id() end
---@return integer
function AsyncInferQueue:size() end
---@return ov.InferRequest[]
function AsyncInferQueue:requests() end
function AsyncInferQueue:close() end

---@alias ov.ResizeMethod "nearest"|"linear"|"cubic"|"area"

---@class ov.ImageOptions
---@field method? ov.ResizeMethod linear; area is the mean of what a pixel covers
---@field out? ov.Tensor takes the result and is returned; may be a region of a larger picture

---@class ov.DrawOptions
---@field color? number|number[] 0 to 255, for each channel (255)
---@field alpha? number 0 to 1 (1)
---@field width? number of lines (2)
---@field fill? boolean draw_rect: the area

---Pictures are u8 tensors {height, width} or {height, width, channels}. Coordinates are distances in pixels from the top left corner, x to the right.
---@class ov.image
local image = {}
---Damaged and cut off files raise `parse`, more than max_pixels (2^27) `shape`.
---@param source string a path, or the bytes of a PNG, JPEG, BMP, GIF (its first frame) or PNM
---@param options? {channels: 1|2|3|4?, max_pixels: integer?}
---@return ov.Tensor u8 {height, width, channels}
function image.load(source, options) end
---@param path string ends in .png, .jpg or .bmp
---@param tensor ov.Tensor u8 {height, width} or {height, width, channels}
---@param options? {quality: integer} of JPEG, 1 to 100 (92)
function image.save(path, tensor, options) end
---@param picture ov.Tensor also f32
---@param height integer
---@param width integer
---@param options? ov.ImageOptions
---@return ov.Tensor
function image.resize(picture, height, width, options) end
---Part of a picture. Without `fill` it must lie inside.
---@param picture ov.Tensor also f32
---@param left integer
---@param top integer
---@param height integer
---@param width integer
---@param options? {fill: number|number[]?, out: ov.Tensor?}
---@return ov.Tensor
function image.crop(picture, left, top, height, width, options) end
---As large as fits, in the middle; (x, y) of the picture is at (x * scale_x + left, y * scale_y + top). ov.pipeline.unletterbox goes back.
---@param picture ov.Tensor
---@param height integer
---@param width integer
---@param options? {fill: number|number[]?, method: ov.ResizeMethod?, out: ov.Tensor?}
---@return ov.Tensor picture, {scale_x: number, scale_y: number, left: integer, top: integer, width: integer, height: integer} placement
function image.letterbox(picture, height, width, options) end
---A quadrilateral straightened by a perspective transform; where it shrinks it averages.
---@param picture ov.Tensor
---@param corners number[][]|number[]|ov.Tensor four points, clockwise from the top left one
---@param height integer
---@param width integer
---@param options? ov.ImageOptions
---@return ov.Tensor
function image.warp(picture, corners, height, width, options) end
---@class ov.BlobOptions
---@field mean? number|number[] 0
---@field scale? number|number[] 1
---@field reverse? boolean
---@field method? ov.ResizeMethod
---@field out? ov.Tensor may be a part of a batch

---A net's input in one pass: resized, (value - mean) / scale, channels first; reverse: BGR of RGB.
---@param picture ov.Tensor
---@param height integer
---@param width integer
---@param options? ov.BlobOptions
---@return ov.Tensor f32 {1, channels, height, width}
function image.blob(picture, height, width, options) end
---Connected parts (diagonals connect) of a map {height, width} above a threshold (0).
---@param map ov.Tensor
---@param options? {threshold: number}
---@return ov.Tensor boxes i64 {n, 4}: left, top, right, bottom, the last two outside
---@return ov.Tensor areas i64 {n}
function image.components(map, options) end
---x in the middle of the widest stretch of columns where least happens: where a line of text may be cut between words.
---@param picture ov.Tensor
---@return number
function image.gap(picture) end
---@class ov.TextBoxOptions
---@field threshold? number 0.3
---@field score? number the least mean probability of a box, 0.5
---@field unclip? number 1.6
---@field min_side? number pixels, 3
---@field max? integer parts that are looked at, 1000
---@field dilate? boolean parts grow by a pixel first (true)

---Lines of text in a detector's map of probabilities: each part's smallest rectangle, made larger by area * unclip / perimeter.
---@param map ov.Tensor {height, width}
---@param options? ov.TextBoxOptions
---@return ov.Tensor boxes f32 {n, 4, 2}: clockwise, the first edge runs to the right
---@return ov.Tensor scores f32 {n}
function image.text_boxes(map, options) end
---@param picture ov.Tensor changed, and returned
---@param left number
---@param top number
---@param width number
---@param height number
---@param options? ov.DrawOptions
---@return ov.Tensor
function image.draw_rect(picture, left, top, width, height, options) end
---@param picture ov.Tensor changed, and returned
---@param x0 number
---@param y0 number
---@param x1 number
---@param y1 number
---@param options? ov.DrawOptions
---@return ov.Tensor
function image.draw_line(picture, x0, y0, x1, y1, options) end
---@param picture ov.Tensor changed, and returned
---@param points number[][]|number[]|ov.Tensor at most 1024
---@param options? ov.DrawOptions
---@return ov.Tensor
function image.draw_polygon(picture, points, options) end
---ASCII; other characters become '?'.
---@param picture ov.Tensor changed, and returned
---@param left number
---@param top number
---@param text string at most 4096 bytes
---@param options? {color: number|number[]?, size: number?, background: number|number[]?, alpha: number?} size: of a line, in pixels (14)
---@return ov.Tensor
function image.draw_text(picture, left, top, text, options) end
---@class ov.MontageOptions
---@field columns? integer
---@field height? integer of a cell: that of the largest
---@field width? integer
---@field gap? integer 4
---@field fill? number|number[] 0
---@field method? ov.ResizeMethod area

---Pictures side by side, each as large as fits into its cell.
---@param pictures ov.Tensor[]
---@param options? ov.MontageOptions
---@return ov.Tensor
function image.montage(pictures, options) end

---Steps around a model that are not a graph.
---@class ov.pipeline
local pipeline = {}
---Points {..., 2} (x, y) or {n, 4} of a letterboxed picture, as points of the picture it came from.
---@param points ov.Tensor
---@param placement table what ov.image.letterbox gave
---@return ov.Tensor f32
function pipeline.unletterbox(points, placement) end
---for tile, left, top in tiles(picture, height, width): views that cover the picture.
---@param picture ov.Tensor
---@param height integer
---@param width integer
---@param options? {overlap: integer}
---@return fun(): ov.Tensor?, integer, integer
function pipeline.tiles(picture, height, width, options) end
---for window, first in windows(samples, size): all in one tensor, the last one filled up with zeros.
---@param samples ov.Tensor {n}
---@param size integer
---@param options? {hop: integer?, out: ov.Tensor?}
---@return fun(): ov.Tensor?, integer
function pipeline.windows(samples, size, options) end
---@param source string path or bytes
---@return ov.Tensor samples f32 from -1 to 1: {samples}, or {channels, samples}
---@return integer rate a second
function pipeline.wav(source) end
---for group in batches(items, most, key): at most so many, those of like key together.
---@generic T
---@param items T[]
---@param most integer
---@param key fun(item: T): number
---@return fun(): T[]?
function pipeline.batches(items, most, key) end
---@param scores ov.Tensor one row
---@param k integer
---@param labels? string[]
---@return {position: integer, score: number, label: string?}[] best first
function pipeline.top(scores, k, labels) end

-- ---- preprocessing ----

---Meanings of dimensions; it does not change.
---@class ov.Layout
local Layout = {}
---@return boolean nothing is known
function Layout:empty() end
---@param name string "C", "CHANNELS", ...
---@return boolean
function Layout:has_name(name) end
---The axis of a dimension, from 0 as in operators' attributes; behind "..." from the end, negative. Errors: not_found.
---@param name string
---@return integer
function Layout:get_index_by_name(name) end
---@return string "[N,C,H,W]"; tostring(layout) too
function Layout:to_string() end

---@alias ov.ColorFormat "RGB"|"BGR"|"RGBX"|"BGRX"|"GRAY"|"NV12_SINGLE_PLANE"|"NV12_TWO_PLANES"|"I420_SINGLE_PLANE"|"I420_THREE_PLANES"|"UNDEFINED"|string -- small letters will do
---@alias ov.ResizeAlgorithm "linear"|"cubic"|"nearest"|"bilinear_pillow"|"bicubic_pillow"|string -- also as "RESIZE_LINEAR"
---@alias ov.PaddingMode "constant"|"edge"|"reflect"|"symmetric"|string

---Steps before and behind a model, built into it. ColorFormat, ResizeAlgorithm and PaddingMode hold the words of the aliases under OpenVINO's names.
---@class ov.preprocess
---@field ColorFormat table<string, string>
---@field ResizeAlgorithm table<string, string>
---@field PaddingMode table<string, string>
local preprocess = {}
---The model stays as it is. Errors: type.
---@param model ov.Model
---@return ov.PrePostProcessor
function preprocess.PrePostProcessor(model) end

---Steps for a model's inputs and outputs. print() shows what happens to each tensor, step by step.
---@class ov.PrePostProcessor
local PrePostProcessor = {}
---@param key? ov.Key may be left out when there is one. Errors: not_found, argument (several)
---@return ov.InputInfo
function PrePostProcessor:input(key) end
---@param key? ov.Key
---@return ov.OutputInfo
function PrePostProcessor:output(key) end
---A new model: new inputs, the steps, the given model, its outputs' steps. What is missing is added: conversion of the element type, then of the layout. When it is
---compiled, colour, resize, mean, scale, type and layout become one pass over the pixels.
---Errors name the input and the step: argument (a layout is needed, a colour has no way to the wanted one), type (mean, scale and pad of whole numbers), shape
---(channels and values differ in number, the steps end in another shape than the model takes).
---@return ov.Model
function PrePostProcessor:build() end

---@class ov.InputInfo
local InputInfo = {}
---@return ov.InputTensorInfo what the user gives
function InputInfo:tensor() end
---@return ov.PreProcessSteps what is done with it, in the order of the calls
function InputInfo:preprocess() end
---@return ov.InputModelInfo what the model takes
function InputInfo:model() end

---The user's tensor. What is not set is as the model's input is; its shape follows from the model's shape, the layouts and the steps. Each method returns self.
---@class ov.InputTensorInfo
local InputTensorInfo = {}
---@param element_type ov.ElementType
---@return ov.InputTensorInfo
function InputTensorInfo:set_element_type(element_type) end
---@param layout ov.Layout|string it may have fewer dimensions than the model's ("HWC" for "NCHW")
---@return ov.InputTensorInfo
function InputTensorInfo:set_layout(layout) end
---The layout of a colour format is NHWC unless set. A format of several planes makes an input of each, named "x/y" and "x/uv" (NV12), or "x/y", "x/u" and "x/v" (I420).
---@param format ov.ColorFormat
---@param sub_names? string[] one per plane, instead of y, uv, u and v
---@return ov.InputTensorInfo
function InputTensorInfo:set_color_format(format, sub_names) end
---One of set_shape, set_from and the two spatial shapes, once. Errors: argument (a second one), shape.
---@param shape ov.Shape
---@return ov.InputTensorInfo
function InputTensorInfo:set_shape(shape) end
---Height and width in pixels; other dimensions are the model's.
---@param height integer
---@param width integer
---@return ov.InputTensorInfo
function InputTensorInfo:set_spatial_static_shape(height, width) end
---Pictures of any height and width.
---@return ov.InputTensorInfo
function InputTensorInfo:set_spatial_dynamic_shape() end
---The element type and shape of a tensor.
---@param data ov.Tensor|ov.ArrayLike
---@return ov.InputTensorInfo
function InputTensorInfo:set_from(data) end
---Accepted; all memory is the processor's.
---@param memory_type string
---@return ov.InputTensorInfo
function InputTensorInfo:set_memory_type(memory_type) end

---Each method notes a step down and returns self.
---@class ov.PreProcessSteps
local PreProcessSteps = {}
---@param element_type? ov.ElementType the model's where it is left out
---@return ov.PreProcessSteps
function PreProcessSteps:convert_element_type(element_type) end
---@param format ov.ColorFormat RGB, BGR or GRAY
---@return ov.PreProcessSteps
function PreProcessSteps:convert_color(format) end
---@param layout? ov.Layout|string|integer[] a layout, or an order of axes from 0 ({0, 3, 1, 2}); the model's layout where it is left out
---@return ov.PreProcessSteps
function PreProcessSteps:convert_layout(layout) end
---Coordinates are those of half pixels. Whole numbers stay whole numbers: convert_element_type before it keeps fractions.
---@param algorithm ov.ResizeAlgorithm
---@param height? integer the model's where it is left out
---@param width? integer
---@return ov.PreProcessSteps
function PreProcessSteps:resize(algorithm, height, width) end
---Subtracts a number, or one per channel. Floats only.
---@param values number|number[]
---@return ov.PreProcessSteps
function PreProcessSteps:mean(values) end
---Divides by a number, or by one per channel. Floats only.
---@param values number|number[]
---@return ov.PreProcessSteps
function PreProcessSteps:scale(values) end
---The part from `first` on and before `last` (from 0, as in Slice; negative: from the end), of the leading dimensions.
---@param first integer[]
---@param last integer[]
---@return ov.PreProcessSteps
function PreProcessSteps:crop(first, last) end
---Floats only.
---@param pads_begin integer[] one per dimension
---@param pads_end integer[]
---@param value? number 0; for "constant"
---@param mode? ov.PaddingMode "constant"
---@return ov.PreProcessSteps
function PreProcessSteps:pad(pads_begin, pads_end, value, mode) end
---@return ov.PreProcessSteps
function PreProcessSteps:reverse_channels() end
---Nodes of the op builder, made when the model is built.
---@param fn fun(x: ov.Output): ov.Source
---@return ov.PreProcessSteps
function PreProcessSteps:custom(fn) end

---@class ov.InputModelInfo
local InputModelInfo = {}
---@param layout ov.Layout|string Errors: argument (it does not fit the input's dimensions)
---@return ov.InputModelInfo
function InputModelInfo:set_layout(layout) end

---@class ov.OutputInfo
local OutputInfo = {}
---@return ov.OutputTensorInfo what the user gets
function OutputInfo:tensor() end
---@return ov.PostProcessSteps
function OutputInfo:postprocess() end
---@return ov.OutputModelInfo what the model gives
function OutputInfo:model() end

---@class ov.OutputTensorInfo
local OutputTensorInfo = {}
---@param element_type ov.ElementType
---@return ov.OutputTensorInfo
function OutputTensorInfo:set_element_type(element_type) end
---@param layout ov.Layout|string
---@return ov.OutputTensorInfo
function OutputTensorInfo:set_layout(layout) end

---@class ov.PostProcessSteps
local PostProcessSteps = {}
---@param element_type? ov.ElementType that of tensor() where it is left out
---@return ov.PostProcessSteps
function PostProcessSteps:convert_element_type(element_type) end
---@param layout? ov.Layout|string|integer[] that of tensor() where it is left out
---@return ov.PostProcessSteps
function PostProcessSteps:convert_layout(layout) end
---@param fn fun(x: ov.Output): ov.Source
---@return ov.PostProcessSteps
function PostProcessSteps:custom(fn) end

---@class ov.OutputModelInfo
local OutputModelInfo = {}
---@param layout ov.Layout|string
---@return ov.OutputModelInfo
function OutputModelInfo:set_layout(layout) end

return ov
