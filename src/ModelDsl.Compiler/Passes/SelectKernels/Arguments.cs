using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>Writes argument lists: <c>new Arguments().Tensor(x).Quantised(q).Size(rows)</c>.</summary>
internal sealed class Arguments
{
    private readonly ImmutableArray<LaunchArgument>.Builder _list = ImmutableArray.CreateBuilder<LaunchArgument>();

    /// <summary>A value; nothing where there is none.</summary>
    public Arguments Tensor(Value? value)
    {
        if (value is not null) _list.Add(new TensorArgument(value));
        return this;
    }

    public Arguments Tensors(params Value?[] values)
    {
        foreach (var value in values) Tensor(value);
        return this;
    }

    /// <summary>A value and, if it has any, its scales behind it; nothing where there is no value.</summary>
    public Arguments WithScales(Value? value)
    {
        Tensor(value);
        if (value is { Type.IsQuantised: true }) _list.Add(new TensorArgument(value, Scales: true));
        return this;
    }

    /// <summary>The scales of a value alone.</summary>
    public Arguments Scales(Value value)
    {
        _list.Add(new TensorArgument(value, Scales: true));
        return this;
    }

    public Arguments Size(Dim size)
    {
        _list.Add(new SizeArgument(size));
        return this;
    }

    public ImmutableArray<LaunchArgument> Build() => _list.ToImmutable();
}
