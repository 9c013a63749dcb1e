using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph;

/// <summary>Collects what is wrong with the types of one op. Says nothing, and allocates nothing, as long as all is well.</summary>
public sealed class TypeRule
{
    private readonly List<string> _violations = [];

    public IReadOnlyList<string> Violations => _violations;

    public void Require(bool holds, string otherwise)
    {
        if (!holds) _violations.Add(otherwise);
    }

    /// <summary>The value has this shape.</summary>
    public void Shape(string role, Value value, params Dim[] shape)
    {
        if (!value.Type.Shape.Items.AsSpan().SequenceEqual(shape))
            _violations.Add($"{role} {value} is {value.Type}, not of shape [{string.Join(",", shape.Select(size => size.ToString()))}]");
    }

    /// <summary>Both have the same shape.</summary>
    public void SameShape(string role, Value a, Value b)
    {
        if (!a.Type.Shape.Equals(b.Type.Shape)) _violations.Add($"{role}: {a} is {a.Type}, {b} is {b.Type}");
    }

    /// <summary>The value has this element type and, E4M3 apart, no scales.</summary>
    public void Type(string role, Value value, DType allowed)
    {
        if (value.Type.Type != allowed) _violations.Add($"{role} {value} is {value.Type.Type.Text()}, not {allowed.Text()}");
        Scaled(role, value);
    }

    /// <summary>The value is in the activation type: F32 (audit, and before precision is placed) or BF16.</summary>
    public void Activation(string role, Value value)
    {
        if (value.Type.Type is not (DType.F32 or DType.BF16))
            _violations.Add($"{role} {value} is {value.Type.Type.Text()}, not f32 or bf16");
        Scaled(role, value);
    }

    /// <summary>A cache whose rows are activations as wide as latent and key, or the bytes of a <see cref="Fp8CacheRow"/> of them.</summary>
    public void Cache(Value cache, Value activation, int rank, int rope)
    {
        var isFp8 = cache.Type.Type == DType.E4M3;
        if (!isFp8) Same("activation and cache", activation, cache);
        Shape("cache", cache, isFp8 ? new Fp8CacheRow(rank, rope).Bytes : rank + rope);
    }

    /// <summary>Both have the same element type.</summary>
    public void Same(string role, Value a, Value b)
    {
        if (a.Type.Type != b.Type.Type) _violations.Add($"{role}: {a} is {a.Type.Type.Text()}, {b} is {b.Type.Type.Text()}");
    }

    /// <summary>The values are E4M3 with one scale per 1 x 128 group.</summary>
    public void Quantised(string role, Value value)
    {
        Type(role, value, DType.E4M3);
        if (value.Type.Scales is { } scales && scales != BlockScales.Activation)
            _violations.Add($"{role} {value} is scaled {scales}, not 1x128");
    }

    /// <summary>The operands of a matrix product fit together: both wide, or both E4M3 with the scales that the kernels take.</summary>
    public void Product(Value x, Value weight, Value result)
    {
        Scaled("x", x);
        Scaled("weight", weight);
        if (x.Type.IsQuantised) Quantised("x", x);
        if (x.Type.IsQuantised != weight.Type.IsQuantised)
            _violations.Add($"x {x} is {x.Type}, weight {weight} is {weight.Type}: both are quantised or neither is");
        if (x.Type.Type == DType.I32 || weight.Type.Type == DType.I32)
            _violations.Add($"x {x} is {x.Type}, weight {weight} is {weight.Type}: a product of integers");
        if (x.Type.Type == DType.F32 && weight.Type.Type == DType.BF16)
            _violations.Add($"x {x} is f32, weight {weight} is bf16: the weight may be the wider one, not the narrower");
        if (weight.Type.Scales is { } scales && scales != BlockScales.Weight)
            _violations.Add($"weight {weight} is scaled {scales}, not 128x128");
        Activation("result", result);
    }

    private void Scaled(string role, Value value)
    {
        if ((value.Type.Type == DType.E4M3) != value.Type.IsQuantised)
            _violations.Add($"{role} {value} is {value.Type}: scales go with e4m3 and with nothing else");
    }
}
