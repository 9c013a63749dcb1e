using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Tests.Training.Evaluation;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Training;

/// <summary>A checkpoint's weights as a graph names them.</summary>
internal static class GoldenWeights
{
    /// <summary>Device tensors from the parts that the checkpoint holds.</summary>
    public static Dictionary<string, Tensor> Load(ModelGraph graph, GoldenModel? golden = null)
    {
        var stored = Safetensors.LoadFolder((golden ?? GoldenModel.Micro).Checkpoint);
        return graph.Weights.ToDictionary(entry => entry.Weight.Key, entry =>
        {
            var tensor = new Tensor([.. entry.Weight.TensorType.Shape.Select(size => (int)size.Constant!.Value)]);
            foreach (var part in entry.Weight.Parts)
                stored[part.Name].Floats().Select(value => (double)value).ToArray().CopyTo(tensor.Data, part.Row * entry.Weight.Columns);
            return tensor;
        });
    }
}
