using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Training;

/// <summary>What the forward pass leaves for the backward pass.</summary>
/// <param name="Value">Its type is that of the mathematics, F32 or I32; see <paramref name="Format"/> for how it is kept.</param>
/// <param name="Layer">Where it was made; null: before the first layer or after the last. MTP modules count as the layers behind.</param>
/// <param name="Last">The half that reads it last: until then it stays.</param>
/// <param name="Format">How it is kept; null: as 32-bit integers.</param>
/// <param name="BytesPerElement">With its share of the scales where the format has some.</param>
public sealed record SavedValue(Temporary Value, int? Layer, Work Last, NumberFormat? Format, double BytesPerElement)
{
    /// <summary>Size for a sequence of this many tokens.</summary>
    public double Bytes(long tokens) => Value.Type.Elements.Evaluate(_ => tokens) * BytesPerElement;
}
