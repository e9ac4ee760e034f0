-- Operations of OpenVINO's opsets, under the opset that brings them, or a new version of them. Made by make_golden.py.
return {
  [1] = [[
    Abs Acos Add Asin Atan AvgPool BatchNormInference BinaryConvolution Broadcast CTCGreedyDecoder Ceiling Clamp Concat Constant Convert
    ConvertLike Convolution ConvolutionBackpropData Cos Cosh DeformableConvolution DeformablePSROIPooling DepthToSpace DetectionOutput Divide
    Elu Equal Erf Exp FakeQuantize Floor FloorMod GRN Gather GatherTree Greater GreaterEqual GroupConvolution GroupConvolutionBackpropData
    HardSigmoid Interpolate LRN LSTMCell Less LessEqual Log LogicalAnd LogicalNot LogicalOr LogicalXor MatMul MaxPool Maximum Minimum Mod
    Multiply Negative NonMaxSuppression NormalizeL2 NotEqual OneHot PRelu PSROIPooling Pad Parameter Power PriorBox PriorBoxClustered Proposal
    RNNCell Range ReduceLogicalAnd ReduceLogicalOr ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum RegionYolo Relu Reshape Result Reverse
    ReverseSequence Select Selu ShapeOf ShuffleChannels Sigmoid Sign Sin Sinh Softmax SpaceToDepth Split Sqrt SquaredDifference Squeeze
    StridedSlice Subtract Tan Tanh TensorIterator Tile TopK Transpose Unsqueeze VariadicSplit Xor
]],
  [2] = [[
    BatchToSpace Gelu MVN ROIPooling ReorgYolo SpaceToBatch
]],
  [3] = [[
    Assign Broadcast Bucketize CumSum EmbeddingBagOffsetsSum EmbeddingBagPackedSum EmbeddingSegmentsSum ExtractImagePatches GRUCell
    NonMaxSuppression NonZero ROIAlign ReadValue ScatterElementsUpdate ScatterUpdate ShapeOf TopK
]],
  [4] = [[
    Acosh Asinh Atanh CTCLoss HSwish Interpolate LSTMCell Mish NonMaxSuppression Proposal Range ReduceL1 ReduceL2 ScatterNDUpdate SoftPlus Swish
]],
  [5] = [[
    BatchNormInference GRUSequence GatherND HSigmoid LSTMSequence LogSoftmax Loop NonMaxSuppression RNNSequence Round
]],
  [6] = [[
    Assign CTCGreedyDecoderSeqLen ExperimentalDetectronDetectionOutput ExperimentalDetectronGenerateProposalsSingleImage
    ExperimentalDetectronPriorGridGenerator ExperimentalDetectronROIFeatureExtractor ExperimentalDetectronTopKROIs GatherElements MVN ReadValue
]],
  [7] = [[
    DFT Einsum Gather Gelu IDFT Roll
]],
  [8] = [[
    AdaptiveAvgPool AdaptiveMaxPool DeformableConvolution DetectionOutput Gather GatherND I420toBGR I420toRGB If MatrixNms MaxPool MulticlassNms
    NV12toBGR NV12toRGB PriorBox RandomUniform Slice Softmax
]],
  [9] = [[
    Eye GenerateProposals GridSample IRDFT MulticlassNms NonMaxSuppression RDFT ROIAlign SoftSign
]],
  [10] = [[
    IsFinite IsInf IsNaN Unique
]],
  [11] = [[
    Interpolate TopK
]],
  [12] = [[
    GroupNormalization Pad ScatterElementsUpdate
]],
  [13] = [[
    BitwiseAnd BitwiseNot BitwiseOr BitwiseXor FakeConvert Multinomial NMSRotated ScaledDotProductAttention
]],
  [14] = [[
    AvgPool ConvertPromoteTypes Inverse MaxPool
]],
  [15] = [[
    BitwiseLeftShift BitwiseRightShift Col2Im EmbeddingBagOffsets EmbeddingBagPacked ROIAlignRotated STFT ScatterNDUpdate SearchSorted
    SliceScatter Squeeze StringTensorPack StringTensorUnpack
]],
}
